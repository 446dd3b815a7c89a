/** A star in a regular expression that is meant as "anything", and repeats the character before it: `api/*`. */
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { PatternSyntax } from '../config/rewrite-model.ts';
import type { Text } from '../config/text.ts';
import { literal } from './pattern-shape.ts';
import { childrenOf, type Node, readRegex } from './regex-syntax.ts';

type Repeat = Node & { readonly kind: 'repeat' };

/** What stands on both sides of a part of an expression. */
interface Sides {
  readonly before: readonly Node[];
  readonly after: readonly Node[];
}

export function checkStar(text: Text, syntax: PatternSyntax | undefined, report: Report): void {
  const read = syntax === 'ECMAScript' ? readRegex(text.value) : undefined;
  if (!read || 'kind' in read) return;
  const meant: Repeat[] = [];
  for (const { star, sides } of starsIn(read.root, { before: [], after: [] })) {
    const repeated = literal(star.body);
    const written = text.value.slice(star.from, star.to);
    if (repeated === '/' ? slashIsMeant(star, text.value, sides) : letterIsMeant(written, repeated, sides)) {
      meant.push(star);
    }
  }
  if (meant.length > 0) reportStars(text, meant, report);
}

/** One finding for a pattern: the cure of one star alone would leave the others. */
function reportStars(text: Text, stars: readonly Repeat[], report: Report): void {
  const { value } = text;
  const [first] = stars;
  const last = stars.at(-1);
  if (!first || !last) return;
  const slash = stars.some(({ body }) => literal(body) === '/');
  const all = stars.reduceRight((whole, { to }) => `${whole.slice(0, to - 1)}.*${whole.slice(to)}`, value);
  const is = stars.map(({ from, to, body }) => {
    const repeated = literal(body);
    return `"${value.slice(from, to)}" is ${repeated === '/' ? 'any number of slashes' : `the letter "${repeated}" any number of times`}, or none`;
  });
  const effect = stars.length === 1 ? 'it does not stand' : 'they do not stand';
  report('LG2251', spanWithin(text, first.from, last.to), {
    message: `In a regular expression ${[...new Set(is)].join(', and ')}; ${effect} for what follows.`,
    advice: `For whatever follows write "${all}"${slash ? '; for a slash that may be missing "/?"' : ''}.`,
  });
}

/** Every star over one character, with its neighbours; what stands around a group stands around what is in it. */
function* starsIn(node: Node, sides: Sides): Generator<{ star: Repeat; sides: Sides }> {
  if (node.kind === 'repeat' && node.body.kind === 'chars') {
    if (node.min === 0 && node.max === Number.POSITIVE_INFINITY && node.greedy) yield { star: node, sides };
    return;
  }
  if (node.kind === 'repeat' || node.kind === 'lookAhead') return;
  const children = childrenOf(node);
  for (const [index, child] of children.entries()) {
    const inside =
      node.kind === 'sequence'
        ? {
            before: [...sides.before, ...children.slice(0, index)],
            after: [...children.slice(index + 1), ...sides.after],
          }
        : sides;
    yield* starsIn(child, inside);
  }
}

function isAssertion(node: Node | undefined, at: '^' | '$'): boolean {
  return node?.kind === 'assertion' && node.at === at;
}

function loops(node: Node): boolean {
  return (node.kind === 'repeat' && node.max === Number.POSITIVE_INFINITY) || childrenOf(node).some(loops);
}

/**
 * Not where it takes slashes away at an end, as in `^/*(.*)` and `(.*?)/*$`, nor where what follows takes the rest, nor
 * with a backslash at the end: whoever writes that knows the language.
 */
function slashIsMeant({ from, to }: Repeat, pattern: string, { before, after }: Sides): boolean {
  const written = pattern.slice(from, to);
  const [previous, next] = [before.at(-1), after[0]];
  if (previous === undefined) return pattern === written;
  if (isAssertion(previous, '^') || loops(previous) || literal(previous).endsWith('/')) return false;
  if (next === undefined) return true;
  if (isAssertion(next, '$')) return written === '/*';
  // As in images/*.png, where the dot is no dot either.
  return !loops(next) && (literal(next) !== '\uffff' || pattern[to] === '.');
}

/** At the end of a word of two letters or more; not where it may be left out on purpose, as in `https*:`. */
function letterIsMeant(written: string, letter: string, { before, after }: Sides): boolean {
  if (!/^[A-Za-z]\*$/.test(written)) return false;
  const word = /[A-Za-z-]*$/.exec(before.map(literal).join(''))?.[0] ?? '';
  if (word.length < 2 || word.endsWith(letter) || /^http$/i.test(word)) return false;
  const [next] = after;
  if (next === undefined || isAssertion(next, '$')) return true;
  return literal(next) === '/' && !/^s$/i.test(letter);
}
