/**
 * How many steps V8's backtracking engine may take for a regular expression, told from its tree: the bound that keeps a
 * client from holding a worker. It may be far too high, never too low.
 */
import { complement, ignoringCase, normalize, type Ranges } from './character-set.ts';
import type { Node } from './regex-syntax.ts';

interface Cost {
  /** In how many ways the node can match at one place: so often what follows it may be tried. */
  readonly ways: number;
  /** Steps to try all of them. */
  readonly steps: number;
}

const ONE_STEP: Cost = { ways: 1, steps: 1 };

interface Measure {
  /** Length of the input. */
  readonly length: number;
  readonly ignoreCase: boolean;
  /** What is known of the options of choices, whatever the length. */
  readonly known: Map<readonly Node[], readonly OptionGroup[] | undefined>;
}

/** Options of a choice that begin with the same unit. */
interface OptionGroup {
  readonly options: readonly Node[];
  /** What follows that unit; absent where that cannot be told of all. */
  readonly rests: readonly Node[] | undefined;
}

/**
 * Tells, for one expression, how many steps a search through an input takes at most.
 * @param starts at how many places it may begin: one, or everywhere
 * @returns from the length of the input to steps
 */
export function stepCounter(root: Node, ignoreCase: boolean, starts: 'one' | 'all'): (length: number) => number {
  const known = new Map<readonly Node[], readonly OptionGroup[] | undefined>();
  const items = root.kind === 'sequence' ? root.items : [root];
  // What cannot fail is run once, at the end.
  const end = items.findLastIndex((item) => !cannotFail(item)) + 1;
  const begun = items.slice(0, end);
  const tail = items.slice(end);
  return (length) => {
    const measure = { length, ignoreCase, known };
    const { steps } = sequence(begun, measure);
    const times = starts === 'one' || tiedToStart(root) ? 1 : length + 1;
    return length + times * (1 + steps) + sequence(tail, measure).steps;
  };
}

/**
 * Begins with `.*`: a match begins where a line begins, for one that begins later could begin there. No engine knows
 * this by itself; without it `(.*)x` is looked for at every place anew.
 */
export function startsWithDots(root: Node): boolean {
  const first = root.kind === 'sequence' ? root.items[0] : root;
  const node = first && plainLoop(first);
  if (!node || node.min > 1 || node.max !== Number.POSITIVE_INFINITY) return false;
  const set = unitsOf(node.body, false);
  return set.length === 4 && complement(set).every(([from, to]) => /^[\n\r\u2028\u2029]+$/.test(chars(from, to)));
}

function chars(from: number, to: number): string {
  return String.fromCharCode(from, to);
}

/** Every way through it begins with `^`. */
export function tiedToStart(node: Node): boolean {
  if (node.kind === 'choice') return node.options.every(tiedToStart);
  if (node.kind === 'group') return tiedToStart(node.body);
  if (node.kind === 'sequence') return node.items[0] !== undefined && tiedToStart(node.items[0]);
  return node.kind === 'assertion' && node.at === '^';
}

function cannotFail(node: Node): boolean {
  if (node.kind === 'group') return cannotFail(node.body);
  if (node.kind === 'sequence') return node.items.every(cannotFail);
  return node.kind === 'repeat' && node.min === 0;
}

function cost(node: Node, measure: Measure): Cost {
  switch (node.kind) {
    case 'chars':
    case 'assertion':
      return ONE_STEP;
    case 'sequence':
      return sequence(node.items, measure);
    case 'choice':
      return choice(node.options, measure);
    case 'group': {
      const { ways, steps } = cost(node.body, measure);
      return { ways, steps: steps + 2 };
    }
    case 'lookAhead':
      return { ways: 1, steps: 1 + cost(node.body, measure).steps };
    case 'repeat':
      return repeat(node, measure);
    case 'backReference':
      return { ways: 1, steps: measure.length };
  }
}

function sequence(items: readonly Node[], measure: Measure): Cost {
  let ways = 1;
  let steps = 1;
  for (const [index, item] of items.entries()) {
    const own = cost(item, measure);
    steps += ways * own.steps;
    // A loop that stops only where the next item can begin leaves one way, however often it is shortened.
    const next = items[index + 1];
    if (next && endsForSure(item, next, measure)) steps += ways * own.ways;
    else ways *= own.ways;
  }
  return { ways, steps };
}

function endsForSure(item: Node, next: Node, { ignoreCase }: Measure): boolean {
  const loop = plainLoop(item);
  if (!loop) return false;
  if (next.kind === 'assertion' && next.at === '$') return true;
  const first = firstUnits(next, ignoreCase);
  return first !== undefined && disjoint(unitsOf(loop.body, ignoreCase), first);
}

/** `[^/]*`, also as a group. */
function plainLoop(node: Node): (Node & { kind: 'repeat'; body: Node & { kind: 'chars' } }) | undefined {
  if (node.kind === 'group') return plainLoop(node.body);
  if (node.kind !== 'repeat' || node.body.kind !== 'chars') return undefined;
  return { ...node, body: node.body };
}

function repeat(node: Node & { kind: 'repeat' }, measure: Measure): Cost {
  const body = cost(node.body, measure);
  const turns = Math.min(node.max, Math.max(node.min, measure.length) + 1);
  if (body.ways <= 1) return { ways: turns - Math.min(node.min, turns) + 1, steps: 1 + turns * (1 + body.steps) };
  if (turns > 64) return { ways: Number.POSITIVE_INFINITY, steps: Number.POSITIVE_INFINITY };
  const all = (body.ways ** (turns + 1) - 1) / (body.ways - 1);
  return { ways: all, steps: 1 + all * (1 + body.steps) };
}

function choice(options: readonly Node[], measure: Measure): Cost {
  const groups = optionGroups(options, measure);
  if (!groups) return sum(options.map((option) => cost(option, measure)));
  // One text begins in one way, so no more than one of these groups gets beyond its first unit.
  const costs = groups.map((group) => groupCost(group, measure));
  return {
    ways: Math.max(...costs.map(({ ways }) => ways)),
    steps: options.length + Math.max(...costs.map(({ steps }) => steps)),
  };
}

function groupCost({ options, rests }: OptionGroup, measure: Measure): Cost {
  const [only] = options;
  if (only && options.length === 1) return cost(only, measure);
  if (!rests) return sum(options.map((option) => cost(option, measure)));
  const { ways, steps } = choice(rests, measure);
  return { ways, steps: steps + options.length };
}

function optionGroups(options: readonly Node[], { ignoreCase, known }: Measure): readonly OptionGroup[] | undefined {
  if (known.has(options)) return known.get(options);
  const groups = byFirstUnit(options, ignoreCase)?.map((group) => {
    const rests = group.map(withoutFirst).filter((rest) => rest !== undefined);
    return { options: group, rests: rests.length === group.length ? rests : undefined };
  });
  known.set(options, groups);
  return groups;
}

function sum(costs: readonly Cost[]): Cost {
  const ways = costs.reduce((all, one) => all + one.ways, 0);
  return { ways, steps: costs.reduce((all, one) => all + one.steps, costs.length) };
}

/** Options that can begin alike, together; nothing where that cannot be told. */
function byFirstUnit(options: readonly Node[], ignoreCase: boolean): readonly (readonly Node[])[] | undefined {
  const groups = new Map<string, { first: Ranges; options: Node[] }>();
  for (const option of options) {
    const first = firstUnits(option, ignoreCase);
    if (!first) return undefined;
    const known = groups.get(String(first));
    if (known) known.options.push(option);
    else groups.set(String(first), { first, options: [option] });
  }
  const all = [...groups.values()];
  const apart = all.every((one, index) => all.slice(index + 1).every((other) => disjoint(one.first, other.first)));
  return apart ? all.map((group) => group.options) : undefined;
}

function withoutFirst(node: Node): Node | undefined {
  if (node.kind === 'chars') return { kind: 'sequence', items: [] };
  if (node.kind !== 'sequence' || node.items[0]?.kind !== 'chars') return undefined;
  return { kind: 'sequence', items: node.items.slice(1) };
}

/** What a match of the node begins with; nothing where it may be empty or look elsewhere. */
function firstUnits(node: Node, ignoreCase: boolean): Ranges | undefined {
  switch (node.kind) {
    case 'chars':
      return unitsOf(node, ignoreCase);
    case 'group':
      return firstUnits(node.body, ignoreCase);
    case 'sequence':
      return node.items[0] && firstUnits(node.items[0], ignoreCase);
    case 'repeat':
      return node.min > 0 ? firstUnits(node.body, ignoreCase) : undefined;
    case 'choice': {
      const all = node.options.map((option) => firstUnits(option, ignoreCase));
      return all.some((one) => !one) ? undefined : normalize(all.flatMap((one) => one ?? []));
    }
    default:
      return undefined;
  }
}

/** What one place can match. */
export function unitsOf({ ranges, negated }: Node & { kind: 'chars' }, ignoreCase: boolean): Ranges {
  const cased = ignoreCase ? ignoringCase(ranges) : ranges;
  return negated ? complement(cased) : cased;
}

function disjoint(one: Ranges, other: Ranges): boolean {
  return one.every(([from, to]) => other.every(([start, end]) => to < start || end < from));
}
