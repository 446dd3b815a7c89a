/** The figures of a run: what is measured once, medians over the rounds, ratios, and how far rounds differ. */

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
  /** Requests per second that were asked for, where it is not as many as there can be. */
  readonly rate?: number;
  /** Connections held at once, and how many are meant: fewer of them share what a process takes once. */
  readonly held?: { readonly count: number; readonly full: number };
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

/** The best known of the field: every figure is compared with its. */
export const REFERENCE = 'nginx';

/** The figure that the goals are about. */
export function mainFigure({ kind }: Pick<ScenarioResult, 'kind'>): 'cpu' | 'memoryPerConnection' {
  return kind === 'load' ? 'cpu' : 'memoryPerConnection';
}

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

export function rowOf(result: ScenarioResult | undefined, competitor: string): Row | undefined {
  return result?.rows.find((row) => row.competitor === competitor);
}

export function figureOf(result: ScenarioResult, competitor: string, name: FigureName): number | undefined {
  return rowOf(result, competitor)?.median?.[name];
}

/** How many times a figure is that of another row in each round both have: what disturbs a round mostly hits both. */
export function roundRatios(own: Row | undefined, base: Row | undefined, name: FigureName): number[] {
  return (own?.rounds ?? []).flatMap((round, index) => {
    const [above, below] = [round[name], base?.rounds[index]?.[name]];
    return above === undefined || below === undefined || below <= 0 ? [] : [above / below];
  });
}

/** The median of the rounds' ratios; undefined where there is none. */
export function ratioTo(
  result: ScenarioResult,
  name: FigureName,
  competitor: string,
  other: string,
): number | undefined {
  const ratios = roundRatios(rowOf(result, competitor), rowOf(result, other), name);
  return ratios.length === 0 ? undefined : median(ratios);
}

/** Rounds that differ by more percent than this tell nothing that can be relied on. */
export const STEADY_PERCENT = 15;

/** By how many percent the largest is above the smallest, rounded up so that what is shown is what is judged. */
export function spreadOf(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  // A hair less, since 23 / 20 - 1 is not quite 0.15 in binary.
  return least === most ? 0 : Math.ceil((most / Math.max(least, 0) - 1) * 100 - 1e-9);
}

/** By how many percent the rounds of the main figure differ. */
export function spreadOfRow(result: ScenarioResult, { rounds }: Row): number {
  return spreadOf(rounds.flatMap((round) => round[mainFigure(result)] ?? []));
}

/** Less of the asked rate than this, and it was another load. */
const RATE_HELD = 0.9;

/** Whether a row did what it was asked for, where a rate was asked for. */
export function holdsRate({ rate }: ScenarioResult, { median: figures }: Row): boolean {
  return rate === undefined || (figures?.throughput ?? 0) >= rate * RATE_HELD;
}

/** Whether Lychgate failed anything: no figures, a bad answer or a lost connection. */
export function lychgateFailed(scenarios: readonly ScenarioResult[]): boolean {
  const rows = scenarios.flatMap(({ rows }) => rows).filter(({ competitor }) => competitor === 'lychgate');
  return rows.some(({ failure, median: figures }) => failure !== undefined || (figures?.failed ?? 1) > 0);
}
