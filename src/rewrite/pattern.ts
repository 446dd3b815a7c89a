/** A pattern of a rule or condition, compiled once: regular expression, wildcard or exact text -> matcher with captures. */
import v8 from 'node:v8';
import type { PatternSyntax } from '../config/model.ts';
import { complement, fold, ignoringCase, type Ranges } from './character-set.ts';
import { buildProgram, type RegexProgram, runProgram, TOO_COMPLEX } from './regex-program.ts';
import { type Node, type RegexFault, type RegexSyntax, readRegex } from './regex-syntax.ts';
import { compileWildcard } from './wildcard.ts';

export { TOO_COMPLEX };

/** What matched, then its groups; a group that took no part is undefined. */
export type Captures = readonly (string | undefined)[];

export interface Pattern {
  readonly groups: number;
  /** Captures, nothing, or `TOO_COMPLEX` when the search was given up. Never takes more than some milliseconds. */
  readonly match: (input: string) => Captures | undefined | typeof TOO_COMPLEX;
  /** As `match`, for who does not ask for the captures: they are empty, and nothing is allocated. */
  readonly find: (input: string) => Captures | undefined | typeof TOO_COMPLEX;
  /** Set for regular expressions: see `RegexSyntax`. */
  readonly loneBrackets: readonly number[];
  /** Which engine runs it: V8's with its linear fallback, our counting one, or a comparison. */
  readonly engine: 'linear' | 'counting' | 'comparison';
}

const NO_CAPTURES: Captures = [];

let fallback: boolean | undefined;

/**
 * Makes V8 go over to its linear-time engine when a search backtracks too much. Must run before patterns are compiled;
 * running it again does nothing. False where this V8 does not know the flags: then every pattern is run by our own engine.
 */
export function useLinearFallback(): boolean {
  if (fallback !== undefined) return fallback;
  v8.setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
  // Only for the `l` flag, which tells whether a pattern can be run in linear time; nothing is run with it.
  v8.setFlagsFromString('--enable-experimental-regexp-engine');
  fallback = isLinear('a');
  return fallback;
}

function isLinear(source: string): boolean {
  try {
    return new RegExp(source, 'l') instanceof RegExp;
  } catch {
    return false;
  }
}

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
  return fromNode(read, text, ignoreCase);
}

/** True for what `compilePattern` gives when it refuses. */
export function isFault(result: Pattern | RegexFault): result is RegexFault {
  return 'from' in result;
}

function exactMatch(text: string, ignoreCase: boolean): Pattern {
  const equal = (input: string) => (ignoreCase ? equalIgnoringCase(input, text) : input === text);
  return {
    groups: 0,
    loneBrackets: [],
    engine: 'comparison',
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
  loneBrackets: [],
  engine: 'comparison',
  match: (input) => [input, input],
  find: () => NO_CAPTURES,
};

function wildcard(text: string, ignoreCase: boolean): Pattern {
  if (!/[*?]/.test(text)) return exactMatch(text, ignoreCase);
  const { stars, match, finds } = compileWildcard(text, ignoreCase);
  const find = (input: string) => (finds(input) ? NO_CAPTURES : undefined);
  return { groups: stars, loneBrackets: [], engine: 'comparison', match, find };
}

function fromNode(syntax: RegexSyntax, text: string, ignoreCase: boolean): Pattern | RegexFault {
  const { groups, loneBrackets } = syntax;
  const source = translate(syntax.root, ignoreCase);
  if (useLinearFallback() && isLinear(source)) {
    const regex = new RegExp(source);
    const match = (input: string) => regex.exec(input) ?? undefined;
    const find = (input: string) => (regex.test(input) ? NO_CAPTURES : undefined);
    return { groups, loneBrackets, engine: 'linear', match, find };
  }
  const program = buildProgram(syntax.root, groups, ignoreCase);
  if (!program) return tooMuch(text);
  const match = (input: string) => search(program, input);
  return { groups, loneBrackets, engine: 'counting', match, find: match };
}

/** One match in a long text. */
export interface Found {
  readonly captures: Captures;
  readonly at: number;
  readonly end: number;
}

/** The first match at `from` or behind it; a `^` stands for the start of the whole text. */
export type Search = (input: string, from: number) => Found | undefined | typeof TOO_COMPLEX;

/** Compiles a regular expression that is to be found again and again in a long text. */
export function compileSearch(text: string, ignoreCase: boolean): Search | RegexFault {
  const syntax = readRegex(text);
  if ('kind' in syntax) return syntax;
  const source = translate(syntax.root, ignoreCase);
  if (useLinearFallback() && isLinear(source)) return linearSearch(new RegExp(source, 'g'));
  const program = buildProgram(syntax.root, syntax.groups, ignoreCase);
  if (!program) return tooMuch(text);
  return (input, from) => {
    const slots = runProgram(program, input, from);
    if (slots === undefined || slots === TOO_COMPLEX) return slots;
    return { captures: capturesOf(program, input, slots), at: slots[0] ?? 0, end: slots[1] ?? 0 };
  };
}

function linearSearch(regex: RegExp): Search {
  return (input, from) => {
    regex.lastIndex = from;
    try {
      const captures = regex.exec(input);
      return captures ? { captures, at: captures.index, end: regex.lastIndex } : undefined;
    } catch {
      return TOO_COMPLEX; // V8 ran out of the memory that it allows itself for backtracking.
    }
  };
}

function tooMuch(text: string): RegexFault {
  return { kind: 'space', text: 'too much: parsing failed, not enough resources', from: 0, to: text.length };
}

function search(program: RegexProgram, input: string): Captures | undefined | typeof TOO_COMPLEX {
  const slots = runProgram(program, input);
  return slots === undefined || slots === TOO_COMPLEX ? slots : capturesOf(program, input, slots);
}

function capturesOf(program: RegexProgram, input: string, slots: Int32Array): Captures {
  const captures: (string | undefined)[] = [];
  for (let group = 0; group <= program.groups; group++) {
    const from = slots[group * 2] ?? -1;
    const to = slots[group * 2 + 1] ?? -1;
    captures.push(from < 0 || to < 0 ? undefined : input.slice(from, to));
  }
  return captures;
}

/** The source of a V8 regular expression without flags. Case is written out, since the `i` flag bars the linear engine. */
export function translate(node: Node, ignoreCase: boolean): string {
  switch (node.kind) {
    case 'chars':
      return translateSet(node.ranges, node.negated, ignoreCase);
    case 'sequence':
      return node.items.map((item) => atom(item, ignoreCase)).join('');
    case 'choice':
      return node.options.map((option) => translate(option, ignoreCase)).join('|');
    case 'group':
      return `(${translate(node.body, ignoreCase)})`;
    case 'repeat':
      return `${repeatable(node.body, ignoreCase)}${quantifier(node.min, node.max)}${node.greedy ? '' : '?'}`;
    case 'assertion':
      return node.at;
    case 'lookAhead':
      return `(?${node.negated ? '!' : '='}${translate(node.body, ignoreCase)})`;
    case 'backReference':
      return `(?:\\${node.index})`;
  }
}

function atom(node: Node, ignoreCase: boolean): string {
  const source = translate(node, ignoreCase);
  return node.kind === 'choice' ? `(?:${source})` : source;
}

function repeatable(node: Node, ignoreCase: boolean): string {
  const source = translate(node, ignoreCase);
  return node.kind === 'chars' || node.kind === 'group' ? source : `(?:${source})`;
}

function quantifier(min: number, max: number): string {
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

function translateSet(ranges: Ranges, negated: boolean, ignoreCase: boolean): string {
  const cased = ignoreCase ? ignoringCase(ranges) : ranges;
  const [first] = cased;
  if (!negated && cased.length === 1 && first && first[0] === first[1]) return escapeUnit(first[0]);
  const wanted = negated ? complement(cased) : cased;
  return `[${wanted.map(([from, to]) => (from === to ? escapeUnit(from) : `${escapeUnit(from)}-${escapeUnit(to)}`)).join('')}]`;
}

function escapeUnit(unit: number): string {
  const char = String.fromCharCode(unit);
  return /[A-Za-z0-9/_ ]/.test(char) ? char : `\\u${unit.toString(16).padStart(4, '0')}`;
}
