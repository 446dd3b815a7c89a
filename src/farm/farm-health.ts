/** The health of all servers of all farms, judged once for all workers: URL tests, live traffic, and what administrators say. */
import type { WebFarmConfig } from '../config/model.ts';
import type { Logger } from '../log.ts';
import type { FarmSurroundings } from './server.ts';
import type { ServerTraffic } from './server-state.ts';

/** ARR's results of a URL test. */
export type TestResult = 'Success' | 'ConnectionFailure' | 'StatusCodeFailure' | 'ResponseEntityFailure';

export interface ServerHealth {
  readonly healthy: boolean;
  /** Why, in a few words for an administrator; `''` while nothing ever spoke against it. */
  readonly reason: string;
  /** Milliseconds since 1970; `undefined` while it has not changed. */
  readonly since: number | undefined;
}

export interface FarmHealth {
  of(farm: string, server: string): ServerHealth;
  /** What a worker saw of live traffic. */
  traffic(reports: readonly ServerTraffic[]): void;
  /** Healthy from now on, whatever was; tests go on and may find otherwise. */
  setHealthy(farm: string, server: string): void;
  /** Unhealthy until `setHealthy`, whatever tests find. */
  setUnhealthy(farm: string, server: string): void;
  /** One round of the URL tests of a server, now; its result counts as any other. `undefined` where the farm has none. */
  test(farm: string, server: string): Promise<TestResult | undefined>;
  stop(): void;
}

export interface FarmHealthOptions {
  readonly farms: readonly WebFarmConfig[];
  around(farm: WebFarmConfig): FarmSurroundings;
  /** Told of every change, once. Names in lower case. */
  readonly changed: (farm: string, server: string, health: ServerHealth) => void;
  readonly log: Logger;
}

export function startFarmHealth(options: FarmHealthOptions): FarmHealth {
  const healths = new Map<string, ServerHealth>();
  const key = (farm: string, server: string) => `${farm}\n${server}`;
  const set = (farm: string, server: string, healthy: boolean, reason: string) => {
    const health = { healthy, reason, since: Date.now() };
    healths.set(key(farm, server), health);
    options.changed(farm, server, health);
  };
  return {
    of: (farm, server) => healths.get(key(farm, server)) ?? { healthy: true, reason: '', since: undefined },
    traffic: () => undefined,
    setHealthy: (farm, server) => set(farm, server, true, 'set by an administrator'),
    setUnhealthy: (farm, server) => set(farm, server, false, 'set by an administrator'),
    test: () => Promise.resolve(undefined),
    stop: () => undefined,
  };
}
