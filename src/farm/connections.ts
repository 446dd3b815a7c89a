/**
 * Connections to servers, one pool for each endpoint, for all lanes. The key of a pool holds everything that decides what
 * its connections may be used for: address, port, scheme, SNI, accepted names, pins, public keys, authorities and our own
 * certificate. Two farms that differ in any of these never share a connection.
 */
import type { LookupFunction } from 'node:net';
import { ExchangeError } from '../errors.ts';
import { type ConnectionOwner, ServerConnection } from './server-connection.ts';
import { type Endpoint, type OpenSocket, socketOpener } from './server-socket.ts';

/** Who waits for a connection. One of the two is called, once, maybe before `lease` returns. */
export interface LeaseTaker {
  onConnection(connection: ServerConnection): void;
  onNoConnection(error: Error): void;
}

/** Shorter than the 120 s after which IIS closes an idle connection, so that we are the first to let go. */
const POOL_IDLE_MS = 60_000;
/** A pinned connection is the login of its client: it is kept as long as IIS keeps it. */
const PINNED_IDLE_MS = 115_000;
/** A server that tells when it closes idle connections is trusted to do so, a little early. */
const HINT_MARGIN_MS = 1000;
const SWEEP_MS = 250;

export interface Connections {
  /** Gives an idle connection at once; else opens one, or waits in line where the server has as many as it may. */
  lease(endpoint: Endpoint, taker: LeaseTaker, options?: { readonly fresh: boolean }): void;
  /** The taker does not want one any more. */
  forget(endpoint: Endpoint, taker: LeaseTaker): void;
  /** Open connections to all servers, pinned ones included. */
  readonly size: number;
  destroy(): void;
}

export interface ConnectionsOptions {
  readonly lookup: LookupFunction;
  /** Seconds that a tunnel may be without a byte in either direction. */
  readonly upgradeIdle: number;
}

export function createConnections({ lookup, upgradeIdle }: ConnectionsOptions): Connections {
  const pools = new Map<string, Pool>();
  // Spares the making of the key for an endpoint that was seen before.
  const known = new WeakMap<Endpoint, Pool>();
  const find = (endpoint: Endpoint): Pool => {
    const key = poolKey(endpoint);
    let pool = pools.get(key);
    if (pool === undefined) {
      pool = new Pool(endpoint, socketOpener(endpoint, lookup));
      pools.set(key, pool);
    }
    known.set(endpoint, pool);
    return pool;
  };
  const poolOf = (endpoint: Endpoint) => known.get(endpoint) ?? find(endpoint);
  // One timer for all of them: a timer for each request would cost more than all that it guards.
  const sweeper = setInterval(() => {
    const now = performance.now();
    for (const pool of pools.values()) pool.sweep(now, upgradeIdle * 1000);
  }, SWEEP_MS);
  sweeper.unref();
  return {
    lease: (endpoint, taker, options) => poolOf(endpoint).lease(taker, options?.fresh ?? false),
    forget: (endpoint, taker) => poolOf(endpoint).forget(taker),
    get size() {
      let size = 0;
      for (const pool of pools.values()) size += pool.size;
      return size;
    },
    destroy() {
      clearInterval(sweeper);
      for (const pool of pools.values()) pool.destroy();
      pools.clear();
    },
  };
}

/** Connections are shared between endpoints with equal keys, and between no others. Of our certificate it holds the hash. */
export function poolKey(endpoint: Endpoint): string {
  return JSON.stringify(endpoint, (name, value) => (name === 'clientCertificate' ? value.sha256 : value));
}

interface Waiting {
  readonly taker: LeaseTaker;
  /** In milliseconds of `performance.now()`. */
  readonly until: number;
}

class Pool implements ConnectionOwner {
  readonly #endpoint: Endpoint;
  readonly #open: OpenSocket;
  /** The last one used is the first one taken, so that those not needed grow old and go. */
  readonly #idle: ServerConnection[] = [];
  readonly #all = new Set<ServerConnection>();
  /** Who each connection that is being opened is for; a taker that went away has left it to the pool. */
  readonly #opening = new Map<ServerConnection, LeaseTaker | undefined>();
  readonly #queue: Waiting[] = [];
  #destroyed = false;

  constructor(endpoint: Endpoint, open: OpenSocket) {
    this.#endpoint = endpoint;
    this.#open = open;
  }

  get size(): number {
    return this.#all.size;
  }

  /** @param fresh only a new one will do: the last one turned out to be closed */
  lease(taker: LeaseTaker, fresh: boolean): void {
    let idle = fresh ? undefined : this.#idle.pop();
    while (idle && !idle.isIdle) idle = this.#idle.pop();
    if (idle) taker.onConnection(idle);
    else if (this.#all.size < (this.#endpoint.maxConnections ?? Number.POSITIVE_INFINITY)) this.#openFor(taker);
    else if (this.#queue.length < this.#endpoint.queueLength) {
      this.#queue.push({ taker, until: performance.now() + this.#endpoint.queueTimeout * 1000 });
    } else taker.onNoConnection(busy(this.#endpoint, 'as many requests as may wait for a connection are waiting'));
  }

  forget(taker: LeaseTaker): void {
    for (const [connection, each] of this.#opening) if (each === taker) this.#opening.set(connection, undefined);
    const at = this.#queue.findIndex((each) => each.taker === taker);
    if (at >= 0) this.#queue.splice(at, 1);
  }

  ready(connection: ServerConnection): void {
    const taker = this.#opening.get(connection);
    this.#opening.delete(connection);
    if (taker) taker.onConnection(connection);
    else this.idle(connection);
  }

  idle(connection: ServerConnection): void {
    if (connection.pinned) return;
    const next = this.#queue.shift();
    if (next) next.taker.onConnection(connection);
    else this.#idle.push(connection);
  }

  closed(connection: ServerConnection, error: Error | undefined): void {
    this.#all.delete(connection);
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#opening.has(connection)) {
      const taker = this.#opening.get(connection);
      this.#opening.delete(connection);
      // A server that takes no new connection has ended, or is about to: those that idle will break under the next request.
      for (const each of [...this.#idle]) each.abandon();
      taker?.onNoConnection(
        error ?? Object.assign(new Error('the server closed the connection'), { code: 'ECONNRESET' }),
      );
    }
    const next = this.#destroyed ? undefined : this.#queue.shift();
    if (next) this.#openFor(next.taker);
  }

  sweep(now: number, tunnelIdle: number): void {
    const { timeout } = this.#endpoint;
    for (const connection of this.#all) {
      const silent = now - connection.activity;
      if (connection.isIdle) {
        if (silent > idleLimit(connection)) connection.abandon();
      } else if (connection.isTunnel) {
        if (silent > tunnelIdle)
          connection.fail(new ExchangeError('serverTimeout', `an idle tunnel of ${tunnelIdle / 1000} s`));
      } else if (silent > timeout * 1000 && connection.awaitsServer) {
        connection.fail(new ExchangeError('serverTimeout', `the server was silent for ${timeout} s`));
      }
    }
    while ((this.#queue[0]?.until ?? now) < now) {
      this.#queue
        .shift()
        ?.taker.onNoConnection(
          busy(this.#endpoint, `no connection became free within ${this.#endpoint.queueTimeout} s`),
        );
    }
  }

  destroy(): void {
    this.#destroyed = true;
    for (const connection of this.#all) connection.fail(new ExchangeError('connectionAborted', 'the service stops'));
    for (const { taker } of this.#queue.splice(0))
      taker.onNoConnection(new ExchangeError('connectionAborted', 'the service stops'));
  }

  #openFor(taker: LeaseTaker): void {
    const connection = new ServerConnection(this.#endpoint, this, this.#open);
    this.#all.add(connection);
    this.#opening.set(connection, taker);
  }
}

function idleLimit({ pinned, idleHint }: ServerConnection): number {
  const limit = pinned ? PINNED_IDLE_MS : POOL_IDLE_MS;
  return idleHint === undefined ? limit : Math.min(limit, Math.max(0, idleHint * 1000 - HINT_MARGIN_MS));
}

function busy({ address, port }: Endpoint, reason: string): ExchangeError {
  return new ExchangeError('serverBusy', `${address}:${port}: ${reason}`);
}
