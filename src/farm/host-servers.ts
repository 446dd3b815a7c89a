/** Host-name affinity as a worker has it: which servers have the requests for a host, as the supervisor has told it. */
import type { AffinityConfig } from '../config/farm-model.ts';
import { PERIODS, surplus } from './host-affinity.ts';
import { type HostSettings, hostNamer } from './host-names.ts';
import type { Balanced, Balancer } from './load-balancing.ts';

/** A request that was not told by then goes to any server. */
const LONGEST_WAIT_MS = 1000;
/** Questions that are under way at a time: a flood of hosts nobody has heard of is not to drown the supervisor. */
const MOST_QUESTIONS = 100;

export interface HostServersOptions<S extends Balanced> {
  readonly config: HostSettings & Pick<AffinityConfig, 'timeout'>;
  /** Asks the supervisor; the answer comes by `heard`. */
  readonly ask: (host: string) => void;
  /** Chooses among several servers of a host. */
  readonly balancer: () => Balancer<S>;
}

interface Host<S extends Balanced> {
  /** `undefined` until it was told. */
  servers: readonly S[] | undefined;
  /** Absent where there is nothing to choose. */
  balancer: Balancer<S> | undefined;
  /** In which it was last asked for. */
  period: number;
  readonly waiting: Set<() => void>;
  timer: NodeJS.Timeout | undefined;
}

export class HostServers<S extends Balanced> {
  /** The name that stands for a host; `''`: it has no servers of its own. */
  readonly nameOf: (authority: string) => string;
  readonly #options: HostServersOptions<S>;
  /** The one that was asked for longest ago is first. */
  readonly #hosts = new Map<string, Host<S>>();
  readonly #clock: NodeJS.Timeout;
  #period = 0;
  #questions = 0;

  constructor(options: HostServersOptions<S>) {
    this.#options = options;
    this.nameOf = hostNamer(options.config);
    this.#clock = setInterval(() => this.#nextPeriod(), (options.config.timeout * 1000) / PERIODS);
    this.#clock.unref();
  }

  /**
   * To be called for each request, before `pick`: asks the supervisor where it has to be asked.
   * @param done called where the answer was waited for: it has come, or will not come in time
   * @returns ends the wait; `undefined` where there is none
   */
  wait(name: string, done: () => void): (() => void) | undefined {
    if (name === '') return undefined;
    const known = this.#hosts.get(name);
    const host = known?.period === this.#period ? known : this.#ask(name, known);
    if (host === undefined || host.timer === undefined) return undefined;
    host.waiting.add(done);
    return () => host.waiting.delete(done);
  }

  /** A server of the host; `undefined` where none of them passes, or nobody knows them. */
  pick(name: string, passes: (server: S) => boolean, key: string): S | undefined {
    const host = this.#hosts.get(name);
    if (host?.servers === undefined) return undefined;
    const { servers, balancer } = host;
    const [first] = servers;
    if (balancer === undefined) return first !== undefined && passes(first) ? first : undefined;
    // They have requests for other hosts too.
    for (const server of servers) balancer.loadChanged(server);
    return balancer.pick(passes, key);
  }

  heard(name: string, servers: readonly S[]): void {
    this.#questions = Math.max(0, this.#questions - 1);
    const host = this.#hosts.get(name);
    if (host === undefined) return;
    if (!isSame(host.servers, servers)) {
      host.servers = servers;
      host.balancer = servers.length > 1 ? this.#options.balancer() : undefined;
      host.balancer?.set(servers);
    }
    release(host);
  }

  /** The conditions of servers have changed. A host whose servers are all out gets others, and all workers the same. */
  changed(keeps: (server: S) => boolean): void {
    for (const [name, { servers }] of this.#hosts) {
      if (servers !== undefined && !servers.some(keeps)) this.#hosts.delete(name);
    }
  }

  close(): void {
    clearInterval(this.#clock);
    for (const host of this.#hosts.values()) release(host);
    this.#hosts.clear();
  }

  /** What is known already serves on until the answer comes. */
  #ask(name: string, known: Host<S> | undefined): Host<S> | undefined {
    if (this.#questions >= MOST_QUESTIONS) return known;
    const host: Host<S> = known ?? {
      servers: undefined,
      balancer: undefined,
      period: 0,
      waiting: new Set(),
      timer: undefined,
    };
    host.period = this.#period;
    this.#hosts.delete(name);
    this.#hosts.set(name, host);
    for (const first of surplus(this.#hosts)) this.#forget(first);
    if (host.servers === undefined) host.timer ??= setTimeout(() => release(host), LONGEST_WAIT_MS);
    this.#questions++;
    this.#options.ask(name);
    return host;
  }

  #forget(name: string): void {
    const host = this.#hosts.get(name);
    this.#hosts.delete(name);
    if (host) release(host);
  }

  /** A host that nobody asked for in all periods is forgotten before the supervisor does so. */
  #nextPeriod(): void {
    this.#period++;
    // Of those that were never answered nobody knows whether they will be.
    this.#questions = 0;
    for (const [name, host] of this.#hosts) {
      if (host.period > this.#period - PERIODS) break;
      this.#forget(name);
    }
  }
}

/** Ends the wait of all requests for a host, but for those that end meanwhile. */
function release(host: { readonly waiting: Set<() => void>; timer: NodeJS.Timeout | undefined }): void {
  clearTimeout(host.timer);
  host.timer = undefined;
  for (const done of [...host.waiting]) if (host.waiting.delete(done)) done();
}

function isSame<S>(known: readonly S[] | undefined, told: readonly S[]): boolean {
  return known?.length === told.length && told.every((server, i) => server === known[i]);
}
