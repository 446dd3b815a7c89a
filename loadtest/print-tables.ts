/** The tables of a run as text: one for each scenario, and the goals at the end. */
import type { GoalResult } from './goals.ts';
import { VERDICT_WORDS } from './goals.ts';
import { type FigureName, REFERENCE, type Row, ratioTo, type ScenarioResult } from './results.ts';

export interface Column {
  readonly figure: FigureName;
  readonly title: string;
  readonly show: (value: number) => string;
}

const MIB = 2 ** 20;
/** About three digits that count. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

/** The columns of a scenario: CPU first, since it is what the goals are about. */
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

/** The competitors beside nginx that a column is compared with, too. */
export function referencesOf({ kind, rows }: ScenarioResult, figure: FigureName): { name: string; label: string }[] {
  const wanted = kind === 'connections' && figure === 'memoryPerConnection' ? [REFERENCE, 'bare-tls'] : [REFERENCE];
  return wanted
    .filter((name) => rows.some(({ competitor }) => competitor === name))
    .map((name) => ({
      name,
      label: name === 'bare-tls' ? 'x bare' : 'x nginx',
    }));
}

export function showRatio(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(2);
}

export function printScenario(result: ScenarioResult): string {
  const columns = columnsOf(result);
  const head = columns.flatMap(({ title, figure }) => [
    title,
    ...referencesOf(result, figure).map(({ label }) => label),
  ]);
  const lost = result.kind === 'connections' ? 'lost' : 'failed';
  const body = result.rows.map((row) => [
    row.label,
    ...columns.flatMap((each) => cells(result, row, each)),
    failedOf(row),
  ]);
  const failures = result.rows.flatMap(({ label, failure }) => (failure ? [`  ${label} failed: ${failure}`] : []));
  return [`${result.title}: ${result.about}`, ...printTable([['', ...head, lost], ...body]), ...failures, ''].join(
    '\n',
  );
}

function cells(result: ScenarioResult, row: Row, { figure, show }: Column): string[] {
  const value = row.median?.[figure];
  const ratios = referencesOf(result, figure).map(({ name }) => ratioTo(result, figure, row.competitor, name));
  return [value === undefined ? '-' : show(value), ...ratios.map(showRatio)];
}

function failedOf({ median }: Row): string {
  return median === undefined ? '-' : String(median.failed);
}

/** Lines of text with columns as wide as they must be: the first to the left, figures to the right. */
export function printTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(Math.max(...lines.map((line) => line.length)));
  return [...lines.slice(0, 1), rule, ...lines.slice(1)];
}

export function printGoals(goals: readonly GoalResult[]): string {
  if (goals.length === 0) return '';
  const rows = goals.map(({ title, what, ratio, goal, least, verdict }) => [
    `${title}: ${what}`,
    showRatio(ratio),
    String(goal),
    least === undefined ? '-' : String(least),
    VERDICT_WORDS[verdict],
  ]);
  return ['Goals', ...printTable([['Lychgate', 'ratio', 'goal', 'least', ''], ...rows]), ''].join('\n');
}
