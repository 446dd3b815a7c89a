/** A pattern of a rule or condition, compiled once: regular expression, wildcard or exact text -> matcher with captures. */
import type { PatternSyntax } from '../config/rewrite-model.ts';
import { fold } from './character-set.ts';
import { engineOf, enginesFor, OF_BODIES, type Search } from './regex-engines.ts';
import { type RegexFault, refusal } from './regex-fault.ts';
import { TOO_COMPLEX } from './regex-program.ts';
import { translate } from './regex-source.ts';
import { type Doubt, type Node, type RegexSyntax, readRegex } from './regex-syntax.ts';
import { compileWildcard } from './wildcard.ts';

export { type Search, TOO_COMPLEX };

/** What matched, then its groups; a group that took no part is undefined. */
export type Captures = readonly (string | undefined)[];

export interface Pattern {
  readonly groups: number;
  /** Captures, nothing, or `TOO_COMPLEX` when the search was given up: no input holds it for more than some 30 ms. */
  readonly match: (input: string) => Captures | undefined | typeof TOO_COMPLEX;
  /** As `match`, for who does not ask for the captures: they are empty, and nothing is allocated. */
  readonly find: (input: string) => Captures | undefined | typeof TOO_COMPLEX;
  /** Of regular expressions. */
  readonly doubts: readonly Doubt[];
  /** `linear` and `comparison` never give up on what a request can bring; `counting` may, and is slow where it does. */
  readonly engine: 'linear' | 'counting' | 'comparison';
  /** The longest input on which it is certain not to give up. */
  readonly tellsUpTo: number;
}

const NO_CAPTURES: Captures = [];

/** Compiled patterns by what they are made of; the oldest goes when there are too many. */
const compiled = new Map<string, Pattern | RegexFault>();
const MOST_KEPT = 1000;

/** Compiles a pattern, or says what is wrong with it and where. What many rules have in common is compiled once. */
export function compilePattern(syntax: PatternSyntax, text: string, ignoreCase: boolean): Pattern | RegexFault {
  const key = `${syntax} ${ignoreCase} ${text}`;
  const known = compiled.get(key);
  if (known) return known;
  const pattern = compileNew(syntax, text, ignoreCase);
  if (compiled.size >= MOST_KEPT) compiled.delete(compiled.keys().next().value ?? '');
  compiled.set(key, pattern);
  return pattern;
}

function compileNew(syntax: PatternSyntax, text: string, ignoreCase: boolean): Pattern | RegexFault {
  if (syntax === 'ExactMatch') return exactMatch(text, ignoreCase);
  if (syntax === 'Wildcard') return text === '*' ? ANYTHING : wildcard(text, ignoreCase);
  const read = readRegex(text);
  if ('kind' in read) return read;
  return fromSyntax(read, text, ignoreCase);
}

/** True for what `compilePattern` gives when it refuses. */
export function isFault(result: Pattern | RegexFault): result is RegexFault {
  return 'from' in result;
}

function exactMatch(text: string, ignoreCase: boolean): Pattern {
  const equal = (input: string) => (ignoreCase ? equalIgnoringCase(input, text) : input === text);
  return {
    groups: 0,
    doubts: [],
    engine: 'comparison',
    tellsUpTo: Number.POSITIVE_INFINITY,
    match: (input) => (equal(input) ? [input] : undefined),
    find: (input) => (equal(input) ? NO_CAPTURES : undefined),
  };
}

function equalIgnoringCase(a: string, b: string): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (fold(a.charCodeAt(i)) !== fold(b.charCodeAt(i))) return false;
  return true;
}

/** The wildcard that most rules for a whole farm have. */
const ANYTHING: Pattern = {
  groups: 1,
  doubts: [],
  engine: 'comparison',
  tellsUpTo: Number.POSITIVE_INFINITY,
  match: (input) => [input, input],
  find: () => NO_CAPTURES,
};

function wildcard(text: string, ignoreCase: boolean): Pattern {
  if (!/[*?]/.test(text)) return exactMatch(text, ignoreCase);
  const { stars, match, finds } = compileWildcard(text, ignoreCase);
  const find = (input: string) => (finds(input) ? NO_CAPTURES : undefined);
  return { groups: stars, doubts: [], engine: 'comparison', tellsUpTo: Number.POSITIVE_INFINITY, match, find };
}

function fromSyntax(syntax: RegexSyntax, text: string, ignoreCase: boolean): Pattern | RegexFault {
  const { groups, doubts } = syntax;
  const made = enginesFor(syntax, ignoreCase);
  if (!made) return tooMuch(text);
  const match = (input: string) => {
    const found = engineOf(made, input.length).search(input, 0);
    return typeof found === 'object' ? found.captures : found;
  };
  const find = (input: string) => {
    const holds = engineOf(made, input.length).holds(input);
    return holds === TOO_COMPLEX ? holds : holds ? NO_CAPTURES : undefined;
  };
  const tellsUpTo = Math.max(0, ...made.quick.map(({ upTo }) => upTo));
  return { groups, doubts, engine: made.alwaysTells ? 'linear' : 'counting', tellsUpTo, match, find };
}

/** Compiles a regular expression that is to be found again and again in a body. */
export function compileSearch(text: string, ignoreCase: boolean): Search | RegexFault {
  const syntax = readRegex(text);
  if ('kind' in syntax) return syntax;
  const made = enginesFor(syntax, ignoreCase, OF_BODIES);
  if (!made) return tooMuch(text);
  const begin = beginning(syntax.root, ignoreCase);
  return (input, from) => {
    const start = begin ? begin(input, from) : from;
    return start < 0 ? undefined : engineOf(made, input.length - start).search(input, start);
  };
}

/** Where the first units of an expression stand; nothing for one that begins with no certain ones. */
function beginning(root: Node, ignoreCase: boolean): ((input: string, from: number) => number) | undefined {
  const items = root.kind === 'sequence' ? root.items : [root];
  const certain = items.findIndex(({ kind }) => kind !== 'chars');
  const first = items.slice(0, certain < 0 ? MOST_CERTAIN : Math.min(certain, MOST_CERTAIN));
  if (first.length === 0) return undefined;
  const regex = new RegExp(translate({ kind: 'sequence', items: first }, ignoreCase), 'g');
  return (input, from) => {
    regex.lastIndex = from;
    return regex.exec(input)?.index ?? -1;
  };
}

/** Enough to tell a place from most others. */
const MOST_CERTAIN = 8;

function tooMuch(text: string): RegexFault {
  return refusal('space', 0, text.length);
}
