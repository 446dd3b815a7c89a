/** What the supervisor knows of all servers, and what it tells the workers of them: states, health, counters of all together. */
import type { Control, Refusal, ReportedCounters, ReportedFarm, ServerAction } from '../admin/control.ts';
import type { Config, ServerConfig, WebFarmConfig } from '../config/model.ts';
import { type FarmHealth, startFarmHealth } from '../farm/farm-health.ts';
import { HostAffinity } from '../farm/host-affinity.ts';
import { addCounters, type CounterValues, ServerCounters } from '../farm/server-counters.ts';
import { type RunState, type ServerCondition, type ServerTraffic, stateKey } from '../farm/server-state.ts';
import type { Logger } from '../log.ts';
import { farmSurroundings } from './farm-surroundings.ts';
import type { FromServing, ToServing } from './messages.ts';

export interface FarmControl extends Omit<Control, 'ready'> {
  /** Of all servers, for a worker that begins. */
  conditions(): readonly ServerCondition[];
  heard(worker: number, message: FromServing, answer: (message: ToServing) => void): void;
  lost(worker: number): void;
  stop(): void;
}

export interface FarmControlOptions {
  readonly config: Config;
  readonly ca: readonly string[];
  /** Says something to every worker, and gives their numbers. */
  readonly tell: (message: ToServing) => readonly number[];
  readonly log: Logger;
}

const STATE_AFTER: Readonly<Record<Exclude<ServerAction, 'SetHealthy' | 'SetUnhealthy'>, RunState>> = {
  Start: 'Active',
  Drain: 'Draining',
  GracefulStop: 'Inactive',
  ForcefulStop: 'Inactive',
};

/** A worker that does not answer is not waited for longer: what it told last counts. */
const REPORT_TIMEOUT_MS = 1000;
const RATE_PERIOD_MS = 1000;

interface ServerRecord {
  readonly farm: WebFarmConfig;
  readonly config: ServerConfig;
  state: RunState;
  /** Of workers that have ended. */
  readonly past: ServerCounters;
  /** Of each worker that serves, as it told them last. */
  readonly counters: Map<number, CounterValues>;
  readonly rate: Rate;
}

/** Requests per second, by what was counted a period ago. */
class Rate {
  #total = 0;
  #time = performance.now();
  perSecond = 0;

  sample(total: number, now: number): void {
    const seconds = (now - this.#time) / 1000;
    this.perSecond = seconds > 0 ? Math.max(0, (total - this.#total) / seconds) : 0;
    this.#total = total;
    this.#time = now;
  }
}

export function createFarmControl({ config, ca, tell, log }: FarmControlOptions): FarmControl {
  const records = new Map<string, ServerRecord>();
  for (const farm of config.webFarms) {
    for (const server of farm.servers) {
      records.set(stateKey(farm.name.value, server.address.value), {
        farm,
        config: server,
        state: 'Active',
        past: new ServerCounters(),
        counters: new Map(),
        rate: new Rate(),
      });
    }
  }
  const health: FarmHealth = startFarmHealth({
    farms: config.webFarms,
    around: (farm) => farmSurroundings(config, ca, farm),
    changed: (farm, server) => {
      const record = records.get(stateKey(farm, server));
      if (record) tell({ type: 'conditions', conditions: [conditionOf(record, health)] });
    },
    log,
  });
  const hosts = openHosts(config, records, (record) => conditionOf(record, health));
  const reports = openReports(tell);
  const sampling = setInterval(() => {
    const now = performance.now();
    for (const record of records.values()) record.rate.sample(sumOf(record).totalRequests, now);
  }, RATE_PERIOD_MS);
  sampling.unref();

  const take = (worker: number, servers: readonly ServerTraffic[]) => {
    for (const { farm, server, counters } of servers) {
      records.get(stateKey(farm, server))?.counters.set(worker, counters);
    }
    health.traffic(servers);
  };
  const find = (farm: string, server: string): ServerRecord | Refusal => {
    const found = records.get(stateKey(farm, server));
    if (found) return found;
    return config.webFarms.some(({ name }) => name.value.toLowerCase() === farm.toLowerCase())
      ? 'unknownServer'
      : 'unknownFarm';
  };

  return {
    conditions: () => [...records.values()].map((record) => conditionOf(record, health)),
    heard(worker, message, answer) {
      if (message.type === 'askHost') answer(hosts.answer(message.farm, message.host));
      if (message.type === 'traffic') {
        take(worker, message.servers);
        if (message.id !== undefined) reports.answered(message.id, worker);
      }
    },
    lost(worker) {
      for (const { past, counters } of records.values()) {
        const last = counters.get(worker);
        if (last) addCounters(past, { ...last, currentRequests: 0, currentWebSocketRequests: 0 });
        counters.delete(worker);
      }
      reports.lost(worker);
    },
    async farms() {
      await reports.ask();
      return config.webFarms.map((farm) => reportFarm(farm, records, health));
    },
    act(farm, server, action) {
      const record = find(farm, server);
      if (typeof record === 'string') return record;
      if (!record.farm.enabled || !record.config.enabled) return 'switchedOff';
      const name = record.farm.name.value.toLowerCase();
      const address = record.config.address.value.toLowerCase();
      log.info({ farm: record.farm.name.value, server: record.config.address.value }, `${action} by an administrator`);
      if (action === 'SetHealthy') health.setHealthy(name, address);
      else if (action === 'SetUnhealthy') health.setUnhealthy(name, address);
      else {
        record.state = STATE_AFTER[action];
        tell({ type: 'conditions', conditions: [conditionOf(record, health)] });
        if (action === 'ForcefulStop') tell({ type: 'terminate', farm: name, server: address });
      }
      return undefined;
    },
    async test(farm, server) {
      const record = find(farm, server);
      if (typeof record === 'string') return record;
      const result = await health.test(record.farm.name.value.toLowerCase(), record.config.address.value.toLowerCase());
      return result === undefined ? 'noTest' : { result };
    },
    stop() {
      clearInterval(sampling);
      health.stop();
    },
  };
}

function conditionOf({ farm, config, state }: ServerRecord, health: FarmHealth): ServerCondition {
  const key = { farm: farm.name.value.toLowerCase(), server: config.address.value.toLowerCase() };
  return { ...key, state, healthy: health.of(key.farm, key.server).healthy };
}

function sumOf({ past, counters }: ServerRecord): ServerCounters {
  const sum = new ServerCounters();
  addCounters(sum, past);
  for (const each of counters.values()) addCounters(sum, each);
  return sum;
}

/** The hosts of the farms with host-name affinity. */
function openHosts(
  { webFarms }: Config,
  records: ReadonlyMap<string, ServerRecord>,
  condition: (record: ServerRecord) => ServerCondition,
) {
  const affinities = new Map<string, HostAffinity<ServerRecord>>();
  for (const { name, enabled, servers, affinity } of webFarms) {
    if (!affinity.useHostName) continue;
    const switchedOn = enabled ? servers.filter((server) => server.enabled) : [];
    const options = {
      config: affinity,
      servers: switchedOn.flatMap(({ address }) => records.get(stateKey(name.value, address.value)) ?? []),
      available: (record: ServerRecord) => record.state === 'Active' && condition(record).healthy,
      keeps: (record: ServerRecord) => record.state !== 'Inactive' && condition(record).healthy,
    };
    affinities.set(name.value.toLowerCase(), new HostAffinity(options));
  }
  return {
    answer(farm: string, host: string): ToServing {
      const found = affinities.get(farm)?.serversOf(host, performance.now()) ?? [];
      return { type: 'hostServers', farm, host, servers: found.map((each) => each.config.address.value.toLowerCase()) };
    },
  };
}

function reportFarm(farm: WebFarmConfig, records: ReadonlyMap<string, ServerRecord>, health: FarmHealth): ReportedFarm {
  const name = farm.name.value;
  const all = new ServerCounters();
  let rate = 0;
  const servers = farm.servers.flatMap(({ address, enabled, weight }) => {
    const record = records.get(stateKey(name, address.value));
    if (record === undefined) return [];
    const sum = sumOf(record);
    addCounters(all, sum);
    rate += record.rate.perSecond;
    const { healthy, reason, since } = health.of(name.toLowerCase(), address.value.toLowerCase());
    return [
      {
        address: address.value,
        enabled: farm.enabled && enabled,
        state: record.state,
        isHealthy: healthy,
        healthReason: reason,
        healthSince: since === undefined ? null : new Date(since).toISOString(),
        weight,
        counters: reported(sum, record.rate.perSecond),
      },
    ];
  });
  return { name, enabled: farm.enabled, servers, counters: reported(all, rate) };
}

function reported({ answers, answerTime, ...counters }: CounterValues, perSecond: number): ReportedCounters {
  return {
    ...counters,
    requestPerSecond: Math.round(perSecond * 10) / 10,
    responseTime: answers === 0 ? 0 : Math.round((answerTime / answers) * 10) / 10,
  };
}

/** Rounds of asking every worker for what it counts. */
function openReports(tell: FarmControlOptions['tell']) {
  const rounds = new Map<number, { readonly missing: Set<number>; readonly done: () => void }>();
  let last = 0;
  const settle = (id: number, worker: number) => {
    const round = rounds.get(id);
    round?.missing.delete(worker);
    if (round?.missing.size === 0) round.done();
  };
  return {
    ask: () =>
      new Promise<void>((resolve) => {
        const id = ++last;
        const done = () => {
          clearTimeout(timer);
          rounds.delete(id);
          resolve();
        };
        const timer = setTimeout(done, REPORT_TIMEOUT_MS);
        const missing = new Set(tell({ type: 'report', id }));
        rounds.set(id, { missing, done });
        if (missing.size === 0) done();
      }),
    answered: settle,
    lost(worker: number) {
      for (const id of [...rounds.keys()]) settle(id, worker);
    },
  };
}
