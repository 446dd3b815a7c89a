/** What Lychgate is meant to reach, and what it must reach at least, as ratios of medians of one run. */
import { type FigureName, type RunResult, ratioTo, type ScenarioResult } from './results.ts';

export interface Goal {
  readonly scenario: string;
  readonly figure: FigureName;
  /** The competitor that Lychgate's figure is divided by; or another scenario of Lychgate's own. */
  readonly against: { readonly competitor: string } | { readonly scenario: string };
  readonly goal: number;
  /** Beyond this `--check` fails; absent where nothing is demanded yet. */
  readonly least?: number;
}

export const GOALS: readonly Goal[] = [
  { scenario: 'small', figure: 'cpu', against: { competitor: 'nginx' }, goal: 1, least: 1.5 },
  { scenario: 'small', figure: 'cpu', against: { competitor: 'http-proxy' }, goal: 0.35, least: 0.35 },
  { scenario: '1m', figure: 'cpu', against: { competitor: 'nginx' }, goal: 0.8, least: 1 },
  { scenario: 'handshake', figure: 'cpu', against: { competitor: 'nginx' }, goal: 1.3 },
  { scenario: 'rules', figure: 'cpu', against: { scenario: 'small' }, goal: 1.1 },
  { scenario: 'h2-small', figure: 'cpu', against: { competitor: 'nginx' }, goal: 2 },
  { scenario: 'idle', figure: 'memoryPerConnection', against: { competitor: 'bare-tls' }, goal: 1.1, least: 1.1 },
  { scenario: 'polls', figure: 'memoryPerConnection', against: { competitor: 'bare-tls' }, goal: 1.1, least: 1.1 },
];

export type Verdict = 'met' | 'least' | 'missed' | 'not measured';

export interface GoalResult {
  readonly title: string;
  readonly what: string;
  readonly goal: number;
  readonly least?: number;
  readonly ratio?: number;
  readonly verdict: Verdict;
}

/** The goals of the scenarios that ran. */
export function judge({ scenarios }: Pick<RunResult, 'scenarios'>): GoalResult[] {
  return GOALS.flatMap((goal) => {
    const result = scenarios.find(({ name }) => name === goal.scenario);
    if (!result) return [];
    const ratio = ratioOf(goal, result, scenarios);
    return [
      {
        title: result.title,
        what: describe(goal, result, scenarios),
        goal: goal.goal,
        ...(goal.least === undefined ? {} : { least: goal.least }),
        ...(ratio === undefined ? {} : { ratio }),
        verdict: verdictOf(goal, ratio),
      },
    ];
  });
}

function ratioOf(goal: Goal, result: ScenarioResult, all: readonly ScenarioResult[]): number | undefined {
  if ('competitor' in goal.against) return ratioTo(result, goal.figure, 'lychgate', goal.against.competitor);
  const { scenario } = goal.against;
  const other = all.find(({ name }) => name === scenario);
  const rows = [result, other].flatMap((each) => each?.rows.find(({ competitor }) => competitor === 'lychgate') ?? []);
  const [own, base] = rows.map((row) => row.median?.[goal.figure]);
  return own === undefined || base === undefined ? undefined : own / base;
}

/** Rounded as it is shown, so that no "1.10" is ever called more than 1.1. */
function verdictOf({ goal, least }: Goal, ratio: number | undefined): Verdict {
  if (ratio === undefined) return 'not measured';
  const shown = Number(ratio.toFixed(2));
  if (shown <= goal) return 'met';
  return least !== undefined && shown <= least ? 'least' : 'missed';
}

function describe({ figure, against }: Goal, { unit, rows }: ScenarioResult, all: readonly ScenarioResult[]): string {
  const what = figure === 'cpu' ? `CPU per ${unit}` : 'memory per connection';
  if ('competitor' in against) {
    return `${what} to ${rows.find(({ competitor }) => competitor === against.competitor)?.label ?? against.competitor}`;
  }
  return `${what} to its own "${all.find(({ name }) => name === against.scenario)?.title ?? against.scenario}"`;
}

/** Whether a least bound that was measured is missed. */
export function missesLeast(goals: readonly GoalResult[]): boolean {
  return goals.some(({ least, verdict }) => least !== undefined && verdict === 'missed');
}

export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  met: 'goal met',
  least: 'goal missed, least bound met',
  missed: 'missed',
  'not measured': 'not measured',
};
