/**
 * The health of all servers of all farms, judged once for all workers: URL tests, live traffic, latency, and what
 * administrators say. A server is healthy while nothing speaks against it.
 */
import type { WebFarmConfig } from '../config/farm-model.ts';
import type { OutlierSettings } from '../config/settings-model.ts';
import { readPublicKeys } from '../connect/public-keys.ts';
import { endpointsOf, type FarmSurroundings } from '../farm/endpoints.ts';
import { type ServerTraffic, stateKey } from '../farm/server-state.ts';
import { comparedName } from '../host-name.ts';
import type { Logger } from '../log.ts';
import type { TestResult } from './health-check.ts';
import { findOutliers } from './outlier-latency.ts';
import { type AnswerCounters, type ServerHealth, ServerJudge } from './server-judge.ts';
import { planUrlTests } from './url-tests.ts';

export type { TestResult } from './health-check.ts';
export type { ServerHealth } from './server-judge.ts';

export interface FarmHealth {
  of(farm: string, server: string): ServerHealth;
  /** What a worker saw of live traffic. */
  traffic(worker: number, reports: readonly ServerTraffic[]): void;
  /** Healthy from now on, whatever was; tests go on and may find otherwise. */
  setHealthy(farm: string, server: string): void;
  /** Unhealthy until `setHealthy`, whatever tests find. */
  setUnhealthy(farm: string, server: string): void;
  /**
   * One round of the URL tests of a server, now, or the one under way; its result counts as any other, and the worst of all
   * tests is given. `undefined` where the farm has none.
   */
  test(farm: string, server: string): Promise<TestResult | undefined>;
  stop(): void;
}

export interface FarmHealthOptions {
  readonly farms: readonly WebFarmConfig[];
  around(farm: WebFarmConfig): FarmSurroundings;
  /** The answers of all workers together, those that have ended included. */
  counters(farm: string, server: string): AnswerCounters;
  /**
   * Apart from its health another server takes any request that this one does: nobody has taken it out, and it can be connected to
   * at each port where this one can.
   */
  replaces(farm: string, other: string, server: string): boolean;
  /** Resolves when all workers that answer have told what they know. */
  allTold(): Promise<unknown>;
  /** Told of every change, once. Names in lower case. */
  readonly changed: (farm: string, server: string, health: ServerHealth) => void;
  readonly log: Logger;
}

const UNTOUCHED: ServerHealth = { healthy: true, reason: '', since: undefined };

export function startFarmHealth(options: FarmHealthOptions): FarmHealth {
  const farms = options.farms.map((farm) => judgeFarm(farm, options));
  const judges = new Map(
    farms.flatMap(({ name, judges: its }) => its.map((judge) => [stateKey(name, judge.address), judge] as const)),
  );
  const find = (farm: string, server: string) => judges.get(stateKey(farm, server));
  return {
    of: (farm, server) => find(farm, server)?.health ?? UNTOUCHED,
    traffic(worker, reports) {
      for (const { farm, server, failures, broken, counters } of reports) {
        find(farm, server)?.traffic(worker, { failures, broken, answers: counters.answers });
      }
    },
    setHealthy: (farm, server) => find(farm, server)?.setHealthy(),
    setUnhealthy: (farm, server) => find(farm, server)?.setUnhealthy(),
    test: async (farm, server) => find(farm, server)?.test(),
    stop() {
      for (const { comparing } of farms) clearInterval(comparing);
      for (const judge of judges.values()) judge.stop();
    },
  };
}

function judgeFarm(farm: WebFarmConfig, { around, counters, replaces, allTold, changed, log }: FarmHealthOptions) {
  const surroundings = around(farm);
  const { outlierLatency, liveTrafficRecovery } = surroundings.settings;
  const name = comparedName(farm.name.value);
  // Only those that are switched on: others get no requests anyway.
  const parts = { protocol: farm.protocol, around: surroundings, publicKeys: readPublicKeys(farm) };
  const members = farm.enabled ? farm.servers.filter(({ enabled }) => enabled) : [];
  const judges: readonly ServerJudge[] = members.map((member) => {
    const address = comparedName(member.address.value);
    const judge: ServerJudge = new ServerJudge({
      farm,
      address: member.address.value,
      tests: planUrlTests(farm, member, endpointsOf(member, parts), surroundings.settings),
      recovery: liveTrafficRecovery,
      failuresInARow: surroundings.settings.failuresInARow,
      isLast: (): boolean =>
        !judges.some((other) => other !== judge && other.health.healthy && replaces(name, other.address, address)),
      allTold,
      counters: () => counters(name, address),
      changed: (health) => changed(name, address, health),
      log,
    });
    return judge;
  });
  const compare = (settings: OutlierSettings) => {
    const periods = judges.map((judge) => judge.period());
    for (const period of findOutliers(periods, settings)) period.judge.slow(period);
  };
  const comparing = outlierLatency && setInterval(compare, outlierLatency.period * 1000, outlierLatency);
  return { name, judges, comparing };
}
