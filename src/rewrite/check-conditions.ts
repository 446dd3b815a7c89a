/** What can be wrong with the conditions of a rule or preCondition, and how many groups they give. */
import type { Report } from '../config/diagnostic.ts';
import type { ConditionConfig, ConditionsConfig, RuleConfig } from '../config/rewrite-model.ts';
import { doubtAbout } from '../host-name.ts';
import { checkConstantInput } from './check-constant-input.ts';
import { checkPattern, type PatternUse } from './check-pattern.ts';
import { checkStar } from './check-star.ts';

/** Of each condition: -1 for a negated one, undefined where its pattern cannot be read. */
export type ConditionGroups = readonly (number | undefined)[];

export interface ConditionUse extends Pick<PatternUse, 'syntax' | 'disabled' | 'loopsOf' | 'wildcards'> {
  /** `{C:n}` stands in the rule. */
  readonly captured: boolean;
}

export function checkConditions(
  conditions: ConditionsConfig | undefined,
  around: ConditionUse,
  report: Report,
): ConditionGroups {
  return (conditions?.entries ?? []).map((condition) => {
    if (!around.disabled) checkCondition(condition, report);
    if (!around.disabled) checkInternational(condition, report);
    const { matchType, pattern: text, ignoreCase, negate } = condition;
    const { syntax, captured } = around;
    if (!around.disabled && syntax !== undefined) checkConstantInput(condition, { syntax, captured }, report);
    if (!around.disabled && matchType === 'Pattern' && text) checkStar(text, syntax, report);
    const groups = matchType === 'Pattern' && text ? checkPattern({ ...around, text, ignoreCase }, report) : 0;
    // What was refused or forgotten may be the condition that supplies groups, or its pattern.
    if (conditions?.faulty || condition.faulty || (matchType === 'Pattern' && !text)) return undefined;
    return negate ? -1 : groups;
  });
}

function checkCondition(condition: ConditionConfig, report: Report): void {
  if (condition.matchType !== 'Pattern') {
    report('LG2225', condition.span, {
      message: `${condition.matchType} is always false here: Lychgate has no files${condition.negate ? ', so this negated condition always holds' : ''}.`,
      advice: 'Remove the condition, or decide by the path.',
    });
    return;
  }
  if (!condition.input && !condition.faulty) {
    report('LG2221', condition.span, {
      message: 'The condition has no input; it is compared with the empty string.',
      advice: 'Add input="{…}".',
      ui: true,
    });
  }
  if (!condition.pattern && !condition.faulty) {
    report('LG2222', condition.span, {
      message: 'The condition has no pattern; as a regular expression the empty pattern matches everything.',
      advice: 'Add pattern="…".',
      ui: true,
    });
  }
}

/** IIS compares the letters as they are with a Host that has none but ASCII. */
function checkInternational({ pattern, written = pattern, undecided }: ConditionConfig, report: Report): void {
  if (!pattern || !written || (written === pattern && !undecided)) return;
  if (undecided) {
    report('LG2207', pattern.span, {
      message: `Clients send international names in ASCII, and what the letters in "${written.value}" are then cannot be told: no host matches them.`,
      advice:
        'Write each name whole and in its ASCII form, as in "^xn--bcher-kva\\.contoso\\.com$" for bücher.contoso.com.',
    });
  } else {
    report('LG2207', written.span, {
      message: `Clients send international names in ASCII, which "${written.value}" does not match on IIS. Here it is compared as "${pattern.value}".`,
      advice: `Write "${pattern.value}", which is the same for both.`,
    });
  }
  for (const label of written.value.split(/[^\p{L}\p{M}\p{N}_-]+/u)) {
    const doubt = doubtAbout(label);
    if (doubt) report('LG1030', written.span, doubt);
  }
}

/** The highest `{C:n}` after the first `count` conditions: -1 where none that can supply groups comes before. */
export function conditionGroups(groups: ConditionGroups, count: number, trackAll: boolean): number | undefined {
  const before = groups.slice(0, count);
  const known = before.filter((n) => n !== undefined);
  if (known.length < before.length) return undefined;
  const positive = known.filter((n) => n >= 0);
  if (positive.length === 0) return -1;
  return trackAll ? positive.reduce((sum, n) => sum + n, 0) : Math.max(...positive);
}

/** The condition that supplies `{C:n}`, where that can be told. */
export function supplierOf({ conditions }: Pick<RuleConfig, 'conditions'>): ConditionConfig | undefined {
  if (!conditions || conditions.trackAllCaptures) return undefined;
  if (conditions.logicalGrouping === 'MatchAny' && conditions.entries.length > 1) return undefined;
  return conditions.entries.findLast(suppliesGroups);
}

export function suppliesGroups({ negate, matchType }: ConditionConfig): boolean {
  return !negate && matchType === 'Pattern';
}
