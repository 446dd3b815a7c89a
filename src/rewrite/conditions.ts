/** Conditions of a rule: each input against its pattern, all or any of them, and the captures they leave. */
import type { ConditionConfig, ConditionsConfig, PatternSyntax } from '../config/rewrite-model.ts';
import { cannotExpand, failure, MATCH_TOO_COMPLEX, type RuleFailure } from './outcome.ts';
import { type Captures, compilePattern, isFault, type Pattern, TOO_COMPLEX } from './pattern.ts';
import type { RewriteMaps } from './rewrite-map.ts';
import { compileTemplate, type Evaluation, refersTo, type Template } from './template.ts';
import { type TraceRecorder, takeNote } from './trace.ts';

export interface Condition {
  readonly input: Template;
  readonly matchType: ConditionConfig['matchType'];
  readonly pattern: Pattern | undefined;
  readonly patternText: string;
  readonly negate: boolean;
  readonly failure: RuleFailure | undefined;
}

export interface Conditions {
  readonly any: boolean;
  readonly trackAllCaptures: boolean;
  /** An input of theirs holds `{C:n}`. */
  readonly useCaptures: boolean;
  readonly entries: readonly Condition[];
}

/** Conditions by what they are made of: those that the rules of a list have in common are one object. */
export type KnownConditions = Map<string, Condition>;

export function compileConditions(
  config: ConditionsConfig,
  syntax: PatternSyntax,
  maps: RewriteMaps,
  known: KnownConditions = new Map(),
): Conditions {
  const entries = config.entries.map((entry) => {
    const { input, pattern, matchType, ignoreCase, negate } = entry;
    const key = JSON.stringify([input?.value, syntax, pattern?.value, matchType, ignoreCase, negate]);
    const condition = known.get(key) ?? compileCondition(entry, syntax, maps);
    known.set(key, condition);
    return condition;
  });
  return {
    any: config.logicalGrouping === 'MatchAny',
    trackAllCaptures: config.trackAllCaptures,
    useCaptures: entries.some(({ input }) => refersTo('condition', input.syntax.parts)),
    entries,
  };
}

function compileCondition(config: ConditionConfig, syntax: PatternSyntax, maps: RewriteMaps): Condition {
  const input = compileTemplate(config.input?.value ?? '', maps);
  const patternText = config.pattern?.value ?? '';
  const compiled = config.matchType === 'Pattern' ? compilePattern(syntax, patternText, config.ignoreCase) : undefined;
  const fault = compiled && isFault(compiled) ? compiled : undefined;
  return {
    input,
    matchType: config.matchType,
    pattern: compiled && !isFault(compiled) ? compiled : undefined,
    patternText,
    negate: config.negate,
    failure: input.broken
      ? cannotExpand(input.source)
      : fault && failure(`The expression "${patternText}" contains ${fault.text}.`),
  };
}

/**
 * Whether they hold. Stops as soon as the answer is certain.
 * @param capture leave the captures for `{C:n}` in `evaluation`
 */
export function evaluateConditions(
  conditions: Conditions,
  evaluation: Evaluation,
  capture: boolean,
  recorder: TraceRecorder | undefined,
): boolean | RuleFailure {
  const { any, entries } = conditions;
  const kept = capture || recorder ? (conditions.trackAllCaptures ? 'all' : 'last') : 'none';
  recorder?.events.push({
    event: 'CONDITIONS_EVALUATION_START',
    LogicalGrouping: any ? 'MatchAny' : 'MatchAll',
  });
  // An empty list holds, whatever the grouping.
  let holds: boolean | RuleFailure = !any || entries.length === 0;
  for (const condition of entries) {
    holds = evaluateCondition(condition, kept, evaluation, recorder);
    if (typeof holds !== 'boolean' || holds === any) break;
  }
  recorder?.events.push({ event: 'CONDITIONS_EVALUATION_END', Succeeded: holds === true });
  return holds;
}

function evaluateCondition(
  condition: Condition,
  kept: 'none' | 'last' | 'all',
  evaluation: Evaluation,
  recorder: TraceRecorder | undefined,
): boolean | RuleFailure {
  if (condition.failure) return condition.failure;
  const input = condition.input.evaluate(evaluation);
  // There are no files here, so IsFile and IsDirectory never hold.
  const captures = kept === 'none' ? condition.pattern?.find(input) : condition.pattern?.match(input);
  if (captures === TOO_COMPLEX) return MATCH_TOO_COMPLEX;
  const succeeded = (captures !== undefined) !== condition.negate;
  // A negated condition supplies no captures; those of the last one that matched stay.
  if (captures && succeeded) {
    evaluation.conditionCaptures = kept === 'all' ? append(evaluation.conditionCaptures, captures) : captures;
  }
  recorder?.events.push({
    event: 'CONDITION_EVALUATION',
    Input: condition.input.source,
    ExpandedInput: input,
    MatchType: condition.matchType,
    Pattern: condition.patternText,
    Negated: condition.negate,
    Succeeded: succeeded,
  });
  if (captures && succeeded) {
    takeNote(recorder, { kind: 'captured', letter: 'C', values: evaluation.conditionCaptures ?? captures });
  }
  return succeeded;
}

/** The first match counts whole, later ones give only their groups. */
function append(before: Captures | undefined, captures: Captures): Captures {
  return before ? [...before, ...captures.slice(1)] : captures;
}
