/** The source text of a V8 regular expression for an expression that was read: case is written out, classes are ranges. */
import { complement, ignoringCase, type Ranges } from './character-set.ts';
import type { Node } from './regex-syntax.ts';

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
