/** Which host names rules lead to a farm: what the certificates of its servers may carry. From configuration only. */
import type { ConditionConfig, RuleConfig } from '../config/model.ts';
import { literalAuthority } from './action.ts';
import { finiteInputs } from './finite-inputs.ts';
import { compilePattern, isFault } from './pattern.ts';
import { compileTemplate } from './template.ts';

const HOST_INPUT = /^\{(?:HTTP_HOST|SERVER_NAME)\}$/i;

/** The host that the Rewrite of a rule names as text, lower case, without port. */
export function ruleTargetHost({ action }: RuleConfig): string | undefined {
  if (action.type !== 'Rewrite' || action.url === undefined) return undefined;
  return literalAuthority(compileTemplate(action.url.value, new Map()))?.toLowerCase().replace(/:\d*$/, '');
}

/** False where a condition on the host keeps the rule from ever taking this one. */
export function ruleAcceptsHost(rule: RuleConfig, host: string): boolean {
  const { conditions } = rule;
  const onHost = hostConditions(rule);
  if (conditions === undefined || onHost.length === 0) return true;
  const accepts = (condition: ConditionConfig) => holds(rule, condition, host);
  if (conditions.logicalGrouping === 'MatchAll') return onHost.every(accepts);
  return onHost.length < conditions.entries.length || onHost.some(accepts);
}

/** Hosts that the conditions of a rule spell out: `meet.contoso.com`, `^(meet|dialin)\.contoso\.com$`. */
export function literalHosts(rule: RuleConfig): string[] {
  return hostConditions(rule).flatMap(({ pattern, negate }) => {
    const literals = negate ? [] : (finiteInputs(rule.patternSyntax, pattern?.value ?? '') ?? []);
    return literals.filter((literal) => /^[\w.-]+$/.test(literal)).map((literal) => literal.toLowerCase());
  });
}

/** Conditions that compare the host of the request. */
export function hostConditions({ conditions }: RuleConfig): readonly ConditionConfig[] {
  return (conditions?.entries ?? []).filter(
    ({ input, matchType }) => matchType === 'Pattern' && input !== undefined && HOST_INPUT.test(input.value),
  );
}

function holds(rule: RuleConfig, { pattern, ignoreCase, negate }: ConditionConfig, host: string): boolean {
  const compiled = compilePattern(rule.patternSyntax, pattern?.value ?? '', ignoreCase);
  if (isFault(compiled)) return false;
  return (typeof compiled.match(host) === 'object') !== negate;
}
