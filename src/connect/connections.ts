/**
 * Connections to servers, one pool for each endpoint, for all lanes. The key of a pool holds everything that decides what
 * its connections may be used for: address, port, the ways to it, scheme, SNI, accepted names, pins, public keys, authorities and
 * our own certificate. Two farms that differ in any of these never share a connection.
 */
import { fairTime } from '../loop-turn.ts';
import { type Endpoint, poolKey } from './endpoint.ts';
import { type ConnectWatcher, type LeaseTaker, Pool } from './pool.ts';

const SWEEP_MS = 250;

export interface Connections {
  /**
   * Gives an idle connection at once; else opens one, or waits in line where the server has as many as it may.
   * Only a new one to those who do not ask while sockets are read: of a used one nobody could tell then what on it is an answer
   * (`loop-turn.ts`).
   * @param options `fresh`: only a new one to these, too, for their last one turned out to be closed
   */
  lease(endpoint: Endpoint, taker: LeaseTaker, options?: { readonly fresh: boolean }): void;
  /** The taker does not want one any more. */
  forget(endpoint: Endpoint, taker: LeaseTaker): void;
  /** Ends what is under way for a server, and what waits for it. Endpoints may be shared: others go on. */
  terminate(endpoint: Endpoint, server: object, error: Error): void;
  /** Tells those who wait for a connection to ask this server that there is little hope. */
  discourage(endpoint: Endpoint, server: object, error: Error): void;
  /** @returns what ends it */
  watch(endpoint: Endpoint, watcher: ConnectWatcher): () => void;
  /** Nobody would have to wait in line. */
  hasRoom(endpoint: Endpoint): boolean;
  /** There are connections that serve requests of any client. */
  hasAny(endpoint: Endpoint): boolean;
  /** Open connections to all servers, pinned ones included. */
  readonly size: number;
  destroy(): void;
}

interface ConnectionsOptions {
  /** Seconds that a tunnel may be without a byte in either direction. */
  readonly upgradeIdle: number;
}

export function createConnections({ upgradeIdle }: ConnectionsOptions): Connections {
  const pools = new Map<string, Pool>();
  // Spares the making of the key for an endpoint that was seen before.
  const known = new WeakMap<Endpoint, Pool>();
  let ended = false;
  const find = (endpoint: Endpoint): Pool => {
    const key = poolKey(endpoint);
    let pool = pools.get(key);
    if (pool === undefined) {
      pool = new Pool(endpoint);
      pools.set(key, pool);
      if (ended) pool.destroy();
    }
    known.set(endpoint, pool);
    return pool;
  };
  const poolOf = (endpoint: Endpoint) => {
    const pool = known.get(endpoint);
    return pool === undefined || pool.isDestroyed ? find(endpoint) : pool;
  };
  // One timer for all of them: a timer for each request would cost more than all that it guards.
  const sweeper = setInterval(() => {
    const now = fairTime();
    for (const [key, pool] of pools) {
      pool.sweep(now, upgradeIdle * 1000);
      if (!pool.isForgotten(now)) continue;
      pool.destroy();
      pools.delete(key);
    }
  }, SWEEP_MS);
  sweeper.unref();
  return {
    lease: (endpoint, taker, options) => poolOf(endpoint).lease(taker, options?.fresh ?? false),
    forget: (endpoint, taker) => poolOf(endpoint).forget(taker),
    terminate: (endpoint, server, error) => poolOf(endpoint).terminate(server, error),
    discourage: (endpoint, server, error) => poolOf(endpoint).discourage(server, error),
    watch: (endpoint, watcher) => poolOf(endpoint).watch(watcher),
    hasRoom: (endpoint) => poolOf(endpoint).hasRoom,
    hasAny: (endpoint) => poolOf(endpoint).hasAny,
    get size() {
      let size = 0;
      for (const pool of pools.values()) size += pool.size;
      return size;
    },
    destroy() {
      ended = true;
      clearInterval(sweeper);
      for (const pool of pools.values()) pool.destroy();
      pools.clear();
    },
  };
}
