/** Finds servers that answer much later than the others of their farm. Looks at no clock. */
import type { OutlierSettings } from '../config/settings-model.ts';

/** What a server did over one period. */
export interface PeriodOfServer {
  /** At the end of the period. */
  readonly healthy: boolean;
  readonly answers: number;
  /** Sum of the milliseconds until their heads came. */
  readonly answerTime: number;
}

/** Nobody notices less, and with so short times the ratio tells nothing. */
const LEAST_DIFFERENCE_MS = 20;

/**
 * @param servers all that are switched on
 * @returns those to be taken out, the slowest first: never the last healthy one, nor so many that more than half are out
 */
export function findOutliers<S extends PeriodOfServer>(
  servers: readonly S[],
  { factor, requests }: Pick<OutlierSettings, 'factor' | 'requests'>,
): S[] {
  const healthy = servers.filter((server) => server.healthy);
  const out = servers.length - healthy.length;
  const most = Math.min(healthy.length - 1, Math.floor(servers.length / 2) - out);
  if (most <= 0) return [];
  const judged = healthy
    .filter(({ answers }) => answers >= requests)
    .map((server) => ({ server, average: server.answerTime / server.answers }))
    .sort((one, other) => other.average - one.average);
  return judged
    .filter(({ average }, at) => {
      const others = median(judged.filter((_, other) => other !== at).map((each) => each.average));
      return others !== undefined && average > others * factor && average - others >= LEAST_DIFFERENCE_MS;
    })
    .slice(0, most)
    .map(({ server }) => server);
}

/** @param numbers in order, up or down; @returns `undefined` where there are none */
function median(numbers: readonly number[]): number | undefined {
  const middle = (numbers.length - 1) / 2;
  const [low, high] = [numbers[Math.floor(middle)], numbers[Math.ceil(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
