/** One inbound rule: match, conditions, server variables, action. */
import type { PatternSyntax, RuleConfig, SetVariableConfig } from '../config/rewrite-model.ts';
import { asciiAuthority } from '../host-name.ts';
import { type Action, compileAction, type Pass, redirect, respond, rewrite } from './action.ts';
import { type Conditions, compileConditions, evaluateConditions, type KnownConditions } from './conditions.ts';
import {
  cannotExpand,
  failure,
  MATCH_TOO_COMPLEX,
  MAX_LENGTH,
  type RuleFailure,
  TOO_LONG,
  type Verdict,
} from './outcome.ts';
import { compilePattern, isFault, type Pattern, TOO_COMPLEX } from './pattern.ts';
import type { RewriteMaps } from './rewrite-map.ts';
import { headerOfVariable, headerValue, isForbiddenHeader, variableReader } from './server-variables.ts';
import { compileTemplate, refersTo, type Template } from './template.ts';
import { type TraceRecorder, takeNote } from './trace.ts';
import { urlPatternOf } from './url-pattern.ts';

interface SetVariable {
  /** Upper case. */
  readonly name: string;
  readonly value: Template;
  readonly replace: boolean;
  readonly failure: RuleFailure | undefined;
  /** That it may be set is taken for granted. */
  readonly assumed: boolean;
  /** Headers that only the proxy may set are left alone. */
  readonly ignored: boolean;
  /** Its value is a host. */
  readonly isHost: boolean;
}

/** One for all rules: what many share stays in the nearest cache of the processor. */
const NO_VARIABLES: readonly SetVariable[] = [];

export interface Rule {
  readonly name: string;
  readonly basePath: string;
  readonly stopProcessing: boolean;
  readonly patternSyntax: PatternSyntax;
  readonly pattern: Pattern | undefined;
  /** As written; empty where there is none, and every URL matches. */
  readonly patternText: string;
  readonly negate: boolean;
  readonly conditions: Conditions | undefined;
  readonly variables: readonly SetVariable[];
  readonly action: Action;
  /** When the groups of the pattern are wanted: a rule that ends at its conditions need not take them. */
  readonly captures: 'never' | 'before conditions' | 'after conditions';
  /** `{C:n}` stands somewhere in the rule. */
  readonly usesConditionCaptures: boolean;
  readonly failure: RuleFailure | undefined;
}

/** What the rules of one scope share. */
export interface RuleSurroundings {
  readonly maps: RewriteMaps;
  /** Upper case; undefined for global rules, which may set any. */
  readonly allowedVariables: ReadonlySet<string> | undefined;
  /** What is allowed stands in a file that was not read: then everything is taken to be. */
  readonly allowedUnread: boolean;
  readonly keepEscapes: boolean;
  readonly conditions: KnownConditions;
}

export function compileRule(config: RuleConfig, surroundings: RuleSurroundings): Rule {
  const { maps } = surroundings;
  const url = urlPatternOf(config);
  const compiled = url && compilePattern(url.syntax, url.pattern, url.ignoreCase);
  const fault = compiled && isFault(compiled) ? compiled : undefined;
  const pattern = compiled && !isFault(compiled) ? compiled : undefined;
  // An empty list is as good as none; a trace then has no events of conditions either.
  const conditions =
    config.conditions && config.conditions.entries.length > 0
      ? compileConditions(config.conditions, config.patternSyntax, maps, surroundings.conditions)
      : undefined;
  const variables =
    config.serverVariables.length > 0
      ? config.serverVariables.map((variable) => compileVariable(variable, surroundings))
      : NO_VARIABLES;
  const action = compileAction(config, surroundings);
  const results = [...variables.map(({ value }) => value), action.url, action.reason, action.description];
  const inResults = (kind: 'rule' | 'condition') => results.some((each) => each && refersTo(kind, each.syntax.parts));
  return {
    name: config.name.value,
    basePath: config.basePath,
    stopProcessing: config.stopProcessing,
    patternSyntax: config.patternSyntax,
    pattern,
    patternText: config.match?.url?.value ?? '',
    negate: url?.negate ?? false,
    conditions,
    variables,
    action,
    captures: whenCaptured(pattern, conditions, inResults('rule')),
    usesConditionCaptures: (conditions?.useCaptures ?? false) || inResults('condition'),
    failure: fault && failure(`The expression "${url?.pattern}" contains ${fault.text}.`),
  };
}

function whenCaptured(
  pattern: Pattern | undefined,
  conditions: Conditions | undefined,
  inResults: boolean,
): Rule['captures'] {
  const inConditions = conditions?.entries.some(({ input }) => refersTo('rule', input.syntax.parts)) ?? false;
  if (!inResults && !inConditions) return 'never';
  // The counting engine is too slow to ask it twice.
  return inConditions || !conditions || pattern?.engine === 'counting' ? 'before conditions' : 'after conditions';
}

function compileVariable(
  config: SetVariableConfig,
  { maps, allowedVariables, allowedUnread }: RuleSurroundings,
): SetVariable {
  const name = config.name.value.toUpperCase();
  const value = compileTemplate(config.value?.value ?? '', maps);
  const header = headerOfVariable(name);
  const allowed = allowedVariables === undefined || allowedVariables.has(name);
  const failed =
    allowed || allowedUnread ? (value.broken ? cannotExpand(value.source) : undefined) : notAllowed(config.name.value);
  return {
    name,
    value,
    replace: config.replace,
    failure: failed,
    assumed: !allowed,
    ignored: header !== undefined && isForbiddenHeader(header),
    isHost: header === 'host' || header === 'x-forwarded-host' || header === 'x-original-host',
  };
}

function notAllowed(name: string): RuleFailure {
  return failure(
    `The server variable "${name}" is not allowed to be set. Add the server variable name to the allowed server variable list.`,
  );
}

/** The path below the rule's own level, without the leading slash; undefined where the path does not stand below it. */
export function relativePath(basePath: string, path: string): string | undefined {
  if (basePath === '/' || basePath === '') return path.slice(1);
  if (!isBelow(basePath, path)) return undefined;
  return path.slice(basePath.length + 1);
}

/** Whether a path is the given folder or stands below it, segment by segment, ignoring case. */
export function isBelow(folder: string, path: string): boolean {
  if (folder === '/' || folder === '') return true;
  if (path.length < folder.length || (path.length > folder.length && path[folder.length] !== '/')) return false;
  return path.slice(0, folder.length).toLowerCase() === folder.toLowerCase();
}

/** `next`: it did not match. `done`: it matched and its action was performed. Else the end of the request's way. */
export type RuleResult = 'next' | 'done' | Verdict | RuleFailure;

export function runRule(rule: Rule, pass: Pass, recorder: TraceRecorder | undefined): RuleResult {
  if (!recorder) return tryRule(rule, pass, undefined);
  const input = inputOf(rule, pass) ?? '';
  recorder.events.push({
    event: 'RULE_EVALUATION_START',
    RuleName: rule.name,
    RequestURL: input,
    QueryString: pass.url.query,
    PatternSyntax: rule.patternSyntax,
    StopProcessing: rule.stopProcessing,
    RelativePath: rule.basePath,
  });
  const result = tryRule(rule, pass, recorder);
  recorder.events.push({
    event: 'RULE_EVALUATION_END',
    RuleName: rule.name,
    RequestURL: pass.url.path,
    QueryString: pass.url.query,
    StopProcessing: rule.stopProcessing,
    Succeeded: result !== 'next' && !isFailure(result),
  });
  return result;
}

export function isFailure(result: RuleResult): result is RuleFailure {
  return typeof result === 'object' && 'failed' in result;
}

function tryRule(rule: Rule, pass: Pass, recorder: TraceRecorder | undefined): RuleResult {
  if (rule.failure) return rule.failure;
  const input = inputOf(rule, pass);
  if (input === undefined || !rule.pattern) return 'next';
  const began = recorder ? performance.now() : 0;
  const early = recorder !== undefined || rule.captures === 'before conditions';
  const captures = early ? rule.pattern.match(input) : rule.pattern.find(input);
  if (captures === TOO_COMPLEX) return MATCH_TOO_COMPLEX;
  recorder?.events.push({
    event: 'PATTERN_MATCH',
    Pattern: rule.patternText,
    InputURL: input,
    Negated: rule.negate,
    Matched: captures !== undefined,
    ElapsedMilliseconds: Math.floor(performance.now() - began),
  });
  if ((captures !== undefined) === rule.negate) return 'next';
  if (captures) takeNote(recorder, { kind: 'captured', letter: 'R', values: captures });
  pass.ruleCaptures = captures;
  pass.conditionCaptures = undefined;
  if (rule.conditions) {
    const holds = evaluateConditions(rule.conditions, pass, rule.usesConditionCaptures, recorder);
    if (holds !== true) return holds === false ? 'next' : holds;
  }
  if (!early && captures && rule.captures === 'after conditions') {
    const groups = rule.pattern.match(input);
    if (groups !== TOO_COMPLEX) pass.ruleCaptures = groups;
  }
  return setVariables(rule, pass, recorder) ?? act(rule, pass, recorder);
}

/** The input of the rule's pattern; kept, since most rules of a list have the same. */
function inputOf(rule: Rule, pass: Pass): string | undefined {
  if (pass.inputPath !== pass.url.path || pass.inputBase !== rule.basePath) {
    pass.inputPath = pass.url.path;
    pass.inputBase = rule.basePath;
    pass.input = relativePath(rule.basePath, pass.url.path);
  }
  return pass.input;
}

function setVariables(rule: Rule, pass: Pass, recorder: TraceRecorder | undefined): RuleFailure | undefined {
  for (const variable of rule.variables) {
    if (variable.failure) return variable.failure;
    if (variable.ignored) continue;
    if (!variable.replace && variableReader(variable.name)(pass) !== '') continue;
    const text = variable.value.evaluate(pass);
    if (text.length > MAX_LENGTH) return TOO_LONG;
    const value = headerValue(variable.isHost ? asciiAuthority(text) : text);
    if (value === undefined) return failure(`the value for ${variable.name} holds a control character`, true);
    pass.set ??= new Map();
    pass.set.set(variable.name, value);
    takeNote(recorder, { kind: 'set', name: variable.name, value, assumed: variable.assumed });
  }
  return undefined;
}

function act(rule: Rule, pass: Pass, recorder: TraceRecorder | undefined): RuleResult {
  const { action } = rule;
  switch (action.type) {
    case 'Rewrite':
      return rewrite(action, pass, rule, recorder) ?? 'done';
    case 'Redirect':
      return redirect(action, pass, rule, recorder) ?? 'done';
    case 'CustomResponse':
      return respond(action, pass, rule.name, recorder);
    case 'AbortRequest':
      recorder?.events.push({ event: 'ABORT_REQUEST_ACTION' });
      return { kind: 'abort', rule: rule.name };
    default:
      return 'done';
  }
}
