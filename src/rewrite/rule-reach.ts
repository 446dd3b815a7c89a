/** Which requests a rule can take, in a form that two rules can be compared in. */
import type { ConditionConfig, PatternSyntax, RuleConfig } from '../config/rewrite-model.ts';
import { finiteInputs } from './finite-inputs.ts';
import { compilePattern, isFault, type Pattern } from './pattern.ts';
import { type Node, readRegex } from './regex-syntax.ts';
import { valuesOfVariable } from './server-variables.ts';
import { readTemplate, refersTo } from './template.ts';
import { type UrlPattern, urlPatternOf } from './url-pattern.ts';

/** One thing that must hold: an input against a pattern. */
export interface Requirement {
  /** The expression with variables in upper case; the path below a level stands as that level. */
  readonly input: string;
  /** Equal for requirements that are the same; absent where nothing is known of it. */
  readonly key: string | undefined;
  readonly pattern: Pattern | undefined;
  readonly ignoreCase: boolean;
  readonly negate: boolean;
  /** All inputs that hold, if they are few. */
  readonly inputs: readonly string[] | undefined;
  readonly always: boolean;
  /** An earlier rewrite of the URL does not change the input. */
  readonly fixed: boolean;
}

export interface Reach {
  readonly rule: RuleConfig;
  /** One of these lists must hold as a whole. */
  readonly alternatives: readonly (readonly Requirement[])[];
  /** The only values of `{HTTP_HOST}` it can take, lower case; nothing where they are many. */
  readonly hosts: readonly string[] | undefined;
  /** What an earlier rewrite of the URL does to a request does not matter. */
  readonly fixed: boolean;
}

/**
 * Gives nothing for a rule that takes no request or whose patterns cannot be read.
 * @param changing variables that some rule sets, upper case: they cannot be compared
 */
export function reachOf(rule: RuleConfig, changing: ReadonlySet<string>): Reach | undefined {
  const url = rule.enabled ? urlPatternOf(rule) : undefined;
  if (!url?.settled) return undefined;
  // What is missing was meant to narrow it.
  const lacks = ({ matchType, input, pattern }: ConditionConfig) => matchType === 'Pattern' && (!input || !pattern);
  if (rule.conditions?.entries.some(lacks)) return undefined;
  const path = requirement({ input: `below ${rule.basePath}`, ...url });
  const entries = (rule.conditions?.entries ?? []).map((entry) => fromCondition(rule, entry, changing));
  if (!path || entries.includes(undefined)) return undefined;
  const known = entries.filter((entry) => entry !== undefined);
  const any = rule.conditions?.logicalGrouping === 'MatchAny' && known.length > 0;
  const alternatives = any ? known.map((entry) => [path, entry]) : [[path, ...known]];
  return {
    rule,
    alternatives,
    hosts: hostsOf(alternatives),
    fixed: alternatives.every((all) => all.every(({ always, fixed }) => always || fixed)),
  };
}

interface Written extends Omit<UrlPattern, 'settled'> {
  readonly input: string;
}

const FIXED =
  /^\{(?:HTTPS|SERVER_NAME|SERVER_PORT|SERVER_PORT_SECURE|REMOTE_ADDR|LOCAL_ADDR|REQUEST_METHOD|HTTP_(?!URL\}|X_ORIGINAL_URL\})\w+)\}$/;

function requirement({ input, syntax, pattern, ignoreCase, negate }: Written): Requirement | undefined {
  const compiled = compilePattern(syntax, pattern, ignoreCase);
  if (isFault(compiled)) return undefined;
  return {
    input,
    key: JSON.stringify([input, syntax, ignoreCase ? withoutCase(syntax, pattern) : pattern, ignoreCase, negate]),
    pattern: compiled,
    ignoreCase,
    negate,
    inputs: negate ? undefined : finiteInputs(syntax, pattern),
    always: !negate && matchesAll(syntax, pattern),
    fixed: FIXED.test(input),
  };
}

/** One spelling for patterns that ignore case, where that is sure: not for escapes and ranges such as `\\D` and `[A-z]`. */
function withoutCase(syntax: PatternSyntax, pattern: string): string {
  if (syntax === 'ECMAScript' && /\\[A-Za-z]|\[/.test(pattern)) return pattern;
  return pattern.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function fromCondition(
  rule: RuleConfig,
  { input, pattern, matchType, ignoreCase, negate }: ConditionConfig,
  changing: ReadonlySet<string>,
): Requirement | undefined {
  const text = input?.value ?? '';
  const { parts } = readTemplate(text);
  const varies =
    refersTo('rule', parts) ||
    refersTo('condition', parts) ||
    parts.some((part) => part.kind === 'call' || (part.kind === 'variable' && changing.has(part.name.toUpperCase())));
  if (matchType !== 'Pattern' || varies) {
    const unknown = { key: undefined, pattern: undefined, inputs: undefined, always: false, fixed: false };
    return { ...unknown, input: 'unknown', ignoreCase, negate };
  }
  const { patternSyntax: syntax } = rule;
  return requirement({ input: text.toUpperCase(), syntax, pattern: pattern?.value ?? '', ignoreCase, negate });
}

function hostsOf(alternatives: Reach['alternatives']): readonly string[] | undefined {
  const hosts = new Set<string>();
  for (const all of alternatives) {
    const inputs = all.find((each) => each.input === '{HTTP_HOST}' && each.inputs)?.inputs;
    if (!inputs) return undefined;
    for (const host of inputs) hosts.add(host.toLowerCase());
  }
  return [...hosts];
}

/** Whether a pattern matches every input. */
export function matchesAll(syntax: PatternSyntax, pattern: string): boolean {
  if (syntax !== 'ECMAScript') return syntax === 'Wildcard' && /^\*+$/.test(pattern);
  const read = readRegex(pattern);
  return !('kind' in read) && takesAll(read.root);
}

function takesAll(node: Node): boolean {
  if (node.kind === 'group') return takesAll(node.body);
  if (node.kind === 'choice') return node.options.some(takesAll);
  const items = node.kind === 'sequence' ? node.items : [node];
  const from = isAssertion(items[0], '^') ? 1 : 0;
  const to = isAssertion(items.at(-1), '$') && items.length > from ? items.length - 1 : items.length;
  const between = items.slice(from, to);
  // Tied to one end only, the empty text is found there.
  const tiedToBoth = from === 1 && to < items.length;
  return between.every(takesNothing) && (!tiedToBoth || between.some(takesAnything));
}

function isAssertion(node: Node | undefined, at: '^' | '$'): boolean {
  return node?.kind === 'assertion' && node.at === at;
}

function takesNothing(node: Node): boolean {
  if (node.kind === 'group') return takesNothing(node.body);
  if (node.kind === 'choice') return node.options.some(takesNothing);
  if (node.kind === 'sequence') return node.items.every(takesNothing);
  return node.kind === 'repeat' && node.min === 0;
}

/** `.*`; line ends do not come in what rules look at. */
function takesAnything(node: Node): boolean {
  if (node.kind === 'group') return takesAnything(node.body);
  if (node.kind !== 'repeat' || node.min > 0 || node.max !== Number.POSITIVE_INFINITY) return false;
  const { body } = node;
  const units = body.kind === 'group' ? body.body : body;
  return (
    units.kind === 'chars' && !units.negated && units.ranges.reduce((sum, [from, to]) => sum + to - from, 0) > 65_000
  );
}

/** Whether every request that `later` can take is one that `earlier` takes, as far as that can be told. */
export function covers(earlier: Reach, later: Reach): boolean {
  return later.alternatives.every((given) =>
    earlier.alternatives.some((wanted) => wanted.every((each) => follows(each, given))),
  );
}

function follows(wanted: Requirement, given: readonly Requirement[]): boolean {
  if (wanted.always) return true;
  const same = given.filter(({ input }) => input === wanted.input);
  if (same.some((each) => (each.key !== undefined && each.key === wanted.key) || allInputsHold(each, wanted)))
    return true;
  const values =
    valuesOfVariable(wanted.input.slice(1, -1))?.filter((value) => same.every((each) => holds(each, value))) ?? [];
  return values.length > 0 && values.every((value) => holds(wanted, value));
}

function allInputsHold(given: Requirement, wanted: Requirement): boolean {
  if (!given.inputs || (given.ignoreCase && !wanted.ignoreCase)) return false;
  return given.inputs.length > 0 && given.inputs.every((input) => holds(wanted, input));
}

function holds({ pattern, negate }: Requirement, input: string): boolean {
  return (typeof pattern?.match(input) === 'object') !== negate;
}
