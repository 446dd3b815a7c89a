/** A server as it runs: where it is reached, how much it takes, and what is counted of it. */
import type { CircuitSettings } from '../config/settings-model.ts';
import type { Connections } from '../connect/connections.ts';
import type { Endpoint, Scheme } from '../connect/endpoint.ts';
import type { ServerConnection } from '../connect/server-connection.ts';
import type { Logger } from '../log.ts';
import { Circuit } from './circuit.ts';
import { type EndpointParts, type Endpoints, endpointsOf, type Member } from './endpoints.ts';
import type { ServerState } from './server-state.ts';

export interface ServerParts extends EndpointParts {
  /** Name of the farm, for the log; `''` for direct proxying. */
  readonly farm: string;
  readonly state: ServerState;
  readonly connections: Connections;
  readonly log: Logger;
}

/** Part of its share that a server gets at once when it returns; the rest comes with time. */
const FIRST_SHARE = 0.1;

/** A member of a farm, or the one host of direct proxying. */
export class Server {
  readonly address: string;
  readonly weight: number;
  /** `hostName` of the member: the Host it gets where the client's is not kept; `''` for its address. */
  readonly hostName: string;
  readonly state: ServerState;
  readonly #endpoints: Endpoints;
  readonly #slowStartMs: number;
  readonly #connections: Connections;
  readonly #circuits: readonly WatchedCircuit[];
  /** Whose circuit is open. Asked for each request, of each server. */
  #httpIsOpen = false;
  #httpsIsOpen = false;
  /** At whose port requests have asked. */
  readonly #asked = new Set<Scheme>();
  /** Its share is not yet all of it. */
  #growing: boolean;
  /** Told when its load has changed. */
  onLoad: ((server: Server) => void) | undefined;

  constructor(member: Member, parts: ServerParts) {
    const { around, state, connections } = parts;
    const { circuit, slowStart } = around.settings;
    this.address = member.address.value;
    this.weight = member.weight;
    this.hostName = member.hostName;
    this.state = state;
    this.#slowStartMs = slowStart * 1000;
    this.#endpoints = endpointsOf(member, parts);
    this.#connections = connections;
    this.#growing = state.returned !== undefined;
    this.#circuits = circuit
      ? [
          this.#watch('http', circuit, parts, (open) => (this.#httpIsOpen = open)),
          this.#watch('https', circuit, parts, (open) => (this.#httpsIsOpen = open)),
        ]
      : [];
  }

  endpoint(scheme: Scheme): Endpoint {
    return this.#endpoints[scheme];
  }

  /** It takes connections, as far as this worker knows. A scheme has a port of its own. */
  reachable(scheme: Scheme): boolean {
    if (!(scheme === 'https' ? this.#httpsIsOpen : this.#httpIsOpen)) return true;
    this.#ask(scheme);
    return false;
  }

  /**
   * It takes connections at one of its ports that are asked for, as far as this worker knows: a server may have only one of the two.
   * What was known of one before the other was lost counts no more.
   */
  get isReachable(): boolean {
    const asked = this.#circuits.filter(({ scheme }) => this.#asked.has(scheme));
    const lost = asked.filter(({ circuit }) => circuit.open);
    if (lost.length === 0) return true;
    const since = Math.max(...lost.map(({ opened }) => opened));
    return asked.some(
      ({ circuit, endpoint, made }) => !circuit.open && (made > since || this.#connections.hasAny(endpoint)),
    );
  }

  /** By scheme its ports that are asked for and take no connections, as far as this worker knows. */
  get closed(): readonly Scheme[] {
    return this.#circuits
      .filter(({ circuit, scheme }) => circuit.open && this.#asked.has(scheme))
      .map(({ scheme }) => scheme);
  }

  /** A request would not have to wait for others to end (`maxConnections`). */
  hasRoom(scheme: Scheme): boolean {
    const endpoint = this.#endpoints[scheme];
    return endpoint.maxConnections === undefined || this.#connections.hasRoom(endpoint);
  }

  get load(): number {
    const { currentRequests, currentWebSocketRequests } = this.state.counters;
    return currentRequests + currentWebSocketRequests;
  }

  /** The weight; less while it has only just returned. */
  get share(): number {
    if (!this.#growing) return this.weight;
    const { returned = 0 } = this.state;
    const grown = (performance.now() - returned) / this.#slowStartMs;
    if (grown < 1) return this.weight * Math.max(FIRST_SHARE, grown);
    this.#growing = false;
    this.state.returned = undefined;
    return this.weight;
  }

  /** It takes requests again, and is not to get all of its share at once. */
  returns(): void {
    if (this.#slowStartMs === 0) return;
    this.#growing = true;
    this.state.returned = performance.now();
    this.onLoad?.(this);
  }

  /** @param scheme of the port that is asked */
  begin(upgrade: boolean, scheme: Scheme): void {
    this.#ask(scheme);
    this.state.counters.begin(upgrade);
    this.onLoad?.(this);
  }

  /** A request that had begun has a connection, or there was none to be had; before that it may be turned away. */
  count(upgrade: boolean): void {
    this.state.counters.count(upgrade);
  }

  end(upgrade: boolean): void {
    this.state.counters.end(upgrade);
    this.onLoad?.(this);
  }

  /**
   * The server is to blame: it was not reached, broke off, or sent no valid answer in time.
   * @param since when its health had last changed as it was asked: what comes of that time speaks no more against it
   * @param broken it got the request, and seems to answer nobody
   */
  fail(upgrade: boolean, since: number, broken: boolean): void {
    this.state.counters.fail(upgrade);
    if (since !== this.state.since) return;
    this.state.failures++;
    if (broken) this.state.broken++;
  }

  /**
   * The head of an answer has come.
   * @param time milliseconds since it was asked
   * @param since as with `fail`
   * @param failure the status is one of `liveTrafficFailureCodes`
   */
  answered(time: number, since: number, failure: boolean): void {
    this.state.counters.answers++;
    this.state.counters.answerTime += time;
    if (failure && since === this.state.since) this.state.failures++;
  }

  /** It is not needed any more. */
  close(): void {
    for (const { circuit, unwatch } of this.#circuits) {
      unwatch();
      circuit.close();
    }
  }

  #ask(scheme: Scheme): void {
    if (this.#asked.has(scheme)) return;
    this.#asked.add(scheme);
    for (const { tell } of this.#circuits) tell();
  }

  #watch(
    scheme: Scheme,
    settings: CircuitSettings,
    { farm, connections, log }: ServerParts,
    changed: (open: boolean) => void,
  ): WatchedCircuit {
    const endpoint = this.#endpoints[scheme];
    const place = { farm, server: this.address, port: endpoint.port };
    let lost = '';
    let told = false;
    /** Once, where requests ask at the port: another farm may have found it out, and nobody asks here. */
    const tell = () => {
      if (told || !circuit.open || !this.#asked.has(scheme)) return;
      told = true;
      log.warn(place, `no connection can be made, and until one can no request waits for it: ${lost}`);
    };
    const circuit = new Circuit(settings, {
      knock: (done) => knock(connections, endpoint, done),
      opened: (failure) => {
        watched.opened = performance.now();
        changed(true);
        lost = failure.message;
        tell();
        connections.discourage(endpoint, this, failure);
      },
      closed: () => {
        changed(false);
        if (told) log.info(place, 'connections can be made again');
        told = false;
        // Where its other port was in use all along, it is no newcomer.
        if (!this.#circuits.some(({ endpoint: each }) => each !== endpoint && connections.hasAny(each))) this.returns();
      },
    });
    const unwatch = connections.watch(endpoint, (failure) => {
      if (failure) {
        circuit.failed(failure);
        return;
      }
      watched.made = performance.now();
      circuit.succeeded();
    });
    const watched: WatchedCircuit = { scheme, circuit, endpoint, unwatch, tell, opened: 0, made: 0 };
    return watched;
  }
}

interface WatchedCircuit {
  readonly scheme: Scheme;
  readonly circuit: Circuit;
  readonly endpoint: Endpoint;
  readonly unwatch: () => void;
  /** Tells the log that it is open. */
  readonly tell: () => void;
  /** When it opened last, and when a connection was made last; in milliseconds of `performance.now()`. */
  opened: number;
  made: number;
}

/** A connection that is made here is kept for the next request. */
function knock(connections: Connections, endpoint: Endpoint, done: (connected: boolean) => void): void {
  const taker = {
    server: undefined,
    onConnection(connection: ServerConnection) {
      connection.giveBack();
      done(true);
    },
    onNoConnection: () => done(false),
    onLittleHope: () => undefined,
  };
  connections.lease(endpoint, taker, { fresh: true });
}
