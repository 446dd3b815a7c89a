/**
 * Patterns that match only a few inputs, and which: `^(meet|dialin)\.contoso\.com$`, or a wildcard without a star; and
 * which texts stand at which place in all that others match: `^(www\.)?fabrikam\.`, `^www.fabrikam.com$`, `*.contoso.com`.
 */
import type { PatternSyntax } from '../config/rewrite-model.ts';
import { type Node, readRegex } from './regex-syntax.ts';

const MOST_WORDS = 200;

/** Every input that a pattern matches, letter case aside; nothing where they are many or cannot be told. */
export function finiteInputs(syntax: PatternSyntax, pattern: string): readonly string[] | undefined {
  if (syntax === 'ExactMatch') return [pattern];
  if (syntax === 'Wildcard') return /[*?]/.test(pattern) ? undefined : [pattern];
  const read = readRegex(pattern);
  return 'kind' in read ? undefined : anchoredWords(read.root);
}

/** The words of an expression that is tied to both ends of the input. */
function anchoredWords(node: Node): string[] | undefined {
  if (node.kind === 'choice') return union(node.options.map(anchoredWords));
  if (node.kind === 'group') return anchoredWords(node.body);
  if (node.kind !== 'sequence') return undefined;
  const { items } = node;
  const first = items[0];
  const last = items.at(-1);
  const tied = first?.kind === 'assertion' && first.at === '^' && last?.kind === 'assertion' && last.at === '$';
  return tied && items.length > 1 ? wordsOf({ kind: 'sequence', items: items.slice(1, -1) }) : undefined;
}

/** A place where whatever a pattern matches has one of a few texts. */
export interface FixedPart {
  readonly side: 'start' | 'end';
  /** How many UTF-16 units stand between it and that side of the input. */
  readonly offset: number;
  /** Letter case aside. */
  readonly words: readonly string[];
}

/** For patterns with more inputs than `finiteInputs` tells; none where nothing is certain. */
export function fixedParts(syntax: PatternSyntax, pattern: string): readonly FixedPart[] {
  if (syntax !== 'ECMAScript') {
    const starts: FixedPart[] = (/^[^*?]+/.exec(pattern) ?? []).map((word) => ({
      side: 'start',
      offset: 0,
      words: [word],
    }));
    const ends: FixedPart[] = (/[^*?]+$/.exec(pattern) ?? []).map((word) => ({
      side: 'end',
      offset: 0,
      words: [word],
    }));
    return [...starts, ...ends];
  }
  const read = readRegex(pattern);
  if ('kind' in read) return [];
  return [...partsFrom('start', read.root), ...partsFrom('end', read.root)];
}

/** Goes inward from one end of the input, which the expression is tied to, as long as the distance from it is certain. */
function partsFrom(side: FixedPart['side'], node: Node): readonly FixedPart[] {
  if (node.kind === 'choice') return onlyPart(side, node.options);
  if (node.kind === 'group') return partsFrom(side, node.body);
  if (node.kind !== 'sequence') return [];
  const [outer, ...inner] = side === 'start' ? node.items : node.items.toReversed();
  if (!outer) return [];
  if (outer.kind !== 'assertion') return partsFrom(side, outer);
  if (outer.at !== (side === 'start' ? '^' : '$')) return [];
  const parts: FixedPart[] = [];
  let part = { side, offset: 0, words: [''] };
  for (const item of inner) {
    const words = wordsOf(item);
    const longer = side === 'start' ? product(part.words, words) : words && product(words, part.words);
    if (longer) {
      part = { ...part, words: longer };
      continue;
    }
    parts.push(part);
    const length = lengthOf(part.words.map((word) => word.length));
    const gap = fixedLength(item);
    if (length === undefined || gap === undefined) return parts.filter(saysSomething);
    part = { side, offset: part.offset + length + gap, words: [''] };
  }
  return [...parts, part].filter(saysSomething);
}

/** Of alternatives one part has the words of all: what stands at the end itself. */
function onlyPart(side: FixedPart['side'], options: readonly Node[]): readonly FixedPart[] {
  const words = union(options.map((option) => partsFrom(side, option).find(({ offset }) => offset === 0)?.words));
  return words ? [{ side, offset: 0, words }] : [];
}

function saysSomething({ words }: FixedPart): boolean {
  return !words.includes('');
}

/** The number that all are; nothing where they differ. */
function lengthOf(lengths: readonly (number | undefined)[]): number | undefined {
  const [first] = lengths;
  return lengths.every((length) => length === first) ? first : undefined;
}

/** How many units a part of an expression takes, if that does not vary: one for an unescaped dot. */
function fixedLength(node: Node): number | undefined {
  switch (node.kind) {
    case 'chars':
      return 1;
    case 'group':
      return fixedLength(node.body);
    case 'choice':
      return lengthOf(node.options.map(fixedLength));
    case 'sequence':
      return node.items.reduce<number | undefined>((sum, item) => added(sum, fixedLength(item)), 0);
    case 'repeat': {
      const once = node.min === node.max ? fixedLength(node.body) : undefined;
      return once === undefined ? undefined : once * node.min;
    }
    default:
      return undefined;
  }
}

function added(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

/** Every text that a part of an expression can match; nothing where they are many or depend on what stands around. */
export function wordsOf(node: Node): string[] | undefined {
  switch (node.kind) {
    case 'chars': {
      const count = node.ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
      if (node.negated || count > MOST_WORDS) return undefined;
      return node.ranges.flatMap(([from, to]) =>
        Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i)),
      );
    }
    case 'sequence':
      return node.items.reduce<string[] | undefined>((before, item) => before && product(before, wordsOf(item)), ['']);
    case 'choice':
      return union(node.options.map(wordsOf));
    case 'group':
      return wordsOf(node.body);
    case 'repeat':
      return repeatedWords(node);
    default:
      return undefined;
  }
}

function repeatedWords({ body, min, max }: Node & { kind: 'repeat' }): string[] | undefined {
  const once = max <= MOST_WORDS ? wordsOf(body) : undefined;
  if (!once) return undefined;
  let words: string[] | undefined = [''];
  const all: string[] = min === 0 ? [''] : [];
  for (let times = 1; times <= max && words; times++) {
    words = product(words, once);
    if (words && times >= min) all.push(...words);
    if (all.length > MOST_WORDS) return undefined;
  }
  return words && all;
}

function product(heads: readonly string[], tails: readonly string[] | undefined): string[] | undefined {
  if (!tails || heads.length * tails.length > MOST_WORDS) return undefined;
  return heads.flatMap((head) => tails.map((tail) => head + tail));
}

function union(each: readonly (readonly string[] | undefined)[]): string[] | undefined {
  const words = new Set<string>();
  for (const some of each) {
    if (!some) return undefined;
    for (const word of some) words.add(word);
  }
  return words.size > MOST_WORDS ? undefined : [...words];
}
