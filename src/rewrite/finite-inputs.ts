/**
 * Patterns that match only a few inputs, and which: `^(meet|dialin)\.contoso\.com$`, or a wildcard without a star; and
 * what all that others match begins or ends with: `^(www\.)?fabrikam\.`, or `*.contoso.com`.
 */
import type { PatternSyntax } from '../config/model.ts';
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

export interface FixedEnds {
  /** Whatever a pattern matches begins with one of these, letter case aside; empty where that cannot be told. */
  readonly starts: readonly string[];
  /** Whatever it matches ends with one of these. */
  readonly ends: readonly string[];
}

/** For patterns with more inputs than `finiteInputs` tells. */
export function fixedEnds(syntax: PatternSyntax, pattern: string): FixedEnds {
  if (syntax !== 'ECMAScript') {
    const starts = /^[^*?]+/.exec(pattern) ?? [];
    const ends = /[^*?]+$/.exec(pattern) ?? [];
    return { starts: [...starts], ends: [...ends] };
  }
  const read = readRegex(pattern);
  if ('kind' in read) return { starts: [], ends: [] };
  const [starts, ends] = [fixedEnd(read.root, '^'), fixedEnd(read.root, '$')];
  return { starts: starts?.includes('') ? [] : (starts ?? []), ends: ends?.includes('') ? [] : (ends ?? []) };
}

/** The words between one end of the input, which the expression is tied to, and the first part with too many of them. */
function fixedEnd(node: Node, end: '^' | '$'): string[] | undefined {
  if (node.kind === 'choice') return union(node.options.map((option) => fixedEnd(option, end)));
  if (node.kind === 'group') return fixedEnd(node.body, end);
  if (node.kind !== 'sequence') return undefined;
  const [outer, ...inner] = end === '^' ? node.items : node.items.toReversed();
  if (!outer) return undefined;
  if (outer.kind !== 'assertion') return fixedEnd(outer, end);
  if (outer.at !== end) return undefined;
  let words = [''];
  for (const item of inner) {
    const once = wordsOf(item);
    const longer = end === '^' ? product(words, once) : once && product(once, words);
    if (!longer) break;
    words = longer;
  }
  return words;
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
