/** The tables of a run as text: one for each scenario, and the goals at the end. */
import { COMPETITORS } from './competitors.ts';
import { type GoalResult, verdictWords } from './judge.ts';
import {
  type FigureName,
  holdsRate,
  mainFigure,
  REFERENCE,
  type Row,
  ratioTo,
  type ScenarioResult,
  STEADY_PERCENT,
  spreadOfRow,
} from './results.ts';
import { printTable, WIDTH, wrapWords } from './text-table.ts';

export interface Column {
  readonly figure: FigureName;
  readonly title: string;
  readonly show: (value: number) => string;
}

const MIB = 2 ** 20;

/** About three digits that count, in seven characters at most. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 999_999.5) return value.toExponential(1).replace('e+', 'e');
  if (Math.abs(value) >= 999.5) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
}

/** The columns of a scenario: first the figure that the goals are about. */
export function columnsOf({ kind, unit }: Pick<ScenarioResult, 'kind' | 'unit'>): Column[] {
  if (kind === 'connections') {
    return [
      { figure: 'memoryPerConnection', title: 'KiB/connection', show: (value) => digits(value / 1024) },
      { figure: 'memory', title: 'memory MiB', show: (value) => digits(value / MIB) },
      { figure: 'cpu', title: 'CPU µs/connection', show: digits },
      { figure: 'throughput', title: 'opened/s', show: digits },
    ];
  }
  const cpu: Column =
    unit === 'MiB'
      ? { figure: 'cpu', title: 'CPU ms/MiB', show: (value) => digits(value / 1000) }
      : { figure: 'cpu', title: 'CPU µs/request', show: digits };
  return [
    cpu,
    { figure: 'throughput', title: unit === 'MiB' ? 'MiB/s' : 'requests/s', show: digits },
    { figure: 'p50', title: 'p50 ms', show: digits },
    { figure: 'p99', title: 'p99 ms', show: digits },
    { figure: 'memory', title: 'memory MiB', show: (value) => digits(value / MIB) },
  ];
}

/** The yardsticks that a figure is compared with, as far as they took part: for the main one the bare program of the work, too. */
export function referencesOf(result: ScenarioResult, figure: FigureName): { name: string; label: string }[] {
  const wanted = COMPETITORS.filter(
    ({ name, yardstick }) => name === REFERENCE || (yardstick !== undefined && figure === mainFigure(result)),
  );
  return wanted
    .filter(({ name }) => result.rows.some(({ competitor }) => competitor === name))
    .map(({ name, yardstick }) => ({ name, label: `x ${yardstick ?? name}` }));
}

export function showRatio(value: number | undefined): string {
  if (value === undefined) return '-';
  return value < 999.5 ? value.toFixed(2) : digits(value);
}

/** What makes a row's figures doubtful. */
export function doubtOf(result: ScenarioResult, row: Row): string {
  if (row.median === undefined) return '';
  if (!holdsRate(result, row)) return 'rate not held';
  return spreadOfRow(result, row) > STEADY_PERCENT ? 'unsteady' : '';
}

/** Ratios stand beside the main figure alone, since more have no room. */
export function printScenario(result: ScenarioResult): string {
  const [main, ...others] = columnsOf(result);
  const references = main ? referencesOf(result, main.figure) : [];
  const head = [
    ...['', main?.title ?? '', ...references.map(({ label }) => label)],
    ...[...others.map(({ title }) => title), result.kind === 'connections' ? 'lost' : 'failed', ''],
  ];
  const body = result.rows.map((row) => [
    ...[row.label, showFigure(row, main)],
    ...references.map(({ name }) => showRatio(main && ratioTo(result, main.figure, row.competitor, name))),
    ...others.map((each) => showFigure(row, each)),
    ...[row.median === undefined ? '-' : showCount(row.median.failed), doubtOf(result, row)],
  ]);
  const failures = result.rows.flatMap(({ label, failure }) => (failure ? [`${label} failed: ${failure}`] : []));
  return [
    ...wrapWords(`${result.title}: ${result.about}`, WIDTH),
    ...printTable(head, body),
    ...failures.flatMap((text) => wrapWords(text, WIDTH - 2)).map((line) => `  ${line}`),
    '',
  ].join('\n');
}

function showFigure({ median }: Row, column: Column | undefined): string {
  const value = column && median?.[column.figure];
  return value === undefined ? '-' : (column?.show(value) ?? '-');
}

function showCount(count: number): string {
  return count < 1000 ? String(count) : digits(count);
}

export const GOALS_HEAD = ['Lychgate', 'ratio', 'spread', 'goal', 'least', ''] as const;

/** One goal in the columns of `GOALS_HEAD`. */
export function goalCells(result: GoalResult): [title: string, ...rest: string[]] {
  const { title, what, ratio, rounds, spread, goal, least } = result;
  return [
    `${title}: ${what}`,
    showRatio(ratio),
    rounds.length < 2 ? '-' : `${showCount(spread)} %`,
    String(goal),
    least === undefined ? '-' : String(least),
    verdictWords(result),
  ];
}

export function printGoals(goals: readonly GoalResult[]): string {
  if (goals.length === 0) return '';
  return ['Goals', ...printTable(GOALS_HEAD, goals.map(goalCells)), ''].join('\n');
}
