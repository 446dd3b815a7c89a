/** Which server a request is sent to, and to which next where that one fails: affinity, load balancing, retries. */

import type { Scheme } from '../connect/endpoint.ts';
import { ExchangeError, type FailureKind } from '../errors.ts';
import type { Server } from '../farm/server.ts';
import type { ServerQuestion, WebFarm } from '../farm/web-farm.ts';
import { headerOf } from '../header-list.ts';
import type { Forwarding } from './pipeline.ts';
import type { RequestHead } from './request-head.ts';

const NONE: readonly Server[] = [];

/** The server was not asked, for reasons that say nothing of the next one: that it is tried counts for nothing. */
const NOT_ASKED: ReadonlySet<FailureKind> = new Set(['serverBusy', 'queueTimeout', 'serverStopped']);

export class ServerChoice implements ServerQuestion {
  readonly scheme: Scheme;
  readonly hashKey: string;
  readonly host: string;
  readonly waited = false;
  readonly refused = false;
  readonly #farm: WebFarm;
  readonly #head: RequestHead;
  /** The server that the client's cookie names. */
  readonly #bound: Server | undefined;
  #tried = NONE;
  #allRefused = true;
  #retries = 0;

  constructor({ farm, scheme, hashKey }: Forwarding, head: RequestHead) {
    this.scheme = scheme;
    this.hashKey = hashKey;
    this.#farm = farm;
    this.#head = head;
    this.#bound = farm.affinity?.serverOf(head.headers);
    this.host = farm.hosts?.nameOf(head.authority) ?? '';
    farm.budget.request();
  }

  get tried(): readonly Server[] {
    return this.#tried;
  }

  /** Whether a server takes the request of a client that belongs to it. */
  keeps(server: Server): boolean {
    return this.#farm.keeps(server, this);
  }

  /** The same of a client that has a connection of its own to it. */
  holds(server: Server): boolean {
    return this.#farm.holds(server);
  }

  /**
   * To be called before `first`: the supervisor may have to say which servers have the requests for the host.
   * @param done called where that was waited for, and is known or will not come in time
   * @returns ends the wait; `undefined` where there is none
   */
  wait(done: () => void): (() => void) | undefined {
    return this.#kept() ? undefined : this.#farm.hosts?.wait(this.host, done);
  }

  /** @throws ExchangeError `noServer` where none takes requests */
  first(): Server {
    const server = this.#kept() ?? this.#farm.choose(this);
    if (server) return server;
    throw new ExchangeError('noServer', `farm ${this.#farm.name}: ${this.#whyNone()}`);
  }

  /**
   * Another server for a request that failed.
   * @param sent the request may have reached the server that failed
   * @returns `undefined` where no other takes requests, or enough were tried
   */
  next(failed: Server, { kind, side }: ExchangeError, sent: boolean): Server | undefined {
    const { retries, budget } = this.#farm;
    const counts = !NOT_ASKED.has(kind);
    // Before the next one is chosen, which is then taken for served.
    if ((counts && this.#retries >= retries) || (sent && budget.isUsedUp)) return undefined;
    const { scheme, hashKey, host } = this;
    const tried = [...this.#tried, failed];
    const refused = this.#allRefused && !sent && side === 'server';
    const server = this.#farm.choose({ scheme, hashKey, host, tried, refused, waited: kind === 'queueTimeout' });
    if (server === undefined) return undefined;
    if (sent) budget.take();
    this.#tried = tried;
    this.#allRefused = refused;
    if (counts) this.#retries++;
    return server;
  }

  /**
   * Values of Set-Cookie, where the client is to be bound to the server that answers it.
   * @param headers of the answer, by which an application can ask that it is not
   */
  cookies(server: Server, headers: readonly string[]): readonly string[] {
    const { affinity } = this.#farm;
    if (affinity === undefined || server === this.#bound) return [];
    if (headerOf(headers, 'arr-disable-session-affinity')?.toLowerCase() === 'true') return [];
    return affinity.cookies(server, { authority: this.#head.authority, secure: this.#head.scheme === 'https' });
  }

  #kept(): Server | undefined {
    return this.#bound && this.keeps(this.#bound) ? this.#bound : undefined;
  }

  #whyNone(): string {
    const { servers } = this.#farm;
    if (servers.length === 0) return 'no server is switched on';
    const each = servers.map((server) => {
      const { state, healthy } = server.state;
      const why = state !== 'Active' ? state : healthy ? 'cannot be connected to' : 'unhealthy';
      return `${server.address} (${why})`;
    });
    return `no server takes requests: ${each.slice(0, MOST_NAMED).join(', ')}`;
  }
}

/** In a log line. */
const MOST_NAMED = 8;
