/** The figures of a run: what is measured once, medians over the rounds, and ratios. */

/** One round of one competitor. Every figure is better when it is smaller, but for `throughput`. */
export interface Figures {
  /** Units (requests, MiB or opened connections) per second. */
  readonly throughput: number;
  /** Milliseconds; not measured for connections. */
  readonly p50?: number;
  readonly p99?: number;
  /** Microseconds of CPU per unit, user and system, of all the competitor's processes. */
  readonly cpu: number;
  /** Bytes of all its processes, under load or with all connections open. */
  readonly memory: number;
  /** Bytes that one connection adds. */
  readonly memoryPerConnection?: number;
  /** Requests without a good answer, or connections lost. */
  readonly failed: number;
}

export type FigureName = Exclude<keyof Figures, 'failed'>;

export interface Row {
  readonly competitor: string;
  readonly label: string;
  readonly version: string;
  readonly rounds: readonly Figures[];
  /** Undefined where no round succeeded. */
  readonly median?: Figures;
  /** Why it has no figures, or fewer. */
  readonly failure?: string;
}

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly kind: 'load' | 'connections';
  readonly unit: 'request' | 'MiB' | 'connection';
  readonly rows: readonly Row[];
}

export interface RunResult {
  readonly began: string;
  readonly seconds: number;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly memory: number;
    readonly kernel: string;
    readonly node: string;
  };
  readonly options: { readonly quick: boolean; readonly rounds: number; readonly seconds: number };
  readonly scenarios: readonly ScenarioResult[];
}

/** What all others are compared with. */
export const REFERENCE = 'nginx';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Figure by figure; failures are added up, since none may get lost. */
export function medianFigures(rounds: readonly Figures[]): Figures | undefined {
  if (rounds.length === 0) return undefined;
  const middle = (name: FigureName) => median(rounds.flatMap((round) => round[name] ?? []));
  const [first] = rounds;
  return {
    throughput: middle('throughput'),
    cpu: middle('cpu'),
    memory: middle('memory'),
    ...(first?.p50 === undefined ? {} : { p50: middle('p50'), p99: middle('p99') }),
    ...(first?.memoryPerConnection === undefined ? {} : { memoryPerConnection: middle('memoryPerConnection') }),
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
  };
}

export function figureOf(result: ScenarioResult, competitor: string, name: FigureName): number | undefined {
  return result.rows.find((row) => row.competitor === competitor)?.median?.[name];
}

/** How many times a figure is that of another competitor; undefined where one of them has none. */
export function ratioTo(
  result: ScenarioResult,
  name: FigureName,
  competitor: string,
  other: string,
): number | undefined {
  const [own, base] = [figureOf(result, competitor, name), figureOf(result, other, name)];
  return own === undefined || base === undefined || base <= 0 ? undefined : own / base;
}

/** Whether Lychgate failed anything: no figures, a bad answer or a lost connection. */
export function lychgateFailed(scenarios: readonly ScenarioResult[]): boolean {
  const rows = scenarios.flatMap(({ rows }) => rows).filter(({ competitor }) => competitor === 'lychgate');
  return rows.some(({ failure, median: figures }) => failure !== undefined || (figures?.failed ?? 1) > 0);
}
