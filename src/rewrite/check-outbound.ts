/** What can be wrong with outbound rules and their preConditions. */
import type { Report, Span } from '../config/diagnostic.ts';
import type {
  OutboundMatchConfig,
  OutboundRuleConfig,
  PatternSyntax,
  PreConditionConfig,
  RuleSetConfig,
} from '../config/rewrite-model.ts';
import { type ConditionGroups, checkConditions, conditionGroups } from './check-conditions.ts';
import { checkPattern } from './check-pattern.ts';
import { checkTemplate, type TemplateSurroundings } from './check-template.ts';
import { isWritableHeader } from './outbound-rule.ts';
import { isResponseStatus, responseHeaderOfVariable } from './server-variables.ts';
import { headerVariableMeant } from './usual-headers.ts';

/** Variables that outbound rules set for later ones, upper case. */
export function variablesOfOutbound({ outbound }: RuleSetConfig): string[] {
  return (outbound?.rules ?? []).flatMap(({ match }) => match?.serverVariable?.value.toUpperCase() ?? []);
}

export function checkOutbound(set: RuleSetConfig, setSomewhere: ReadonlySet<string>, report: Report): void {
  const { outbound } = set;
  if (outbound === undefined) return;
  const around = { ruleSet: set, setSomewhere, outbound: true as const };
  const used = new Set(outbound.rules.flatMap((rule) => (rule.enabled ? (rule.preCondition?.value ?? []) : [])));
  for (const preCondition of outbound.preConditions) {
    checkPreCondition(preCondition, !isUsed(preCondition, used), around, report);
  }
  for (const rule of outbound.rules) checkRule(rule, around, report);
}

type Around = Pick<TemplateSurroundings, 'ruleSet' | 'setSomewhere' | 'outbound'>;

function isUsed({ name }: PreConditionConfig, used: ReadonlySet<string>): boolean {
  const wanted = name.value.toLowerCase();
  return [...used].some((each) => each.toLowerCase() === wanted);
}

function checkPreCondition(preCondition: PreConditionConfig, disabled: boolean, around: Around, report: Report): void {
  const { conditions } = preCondition;
  const groups = checkConditions(conditions, { syntax: syntaxOf(preCondition), disabled, captured: false }, report);
  if (!disabled) checkInputs(conditions, groups, { ...around, ruleGroups: -1 }, report);
}

function checkInputs(
  conditions: PreConditionConfig['conditions'] | undefined,
  groups: ConditionGroups,
  around: Omit<TemplateSurroundings, 'conditionGroups' | 'use'>,
  report: Report,
): void {
  for (const [index, { input }] of (conditions?.entries ?? []).entries()) {
    const before = conditionGroups(groups, index, conditions?.trackAllCaptures ?? true);
    if (input) checkTemplate(input, { ...around, conditionGroups: before, use: 'input' }, report);
  }
}

function checkRule(rule: OutboundRuleConfig, around: Around, report: Report): void {
  const { conditions, action } = rule;
  const syntax = syntaxOf(rule);
  const disabled = !rule.enabled;
  const ruleGroups = checkMatch(rule, report);
  const captured = /\{C:\d/i.test(action.value?.value ?? '');
  const groups = checkConditions(conditions, { syntax, disabled, captured }, report);
  if (disabled) return;
  checkInputs(conditions, groups, { ...around, ruleGroups }, report);
  if (action.type !== 'Rewrite' || action.value === undefined) return;
  const all = conditionGroups(groups, groups.length, conditions?.trackAllCaptures ?? true);
  // What is put into a body may be a script, with signs of its own.
  const ofBody = (rule.match?.serverVariable?.value ?? '') === '' && /[<>\s;]/.test(action.value.value);
  checkTemplate(action.value, { ...around, ruleGroups, conditionGroups: all, use: ofBody ? 'words' : 'value' }, report);
}

/** @returns the groups of the pattern, -1 for a negated one, undefined where it cannot be read */
function checkMatch(rule: OutboundRuleConfig, report: Report): number | undefined {
  const { match } = rule;
  const syntax = syntaxOf(rule);
  const disabled = !rule.enabled;
  if (match?.pattern === undefined) {
    if (disabled || rule.refused?.has('match') || match?.faulty) return undefined;
    report('LG2220', match?.span ?? rule.span, {
      message: `Outbound rule "${rule.name.value}" has no ${match ? 'pattern in its match' : 'match'}, so it never matches.`,
      advice: 'Add <match pattern="…" />; ".*" matches everything.',
      ui: true,
    });
    return undefined;
  }
  if (!disabled) checkPlace(match, syntax, report);
  const groups = checkPattern({ text: match.pattern, syntax, ignoreCase: match.ignoreCase, disabled }, report);
  return match.negate ? -1 : groups;
}

function syntaxOf({
  refused,
  patternSyntax,
}: Pick<OutboundRuleConfig, 'refused' | 'patternSyntax'>): PatternSyntax | undefined {
  return refused?.has('patternSyntax') ? undefined : patternSyntax;
}

function checkPlace(match: OutboundMatchConfig, syntax: PatternSyntax | undefined, report: Report): void {
  const variable = match.serverVariable?.value ?? '';
  const tags = match.filterByTags.length > 0;
  checkCustomTags(match, report);
  if (variable !== '') checkVariable(match, variable, report);
  if (variable === '' && !tags) checkWholeBody(match, syntax, report);
  if (match.occurrences < 0) {
    reportWithoutEffect(match.span, `occurrences="${match.occurrences}" is taken as no limit`, report);
  } else if (match.occurrences > 0 && variable !== '') {
    reportWithoutEffect(match.span, 'occurrences counts matches in a body, not in a header', report);
  }
}

function checkCustomTags({ filterByTags, customTags, span }: OutboundMatchConfig, report: Report): void {
  const named = (customTags?.value ?? '') !== '';
  if (named === filterByTags.includes('CustomTags')) return;
  report('LG2241', customTags?.span ?? span, {
    message: named
      ? `The tags of "${customTags?.value}" are not looked at, since filterByTags does not hold CustomTags.`
      : 'filterByTags holds CustomTags, but customTags names no group.',
    advice: named ? 'Add CustomTags to filterByTags.' : 'Add customTags="…", or remove CustomTags.',
    ui: true,
  });
}

function checkVariable(match: OutboundMatchConfig, variable: string, report: Report): void {
  const span = match.serverVariable?.span ?? match.span;
  const header = responseHeaderOfVariable(variable);
  if (isResponseStatus(variable)) {
    report('LG2244', span, {
      message: 'RESPONSE_STATUS can be read but not written here; the rule has no effect. What IIS does is not known.',
      advice: 'Remove the rule, or let the server answer with another status.',
    });
  } else if (header !== undefined && !isWritableHeader(header.toLowerCase())) {
    report('LG2227', span, {
      message: `"${variable}" is the header "${header}", which a rule cannot set here.`,
      advice: 'Remove it; the proxy frames the message and keeps the connection itself.',
    });
  }
  const meant = headerVariableMeant(variable.toUpperCase(), true);
  if (meant !== undefined) {
    report('LG2252', span, {
      subject: variable.toUpperCase(),
      message: `"${variable}" is a header of answers that is nearly called like a usual one.`,
      advice: `Did you mean ${meant}? If not, nothing is to be done.`,
    });
  }
  if (match.filterByTags.length === 0) return;
  report('LG2242', span, {
    message:
      'The rule has both serverVariable and filterByTags; the variable is rewritten and the tags are left alone.',
    advice: 'Make two rules of it.',
    ui: true,
  });
}

function checkWholeBody(match: OutboundMatchConfig, syntax: PatternSyntax | undefined, report: Report): void {
  if (syntax === 'Wildcard') {
    report('LG2240', match.pattern?.span ?? match.span, {
      message: 'A wildcard pattern cannot be used on a whole body; every answer would be 500.52.',
      advice: 'Add filterByTags or serverVariable, or write a regular expression.',
      iis: { status: '500.52', text: '' },
    });
  } else if (match.negate) {
    reportWithoutEffect(match.span, 'a negated pattern on a whole body leaves nothing to replace', report);
  }
}

function reportWithoutEffect(span: Span, what: string, report: Report): void {
  report('LG2243', span, {
    message: `In this outbound rule ${what}. What IIS does is not known.`,
    advice: 'Remove it.',
  });
}
