/** What the supervisor knows of all servers, and what it tells the workers of them: states, health, counters of all together. */
import type {
  Control,
  Refusal,
  ReportedCounters,
  ReportedFarm,
  ReportedServer,
  ServerAction,
} from '../admin/control.ts';
import type { ServerConfig, WebFarmConfig } from '../config/farm-model.ts';
import type { Config } from '../config/model.ts';
import { availableServers, unhealthyServers } from '../farm/available-servers.ts';
import { HostAffinity } from '../farm/host-affinity.ts';
import { addCounters, type CounterValues, ServerCounters } from '../farm/server-counters.ts';
import { type RunState, type ServerCondition, type ServerTraffic, stateKey } from '../farm/server-state.ts';
import { type FarmHealth, startFarmHealth } from '../health/farm-health.ts';
import { comparedName } from '../host-name.ts';
import type { Logger } from '../log.ts';
import { within } from '../patience.ts';
import { configuredRoutes } from './configured-routes.ts';
import { farmSurroundings } from './farm-surroundings.ts';
import type { FromServing, ToServing, WorkerSetup } from './messages.ts';
import type { KeptState, StateFile } from './state-file.ts';

export interface FarmControl extends Omit<Control, 'ready' | 'notices'> {
  /** Of all servers, for a worker that begins. */
  conditions(): readonly ServerCondition[];
  heard(worker: number, message: FromServing, answer: (message: ToServing) => void): void;
  lost(worker: number): void;
  /** What an administrator should know of the workers; `undefined`: nothing. */
  trouble(): string | undefined;
  stop(): void;
}

export interface FarmControlOptions {
  readonly setup: Pick<WorkerSetup, 'config' | 'ca' | 'shown'>;
  /** Says something to every worker, and gives their numbers. */
  readonly tell: (message: ToServing) => readonly number[];
  /** States that outlive the service; absent: none does. */
  readonly stateFile?: Pick<StateFile, 'kept' | 'keep'>;
  readonly log: Logger;
}

const STATE_AFTER: Readonly<Record<Exclude<ServerAction, 'SetHealthy' | 'SetUnhealthy'>, RunState>> = {
  Start: 'Active',
  Drain: 'Draining',
  GracefulStop: 'Inactive',
  ForcefulStop: 'Inactive',
};

/** A worker that does not answer is waited for so long with a change, and with a question where what it told last will do. */
const REPORT_TIMEOUT_MS = 10_000;
const READ_TIMEOUT_MS = 2000;
const RATE_PERIOD_MS = 1000;

interface ServerRecord {
  readonly farm: WebFarmConfig;
  readonly config: ServerConfig;
  state: RunState;
  /** An administrator said SetUnhealthy, and not SetHealthy since. */
  marked: boolean;
  /** Of workers that have ended. */
  readonly past: ServerCounters;
  /** What each worker that serves has told last. */
  readonly told: Map<number, ServerTraffic>;
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

export function createFarmControl({ setup, tell, stateFile, log }: FarmControlOptions): FarmControl {
  const { config } = setup;
  const records = new Map<string, ServerRecord>();
  for (const farm of config.webFarms) {
    for (const server of farm.servers) {
      records.set(stateKey(farm.name.value, server.address.value), {
        farm,
        config: server,
        state: 'Active',
        marked: false,
        past: new ServerCounters(),
        told: new Map(),
        rate: new Rate(),
      });
    }
  }
  const routes = configuredRoutes(config, log);
  const health: FarmHealth = startFarmHealth({
    farms: config.webFarms,
    around: (farm) => farmSurroundings(setup, routes, farm),
    counters(farm, server) {
      const record = records.get(stateKey(farm, server));
      return record ? sumOf(record) : new ServerCounters();
    },
    replaces(farm, other, server) {
      const [its, own] = [other, server].map((each) => records.get(stateKey(farm, each)));
      if (its?.state !== 'Active' || own === undefined) return false;
      const known = new Set(closedPorts(own));
      return closedPorts(its).every((scheme) => known.has(scheme));
    },
    allTold: () => reports.ask(),
    changed: (farm, server) => {
      const record = records.get(stateKey(farm, server));
      if (record) tell({ type: 'conditions', conditions: [conditionOf(record, health)] });
    },
    log,
  });
  for (const { farm, server, state, unhealthy } of stateFile?.kept ?? []) {
    const record = records.get(stateKey(farm, server));
    if (record === undefined) continue;
    record.state = state;
    record.marked = unhealthy;
    if (unhealthy) health.setUnhealthy(comparedName(farm), comparedName(server));
    log.info({ farm, server, state, unhealthy }, 'as an administrator left it before the start');
  }
  const hosts = openHosts(config, records, (record) => conditionOf(record, health));
  const reports = openReports(tell, log);
  const sampling = setInterval(() => {
    const now = performance.now();
    for (const record of records.values()) record.rate.sample(sumOf(record).totalRequests, now);
  }, RATE_PERIOD_MS);
  sampling.unref();

  const take = (worker: number, servers: readonly ServerTraffic[]) => {
    for (const each of servers) records.get(stateKey(each.farm, each.server))?.told.set(worker, each);
    health.traffic(worker, servers);
  };
  const find = (farm: string, server: string): ServerRecord | Refusal => {
    const found = records.get(stateKey(farm, server));
    if (found) return found;
    return config.webFarms.some(({ name }) => comparedName(name.value) === comparedName(farm))
      ? 'unknownServer'
      : 'unknownFarm';
  };

  const carryOut = (record: ServerRecord, action: ServerAction) => {
    const { farm, server } = keyOf(record);
    switch (action) {
      case 'SetHealthy':
        record.marked = false;
        health.setHealthy(farm, server);
        break;
      case 'SetUnhealthy':
        record.marked = true;
        health.setUnhealthy(farm, server);
        // It may have been unhealthy before, and then nothing else would tell the workers that it was marked.
        tell({ type: 'conditions', conditions: [conditionOf(record, health)] });
        break;
      default:
        record.state = STATE_AFTER[action];
        tell({ type: 'conditions', conditions: [conditionOf(record, health)] });
        if (action === 'ForcefulStop') tell({ type: 'terminate', farm, server });
    }
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
      for (const { past, told } of records.values()) {
        const last = told.get(worker);
        if (last) addCounters(past, { ...last.counters, currentRequests: 0, currentWebSocketRequests: 0 });
        told.delete(worker);
      }
      reports.lost(worker);
    },
    trouble: reports.trouble,
    async farms() {
      await within(READ_TIMEOUT_MS, reports.ask(), () => false);
      return config.webFarms.map((farm) => reportFarm(farm, records, health));
    },
    async act(farm, server, action, by) {
      const record = find(farm, server);
      if (typeof record === 'string') return record;
      if (!record.farm.enabled || !record.config.enabled) return 'switchedOff';
      log.info({ ...namesOf(record), by }, `${action} by an administrator`);
      carryOut(record, action);
      // Messages keep their order: a worker that answers a question has heard what was said before it.
      const [kept, everywhere] = await Promise.all([stateFile?.keep(keptOf(records)) ?? null, reports.ask()]);
      if (!everywhere) log.warn(namesOf(record), `a worker does not answer: ${action} counts there when it does again`);
      return {
        farm: record.farm.name.value,
        server: reportServer(record, health, takersOf(record.farm, records, health)),
        everywhere,
        kept,
      };
    },
    async test(farm, server, by) {
      const record = find(farm, server);
      if (typeof record === 'string') return record;
      log.info({ ...namesOf(record), by }, 'TestHealth by an administrator');
      const key = keyOf(record);
      const result = await health.test(key.farm, key.server);
      if (result === undefined) return 'noTest';
      return {
        farm: record.farm.name.value,
        server: reportServer(record, health, takersOf(record.farm, records, health)),
        result,
      };
    },
    stop() {
      clearInterval(sampling);
      health.stop();
      routes.close();
    },
  };
}

function conditionOf(record: ServerRecord, health: FarmHealth): ServerCondition {
  const key = keyOf(record);
  const { healthy, since } = health.of(key.farm, key.server);
  return { ...key, state: record.state, healthy, marked: record.marked, ...(since === undefined ? {} : { since }) };
}

function namesOf({ farm, config }: ServerRecord): { farm: string; server: string } {
  return { farm: farm.name.value, server: config.address.value };
}

/** The names as messages have them. */
function keyOf(record: ServerRecord): { farm: string; server: string } {
  const { farm, server } = namesOf(record);
  return { farm: comparedName(farm), server: comparedName(server) };
}

/** What differs from how every server begins. */
function keptOf(records: ReadonlyMap<string, ServerRecord>): KeptState[] {
  return [...records.values()]
    .filter(({ state, marked }) => state !== 'Active' || marked)
    .map((record) => ({ ...namesOf(record), state: record.state, unhealthy: record.marked }));
}

function sumOf({ past, told }: ServerRecord): ServerCounters {
  const sum = new ServerCounters();
  addCounters(sum, past);
  for (const { counters } of told.values()) addCounters(sum, counters);
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
    affinities.set(comparedName(name.value), new HostAffinity(options));
  }
  return {
    answer(farm: string, host: string): ToServing {
      const found = affinities.get(farm)?.serversOf(host, performance.now()) ?? [];
      return { type: 'hostServers', farm, host, servers: found.map((each) => comparedName(each.config.address.value)) };
    },
  };
}

/**
 * Those that take requests of any client, by the rule of the workers: where no worker can connect to any, and there are to be
 * some (`minServers`), they are asked all the same.
 */
function takersOf(
  farm: WebFarmConfig,
  records: ReadonlyMap<string, ServerRecord>,
  health: FarmHealth,
): ReadonlySet<ServerRecord> {
  const candidates = farm.servers.flatMap(({ address, enabled }) => {
    const record = records.get(stateKey(farm.name.value, address.value));
    if (record === undefined || !farm.enabled || !enabled) return [];
    const { state, healthy, marked = false, since = 0 } = conditionOf(record, health);
    return [{ record, state: { state, healthy, marked, since, available: state === 'Active' && healthy } }];
  });
  const { minServers } = farm.healthCheck;
  const reaches = ({ record }: (typeof candidates)[number]) => isReachable(record);
  const available = availableServers(candidates, minServers);
  const reachable = available.filter(reaches);
  if (reachable.length > 0 || minServers === 0) return new Set(reachable.map(({ record }) => record));
  const spare = unhealthyServers(candidates).find(reaches);
  return new Set((spare ? [spare] : available).map(({ record }) => record));
}

/** What one worker has found out, the others will, with the next request that they have for it. */
function isReachable({ told }: ServerRecord): boolean {
  return [...told.values()].every(({ reachable }) => reachable);
}

/** By scheme, where any worker can make no connection. */
function closedPorts({ told }: ServerRecord): ServerTraffic['closed'] {
  return [...told.values()].flatMap(({ closed }) => closed);
}

function reportFarm(farm: WebFarmConfig, records: ReadonlyMap<string, ServerRecord>, health: FarmHealth): ReportedFarm {
  const name = farm.name.value;
  const all = new ServerCounters();
  let rate = 0;
  const takers = takersOf(farm, records, health);
  const servers = farm.servers.flatMap(({ address }) => {
    const record = records.get(stateKey(name, address.value));
    if (record === undefined) return [];
    addCounters(all, sumOf(record));
    rate += record.rate.perSecond;
    return [reportServer(record, health, takers)];
  });
  return { name, enabled: farm.enabled, servers, counters: reported(all, rate) };
}

/** @param takers the records of its farm that `takersOf` gives */
function reportServer(record: ServerRecord, health: FarmHealth, takers: ReadonlySet<ServerRecord>): ReportedServer {
  const { farm, config, state, rate } = record;
  const key = keyOf(record);
  const { healthy, reason, since } = health.of(key.farm, key.server);
  return {
    address: config.address.value,
    enabled: farm.enabled && config.enabled,
    state,
    isHealthy: healthy,
    healthReason: healthy ? '' : reason,
    healthSince: since === undefined ? null : new Date(since).toISOString(),
    isReachable: isReachable(record),
    takesRequests: takers.has(record),
    weight: config.weight,
    counters: reported(sumOf(record), rate.perSecond),
  };
}

function reported({ answers, answerTime, ...counters }: CounterValues, perSecond: number): ReportedCounters {
  return {
    ...counters,
    requestPerSecond: Math.round(perSecond * 10) / 10,
    responseTime: answers === 0 ? 0 : Math.round((answerTime / answers) * 10) / 10,
  };
}

/** Asks every worker for what it counts, in one round at a time: whoever comes during one shares the next. */
function openReports(tell: FarmControlOptions['tell'], log: Logger) {
  let last = 0;
  let missing = new Set<number>();
  /** Those that did not answer last time: until they do, nobody waits for them. */
  const late = new Set<number>();
  let done: () => void = () => undefined;
  let running: Promise<boolean> = Promise.resolve(true);
  let next: Promise<boolean> | undefined;
  const settle = (worker: number) => {
    late.delete(worker);
    if (missing.delete(worker) && missing.size === 0) done();
  };
  const round = () => {
    const answered = new Promise<boolean>((resolve) => {
      done = () => resolve(late.size === 0);
      missing = new Set(tell({ type: 'report', id: ++last }).filter((worker) => !late.has(worker)));
      if (missing.size === 0) done();
    });
    return within(REPORT_TIMEOUT_MS, answered, () => {
      for (const worker of missing) late.add(worker);
      return false;
    });
  };
  return {
    /** @returns false where a worker has not answered in time */
    ask(): Promise<boolean> {
      next ??= running.then(() => {
        next = undefined;
        running = round();
        return running;
      });
      return next;
    },
    answered(id: number, worker: number) {
      if (late.delete(worker))
        log.info({ worker }, 'a worker that did not answer does again, and goes by what was said since');
      if (id === last) settle(worker);
    },
    lost: settle,
    trouble: () =>
      late.size === 0
        ? undefined
        : 'A worker does not answer: changes that were made since do not count there, and what it has counted since is missing.',
  };
}
