/** One outbound rule: where it works, and what it does with the text of one place there. */
import type {
  OutboundMatchConfig,
  OutboundRuleConfig,
  OutboundRulesConfig,
  RuleSetConfig,
} from '../config/rewrite-model.ts';
import { ExchangeError } from '../errors.ts';
import { type Conditions, compileConditions, evaluateConditions } from './conditions.ts';
import { cannotExpand, failure, MATCH_TOO_COMPLEX, type RuleFailure } from './outcome.ts';
import {
  type Captures,
  compilePattern,
  compileSearch,
  isFault,
  type Pattern,
  type Search,
  TOO_COMPLEX,
} from './pattern.ts';
import { compileMaps, type RewriteMaps } from './rewrite-map.ts';
import { isForbiddenHeader, isResponseStatus, responseHeaderOfVariable } from './server-variables.ts';
import { attributesOf, type TagAttributes } from './tag-filter.ts';
import { compileTemplate, type Evaluation, type Template } from './template.ts';

export type Place =
  | HeaderPlace
  | { readonly kind: 'tags'; readonly attributes: TagAttributes; readonly pattern: Pattern }
  | { readonly kind: 'body'; readonly search: Search };

export interface HeaderPlace {
  /** A `variable` is no header: later rules see it, clients do not. */
  readonly kind: 'header' | 'variable';
  /** Of a header as it is written where there is none yet, of a variable in upper case. */
  readonly name: string;
  readonly lower: string;
  readonly pattern: Pattern;
}

export interface OutboundRule {
  readonly name: string;
  readonly preCondition: Conditions | undefined;
  readonly place: Place;
  readonly negate: boolean;
  readonly conditions: Conditions | undefined;
  readonly stopProcessing: boolean;
  /** 0 for no limit. */
  readonly occurrences: number;
  /** Absent for the action None. */
  readonly value: Template | undefined;
  readonly replace: boolean;
  readonly failure: RuleFailure | undefined;
}

/** The rules that can have an effect, in order; nothing where there are none, so that answers pass untouched. */
export function compileOutbound(config: RuleSetConfig): readonly OutboundRule[] | undefined {
  const { outbound } = config;
  if (outbound === undefined) return undefined;
  const maps = compileMaps(config.rewriteMaps);
  const rules = outbound.rules.flatMap((rule) => (rule.enabled ? (compileRule(rule, outbound, maps) ?? []) : []));
  return rules.length > 0 ? rules : undefined;
}

function compileRule(
  config: OutboundRuleConfig,
  outbound: OutboundRulesConfig,
  maps: RewriteMaps,
): OutboundRule | undefined {
  const wanted = config.preCondition?.value.toLowerCase() ?? '';
  const preCondition = outbound.preConditions.find(({ name }) => name.value.toLowerCase() === wanted);
  if (wanted !== '' && preCondition === undefined) return undefined;
  const placed = placeOf(config, outbound);
  if (placed === undefined) return undefined;
  const { action, match } = config;
  const value = action.type === 'Rewrite' ? compileTemplate(action.value?.value ?? '', maps) : undefined;
  return {
    name: config.name.value,
    preCondition: preCondition && compileConditions(preCondition.conditions, preCondition.patternSyntax, maps),
    place: placed.place,
    negate: match?.negate ?? false,
    conditions: config.conditions && compileConditions(config.conditions, config.patternSyntax, maps),
    stopProcessing: config.stopProcessing,
    occurrences: Math.max(0, match?.occurrences ?? 0),
    value,
    replace: action.replace,
    failure: placed.failure ?? (value?.broken ? cannotExpand(value.source) : undefined),
  };
}

interface Placed {
  readonly place: Place;
  readonly failure?: RuleFailure;
}

/** Nothing where the rule cannot ever do anything. */
function placeOf({ match, patternSyntax }: OutboundRuleConfig, outbound: OutboundRulesConfig): Placed | undefined {
  const text = match?.pattern?.value;
  if (match === undefined || text === undefined) return undefined;
  const variable = match.serverVariable?.value ?? '';
  if (variable === '' && match.filterByTags.length === 0) return wholeBody(match, patternSyntax, text);
  const pattern = compilePattern(patternSyntax, text, match.ignoreCase);
  if (isFault(pattern)) return { place: NOWHERE, failure: badPattern(text, pattern.text) };
  if (variable === '') {
    const attributes = attributesOf(match, outbound);
    return attributes.size > 0 ? { place: { kind: 'tags', attributes, pattern } } : undefined;
  }
  const name = responseHeaderOfVariable(variable);
  if (name === undefined) {
    // What a server answered with cannot be changed by a rule; other variables are for later rules.
    if (isResponseStatus(variable)) return undefined;
    return { place: { kind: 'variable', name: variable.toUpperCase(), lower: variable.toLowerCase(), pattern } };
  }
  const lower = name.toLowerCase();
  return isWritableHeader(lower) ? { place: { kind: 'header', name, lower, pattern } } : undefined;
}

function wholeBody(
  match: OutboundMatchConfig,
  syntax: OutboundRuleConfig['patternSyntax'],
  text: string,
): Placed | undefined {
  if (syntax === 'Wildcard') return { place: NOWHERE, failure: WILDCARD_ON_BODY };
  // Where a pattern does not match there is nothing to replace, nor is there for an empty text.
  if (match.negate || (syntax === 'ExactMatch' && text === '')) return undefined;
  const search = compileSearch(syntax === 'ExactMatch' ? quote(text) : text, match.ignoreCase);
  if (typeof search !== 'function') return { place: NOWHERE, failure: badPattern(text, search.text) };
  return { place: { kind: 'body', search } };
}

/** For a rule that fails before it looks anywhere. */
const NOWHERE: Place = { kind: 'body', search: () => undefined };
const WILDCARD_ON_BODY = failure('Wildcard patterns cannot be used without tag filters.');

function badPattern(pattern: string, fault: string): RuleFailure {
  return failure(`The expression "${pattern}" contains ${fault}.`);
}

function quote(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Whether a rule can set a header: a name by the letters, and none that frames the message. */
export function isWritableHeader(lowerCaseName: string): boolean {
  return /^[a-z0-9!#$%&'*+.^`|~-]+$/.test(lowerCaseName) && !isForbiddenHeader(lowerCaseName);
}

/** Whether the preCondition lets the rule run. It leaves no captures. */
export function mayRun(rule: OutboundRule, evaluation: Evaluation): boolean {
  if (rule.preCondition === undefined) return true;
  evaluation.ruleCaptures = undefined;
  return holds(rule, rule.preCondition, evaluation);
}

function holds(rule: OutboundRule, conditions: Conditions, evaluation: Evaluation): boolean {
  evaluation.conditionCaptures = undefined;
  const result = evaluateConditions(conditions, evaluation, true, undefined);
  if (typeof result === 'boolean') return result;
  throw failed(rule, result);
}

/** What became of a text: `value` is absent where the action is None. */
export interface Rewritten {
  readonly value: string | undefined;
}

/** Matches the whole text of a place; nothing where the rule does not hold. */
export function rewriteText(
  rule: OutboundRule,
  pattern: Pattern,
  text: string,
  evaluation: Evaluation,
): Rewritten | undefined {
  const captures = pattern.match(text);
  if (captures === TOO_COMPLEX) throw failed(rule, MATCH_TOO_COMPLEX);
  if ((captures !== undefined) === rule.negate) return undefined;
  return rewriteMatch(rule, captures, evaluation);
}

/** Goes on behind a match: conditions, then the new value. */
export function rewriteMatch(
  rule: OutboundRule,
  captures: Captures | undefined,
  evaluation: Evaluation,
): Rewritten | undefined {
  evaluation.ruleCaptures = captures;
  evaluation.conditionCaptures = undefined;
  if (rule.conditions && !holds(rule, rule.conditions, evaluation)) return undefined;
  return { value: rule.value?.evaluate(evaluation) };
}

/** 500.52, or 400 where the request brought what would break the answer. */
export function failed(rule: OutboundRule, { failed: reason, badRequest }: RuleFailure): ExchangeError {
  const kind = badRequest ? 'badRequest' : 'outboundRuleFailed';
  return new ExchangeError(kind, `outbound rule ${JSON.stringify(rule.name)}: ${reason}`);
}
