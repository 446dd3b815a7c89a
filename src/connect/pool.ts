/** One pool of connections: idle ones, those in use, those that are being made, and the line of requests that wait for one. */
import { ExchangeError } from '../errors.ts';
import { isReading, turnTime } from '../loop-turn.ts';
import type { Endpoint } from './endpoint.ts';
import type { ResolvedName } from './resolved-name.ts';
import { type ConnectionOwner, ServerConnection } from './server-connection.ts';
import { type OpenSocket, socketOpener } from './server-socket.ts';

/** Who waits for a connection. `onConnection` or `onNoConnection` is called, once, maybe before `lease` returns. */
export interface LeaseTaker {
  /** The server that it asks, as the farm knows it. */
  readonly server: object | undefined;
  onConnection(connection: ServerConnection): void;
  onNoConnection(error: Error): void;
  /** There is little hope. Whoever has another server to go to says `forget`, and does not wait any longer. */
  onLittleHope(error: Error): void;
}

/** Hears what came of each connection that was opened, whoever it was for: `undefined` where it was made. */
export type ConnectWatcher = (failure: Error | undefined) => void;

/** Shorter than the 120 s after which IIS closes an idle connection, so that we are the first to let go. */
const POOL_IDLE_MS = 60_000;
/** A pinned connection is the login of its client: it is kept as long as IIS keeps it. */
const PINNED_IDLE_MS = 115_000;
/** A server that tells when it closes idle connections is trusted to do so, a little early. */
const HINT_MARGIN_MS = 1000;
/**
 * A client that is gone ends its side as one that only has nothing more to say. A server that answers neither would keep the
 * tunnel, and whoever waits for its requests to end.
 */
const HALF_CLOSED_MS = 30_000;
interface Waiting {
  readonly taker: LeaseTaker;
  /** Only a new connection will do. */
  readonly fresh: boolean;
  /** In milliseconds of `turnTime`. */
  readonly until: number;
}

/** A connection that is being made. */
interface Opening {
  /** A taker that went away has left it to the pool. */
  readonly taker: LeaseTaker | undefined;
  /** Of the addresses of its name, when it was begun. */
  readonly version: number;
}

/** The connections to one endpoint, and who waits for one. */
export class Pool implements ConnectionOwner {
  readonly #endpoint: Endpoint;
  readonly #name: ResolvedName;
  readonly #open: OpenSocket;
  /** The last one used is the first one taken, so that those not needed grow old and go. */
  readonly #idle: ServerConnection[] = [];
  readonly #all = new Set<ServerConnection>();
  readonly #opening = new Map<ServerConnection, Opening>();
  /** The other way round: thousands may wait for a server that is gone, and leave all at once. */
  readonly #openingFor = new Map<LeaseTaker, ServerConnection>();
  /** Some of those in `#all`: each makes room for one more when it is closed. */
  readonly #closing = new Set<ServerConnection>();
  readonly #queue: Waiting[] = [];
  /** Takers whose connection could not be made, while the name is asked for again. */
  readonly #lookingAgain = new Set<LeaseTaker>();
  /** Takers for which that was done: once will do. */
  readonly #lookedAgain = new WeakSet<LeaseTaker>();
  readonly #watchers = new Set<ConnectWatcher>();
  readonly #unfollow: () => void;
  #used = turnTime();
  #destroyed = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.#name = endpoint.routes.name(endpoint.address);
    this.#open = socketOpener(endpoint, endpoint.routes.to(endpoint));
    this.#unfollow = this.#name.watch((addresses) => this.#follow(addresses));
  }

  /** It takes no one any more. */
  get isDestroyed(): boolean {
    return this.#destroyed;
  }

  /**
   * Nobody has had to do with it for a while. Ports that requests chose at a host of `upstream.allow` may be many, and never asked
   * for again.
   */
  isForgotten(now: number): boolean {
    if (this.#all.size + this.#queue.length + this.#lookingAgain.size + this.#watchers.size > 0) this.#used = now;
    return now - this.#used >= POOL_IDLE_MS;
  }

  get size(): number {
    return this.#all.size;
  }

  get hasRoom(): boolean {
    return this.#idle.length > 0 || this.#all.size < (this.#endpoint.maxConnections ?? Number.POSITIVE_INFINITY);
  }

  get hasAny(): boolean {
    for (const each of this.#all) if (!each.isTunnel && !each.pinned && !each.isOpening) return true;
    return false;
  }

  watch(watcher: ConnectWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  lease(taker: LeaseTaker, mustBeNew: boolean): void {
    if (this.#destroyed) {
      taker.onNoConnection(stopping());
      return;
    }
    const fresh = mustBeNew || !isReading();
    const idle = fresh ? undefined : this.#takeIdle();
    if (idle) taker.onConnection(idle);
    else if (this.#all.size < (this.#endpoint.maxConnections ?? Number.POSITIVE_INFINITY)) {
      // One that would have done at another time gives way, where there are more: a slow reader of many answers would leave one
      // behind for each.
      if (!mustBeNew && this.#idle.length > 1) this.#idle.shift()?.abandon();
      this.#openFor(taker);
    } else {
      // The oldest idle one gives way to a new one.
      this.#idle.shift()?.abandon();
      // Who waits for one that closes takes no place in line.
      if (this.#queue.length < this.#endpoint.queueLength + this.#closing.size)
        this.#queue.push({ taker, fresh, until: turnTime() + this.#endpoint.queueTimeout * 1000 });
      else
        taker.onNoConnection(
          this.#failure(
            'serverBusy',
            'maxConnections',
            'as many requests as may wait for a connection are waiting (maxConnections, queueLength)',
          ),
        );
    }
  }

  forget(taker: LeaseTaker): void {
    const connection = this.#openingFor.get(taker);
    const opening = connection && this.#opening.get(connection);
    if (opening) {
      this.#openingFor.delete(taker);
      this.#opening.set(connection, { ...opening, taker: undefined });
      return;
    }
    if (this.#lookingAgain.delete(taker)) return;
    const at = this.#queue.findIndex((each) => each.taker === taker);
    if (at >= 0) this.#queue.splice(at, 1);
  }

  ready(connection: ServerConnection): void {
    const opening = this.#opened(connection);
    for (const watcher of this.#watchers) watcher(undefined);
    // The addresses may have changed on the way there.
    if (opening?.version !== this.#name.version && !this.#name.has(connection.remoteAddress)) connection.retire();
    if (opening?.taker) opening.taker.onConnection(connection);
    else connection.giveBack();
  }

  idle(connection: ServerConnection): void {
    if (connection.pinned) return;
    const [next] = this.#queue;
    if (next === undefined) this.#idle.push(connection);
    // It gives way to a new one.
    else if (connection.used && (next.fresh || !isReading())) connection.abandon();
    else {
      this.#queue.shift();
      next.taker.onConnection(connection);
    }
  }

  closing(connection: ServerConnection): void {
    this.#closing.add(connection);
  }

  closed(connection: ServerConnection, error: Error | undefined): void {
    this.#all.delete(connection);
    this.#closing.delete(connection);
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    const opening = this.#opened(connection);
    const failure = error ?? Object.assign(new Error('the server closed the connection'), { code: 'ECONNRESET' });
    if (opening) {
      // Where we have no more sockets, that says nothing of the server.
      if (!(failure instanceof ExchangeError && failure.side === 'us')) this.#notReached(failure);
    }
    // Before anybody who hears of it asks for the place that has become free.
    const next = this.#destroyed ? undefined : this.#queue.shift();
    if (next) this.#openFor(next.taker);
    if (opening?.taker) this.#lookAgain(opening.taker, opening.version, failure);
  }

  sweep(now: number, tunnelIdle: number): void {
    const { timeout, connectTimeout } = this.#endpoint;
    if (this.#all.size > 0) this.#name.tend(performance.now());
    for (const connection of this.#all) {
      const silent = now - connection.activity;
      if (connection.isOpening) {
        if (silent > connectTimeout * 1000) {
          connection.fail(
            this.#failure(
              'serverTimeout',
              connectTimeout < timeout ? 'timeouts.connect' : 'timeout',
              `no connection within ${connectTimeout} s, ${connectTimeout < timeout ? 'timeouts.connect' : 'the timeout of the farm'}`,
            ),
          );
        }
      } else if (connection.isIdle) {
        if (silent > idleLimit(connection)) connection.abandon();
      } else if (connection.isTunnel) {
        const limit = connection.isHalfClosed ? Math.min(HALF_CLOSED_MS, tunnelIdle) : tunnelIdle;
        if (silent > limit)
          connection.fail(
            this.#failure(
              'serverTimeout',
              limit === tunnelIdle ? 'timeouts.upgradeIdle' : undefined,
              `an idle tunnel of ${limit / 1000} s${limit === tunnelIdle ? ' (timeouts.upgradeIdle)' : ''}`,
            ),
          );
      } else if (silent > timeout * 1000 && connection.awaitsServer) {
        connection.fail(
          this.#failure('serverTimeout', 'timeout', `the server was silent for ${timeout} s, the timeout of the farm`),
        );
      }
    }
    while ((this.#queue[0]?.until ?? now) < now) {
      this.#queue
        .shift()
        ?.taker.onNoConnection(
          this.#failure(
            'queueTimeout',
            'queueTimeout',
            `no connection became free within ${this.#endpoint.queueTimeout} s (queueTimeout)`,
          ),
        );
    }
  }

  terminate(server: object, error: Error): void {
    for (const connection of [...this.#all]) if (connection.server === server) connection.fail(error);
    for (const taker of this.#takersFor(server)) {
      this.forget(taker);
      taker.onNoConnection(error);
    }
  }

  discourage(server: object, error: Error): void {
    for (const taker of this.#takersFor(server)) taker.onLittleHope(error);
  }

  destroy(): void {
    this.#destroyed = true;
    this.#unfollow();
    for (const connection of this.#all) connection.fail(stopping());
    const takers = [...this.#queue.splice(0).map(({ taker }) => taker), ...this.#lookingAgain];
    this.#lookingAgain.clear();
    for (const taker of takers) taker.onNoConnection(stopping());
  }

  /** The name has these addresses now: connections to others carry no further request. Logins and tunnels live on. */
  #follow(addresses: ReadonlySet<string>): void {
    for (const connection of this.#all) {
      if (this.#opening.has(connection) || connection.pinned || addresses.has(connection.remoteAddress)) continue;
      if (connection.isIdle) connection.abandon();
      else connection.retire();
    }
  }

  /** The server may be elsewhere by now: if so, the request is not lost. */
  #lookAgain(taker: LeaseTaker, version: number, error: Error): void {
    const moved = !this.#destroyed && !this.#lookedAgain.has(taker) && this.#name.again(version);
    if (moved === false) {
      taker.onNoConnection(error);
      return;
    }
    this.#lookedAgain.add(taker);
    this.#lookingAgain.add(taker);
    void Promise.resolve(moved).then((others) => {
      if (!this.#lookingAgain.delete(taker)) return;
      if (others) this.lease(taker, true);
      else taker.onNoConnection(error);
    });
  }

  #takeIdle(): ServerConnection | undefined {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (idle.isIdle) return idle;
      // Its socket has ended, and tells so soon.
      idle.abandon();
    }
    return undefined;
  }

  /** It is not being opened any more. */
  #opened(connection: ServerConnection): Opening | undefined {
    const opening = this.#opening.get(connection);
    this.#opening.delete(connection);
    if (opening?.taker) this.#openingFor.delete(opening.taker);
    return opening;
  }

  #takersFor(server: object): LeaseTaker[] {
    const takers = [...this.#openingFor.keys(), ...this.#queue.map(({ taker }) => taker), ...this.#lookingAgain];
    return takers.filter((taker) => taker.server === server);
  }

  /** A server that takes no new connection has ended, or is about to: those that idle will break under the next request. */
  #notReached(failure: Error): void {
    for (const each of [...this.#idle]) each.abandon();
    for (const watcher of this.#watchers) watcher(failure);
  }

  /** @param setting what it would not have happened without */
  #failure(
    kind: 'serverBusy' | 'queueTimeout' | 'serverTimeout',
    setting: string | undefined,
    reason: string,
  ): ExchangeError {
    return new ExchangeError(kind, `${this.#endpoint.address}:${this.#endpoint.port}: ${reason}`).by(setting);
  }

  #openFor(taker: LeaseTaker): void {
    const connection = new ServerConnection(this.#endpoint, this, this.#open);
    this.#all.add(connection);
    this.#opening.set(connection, { taker, version: this.#name.version });
    this.#openingFor.set(taker, connection);
  }
}

function stopping(): ExchangeError {
  return new ExchangeError('connectionAborted', 'the service stops');
}

function idleLimit({ pinned, idleHint }: ServerConnection): number {
  const limit = pinned ? PINNED_IDLE_MS : POOL_IDLE_MS;
  return idleHint === undefined ? limit : Math.min(limit, Math.max(0, idleHint * 1000 - HINT_MARGIN_MS));
}
