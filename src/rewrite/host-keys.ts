/** By what a host must be, or must have at some place, the rules for it can be found. */
import type { PatternSyntax } from '../config/rewrite-model.ts';
import type { Condition } from './conditions.ts';
import { finiteInputs, fixedParts } from './finite-inputs.ts';
import type { Rule } from './rule.ts';

/** A whole value of `{HTTP_HOST}`, or what stands some characters behind its start or before its end, in lower case. */
export interface HostKey {
  readonly part: 'whole' | 'start' | 'end';
  readonly offset: number;
  readonly text: string;
}

/** A rule cannot match where none of these fits. */
export type HostKeys = readonly HostKey[];

/**
 * Ways to find a rule, of which one of each list has to be taken: one list where all conditions must hold, one for each
 * condition where any may. No list where it may match with any host.
 */
export function waysToFind(rule: Rule): readonly (readonly HostKeys[])[] {
  if (rule.failure || !rule.conditions || rule.pattern?.engine === 'counting') return [];
  const { any, entries } = rule.conditions;
  // What is looked at must not be able to end the request's way.
  const unsafe = entries.findIndex((condition) => !alwaysTells(condition));
  const safe = unsafe < 0 ? entries : entries.slice(0, unsafe);
  const ofEach = safe.map((condition) => keysOf(condition, rule.patternSyntax));
  if (any && entries.length > 1) return unsafe < 0 && ofEach.every(({ length }) => length > 0) ? ofEach : [];
  const ways = ofEach.find(([keys]) => keys?.[0]?.part === 'whole') ?? ofEach.flat();
  return ways.length > 0 ? [ways] : [];
}

function keysOf(condition: Condition, syntax: PatternSyntax): readonly HostKeys[] {
  const { negate, matchType, patternText } = condition;
  if (!isAboutHost(condition) || negate || matchType !== 'Pattern') return [];
  const whole = finiteInputs(syntax, patternText);
  if (whole) return keysFor('whole', 0, whole);
  return fixedParts(syntax, patternText).flatMap(({ side, offset, words }) => keysFor(side, offset, words));
}

/** A longer Host is looked for rule by rule: there are patterns that may give up on it. */
export const LONGEST_HOST = 1024;

function alwaysTells(condition: Condition): boolean {
  const { failure, pattern } = condition;
  if (failure) return false;
  return isAboutHost(condition) ? (pattern?.tellsUpTo ?? LONGEST_HOST) >= LONGEST_HOST : pattern?.engine !== 'counting';
}

function isAboutHost({ input }: Condition): boolean {
  const [only, more] = input.syntax.parts;
  return only?.kind === 'variable' && more === undefined && only.name.toUpperCase() === 'HTTP_HOST';
}

function keysFor(part: HostKey['part'], offset: number, texts: readonly string[]): readonly HostKeys[] {
  // Of letters beyond ASCII more than one may equal another while case is ignored; the lower case would not find them.
  if (texts.length === 0 || texts.some((text) => /[^\x00-\x7f]/.test(text))) return [];
  return [[...new Set(texts.map((text) => text.toLowerCase()))].map((text) => ({ part, offset, text }))];
}

/** The conditions that are left to look at in requests with this very Host, as some are certain to hold then. */
export function uncertainFor(host: string, rule: Rule): readonly Condition[] {
  const { any, entries } = rule.conditions ?? NO_CONDITIONS;
  if (rule.usesConditionCaptures) return entries;
  const uncertain = entries.filter((condition) => !isAboutHost(condition) || !isCertain(condition, host));
  return any && uncertain.length < entries.length ? [] : uncertain;
}

const NO_CONDITIONS = { any: false, entries: [] };

function isCertain(condition: Condition, host: string): boolean {
  const { pattern, negate } = condition;
  if (!alwaysTells(condition) || host.length > LONGEST_HOST) return false;
  return (pattern?.find(host) !== undefined) !== negate;
}

/** The rule with only some of its conditions. */
export function withConditions(rule: Rule, entries: readonly Condition[]): Rule {
  const { conditions, captures } = rule;
  if (!conditions || entries.length === conditions.entries.length) return rule;
  if (entries.length > 0) return { ...rule, conditions: { ...conditions, entries } };
  return { ...rule, conditions: undefined, captures: captures === 'never' ? 'never' : 'before conditions' };
}
