/**
 * The engines that run regular expressions, and which of them may take an input of what length, so that none ever holds
 * a worker: V8's backtracking engine as long as its steps are bounded (regex-cost.ts), V8's linear engine for longer
 * inputs, and for what that cannot take a machine of our own that counts its steps and gives up.
 */
import v8 from 'node:v8';
import { startsWithDots, stepCounter, unitsOf } from './regex-cost.ts';
import { buildProgram, type RegexProgram, runProgram, TOO_COMPLEX } from './regex-program.ts';
import { translate } from './regex-source.ts';
import { childrenOf, type Node, type RegexSyntax } from './regex-syntax.ts';

/** One match: what matched, then its groups, and where it stands. */
export interface Found {
  readonly captures: readonly (string | undefined)[];
  readonly at: number;
  readonly end: number;
}

/** The first match at `from` or behind it; a `^` stands for the start of the whole text. */
export type Search = (input: string, from: number) => Found | undefined | typeof TOO_COMPLEX;

export interface Engine {
  /** The longest input that it takes. */
  readonly upTo: number;
  readonly search: Search;
  /** Whether there is a match; captures nothing. */
  readonly holds: (input: string) => boolean | typeof TOO_COMPLEX;
}

/** Some 20 milliseconds of V8's backtracking engine, which makes about a step in one or two nanoseconds. */
const MOST_STEPS = 12_000_000;
/** Short inputs get fewer: V8 interprets an expression the first time, which is some times slower. */
const STEPS_PER_UNIT = 6000;

/** How long the texts are, and how much V8's linear engine may do with them: length times instructions. */
interface Limits {
  readonly longest: number;
  readonly linearWork: number;
  /** Searches begin where the text begins. */
  readonly whole: boolean;
}

/** No request brings a longer text to a rule by default; about 30 milliseconds. */
export const OF_REQUESTS: Limits = { longest: 65_536, linearWork: 6_000_000, whole: true };
/** Bodies have a limit of their own; about two seconds, which is what the rules of one body may take. */
export const OF_BODIES: Limits = { longest: 2 ** 28, linearWork: 400_000_000, whole: false };

let available: boolean | undefined;

/** Makes V8 know the `l` flag, its linear engine. False where this V8 has none: then our own takes its place. */
export function useLinearEngine(): boolean {
  if (available !== undefined) return available;
  v8.setFlagsFromString('--enable-experimental-regexp-engine');
  available = isLinear('a');
  return available;
}

function isLinear(source: string): boolean {
  return compiled(source, 'l') !== undefined;
}

/** Nothing where V8 does not take it: too many groups, or none for its linear engine. */
function compiled(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}

export interface Engines {
  /** The quickest first. */
  readonly quick: readonly Engine[];
  /** For lengths that none of them takes. */
  readonly counting: Engine;
  /** None of them gives up on what a request can bring. */
  readonly alwaysTells: boolean;
}

/** The engines for an expression; nothing where its counts multiply beyond what any of them can keep. */
export function enginesFor(syntax: RegexSyntax, ignoreCase: boolean, limits = OF_REQUESTS): Engines | undefined {
  const source = translate(syntax.root, ignoreCase);
  const counting = countingEngine(syntax, ignoreCase);
  const plain = plainEngine(syntax.root, source, ignoreCase, limits);
  if (plain && plain.upTo >= limits.longest) return { quick: [plain], counting, alwaysTells: true };
  const linear = linearEngine(syntax.root, source, ignoreCase, limits);
  const alwaysTells = linear !== undefined && linear.upTo >= limits.longest;
  // What is too large for the last resort has to make do with what the bound lets V8 run.
  const large = !alwaysTells && !counting.canRun();
  const first = large ? plainEngine(syntax.root, source, ignoreCase, limits, Number.POSITIVE_INFINITY) : plain;
  if (large && !linear && !first) return undefined;
  return { quick: [first, linear].filter((engine) => engine !== undefined), counting, alwaysTells };
}

/** The quickest that takes an input of this length. */
export function engineOf({ quick, counting }: Engines, length: number): Engine {
  for (const engine of quick) if (length <= engine.upTo) return engine;
  return counting;
}

/** V8's backtracking engine, for inputs that it cannot be slow on. */
export function plainEngine(
  root: Node,
  source: string,
  ignoreCase: boolean,
  limits: Limits,
  stepsPerUnit = STEPS_PER_UNIT,
): Engine | undefined {
  // Two letters of different case are one to a back-reference, which only the `i` flag could tell V8.
  if (some(root, ({ kind }) => kind === 'backReference')) return undefined;
  const lines = limits.whole && startsWithDots(root);
  const stepsFor = stepCounter(root, ignoreCase, lines ? 'one' : 'all');
  // Where the steps grow as the input does, longer ones than usual are no harm.
  const upTo = longestWithin(16 * limits.longest, (length) => {
    const share = length / OF_REQUESTS.longest;
    const most = Math.max(Math.min(MOST_STEPS, stepsPerUnit * length), share * MOST_STEPS);
    return stepsFor(length) <= most;
  });
  if (upTo === 0) return undefined;
  const regex = compiled(lines ? `(?<![^\\n\\r\\u2028\\u2029])${source}` : source, 'g');
  return regex && fromRegExp(regex, upTo);
}

/** V8's linear engine; nothing where it cannot take the expression. */
export function linearEngine(root: Node, source: string, ignoreCase: boolean, limits: Limits): Engine | undefined {
  if (!useLinearEngine() || !isLinear(source)) return undefined;
  const upTo = Math.floor(limits.linearWork / instructions(root, ignoreCase));
  return fromRegExp(new RegExp(source, 'gl'), upTo);
}

function fromRegExp(regex: RegExp, upTo: number): Engine {
  const search: Search = (input, from) => {
    regex.lastIndex = from;
    try {
      const captures = regex.exec(input);
      return captures ? { captures, at: captures.index, end: regex.lastIndex } : undefined;
    } catch {
      return TOO_COMPLEX; // V8 ran out of the memory that it allows itself for a match.
    }
  };
  const holds = (input: string) => {
    regex.lastIndex = 0;
    try {
      return regex.test(input);
    } catch {
      return TOO_COMPLEX;
    }
  };
  return { upTo, search, holds };
}

/** Our own engine. Its program is made when first needed. */
export function countingEngine(
  { root, groups }: RegexSyntax,
  ignoreCase: boolean,
): Engine & { readonly canRun: () => boolean } {
  let made: RegexProgram | 'too large' | undefined;
  const program = () => {
    made ??= buildProgram(root, groups, ignoreCase) ?? 'too large';
    return made === 'too large' ? undefined : made;
  };
  const run = (input: string, from: number) => {
    const code = program();
    return code ? runProgram(code, input, from) : TOO_COMPLEX;
  };
  const search: Search = (input, from) => {
    const slots = run(input, from);
    if (slots === undefined || slots === TOO_COMPLEX) return slots;
    const captures = Array.from({ length: groups + 1 }, (_, group) => {
      const start = slots[group * 2] ?? -1;
      const end = slots[group * 2 + 1] ?? -1;
      return start < 0 || end < 0 ? undefined : input.slice(start, end);
    });
    return { captures, at: slots[0] ?? 0, end: slots[1] ?? 0 };
  };
  const holds = (input: string) => {
    const slots = run(input, 0);
    return slots === TOO_COMPLEX ? slots : slots !== undefined;
  };
  return { upTo: Number.POSITIVE_INFINITY, search, holds, canRun: () => program() !== undefined };
}

/** About the longest that is allowed: what a length allows, a shorter one allows too. */
function longestWithin(longest: number, allowed: (length: number) => boolean): number {
  for (let length = longest; length > 0; length = Math.floor(length * 0.75)) if (allowed(length)) return length;
  return 0;
}

function some(node: Node, holds: (node: Node) => boolean): boolean {
  return holds(node) || childrenOf(node).some((child) => some(child, holds));
}

/** How long the program is that V8's linear engine makes of an expression: so many steps it may take for one unit. */
function instructions(node: Node, ignoreCase: boolean): number {
  switch (node.kind) {
    case 'chars':
      return 2 * unitsOf(node, ignoreCase).length;
    case 'sequence':
    case 'choice':
      return childrenOf(node).reduce((sum, child) => sum + 2 + instructions(child, ignoreCase), 1);
    case 'group':
      return 2 + instructions(node.body, ignoreCase);
    case 'repeat': {
      const copies = node.max === Number.POSITIVE_INFINITY ? node.min + 1 : node.max;
      return 2 + copies * (4 + instructions(node.body, ignoreCase));
    }
    default:
      return 2;
  }
}
