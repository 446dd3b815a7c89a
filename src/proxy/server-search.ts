/** The way to a server that takes a request: the choice, the wait for a connection, and the next server where one fails. */

import type { LeaseTaker } from '../connect/pool.ts';
import type { ServerConnection } from '../connect/server-connection.ts';
import type { ExchangeError } from '../errors.ts';
import type { Server } from '../farm/server.ts';
import type { Forwarding } from './pipeline.ts';
import type { RequestHead } from './request-head.ts';
import type { Runtime } from './runtime.ts';
import { ServerChoice } from './server-choice.ts';
import { serverFailure } from './server-failure.ts';

export interface ServerSearchOptions {
  readonly runtime: Runtime;
  readonly decision: Forwarding;
  readonly head: RequestHead;
  readonly logId: string;
  readonly taker: ServerTaker;
}

export interface ServerTaker {
  /** May be called more than once: another server is asked where one does not answer. */
  onServer(connection: ServerConnection): void;
  /** There is nobody else to ask. */
  onNoServer(failure: unknown): void;
}

export class ServerSearch implements LeaseTaker {
  readonly #options: ServerSearchOptions;
  readonly #choice: ServerChoice;
  readonly #upgrade: boolean;
  #server: Server | undefined;
  /** The request counts as under way there. */
  #underWay = false;
  /** It is one of all that the server had. */
  #counted = false;
  /** A kept connection to this server turned out to be closed, and it gets the request once more. */
  #repeated = false;
  /** Ends the wait for the servers of the host. */
  #forgetHost: (() => void) | undefined;
  /** Waits for a connection. */
  #waiting = false;
  /** Answers of the server, to anybody, when it was asked. */
  #answers = 0;
  /** When its health had last changed before it was chosen. */
  #since = 0;
  /** Servers that the request was sent to have been blamed for it. */
  #blamed = false;

  constructor(options: ServerSearchOptions) {
    this.#options = options;
    this.#choice = new ServerChoice(options.decision, options.head);
    this.#upgrade = options.head.upgrade !== '';
  }

  /** The server that is asked now, or was last. */
  get server(): Server | undefined {
    return this.#server;
  }

  /**
   * 1. a pinned server, the one of the client's cookie, one of the host's, or the farm's next, 2. a connection to it.
   * @throws ExchangeError where no server takes requests
   */
  start(): void {
    const { head, decision } = this.#options;
    // 1.
    const { farm, scheme } = decision;
    const pin = head.connection.pins.get(farm.key, scheme);
    const pinned = pin && farm.servers.find(({ address }) => address === pin.server);
    if (pinned === undefined) this.#askFirst();
    else if (pin?.connection.isIdle && this.#choice.holds(pinned)) {
      this.#enter(pinned);
      this.#found(pin.connection);
    } else if (this.#choice.keeps(pinned)) this.#ask(pinned);
    else this.#askFirst();
  }

  /** Once at the same server where a kept connection turned out to be closed; then, or else, at another one. */
  again(error: Error, connection: ServerConnection): boolean {
    const server = this.#server;
    if (server === undefined) return false;
    if (!this.#repeated && connection.kept && this.#choice.keeps(server)) {
      this.#repeated = true;
      const { runtime, logId } = this.#options;
      runtime.log.debug({ logId, server: server.address }, `asked again on a new connection: ${error.message}`);
      this.#lease(server, true);
      return true;
    }
    return this.#moveOn(this.failure(error), true);
  }

  /** Nobody is waited for any more. */
  stop(): void {
    this.#forgetHost?.();
    this.#forgetHost = undefined;
    if (this.#waiting && this.#server) this.#forget(this.#server);
  }

  /**
   * The server is to blame. That it answers nobody is held against it where it has answered nobody else since it was asked, for a
   * poll may outlast the time-out. And against one server only, for it may be the request that breaks each of them.
   * @param sent the request may have reached the server
   */
  fail(sent: boolean): void {
    const server = this.#server;
    if (server === undefined) return;
    this.#count();
    const silent = server.state.counters.answers === this.#answers;
    server.fail(this.#upgrade, this.#since, sent && !this.#blamed && silent);
    this.#blamed ||= sent;
  }

  /** @see Server.answered */
  answered(time: number, failure: boolean): void {
    this.#server?.answered(time, this.#since, failure);
  }

  /** The server has nothing more to do with the request, however that ended; said more than once it counts once. */
  end(): void {
    if (!this.#underWay) return;
    this.#underWay = false;
    this.#server?.end(this.#upgrade);
  }

  /** Of the server's answer; values of Set-Cookie that bind the client to it. */
  cookies(headers: readonly string[]): readonly string[] {
    return this.#server ? this.#choice.cookies(this.#server, headers) : [];
  }

  /** What an error of a connection is to the exchange. */
  failure(error: Error): ExchangeError {
    const endpoint = this.#server?.endpoint(this.#options.decision.scheme);
    return serverFailure(error, endpoint ? `${endpoint.address}:${endpoint.port}` : 'the server');
  }

  onConnection(connection: ServerConnection): void {
    this.#waiting = false;
    this.#found(connection);
  }

  onNoConnection(error: Error): void {
    this.#waiting = false;
    const failure = this.failure(error);
    // Nothing was sent, so any request may go to another server.
    if (!this.#moveOn(failure, false)) this.#options.taker.onNoServer(failure);
  }

  onLittleHope(error: Error): void {
    if (this.#waiting) this.#moveOn(this.failure(error), false);
  }

  #count(): void {
    if (this.#counted) return;
    this.#counted = true;
    this.#server?.count(this.#upgrade);
  }

  #found(connection: ServerConnection): void {
    this.#count();
    this.#answers = this.#server?.state.counters.answers ?? 0;
    this.#options.taker.onServer(connection);
  }

  #askFirst(): void {
    this.#forgetHost = this.#choice.wait(() => {
      this.#forgetHost = undefined;
      try {
        this.#ask(this.#choice.first());
      } catch (error) {
        this.#options.taker.onNoServer(error);
      }
    });
    if (this.#forgetHost === undefined) this.#ask(this.#choice.first());
  }

  #ask(server: Server): void {
    this.#enter(server);
    this.#lease(server, false);
  }

  #enter(server: Server): void {
    this.#server = server;
    this.#repeated = false;
    this.#underWay = true;
    this.#counted = false;
    this.#since = server.state.since;
    server.begin(this.#upgrade, this.#options.decision.scheme);
  }

  /**
   * Another server is asked in place of the one that failed.
   * @param sent the request may have reached that one
   */
  #moveOn(failure: ExchangeError, sent: boolean): boolean {
    const failed = this.#server;
    const next = failed && this.#choice.next(failed, failure, sent);
    if (failed === undefined || next === undefined) return false;
    if (this.#waiting) this.#forget(failed);
    if (failure.side === 'server') this.fail(sent);
    this.end();
    const { runtime, logId } = this.#options;
    runtime.log.debug({ logId, server: next.address }, `another server is tried: ${failure.reason}`);
    this.#ask(next);
    return true;
  }

  /** @param fresh a connection that was used before will not do */
  #lease(server: Server, fresh: boolean): void {
    const { runtime, decision } = this.#options;
    this.#waiting = true;
    runtime.connections.lease(server.endpoint(decision.scheme), this, { fresh });
  }

  #forget(server: Server): void {
    const { runtime, decision } = this.#options;
    this.#waiting = false;
    runtime.connections.forget(server.endpoint(decision.scheme), this);
  }
}
