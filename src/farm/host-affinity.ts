/**
 * Host-name affinity: which servers of a farm have the requests for which host. It is kept once for all workers, in the
 * supervisor, so that each of them sends a host to the same servers (host-servers.ts is their side of it).
 */
import type { AffinityConfig } from '../config/farm-model.ts';
import { hostOf } from '../host-name.ts';

/** Hosts come from clients: beyond this number in a farm, those that were not asked for longest lose their servers. */
export const MOST_HOSTS = 10_000;
/** So many at a time: a Map finds its first entry the later, the more of those before it were deleted. */
const FORGOTTEN_AT_ONCE = 100;
/** A worker asks anew for each host that it has requests for in so many parts of `timeout`. */
export const PERIODS = 4;

export interface HostAffinityOptions<S> {
  readonly config: Pick<AffinityConfig, 'timeout' | 'hosts'>;
  /** Those that are switched on, in the order of the file. */
  readonly servers: readonly S[];
  /** It takes requests of any client, and may be given hosts. */
  readonly available: (server: S) => boolean;
  /** It takes requests for the hosts that it has. */
  readonly keeps: (server: S) => boolean;
}

export class HostAffinity<S> {
  readonly #options: HostAffinityOptions<S>;
  readonly #counts: ReadonlyMap<string, number>;
  /** In milliseconds. A worker may have had requests for a period since it asked. */
  readonly #timeout: number;
  /** The one that was asked for longest ago is first. */
  readonly #hosts = new Map<string, { readonly servers: readonly S[]; readonly asked: number }>();
  #turn = 0;

  constructor(options: HostAffinityOptions<S>) {
    const { timeout, hosts } = options.config;
    this.#options = options;
    this.#timeout = timeout * 1000 * (1 + 1 / PERIODS);
    this.#counts = new Map(hosts.map(({ name, servers }) => [hostOf(name), servers]));
  }

  /**
   * A host keeps its servers as long as one of them takes requests; else, and where it is new, the next ones have it, if any
   * can be given hosts.
   * @param host a name of `hostNamer`
   * @param now in milliseconds
   */
  serversOf(host: string, now: number): readonly S[] {
    const entry = this.#hosts.get(host);
    const known = entry === undefined || now - entry.asked > this.#timeout ? [] : entry.servers;
    this.#hosts.delete(host);
    const filled = this.#fill(known.some(this.#options.keeps) ? known : [], this.#counts.get(host) ?? 1);
    const servers = filled.length > 0 ? filled : known;
    if (servers.length > 0) this.#hosts.set(host, { servers, asked: now });
    for (const first of surplus(this.#hosts)) this.#hosts.delete(first);
    return servers;
  }

  /** Servers that are available are added by turns, until there are as many as the host is to have. */
  #fill(kept: readonly S[], count: number): readonly S[] {
    if (kept.length >= count) return kept;
    const { servers, available } = this.#options;
    const filled = [...kept];
    for (let i = 0; i < servers.length && filled.length < count; i++) {
      const server = servers[this.#turn];
      this.#turn = (this.#turn + 1) % servers.length;
      if (server !== undefined && available(server) && !filled.includes(server)) filled.push(server);
    }
    return filled;
  }
}

/** The first ones, where there are too many. */
export function surplus(hosts: ReadonlyMap<string, unknown>): readonly string[] {
  const first: string[] = [];
  if (hosts.size <= MOST_HOSTS) return first;
  for (const host of hosts.keys()) {
    if (first.push(host) === FORGOTTEN_AT_ONCE) break;
  }
  return first;
}
