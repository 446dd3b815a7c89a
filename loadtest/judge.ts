/** Judges a run by the goals; what cannot be relied on has no verdict. */
import { GOALS, type Goal } from './goals.ts';
import {
  holdsRate,
  mainFigure,
  median,
  type Row,
  type RunResult,
  roundRatios,
  rowOf,
  type ScenarioResult,
  STEADY_PERCENT,
  spreadOf,
  spreadOfRow,
} from './results.ts';

/** Why there is no verdict. */
export type Reason = 'unsteady' | 'one round' | 'rate not held' | 'too few held' | 'not measured';

export type Verdict =
  | { readonly verdict: 'met' | 'least' | 'missed' }
  | { readonly verdict: 'not judged'; readonly reason: Reason };

export type GoalResult = Verdict & {
  readonly title: string;
  readonly what: string;
  readonly goal: number;
  readonly least?: number;
  /** The median of those of the rounds. */
  readonly ratio?: number;
  /** The ratio in each round. */
  readonly rounds: readonly number[];
  /** By how many percent rounds differ: of Lychgate's figure, of the other's or of the ratio, whichever differ most. */
  readonly spread: number;
};

interface Side {
  readonly result: ScenarioResult;
  readonly row: Row;
}

/** Lychgate and what it is compared with. */
type Pair = readonly [own: Side, base: Side];

/** The goals of the scenarios that ran. */
export function judge({ scenarios }: Pick<RunResult, 'scenarios'>): GoalResult[] {
  return GOALS.flatMap((goal) => {
    const result = scenarios.find(({ name }) => name === goal.scenario);
    return result ? [judgeGoal(goal, result, scenarios)] : [];
  });
}

function judgeGoal(goal: Goal, result: ScenarioResult, all: readonly ScenarioResult[]): GoalResult {
  const pair = pairOf(goal, result, all);
  const rounds = pair === undefined ? [] : roundRatios(pair[0].row, pair[1].row, mainFigure(result));
  // Where all drift together the ratio hardly moves; but then the machine was not the same for all of the run.
  const spread = pair === undefined ? 0 : Math.max(spreadOf(rounds), ...pair.map(spreadOfSide));
  return {
    title: result.title,
    what: describe(goal, result, all),
    goal: goal.goal,
    ...(goal.least === undefined ? {} : { least: goal.least }),
    ...(rounds.length === 0 ? {} : { ratio: median(rounds) }),
    rounds,
    spread,
    ...verdictOf(goal, pair, rounds, spread),
  };
}

function pairOf({ against }: Goal, result: ScenarioResult, all: readonly ScenarioResult[]): Pair | undefined {
  const [other, name] =
    'competitor' in against
      ? [result, against.competitor]
      : [all.find((each) => each.name === against.scenario), 'lychgate'];
  const [own, base] = [rowOf(result, 'lychgate'), rowOf(other, name)];
  return own && other && base
    ? [
        { result, row: own },
        { result: other, row: base },
      ]
    : undefined;
}

function spreadOfSide({ result, row }: Side): number {
  return spreadOfRow(result, row);
}

function verdictOf(goal: Goal, pair: Pair | undefined, rounds: readonly number[], spread: number): Verdict {
  const reason = reasonAgainst(pair, rounds, spread);
  if (reason !== undefined) return { verdict: 'not judged', reason };
  // Rounded as it is shown, so that no "1.10" is ever called more than 1.1.
  const shown = Number(median(rounds).toFixed(2));
  if (shown <= goal.goal) return { verdict: 'met' };
  return { verdict: goal.least !== undefined && shown <= goal.least ? 'least' : 'missed' };
}

function reasonAgainst(pair: Pair | undefined, rounds: readonly number[], spread: number): Reason | undefined {
  if (pair === undefined || rounds.length === 0) return 'not measured';
  if (pair.some(({ result, row }) => !holdsRate(result, row))) return 'rate not held';
  if (pair.some(({ result }) => result.held !== undefined && result.held.count < result.held.full))
    return 'too few held';
  if (rounds.length === 1) return 'one round';
  return spread > STEADY_PERCENT ? 'unsteady' : undefined;
}

function describe({ against }: Goal, { kind, rows }: ScenarioResult, all: readonly ScenarioResult[]): string {
  const what = kind === 'load' ? 'CPU' : 'memory';
  if ('competitor' in against) {
    return `${what} x ${rows.find(({ competitor }) => competitor === against.competitor)?.label ?? against.competitor}`;
  }
  return `${what} x its own "${all.find(({ name }) => name === against.scenario)?.title ?? against.scenario}"`;
}

/** Whether a least bound is missed. */
export function missesLeast(goals: readonly GoalResult[]): boolean {
  return goals.some(({ least, verdict }) => least !== undefined && verdict === 'missed');
}

/** Reasons that more rounds or a quieter machine take away. */
const OPEN: readonly Reason[] = ['unsteady', 'one round', 'rate not held'];

/** Whether a least bound was measured, but not so that it could be judged. */
export function leavesLeastOpen(goals: readonly GoalResult[]): boolean {
  return goals.some((goal) => goal.least !== undefined && goal.verdict === 'not judged' && OPEN.includes(goal.reason));
}

const WORDS = { met: 'goal met', least: 'the least met', missed: 'missed' } as const;

/** A verdict as it is printed. */
export function verdictWords(result: Verdict): string {
  if (result.verdict !== 'not judged') return WORDS[result.verdict];
  return result.reason === 'not measured' ? result.reason : `${result.reason}, not judged`;
}
