/**
 * A reference for regular expressions: random trees of the grammar that IIS accepts, printed as patterns, and matched by
 * the rules of ECMAScript, third edition (15.10.2), one closure for each step. It shares nothing with the product: it
 * does not read patterns, and knows characters one by one.
 */

export type Tree =
  | { readonly kind: 'unit'; readonly unit: string; readonly text: string }
  | { readonly kind: 'class'; readonly items: readonly ClassItem[]; readonly negated: boolean }
  | { readonly kind: 'escape'; readonly letter: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Tree[] }
  | { readonly kind: 'group'; readonly index: number; readonly body: Tree }
  | { readonly kind: 'plain'; readonly body: Tree }
  | { readonly kind: 'look'; readonly negated: boolean; readonly body: Tree }
  | { readonly kind: 'assertion'; readonly at: string }
  | { readonly kind: 'back'; readonly index: number }
  | {
      readonly kind: 'repeat';
      readonly body: Tree;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
      readonly text: string;
    };

export type ClassItem =
  | { readonly from: string; readonly to: string; readonly text: string }
  /** `d`, `W`, or the name of a POSIX class. */
  | { readonly named: string; readonly text: string };

/** As it stands in a rule. */
export function printTree(tree: Tree): string {
  switch (tree.kind) {
    case 'unit':
      return tree.text;
    case 'class':
      return `[${tree.negated ? '^' : ''}${tree.items.map(({ text }) => text).join('')}]`;
    case 'escape':
      return `\\${tree.letter}`;
    case 'any':
      return '.';
    case 'sequence':
      return tree.parts.map((part) => (part.kind === 'choice' ? `(?:${printTree(part)})` : printTree(part))).join('');
    case 'choice':
      return tree.parts.map(printTree).join('|');
    case 'group':
      return `(${printTree(tree.body)})`;
    case 'plain':
      return `(?:${printTree(tree.body)})`;
    case 'look':
      return `(?${tree.negated ? '!' : '='}${printTree(tree.body)})`;
    case 'assertion':
      return tree.at;
    case 'back':
      // A digit behind it would belong to it.
      return `(?:\\${tree.index})`;
    case 'repeat':
      return `${printTree(tree.body)}${tree.text}${tree.lazy ? '?' : ''}`;
  }
}

type Captures = readonly (string | undefined)[];
interface State {
  readonly at: number;
  readonly captures: Captures;
}
type Continuation = (state: State) => State | undefined;

interface Search {
  readonly input: string;
  readonly ignoreCase: boolean;
  steps: number;
}

/** The search was given up. */
export class TooLong extends Error {}
const MAX_STEPS = 200_000;

/** What matched and its groups at the first place where the tree matches, or nothing. */
export function matchTree(tree: Tree, groups: number, input: string, ignoreCase: boolean): Captures | undefined {
  const search: Search = { input, ignoreCase, steps: 0 };
  for (let start = 0; start <= input.length; start++) {
    const found = step(tree, search, { at: start, captures: Array(groups + 1).fill(undefined) }, (state) => state);
    if (found) return [input.slice(start, found.at), ...found.captures.slice(1)];
  }
  return undefined;
}

function step(tree: Tree, search: Search, state: State, then: Continuation): State | undefined {
  if (++search.steps > MAX_STEPS) throw new TooLong();
  const { at, captures } = state;
  switch (tree.kind) {
    case 'unit':
    case 'class':
    case 'escape':
    case 'any':
      return at < search.input.length && takes(tree, search.input[at] ?? '', search.ignoreCase)
        ? then({ at: at + 1, captures })
        : undefined;
    case 'sequence':
      return sequence(tree.parts, search, state, then);
    case 'choice':
      for (const part of tree.parts) {
        const found = step(part, search, state, then);
        if (found) return found;
      }
      return undefined;
    case 'group':
      return step(tree.body, search, state, (end) =>
        then({ at: end.at, captures: end.captures.with(tree.index, search.input.slice(at, end.at)) }),
      );
    case 'plain':
      return step(tree.body, search, state, then);
    case 'look': {
      const found = step(tree.body, search, state, (end) => end);
      if (tree.negated) return found ? undefined : then(state);
      return found && then({ at, captures: found.captures });
    }
    case 'assertion':
      return asserts(tree.at, search.input, at) ? then(state) : undefined;
    case 'back': {
      const text = captures[tree.index];
      if (text === undefined) return then(state);
      const here = search.input.slice(at, at + text.length);
      const equal =
        here.length === text.length && [...units(here)].every((unit, i) => same(unit, text[i] ?? '', search));
      return equal ? then({ at: at + text.length, captures }) : undefined;
    }
    case 'repeat':
      return repeat(tree, { min: tree.min, max: tree.max }, search, state, then);
  }
}

function sequence(parts: readonly Tree[], search: Search, state: State, then: Continuation): State | undefined {
  const [first, ...rest] = parts;
  if (!first) return then(state);
  return step(first, search, state, (next) => sequence(rest, search, next, then));
}

type Repeat = Tree & { readonly kind: 'repeat' };

/** RepeatMatcher of 15.10.2.5. */
function repeat(
  tree: Repeat,
  { min, max }: { min: number; max: number },
  search: Search,
  state: State,
  then: Continuation,
): State | undefined {
  if (++search.steps > MAX_STEPS) throw new TooLong();
  if (max === 0) return then(state);
  const once = () => {
    const inside = groupsIn(tree.body);
    const cleared = state.captures.map((capture, index) => (inside.includes(index) ? undefined : capture));
    return step(tree.body, search, { at: state.at, captures: cleared }, (next) =>
      min === 0 && next.at === state.at
        ? undefined
        : repeat(tree, { min: Math.max(0, min - 1), max: max - 1 }, search, next, then),
    );
  };
  if (min > 0) return once();
  return tree.lazy ? (then(state) ?? once()) : (once() ?? then(state));
}

function groupsIn(tree: Tree): number[] {
  switch (tree.kind) {
    case 'group':
      return [tree.index, ...groupsIn(tree.body)];
    case 'sequence':
    case 'choice':
      return tree.parts.flatMap(groupsIn);
    case 'plain':
    case 'look':
    case 'repeat':
      return groupsIn(tree.body);
    default:
      return [];
  }
}

function asserts(kind: string, input: string, at: number): boolean {
  if (kind === '^') return at === 0;
  if (kind === '$') return at === input.length;
  const border = isWord(input[at - 1]) !== isWord(input[at]);
  return border === (kind === '\\b');
}

const isWord = (unit: string | undefined) => unit !== undefined && NAMED.w?.(unit) === true;

function* units(text: string): Generator<string> {
  for (let i = 0; i < text.length; i++) yield text[i] ?? '';
}

/** Canonicalize of 15.10.2.8. */
function canonical(unit: string, ignoreCase: boolean): string {
  if (!ignoreCase) return unit;
  const upper = unit.toUpperCase();
  if (upper.length !== 1) return unit;
  return unit.charCodeAt(0) >= 128 && upper.charCodeAt(0) < 128 ? unit : upper;
}

function same(a: string, b: string, { ignoreCase }: Search): boolean {
  return canonical(a, ignoreCase) === canonical(b, ignoreCase);
}

function takes(tree: Tree, unit: string, ignoreCase: boolean): boolean {
  if (tree.kind === 'any') return !'\n\r\u2028\u2029'.includes(unit);
  if (tree.kind === 'unit') return canonical(tree.unit, ignoreCase) === canonical(unit, ignoreCase);
  const items: readonly ClassItem[] =
    tree.kind === 'escape' ? [{ named: tree.letter, text: '' }] : tree.kind === 'class' ? tree.items : [];
  const negated = tree.kind === 'class' && tree.negated;
  const likes = ignoreCase ? likenesses(unit) : [unit];
  return likes.some((like) => items.some((item) => holds(item, like))) !== negated;
}

function holds(item: ClassItem, unit: string): boolean {
  return 'named' in item ? (NAMED[item.named]?.(unit) ?? false) : unit >= item.from && unit <= item.to;
}

const alike = new Map<string, string[]>();

/** Every unit that equals this one while case is ignored. */
function likenesses(unit: string): readonly string[] {
  if (alike.size === 0) {
    for (let code = 0; code < 0x10000; code++) {
      const other = String.fromCharCode(code);
      const key = canonical(other, true);
      const known = alike.get(key);
      if (known) known.push(other);
      else alike.set(key, [other]);
    }
  }
  return alike.get(canonical(unit, true)) ?? [unit];
}

const between = (from: string, to: string) => (unit: string) => unit >= from && unit <= to;
const upper = between('A', 'Z');
const lower = between('a', 'z');
const digit = between('0', '9');
const alpha = (unit: string) => upper(unit) || lower(unit);
const graph = between('!', '~');
/** White space and line ends of 7.2 and 7.3. */
const space = (unit: string) => /[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]/.test(unit);
const word = (unit: string) => alpha(unit) || digit(unit) || unit === '_';

const NAMED: Readonly<Record<string, (unit: string) => boolean>> = {
  d: digit,
  D: (unit) => !digit(unit),
  w: word,
  W: (unit) => !word(unit),
  s: space,
  S: (unit) => !space(unit),
  alpha,
  digit,
  upper,
  lower,
  space,
  graph,
  alnum: (unit) => alpha(unit) || digit(unit),
  punct: (unit) => graph(unit) && !alpha(unit) && !digit(unit),
  xdigit: (unit) => digit(unit) || between('a', 'f')(unit) || between('A', 'F')(unit),
  blank: (unit) => unit === ' ' || unit === '\t',
  print: between(' ', '~'),
  cntrl: (unit) => unit < ' ' || unit === '\x7f',
};
