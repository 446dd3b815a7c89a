/** A farm whose health is watched, without a service around it: what changes, in order, and a way to wait for it. */
import pino from 'pino';
import { onTestFinished } from 'vitest';
import type { HealthCheckConfig } from '../../src/config/farm-model.ts';
import type { FarmSurroundings } from '../../src/farm/endpoints.ts';
import { ServerCounters } from '../../src/farm/server-counters.ts';
import { type FarmHealth, type ServerHealth, startFarmHealth, type TestResult } from '../../src/health/farm-health.ts';
import type { AnswerCounters } from '../../src/health/server-judge.ts';
import { canStart, checkConfig } from '../../src/service/check-config.ts';
import { configuredRoutes } from '../../src/service/configured-routes.ts';
import { farmSurroundings } from '../../src/service/farm-surroundings.ts';
import { applicationHost, type FarmParts, farmRules, webFarm, writeFolder } from '../integration/environment.ts';

export const FARM = 'fe';
export const SERVER = 'fe01.contoso.local';

export interface WatchOptions {
  readonly servers: FarmParts['servers'];
  /** Attributes of `healthCheck`. */
  readonly healthCheck?: string;
  /** In place of what the file can say: whole seconds are long for a test. */
  readonly quick?: Partial<HealthCheckConfig>;
  /** Of the farm, in settings.json. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly ca?: readonly string[];
  readonly dns?: readonly string[];
  /** Of the farm, likewise in place of what the file can say. */
  readonly quickSettings?: Partial<FarmSurroundings['settings']>;
  readonly counters?: (server: string) => AnswerCounters;
  /** No administrator has taken the server out, and it can be connected to. */
  readonly takes?: (server: string) => boolean;
  /** Has the workers tell what they know. */
  readonly allTold?: () => void;
}

export interface WatchedFarm extends Pick<FarmHealth, 'traffic'> {
  /** `server: healthy` or `server: unhealthy`, with the reason. */
  readonly changes: readonly string[];
  /** Lines of the service log: level and text. */
  readonly logged: readonly string[];
  /** Resolves when the condition holds; looked at after every change. */
  until(condition: (farm: WatchedFarm) => boolean): Promise<void>;
  of(server?: string): ServerHealth;
  test(server?: string): Promise<TestResult | undefined>;
  setHealthy(server?: string): void;
  setUnhealthy(server?: string): void;
  /** So many requests to a server failed. */
  fails(count: number, server?: string): void;
  /** So many requests were sent, and got no valid answer. */
  breaks(count: number, told?: { readonly server?: string; readonly worker?: number }): void;
}

/** It ends with the test. Every server is this machine. */
export function watchFarm(options: WatchOptions): WatchedFarm {
  const { servers, healthCheck = '', settings = {}, quick = {}, quickSettings = {}, dns } = options;
  const names = servers.map(({ address }) => address).filter((name) => name !== 'nowhere.contoso.local');
  const { configDir } = writeFolder({
    iis: applicationHost({
      bindings: ['http *:8081:app.contoso.com'],
      farms: webFarm(FARM, { servers, healthCheck }),
      rules: farmRules(FARM, 'app.contoso.com'),
    }),
    settings: {
      hosts: Object.fromEntries(names.map((name) => [name, '127.0.0.1'])),
      farms: { [FARM]: settings },
      ...(dns === undefined ? {} : { dns }),
    },
  });
  const checked = checkConfig(configDir);
  if (!canStart(checked)) throw new Error(JSON.stringify(checked.diagnostics));
  const { config } = checked;
  const changes: string[] = [];
  const logged: string[] = [];
  const waiting = new Set<() => void>();
  const write = (line: string) => {
    const { level, msg, farm, server } = JSON.parse(line) as Record<string, unknown>;
    logged.push(`${level} ${farm} ${server}: ${msg}`);
  };
  const log = pino({ level: 'info', base: null }, { write });
  const routes = configuredRoutes(config, log);
  const health = startFarmHealth({
    farms: config.webFarms.map((farm) => ({ ...farm, healthCheck: { ...farm.healthCheck, ...quick } })),
    around(farm) {
      const around = farmSurroundings({ ...checked, ca: options.ca ?? checked.ca }, routes, farm);
      return { ...around, settings: { ...around.settings, ...quickSettings } };
    },
    counters: (_, server) => options.counters?.(server) ?? { answers: 0, answerTime: 0 },
    replaces: (_, other) => options.takes?.(other) ?? true,
    allTold: async () => options.allTold?.(),
    changed(_, server, { healthy, reason }) {
      changes.push(`${server}: ${healthy ? 'healthy' : 'unhealthy'}, ${reason}`);
      for (const each of [...waiting]) each();
    },
    log,
  });
  onTestFinished(() => {
    health.stop();
    routes.close();
  });
  const [first = ''] = servers.map(({ address }) => address.toLowerCase());
  const tell = (worker: number, server: string, failures: number, broken: number) => {
    const reach = { reachable: true, closed: [] };
    health.traffic(worker, [{ farm: FARM, server, failures, broken, ...reach, counters: { ...new ServerCounters() } }]);
  };
  const watched: WatchedFarm = {
    changes,
    logged,
    traffic: health.traffic,
    until: (condition) =>
      new Promise((resolve) => {
        const look = () => {
          if (!condition(watched)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    of: (server = first) => health.of(FARM, server),
    test: (server = first) => health.test(FARM, server),
    setHealthy: (server = first) => health.setHealthy(FARM, server),
    setUnhealthy: (server = first) => health.setUnhealthy(FARM, server),
    fails: (count, server = first) => tell(1, server, count, 0),
    breaks: (count, { server = first, worker = 1 } = {}) => tell(worker, server, count, count),
  };
  return watched;
}
