/** Which host names rules lead to a farm: what the certificates of its servers may carry. From configuration only. */
import type { Config } from '../config/model.ts';
import type { ConditionConfig, RuleConfig, RuleSetConfig } from '../config/rewrite-model.ts';
import { comparedName, hostOf } from '../host-name.ts';
import { destinationOf } from './destination.ts';
import { finiteInputs } from './finite-inputs.ts';
import { compilePattern, isFault } from './pattern.ts';
import { compileMaps } from './rewrite-map.ts';

const HOST_INPUT = /^\{(?:HTTP_HOST|SERVER_NAME)\}$/i;

/** The hosts that the Rewrite of a rule of this set names, in its text or in a rewrite map; lower case, without port. */
export function targetHosts(rule: RuleConfig, set: Pick<RuleSetConfig, 'rewriteMaps'>): readonly string[] {
  if (rule.action.type !== 'Rewrite') return [];
  return destinationOf(rule, compileMaps(set.rewriteMaps)).authorities.map((each) =>
    comparedName(each.replace(/:\d*$/, '')),
  );
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

/** What the conditions on the host of all rules take that a request by https can come to: for who looks for certificates. */
export function askedHosts({ globalRules, sites }: Config) {
  const ofSites = sites.flatMap(({ name, scopes }) =>
    [...new Set(scopes.flatMap(({ ruleSet }) => ruleSet.rules))].flatMap((rule) => askedBy(rule, name)),
  );
  return [...globalRules.rules.flatMap((rule) => askedBy(rule, undefined)), ...ofSites];
}

function askedBy(rule: RuleConfig, site: string | undefined) {
  if (!rule.enabled || rule.faulty || rule.action.type === 'None' || wantsPlainHttp(rule)) return [];
  return hostConditions(rule).flatMap((condition) => {
    const { pattern, negate } = condition;
    if (negate || !pattern || pattern.value === '') return [];
    // That it cannot be read has been told.
    if (isFault(compilePattern(rule.patternSyntax, pattern.value, condition.ignoreCase))) return [];
    if (takesNoHost(rule, condition)) return [];
    const hosts = finiteInputs(rule.patternSyntax, pattern.value)?.map(hostOf);
    const accepts = (host: string) => holds(rule, condition, host);
    return [{ site, rule: rule.name.value, pattern: pattern.value, span: pattern.span, hosts, accepts }];
  });
}

function wantsPlainHttp({ conditions }: RuleConfig): boolean {
  if (conditions?.logicalGrouping === 'MatchAny') return false;
  return (conditions?.entries ?? []).some(
    ({ input, pattern, negate }) =>
      /^\{HTTPS\}$/i.test(input?.value ?? '') && /off/i.test(pattern?.value ?? '') !== negate,
  );
}

/** Names, addresses and ports: nothing else stands in a Host (RFC 9110 7.2). */
const OF_A_HOST = /^(?:[\w.-]*|\[[\da-f:.]+\])(?::\d*)?$/i;

/** Whether all that the pattern takes is no host: it was written as a URL, with a path, with a blank, or as another kind of pattern. */
export function takesNoHost({ patternSyntax }: RuleConfig, { pattern }: ConditionConfig): boolean {
  if (pattern === undefined) return false;
  const inputs = finiteInputs(patternSyntax, pattern.value);
  if (inputs) return inputs.length > 0 && inputs.every((input) => !OF_A_HOST.test(input));
  return patternSyntax === 'Wildcard' && /[^\w.:*?[\]-]/.test(pattern.value);
}

/** The pattern without what makes a URL of the host that it means; nothing where that is not what is wrong with it. */
export function hostPatternMeant(rule: RuleConfig, condition: ConditionConfig): string | undefined {
  const { pattern } = condition;
  if (pattern === undefined || !takesNoHost(rule, condition)) return undefined;
  const value = pattern.value
    .trim()
    .replace(/^(\^?)https?:\\?\/\\?\//i, '$1')
    .replace(/\\?\/[^$]*(\$?)$/, '$1');
  return value === '' || takesNoHost(rule, { ...condition, pattern: { ...pattern, value } }) ? undefined : value;
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
