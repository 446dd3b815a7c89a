/**
 * The grammar of regular expressions that IIS accepts: ECMAScript of the third edition with POSIX classes, as the C++
 * library reads it. Everything that IIS refuses is refused here, with its place inside the pattern.
 */
import {
  ANY,
  DIGIT,
  NOT_DIGIT,
  NOT_LINE_END,
  NOT_SPACE,
  NOT_WORD,
  normalize,
  POSIX,
  type Ranges,
  SPACE,
  WORD,
} from './character-set.ts';
import { Refusal, type RegexFault } from './regex-fault.ts';

export type Node =
  | { readonly kind: 'chars'; readonly ranges: Ranges; readonly negated: boolean }
  | { readonly kind: 'sequence'; readonly items: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  | { readonly kind: 'group'; readonly index: number; readonly body: Node }
  | {
      readonly kind: 'repeat';
      readonly body: Node;
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
      /** Groups inside, forgotten at each turn: from (inclusive), to (exclusive). */
      readonly groups: readonly [number, number];
      /** Place in the pattern: UTF-16 units, the end exclusive. */
      readonly from: number;
      readonly to: number;
    }
  | { readonly kind: 'assertion'; readonly at: '^' | '$' | '\\b' | '\\B' }
  | { readonly kind: 'lookAhead'; readonly negated: boolean; readonly body: Node }
  | { readonly kind: 'backReference'; readonly index: number };

/** The parts of a node, from left to right. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'sequence':
      return node.items;
    case 'choice':
      return node.options;
    case 'group':
    case 'repeat':
    case 'lookAhead':
      return [node.body];
    default:
      return [];
  }
}

/** What is taken here, and may be refused by IIS: how its library's parser takes it is not settled. */
export interface Doubt {
  /** A `]` or `}` that opens nothing, `\_`, and a class in front of a hyphen: `[\w-.]`. */
  readonly kind: 'lone bracket' | 'escaped underscore' | 'hyphen behind a class';
  /** UTF-16 units inside the pattern, the end exclusive. */
  readonly from: number;
  readonly to: number;
}

export interface RegexSyntax {
  readonly root: Node;
  /** How many groups capture. */
  readonly groups: number;
  readonly doubts: readonly Doubt[];
}

interface Reader {
  readonly text: string;
  at: number;
  depth: number;
  groups: number;
  readonly closed: Set<number>;
  readonly doubts: Doubt[];
}

const MAX_DEPTH = 150;
const MAX_COUNT = 10_000;

/** Reads a pattern, or says why IIS refuses it. */
export function readRegex(text: string): RegexSyntax | RegexFault {
  const reader: Reader = { text, at: 0, depth: 0, groups: 0, closed: new Set(), doubts: [] };
  try {
    const root = readChoice(reader);
    if (reader.at < text.length) throw new Refusal('paren', reader.at, reader.at + 1);
    return { root, groups: reader.groups, doubts: reader.doubts };
  } catch (refusal) {
    if (refusal instanceof Refusal) return refusal.fault;
    throw refusal;
  }
}

function readChoice(reader: Reader): Node {
  if (++reader.depth > MAX_DEPTH) throw new Refusal('space', reader.at, reader.at + 1);
  const options = [readSequence(reader)];
  while (reader.text[reader.at] === '|') {
    reader.at++;
    options.push(readSequence(reader));
  }
  reader.depth--;
  return options.length === 1 && options[0] ? options[0] : { kind: 'choice', options };
}

function readSequence(reader: Reader): Node {
  const items: Node[] = [];
  for (;;) {
    const next = reader.text[reader.at];
    if (next === undefined || next === '|' || next === ')') break;
    const groupsBefore = reader.groups;
    const from = reader.at;
    const { node, repeatable } = readAtom(reader);
    items.push(repeatable ? readQuantifier(reader, node, { from, groupsBefore }) : node);
  }
  return items.length === 1 && items[0] ? items[0] : { kind: 'sequence', items };
}

function one(node: Node): { node: Node; repeatable: boolean } {
  return { node, repeatable: true };
}

function readAtom(reader: Reader): { node: Node; repeatable: boolean } {
  const { text, at } = reader;
  const char = text[at];
  switch (char) {
    case '*':
    case '+':
    case '?':
    case '{':
      throw new Refusal('badrepeat', at, braceEnd(text, at));
    case '^':
    case '$':
      reader.at++;
      return { node: { kind: 'assertion', at: char }, repeatable: false };
    case '.':
      reader.at++;
      return one(set(NOT_LINE_END));
    case '(':
      return readGroup(reader);
    case '[':
      return one(readClass(reader));
    case '\\':
      return readEscape(reader);
    case ']':
    case '}':
      reader.doubts.push({ kind: 'lone bracket', from: at, to: at + 1 });
      break;
  }
  reader.at++;
  return one(unit(text.charCodeAt(at)));
}

/** The end of what looks like `{NAME}`, to point at all of it. */
function braceEnd(text: string, at: number): number {
  const end = text[at] === '{' ? text.indexOf('}', at) : -1;
  return end < 0 ? at + 1 : end + 1;
}

function readGroup(reader: Reader): { node: Node; repeatable: boolean } {
  const open = reader.at;
  const { text } = reader;
  reader.at++;
  let kind: 'capture' | 'plain' | '=' | '!' = 'capture';
  if (text[reader.at] === '?') {
    const letter = text[open + 2];
    if (letter !== ':' && letter !== '=' && letter !== '!') {
      throw new Refusal('syntax', open, Math.min(text.length, open + 3));
    }
    kind = letter === ':' ? 'plain' : letter;
    reader.at += 2;
  }
  const index = kind === 'capture' ? ++reader.groups : 0;
  const body = readChoice(reader);
  if (text[reader.at] !== ')') throw new Refusal('paren', open, open + 1);
  reader.at++;
  if (kind === 'plain') return one(body);
  if (kind !== 'capture') return { node: { kind: 'lookAhead', negated: kind === '!', body }, repeatable: false };
  reader.closed.add(index);
  return one({ kind: 'group', index, body });
}

function readQuantifier(
  reader: Reader,
  body: Node,
  { from, groupsBefore }: { readonly from: number; readonly groupsBefore: number },
): Node {
  const { text } = reader;
  const char = text[reader.at];
  let min = 0;
  let max = Number.POSITIVE_INFINITY;
  if (char === '*' || char === '+' || char === '?') {
    reader.at++;
    if (char === '+') min = 1;
    if (char === '?') max = 1;
  } else if (char === '{') {
    [min, max] = readCount(reader);
  } else {
    return body;
  }
  const greedy = text[reader.at] !== '?';
  if (!greedy) reader.at++;
  const next = text[reader.at];
  if (next === '*' || next === '+' || next === '?' || next === '{') {
    throw new Refusal('badrepeat', reader.at, braceEnd(text, reader.at));
  }
  const groups = [groupsBefore + 1, reader.groups + 1] as const;
  return { kind: 'repeat', body, min, max, greedy, groups, from, to: reader.at };
}

function readCount(reader: Reader): [number, number] {
  const open = reader.at;
  const found = /^\{(\d+)(,(\d*))?(\}?)/.exec(reader.text.slice(open));
  // Seen on IIS: `^/{C:1}` is called a repeat expression, not a bad count.
  if (!found) throw new Refusal('badrepeat', open, braceEnd(reader.text, open));
  if (!found[4]) {
    throw new Refusal(open + found[0].length < reader.text.length ? 'badbrace' : 'brace', open, open + found[0].length);
  }
  const min = Number(found[1]);
  const max = found[2] === undefined ? min : found[3] ? Number(found[3]) : Number.POSITIVE_INFINITY;
  if (max < min) throw new Refusal('badbrace', open, open + found[0].length);
  if (min > MAX_COUNT || (max > MAX_COUNT && max !== Number.POSITIVE_INFINITY)) {
    throw new Refusal('space', open, open + found[0].length);
  }
  reader.at = open + found[0].length;
  return [min, max];
}

function unit(code: number): Node {
  return set([[code, code]]);
}

function set(ranges: Ranges): Node {
  return { kind: 'chars', ranges, negated: false };
}

function readEscape(reader: Reader): { node: Node; repeatable: boolean } {
  const start = reader.at;
  const char = reader.text[start + 1];
  if (char === 'b' || char === 'B') {
    reader.at += 2;
    return { node: { kind: 'assertion', at: char === 'b' ? '\\b' : '\\B' }, repeatable: false };
  }
  if (char !== undefined && char >= '1' && char <= '9') {
    const digits = /^\d+/.exec(reader.text.slice(start + 1))?.[0] ?? char;
    const index = Number(digits);
    reader.at += 1 + digits.length;
    if (!reader.closed.has(index)) throw new Refusal('backref', start, reader.at);
    return one({ kind: 'backReference', index });
  }
  const escaped = readCharacterEscape(reader);
  return one(typeof escaped === 'number' ? unit(escaped) : set(escaped));
}

const CONTROL: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };

/** An escape that stands for one unit or a class of them, inside and outside of brackets. */
function readCharacterEscape(reader: Reader): number | Ranges {
  const start = reader.at;
  const { text } = reader;
  const char = text[start + 1];
  if (char === undefined) throw new Refusal('escape', start, start + 1);
  reader.at += 2;
  switch (char) {
    case 'd':
      return DIGIT;
    case 'D':
      return NOT_DIGIT;
    case 'w':
      return WORD;
    case 'W':
      return NOT_WORD;
    case 's':
      return SPACE;
    case 'S':
      return NOT_SPACE;
    case 'x':
      return readHex(reader, start, 2);
    case 'u':
      return readHex(reader, start, 4);
    case 'c': {
      const letter = text[reader.at] ?? '';
      if (!/^[A-Za-z]$/.test(letter)) throw new Refusal('escape', start, reader.at);
      reader.at++;
      return letter.charCodeAt(0) % 32;
    }
  }
  const control = Object.hasOwn(CONTROL, char) ? CONTROL[char] : undefined;
  if (control !== undefined) return control;
  if (/^[A-Za-z0-9]$/.test(char)) throw new Refusal('escape', start, reader.at);
  if (char === '_') reader.doubts.push({ kind: 'escaped underscore', from: start, to: reader.at });
  return char.charCodeAt(0);
}

function readHex(reader: Reader, start: number, length: number): number {
  const digits = reader.text.slice(reader.at, reader.at + length);
  if (digits.length !== length || !/^[0-9A-Fa-f]+$/.test(digits)) throw new Refusal('escape', start, reader.at);
  reader.at += length;
  return Number.parseInt(digits, 16);
}

function readClass(reader: Reader): Node {
  const open = reader.at;
  const { text } = reader;
  reader.at++;
  const negated = text[reader.at] === '^';
  if (negated) reader.at++;
  const ranges: (readonly [number, number])[] = [];
  for (;;) {
    if (reader.at >= text.length) throw new Refusal('brack', open, open + 1);
    if (text[reader.at] === ']') break;
    const start = reader.at;
    const from = readClassAtom(reader);
    const hyphen = text[reader.at] === '-' && text[reader.at + 1] !== ']' && reader.at + 1 < text.length;
    if (typeof from !== 'number') {
      // No range can begin with a class, so the hyphen stands for itself.
      if (hyphen) reader.doubts.push({ kind: 'hyphen behind a class', from: start, to: reader.at + 1 });
      ranges.push(...from);
      continue;
    }
    if (!hyphen) {
      ranges.push([from, from]);
      continue;
    }
    reader.at++;
    const to = readClassAtom(reader);
    if (typeof to !== 'number' || to < from) throw new Refusal('range', start, reader.at);
    ranges.push([from, to]);
  }
  reader.at++;
  if (ranges.length === 0 && negated) return set(ANY);
  return { kind: 'chars', ranges: normalize(ranges), negated };
}

function readClassAtom(reader: Reader): number | Ranges {
  const { text, at } = reader;
  const char = text[at];
  if (char === '\\') {
    if (text[at + 1] !== 'b') return readCharacterEscape(reader);
    reader.at += 2;
    return 8;
  }
  const kind = char === '[' ? text[at + 1] : undefined;
  if (kind === ':' || kind === '=' || kind === '.') return readPosix(reader, kind);
  reader.at++;
  return text.charCodeAt(at);
}

/** `[:alpha:]`, `[=a=]`, `[.x.]` inside brackets. */
function readPosix(reader: Reader, kind: ':' | '=' | '.'): number | Ranges {
  const start = reader.at;
  const end = reader.text.indexOf(`${kind}]`, start + 2);
  if (end < 0) throw new Refusal('brack', start, start + 2);
  const name = reader.text.slice(start + 2, end);
  reader.at = end + 2;
  if (kind === ':') {
    const ranges = POSIX.get(name.toLowerCase());
    if (!ranges) throw new Refusal('ctype', start, reader.at);
    return ranges;
  }
  if (name.length !== 1) throw new Refusal('collate', start, reader.at);
  return name.charCodeAt(0);
}

/** What stands within a capturing group, by its number. */
export function groupOf(node: Node, index: number): Node | undefined {
  if (node.kind === 'group' && node.index === index) return node.body;
  for (const child of childrenOf(node)) {
    const found = groupOf(child, index);
    if (found) return found;
  }
  return undefined;
}
