/** A server as it runs: where it is reached, how much it takes, and what is counted of it. */
import type { FarmSettings, ProtocolConfig, ServerConfig } from '../config/model.ts';
import { Circuit } from './circuit.ts';
import type { Connections } from './connections.ts';
import type { PublicKey } from './public-keys.ts';
import type { ServerConnection } from './server-connection.ts';
import type { Endpoint } from './server-socket.ts';
import type { ServerState } from './server-state.ts';
import { type ServerTls, type ShownCertificate, sniFor } from './server-tls.ts';

export type Scheme = 'http' | 'https';

/** What is the same for all servers of a farm and does not stand in its IIS section. Times in seconds. */
export interface FarmSurroundings {
  readonly settings: FarmSettings;
  /** Names that bindings and rules give to what the farm publishes. */
  readonly names: readonly string[];
  readonly ca: readonly string[];
  readonly clientCertificate: ShownCertificate | undefined;
  readonly localAddress: string | undefined;
  readonly connectTimeout: number;
}

export type Endpoints = Readonly<Record<Scheme, Endpoint>>;

export type Member = Pick<ServerConfig, 'weight' | 'hostName' | 'httpPort' | 'httpsPort'> & {
  readonly address: { readonly value: string };
};

export interface ServerParts {
  readonly protocol: ProtocolConfig;
  readonly around: FarmSurroundings;
  readonly publicKeys: readonly PublicKey[];
  readonly state: ServerState;
  readonly connections: Connections;
  /** The host comes from a request, and is one of `upstream.allow`. */
  readonly computedHost?: boolean;
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
  readonly #circuits: Readonly<Record<Scheme, Circuit>> | undefined;
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
    const circuitOf = (scheme: Scheme, settings: NonNullable<FarmSettings['circuit']>) =>
      new Circuit(settings, {
        knock: (done) => knock(connections, this.#endpoints[scheme], done),
        changed: (open) => {
          if (!open) this.returns();
        },
      });
    this.#circuits = circuit && { http: circuitOf('http', circuit), https: circuitOf('https', circuit) };
  }

  endpoint(scheme: Scheme): Endpoint {
    return this.#endpoints[scheme];
  }

  /** It takes connections, as far as this worker knows. A scheme has a port of its own. */
  reachable(scheme: Scheme): boolean {
    return this.#circuits?.[scheme].open !== true;
  }

  /** A connection was made, or could not be. */
  connected(scheme: Scheme, made: boolean): void {
    if (made) this.#circuits?.[scheme].succeeded();
    else this.#circuits?.[scheme].failed();
  }

  get load(): number {
    const { currentRequests, currentWebSocketRequests } = this.state.counters;
    return currentRequests + currentWebSocketRequests;
  }

  /** The weight; less while it has only just returned. */
  get share(): number {
    const { returned } = this.state;
    if (returned === undefined) return this.weight;
    const grown = (performance.now() - returned) / this.#slowStartMs;
    if (grown < 1) return this.weight * Math.max(FIRST_SHARE, grown);
    this.state.returned = undefined;
    return this.weight;
  }

  /** It takes requests again, and is not to get all of its share at once. */
  returns(): void {
    if (this.#slowStartMs > 0) this.state.returned = performance.now();
  }

  begin(upgrade: boolean): void {
    this.state.counters.begin(upgrade);
    this.onLoad?.(this);
  }

  end(upgrade: boolean): void {
    this.state.counters.end(upgrade);
    this.onLoad?.(this);
  }

  /** The server is to blame: it was not reached, broke off, or sent no valid answer in time. */
  fail(upgrade: boolean): void {
    this.state.counters.fail(upgrade);
    this.state.failures++;
  }

  /**
   * The head of an answer has come.
   * @param time milliseconds since it was asked
   * @param failure the status is one of `liveTrafficFailureCodes`
   */
  answered(time: number, failure: boolean): void {
    this.state.counters.answers++;
    this.state.counters.answerTime += time;
    if (failure) this.state.failures++;
  }

  /** It is not needed any more. */
  close(): void {
    this.#circuits?.http.close();
    this.#circuits?.https.close();
  }
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
  };
  connections.lease(endpoint, taker, { fresh: true });
}

export function endpointsOf(
  member: Member,
  { protocol, around, publicKeys, computedHost = false }: Omit<ServerParts, 'state' | 'connections'>,
): Endpoints {
  const { settings } = around;
  const address = member.address.value;
  const serverName = sniFor(address, settings.serverName);
  const base = {
    address,
    computedHost,
    localAddress: around.localAddress,
    connectTimeout: Math.min(around.connectTimeout, protocol.timeout),
    timeout: protocol.timeout,
    maxResponseHeaderSize: protocol.maxResponseHeaderSize,
    maxConnections: settings.maxConnections,
    queueLength: settings.queueLength,
    queueTimeout: settings.queueTimeout,
  };
  const names = [address, member.hostName, settings.serverName ?? '', protocol.alternateHostName, ...around.names];
  const tls: ServerTls = {
    verify: settings.verify,
    names: [...new Set(names.filter((name) => name !== ''))],
    pins: settings.pins,
    ca: around.ca,
    publicKeys,
    ...(around.clientCertificate && { clientCertificate: around.clientCertificate }),
    ...(serverName === undefined ? {} : { serverName }),
  };
  return {
    http: { ...base, port: member.httpPort, tls: undefined },
    https: { ...base, port: member.httpsPort, tls },
  };
}
