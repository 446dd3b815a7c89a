/**
 * Finds loops of a regular expression that can match one text in several ways, so that a search which fails takes
 * exponential time (catastrophic backtracking). Each loop is judged by itself, tied to both ends of its text: what stands
 * around it, and patterns that are merely quadratic such as `^(.*)/(.*)$`, are no reason to warn.
 */
import { isSafePattern } from 'redos-detector';
import { translate } from './regex-source.ts';
import { childrenOf, type Node, readRegex } from './regex-syntax.ts';

export interface ExplosiveLoop {
  /** Place in the pattern: UTF-16 units, the end exclusive. */
  readonly from: number;
  readonly to: number;
}

type Loop = Node & { readonly kind: 'repeat' };

/** A loop that turns less often cannot explode beyond what the run-time bound takes in its stride. */
const FEW_TURNS = 15;
/** Keeps the analysis of one loop within a tenth of a second or so. It is not a clock, so verdicts do not vary. */
const MAX_STEPS = 500;
const MAX_LENGTH = 2000;
/** So many loops may take their full time, then the shape alone decides. Harmless ones are judged in no time. */
const MOST_COSTLY = 50;

/** Gives nothing for a pattern that cannot be read. */
export type LoopAnalyser = (pattern: string, ignoreCase: boolean) => readonly ExplosiveLoop[];

interface Known {
  readonly verdicts: Map<string, boolean>;
  costlyLeft: number;
}

/**
 * One for each time that a configuration is checked: it keeps its verdicts, and bounds what the whole takes.
 * @param mostCostly loops that may take their full time; behind them the shape alone decides
 */
export function createLoopAnalyser(mostCostly = MOST_COSTLY): LoopAnalyser {
  const known: Known = { verdicts: new Map(), costlyLeft: mostCostly };
  return (pattern, ignoreCase) => {
    const read = readRegex(pattern);
    if ('kind' in read) return [];
    const explosive = [...loopsIn(read.root)].filter((loop) => isExplosive(loop, ignoreCase, known));
    return explosive.map(({ from, to }) => ({ from, to }));
  };
}

/** The outermost loops with something inside that can match in several ways: all others take one way only. */
function* loopsIn(node: Node): Generator<Loop> {
  if (node.kind === 'repeat' && node.max > FEW_TURNS && some(node.body, varies)) yield node;
  else for (const child of childrenOf(node)) yield* loopsIn(child);
}

function varies(node: Node): boolean {
  return node.kind === 'choice' || (node.kind === 'repeat' && node.max !== node.min);
}

function some(node: Node, holds: (node: Node) => boolean): boolean {
  return holds(node) || childrenOf(node).some((child) => some(child, holds));
}

function isExplosive(loop: Loop, ignoreCase: boolean, known: Known): boolean {
  // What a back-reference stands for lies outside of the loop, so it cannot be judged by itself.
  if (some(loop.body, ({ kind }) => kind === 'backReference')) return nestsRepeats(loop);
  const source = `^(?:${translate(loop.body, ignoreCase)})*$`;
  const verdict = known.verdicts.get(source);
  if (verdict !== undefined) return verdict;
  if (source.length > MAX_LENGTH || known.costlyLeft <= 0) return nestsRepeats(loop);
  const { score, error } = isSafePattern(source, { maxSteps: MAX_STEPS, timeout: Number.POSITIVE_INFINITY });
  if (error) known.costlyLeft--;
  known.verdicts.set(source, score.infinite);
  return score.infinite;
}

/** A repeat without an end directly repeated, such as `(a+)+`. */
function nestsRepeats(loop: Loop): boolean {
  return some(loop.body, (node) => node.kind === 'repeat' && node.max === Number.POSITIVE_INFINITY);
}
