/** What can be told of a pattern's matches from its syntax alone: how they begin, and what they hold for sure. */
import type { PatternSyntax } from '../config/rewrite-model.ts';
import { ANY, normalize, type Ranges } from './character-set.ts';
import { tiedToStart, unitsOf } from './regex-cost.ts';
import { childrenOf, groupOf, type Node, readRegex } from './regex-syntax.ts';

/** Every unit that an input can begin with which the pattern matches; nothing where that cannot be told. */
export function beginnings(syntax: PatternSyntax, pattern: string): Ranges | undefined {
  if (syntax !== 'ECMAScript') {
    const first = pattern[0];
    return first === undefined || (syntax === 'Wildcard' && /[*?]/.test(first)) ? undefined : unit(first);
  }
  const read = readRegex(pattern);
  if ('kind' in read || !tiedToStart(read.root)) return undefined;
  const { units, empty } = firstOf(read.root);
  return empty ? undefined : units;
}

/** Every unit that a group can begin with, where it holds anything; 0 is all that matched. */
export function groupBeginnings(syntax: PatternSyntax, pattern: string, index: number): Ranges | undefined {
  if (syntax !== 'ECMAScript') return index === 0 ? beginnings(syntax, pattern) : undefined;
  const read = readRegex(pattern);
  const node = 'kind' in read ? undefined : index === 0 ? read.root : groupOf(read.root, index);
  return node && firstOf(node).units;
}

/** Whether a group, where it holds anything, begins where the input does. */
export function beginsInput(syntax: PatternSyntax, pattern: string, index: number): boolean {
  if (syntax !== 'ECMAScript') return index === 0 || (index === 1 && pattern.startsWith('*'));
  const read = readRegex(pattern);
  if ('kind' in read || !(tiedToStart(read.root) || mayTakeNothing(read.root))) return false;
  return index === 0 || isInFront(read.root, index);
}

/** Such as `(.*)` alone: it matches at the start, if only nothing. */
function mayTakeNothing(node: Node): boolean {
  return node.kind === 'group' ? mayTakeNothing(node.body) : node.kind === 'repeat' && node.min === 0;
}

/** Whether nothing is taken before a group. */
function isInFront(node: Node, index: number): boolean {
  if (node.kind === 'group') return node.index === index || isInFront(node.body, index);
  const first = node.kind === 'sequence' ? node.items.find(({ kind }) => kind !== 'assertion') : undefined;
  return first !== undefined && isInFront(first, index);
}

/** Every unit that may stand in a group; nothing where the group may be empty, too. */
export function filledWith(pattern: string, index: number): Ranges | undefined {
  const read = readRegex(pattern);
  if ('kind' in read || !takesPart(read.root, index)) return undefined;
  const node = index === 0 ? read.root : groupOf(read.root, index);
  return node && !firstOf(node).empty ? normalize(unitsIn(node)) : undefined;
}

/** Whether a match always goes through the group. */
export function takesPart(node: Node, index: number): boolean {
  if (index === 0 || (node.kind === 'group' && node.index === index)) return true;
  if (node.kind === 'choice' || node.kind === 'lookAhead' || (node.kind === 'repeat' && node.min === 0)) return false;
  return childrenOf(node).some((child) => takesPart(child, index));
}

/** What each place in a node can match; everything for a back-reference. */
export function unitsIn(node: Node): Ranges {
  if (node.kind === 'backReference') return ANY;
  if (node.kind === 'chars') return unitsOf(node, false);
  return childrenOf(node).flatMap(unitsIn);
}

function unit(char: string): Ranges {
  return [[char.charCodeAt(0), char.charCodeAt(0)]];
}

interface First {
  /** May be more than there are, never fewer. */
  readonly units: Ranges;
  /** Nothing need be taken, or that cannot be told. */
  readonly empty: boolean;
}

const NOTHING: First = { units: [], empty: true };

function firstOf(node: Node): First {
  switch (node.kind) {
    case 'chars':
      return { units: unitsOf(node, false), empty: false };
    case 'group':
      return firstOf(node.body);
    case 'choice':
      return union(node.options.map(firstOf));
    case 'repeat': {
      const { units, empty } = firstOf(node.body);
      return { units, empty: empty || node.min === 0 };
    }
    case 'sequence':
      return sequenceOf(node.items);
    default:
      // What looks at the text without taking it only narrows what follows.
      return NOTHING;
  }
}

function sequenceOf(items: readonly Node[]): First {
  const firsts: First[] = [];
  for (const item of items) {
    const first = firstOf(item);
    firsts.push(first);
    if (!first.empty) return { units: union(firsts).units, empty: false };
  }
  return { units: union(firsts).units, empty: true };
}

function union(firsts: readonly First[]): First {
  return {
    units: normalize(firsts.flatMap(({ units }) => units)),
    empty: firsts.some(({ empty }) => empty),
  };
}

/** Whether every input that the pattern matches holds this text. */
export function alwaysHolds(syntax: PatternSyntax, pattern: string, text: string): boolean {
  if (syntax !== 'ECMAScript') return pattern.includes(text);
  const read = readRegex(pattern);
  return !('kind' in read) && holdsFor(read.root, text);
}

function holdsFor(node: Node, text: string): boolean {
  switch (node.kind) {
    case 'choice':
      return node.options.every((option) => holdsFor(option, text));
    case 'group':
      return holdsFor(node.body, text);
    case 'repeat':
      return node.min > 0 && holdsFor(node.body, text);
    case 'sequence':
    case 'chars':
      return (
        literal(node).includes(text) || (node.kind === 'sequence' && node.items.some((item) => holdsFor(item, text)))
      );
    default:
      return false;
  }
}

/** The text that a node stands for, with U+FFFF for what is not certain. */
export function literal(node: Node): string {
  if (node.kind === 'sequence') return node.items.map(literal).join('');
  if (node.kind === 'group') return literal(node.body);
  const only = node.kind === 'chars' && !node.negated && node.ranges.length === 1 ? node.ranges[0] : undefined;
  if (only && only[0] === only[1]) return String.fromCharCode(only[0]);
  return node.kind === 'assertion' && node.at !== '$' ? '' : '\uffff';
}
