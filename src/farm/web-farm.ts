/** A web farm as it runs: its servers, and which of them gets a request. */
import type { LoadBalancingConfig, ProtocolConfig, WebFarmConfig } from '../config/farm-model.ts';
import type { FarmSettings } from '../config/settings-model.ts';
import type { Connections } from '../connect/connections.ts';
import type { Scheme } from '../connect/endpoint.ts';
import { readPublicKeys } from '../connect/public-keys.ts';
import { ExchangeError } from '../errors.ts';
import { comparedName } from '../host-name.ts';
import type { Logger } from '../log.ts';
import { availableServers, unhealthyServers } from './available-servers.ts';
import { ClientAffinity } from './client-affinity.ts';
import type { FarmSurroundings } from './endpoints.ts';
import { HostServers } from './host-servers.ts';
import { type Balancer, leastRequests, requestHash, weightedRoundRobin } from './load-balancing.ts';
import { RetryBudget } from './retry-budget.ts';
import { Server } from './server.ts';
import { type ServerCondition, ServerState, type ServerStates, stateOf } from './server-state.ts';
import { readStatusCodes, type StatusCodes } from './status-codes.ts';

/** What of a request decides where it goes. */
export interface ServerQuestion {
  readonly scheme: Scheme;
  /** What RequestHash goes by; `''` where the farm does not ask for it. */
  readonly hashKey: string;
  /** What host-name affinity goes by; `''` where the farm does not ask for it. */
  readonly host: string;
  /** Those that it was tried on. */
  readonly tried: readonly Server[];
  /** None of those could be connected to. */
  readonly refused: boolean;
  /** It has waited in line for one of those: only a server where it need not will do. */
  readonly waited: boolean;
}

export interface WebFarm {
  /** As written in the file; `''` for direct proxying. */
  readonly name: string;
  /** No other farm or host of direct proxying has it. */
  readonly key: string;
  readonly protocol: ProtocolConfig;
  readonly servers: readonly Server[];
  /** Absent: clients are not bound to servers. */
  readonly affinity: ClientAffinity<Server> | undefined;
  /** Absent: hosts have no servers of their own. */
  readonly hosts: HostServers<Server> | undefined;
  /** What RequestHash goes by; absent: the algorithm is another. */
  readonly hashInput: HashInput | undefined;
  /** Other servers that are tried for a request. */
  readonly retries: number;
  readonly budget: RetryBudget;
  /** A status of `liveTrafficFailureCodes`. */
  readonly isFailure: StatusCodes;
  /** The server that gets a request of any client, one of its host's where that has some; `undefined`: none is available. */
  choose(question: ServerQuestion): Server | undefined;
  /** Whether a server takes the request of a client that is bound to it. */
  keeps(server: Server, question: ServerQuestion): boolean;
  /** The same of a client whose own connection to it is there: whether another could be made does not matter. */
  holds(server: Server): boolean;
  /** What the supervisor says of a server. True where that is something new: then `refresh` follows. */
  take(condition: ServerCondition): boolean;
  refresh(): void;
  /** Ends the requests under way at a server. */
  terminate(server: string): void;
  /** Which servers have the requests for a host, by address: what the supervisor answers. */
  hostServers(host: string, servers: readonly string[]): void;
  /** It is not needed any more. */
  close(): void;
}

/** The target that the server gets, a server variable, or parts of the query by name. */
export type HashInput =
  | { readonly by: 'url' }
  | { readonly by: 'variable'; readonly name: string }
  | { readonly by: 'query'; readonly names: readonly string[] };

export interface FarmParts {
  readonly around: FarmSurroundings;
  readonly connections: Connections;
  readonly log: Logger;
  readonly states: ServerStates;
  /** Behind the values of affinity cookies. */
  readonly secret: Uint8Array;
  /** Asks the supervisor which servers have the requests for a host. */
  readonly askHost: (host: string) => void;
}

/** A farm that is switched off, or whose servers all are, has no server to give: 502.4. */
export function createWebFarm(config: WebFarmConfig, parts: FarmParts): WebFarm {
  const { around, connections, log, states, secret, askHost } = parts;
  const name = config.name.value;
  const { protocol, loadBalancing, affinity, healthCheck } = config;
  const enabled = config.enabled ? config.servers.filter((server) => server.enabled) : [];
  const publicKeys = readPublicKeys(config);
  const servers = enabled.map((member) => {
    const state = stateOf(states, name, member.address.value);
    return new Server(member, { farm: name, protocol, around, publicKeys, state, connections, log });
  });
  return openFarm(servers, {
    name,
    key: `farm ${comparedName(name)}`,
    protocol,
    settings: around.settings,
    algorithm:
      around.settings.algorithm ?? (loadBalancing.algorithm === 'RequestHash' ? 'RequestHash' : 'WeightedRoundRobin'),
    loadBalancing,
    affinity: affinity.useCookie ? new ClientAffinity(name, servers, affinity, secret) : undefined,
    hosts: affinity.useHostName
      ? (balancer) => new HostServers({ config: affinity, ask: askHost, balancer })
      : undefined,
    minServers: healthCheck.minServers,
    isFailure: readStatusCodes(healthCheck.liveTrafficFailureCodes) ?? (() => false),
    connections,
  });
}

/** Where direct proxying leads. */
export interface DirectTarget {
  readonly host: string;
  readonly port: number | undefined;
  /** The host comes from a request, and is one of `upstream.allow`: it may not lead where one that a rule names may. */
  readonly computedHost: boolean;
  readonly key: string;
}

/** @param host an IPv6 address may have brackets */
export function directTarget(host: string, port: number | undefined, computedHost: boolean): DirectTarget {
  const plain = host.replace(/^\[|\]$/g, '');
  return { host: plain, port, computedHost, key: `${computedHost ? 'computed' : 'literal'} ${plain} ${port ?? ''}` };
}

/**
 * Direct proxying to a host that is no farm: a farm of one, with the settings of `system.webServer/proxy`.
 */
export function createDirectFarm(
  { host, port, computedHost, key }: DirectTarget,
  protocol: ProtocolConfig,
  { around, connections, log }: Pick<FarmParts, 'around' | 'connections' | 'log'>,
): WebFarm {
  const ports = { httpPort: port ?? 80, httpsPort: port ?? 443 };
  const member = { address: { value: host }, weight: 1, hostName: '', ...ports };
  // Nobody closes the circuits of hosts that are asked for once and never again.
  const { circuit: _none, ...settings } = around.settings;
  const state = new ServerState();
  const shared = { farm: '', protocol, around: { ...around, settings }, state, connections, log };
  const parts = { ...shared, publicKeys: [], computedHost };
  return openFarm([new Server(member, parts)], {
    name: '',
    key,
    protocol,
    settings,
    algorithm: 'WeightedRoundRobin',
    loadBalancing: undefined,
    affinity: undefined,
    hosts: undefined,
    minServers: 0,
    isFailure: () => false,
    connections,
  });
}

interface OpenParts extends Pick<WebFarm, 'name' | 'key' | 'protocol' | 'affinity' | 'isFailure'> {
  readonly settings: FarmSettings;
  /** The retired ones load as weighted round robin, as in ARR 3. */
  readonly algorithm: 'WeightedRoundRobin' | 'RequestHash' | 'LeastRequests';
  readonly loadBalancing: LoadBalancingConfig | undefined;
  readonly hosts: ((balancer: () => Balancer<Server>) => HostServers<Server>) | undefined;
  readonly minServers: number;
  readonly connections: Connections;
}

function openFarm(servers: readonly Server[], parts: OpenParts): WebFarm {
  const { name, key, protocol, settings, affinity, isFailure, minServers, connections } = parts;
  const byAddress = new Map(servers.map((server) => [comparedName(server.address), server]));
  const balancer = balancerFor(parts);
  let available: ReadonlySet<Server> = new Set();
  const refresh = () => {
    available = new Set(availableServers(servers, minServers));
    balancer.set([...available]);
  };
  refresh();
  const hosts = parts.hosts?.(() => balancerFor(parts));
  // A server that takes requests of any client takes those of its own, unhealthy though it is (`minServers`).
  const holds = (server: Server) => server.state.keepsClients || available.has(server);
  const keeps = (server: Server, { scheme, tried }: ServerQuestion) =>
    holds(server) && server.reachable(scheme) && !tried.includes(server);
  // Where the key decides, waiting at its server costs less than what the others do not have in their caches.
  const spreads = settings.maxConnections !== undefined && parts.algorithm !== 'RequestHash';
  if (parts.algorithm === 'LeastRequests') for (const server of servers) server.onLoad = balancer.loadChanged;
  return {
    name,
    key,
    protocol,
    servers,
    affinity,
    hosts,
    isFailure,
    hashInput: parts.algorithm === 'RequestHash' ? hashInputOf(parts.loadBalancing) : undefined,
    retries: settings.retries,
    budget: new RetryBudget(settings.retryBudget),
    choose(question) {
      const { scheme, tried, refused, waited, hashKey, host } = question;
      const own = hosts?.pick(
        host,
        (server) => keeps(server, question) && !(waited && !server.hasRoom(scheme)),
        hashKey,
      );
      if (own) return own;
      const untried = (server: Server) => tried.length === 0 || !tried.includes(server);
      const reachable = (server: Server) => server.reachable(scheme) && untried(server);
      const free =
        spreads || waited ? balancer.pick((server) => server.hasRoom(scheme) && reachable(server), hashKey) : undefined;
      if (free !== undefined || waited) return free;
      const picked = balancer.pick(reachable, hashKey);
      if (picked || minServers === 0) return picked;
      // Where no healthy one can be connected to, an unhealthy one may answer; or else they are asked all the same.
      const lost = (server: Server) => !server.reachable(scheme) || (refused && tried.includes(server));
      const spare = [...available].every(lost) ? unhealthyServers(servers).find(reachable) : undefined;
      return spare ?? balancer.pick(untried, hashKey);
    },
    keeps,
    holds,
    take({ server: address, state, healthy, marked = false, since = 0 }) {
      const server = byAddress.get(address);
      const known = server?.state;
      if (server === undefined || known === undefined) return false;
      if (known.state === state && known.healthy === healthy && known.marked === marked) return false;
      const was = server.state.available;
      server.state.state = state;
      server.state.healthy = healthy;
      server.state.marked = marked;
      // What was not told yet is of the time before.
      if (server.state.since !== since) Object.assign(server.state, { since, failures: 0, broken: 0 });
      if (!was && server.state.available) server.returns();
      return true;
    },
    refresh() {
      refresh();
      hosts?.changed((server) => server.state.keepsClients);
    },
    terminate(address) {
      const server = byAddress.get(address);
      if (server === undefined) return;
      const error = new ExchangeError('serverStopped', `${server.address} was stopped (ForcefulStop)`);
      for (const scheme of ['http', 'https'] as const) connections.terminate(server.endpoint(scheme), server, error);
    },
    hostServers(host, addresses) {
      hosts?.heard(
        host,
        addresses.flatMap((address) => byAddress.get(address) ?? []),
      );
    },
    close() {
      hosts?.close();
      for (const server of servers) server.close();
    },
  };
}

function balancerFor({ algorithm, loadBalancing }: OpenParts): Balancer<Server> {
  const random = loadBalancing?.randomizeLBTies ?? false;
  if (algorithm === 'RequestHash') return requestHash();
  if (algorithm === 'LeastRequests') return leastRequests(random);
  return weightedRoundRobin(random);
}

function hashInputOf(config: LoadBalancingConfig | undefined): HashInput {
  const variable = config?.hashServerVariable.value ?? '';
  if (variable !== '') return { by: 'variable', name: variable };
  const names = (config?.queryStringNames.value ?? '').split(/[,;\s]+/).filter((name) => name !== '');
  return names.length > 0 ? { by: 'query', names } : { by: 'url' };
}
