/** A web farm as it runs: its servers, which of them is next, and the endpoint each is reached at. */
import type { FarmSettings, ProtocolConfig, ServerConfig, WebFarmConfig } from '../config/model.ts';
import { weightedRoundRobin } from './load-balancing.ts';
import { readPublicKey } from './public-keys.ts';
import { ServerCounters } from './server-counters.ts';
import type { Endpoint } from './server-socket.ts';
import { type ServerTls, type ShownCertificate, sniFor } from './server-tls.ts';

export type Scheme = 'http' | 'https';

/** A member of a farm, or the one host of direct proxying. */
export interface Server {
  readonly address: string;
  readonly weight: number;
  /** `hostName` of the member: the Host it gets where the client's is not kept; `''` for its address. */
  readonly hostName: string;
  readonly counters: ServerCounters;
  endpoint(scheme: Scheme): Endpoint;
}

export interface WebFarm {
  /** As written in the file; `''` for direct proxying. */
  readonly name: string;
  readonly protocol: ProtocolConfig;
  readonly servers: readonly Server[];
  /** The server that gets the next request; `undefined` when none is available. */
  next(): Server | undefined;
}

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

/** A farm that is switched off, or whose servers all are, has no server to give: 502.4. */
export function createWebFarm(config: WebFarmConfig, around: FarmSurroundings): WebFarm {
  const enabled = config.enabled ? config.servers.filter((server) => server.enabled) : [];
  // What cannot be read has kept the service from starting.
  const publicKeys = config.publicKeys.map(readPublicKey).filter((key) => typeof key !== 'string');
  const servers = enabled.map((server) => createServer(server, config.protocol, { ...around, publicKeys }));
  return { name: config.name.value, protocol: config.protocol, servers, next: weightedRoundRobin(servers) };
}

/** Direct proxying to a host that is no farm: a farm of one, with the settings of `system.webServer/proxy`. */
export function createDirectFarm(
  host: string,
  port: number | undefined,
  protocol: ProtocolConfig,
  around: FarmSurroundings,
): WebFarm {
  const ports = { httpPort: port ?? 80, httpsPort: port ?? 443 };
  const server = createServer({ address: { value: host }, weight: 1, hostName: '', ...ports }, protocol, {
    ...around,
    publicKeys: [],
  });
  return { name: '', protocol, servers: [server], next: () => server };
}

type Member = Pick<ServerConfig, 'weight' | 'hostName' | 'httpPort' | 'httpsPort'> & { address: { value: string } };

function createServer(
  member: Member,
  protocol: ProtocolConfig,
  around: FarmSurroundings & Pick<ServerTls, 'publicKeys'>,
): Server {
  const address = member.address.value;
  const { settings } = around;
  const serverName = sniFor(address, settings.serverName);
  const base = {
    address,
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
    publicKeys: around.publicKeys,
    ...(around.clientCertificate && { clientCertificate: around.clientCertificate }),
    ...(serverName === undefined ? {} : { serverName }),
  };
  const endpoints: Record<Scheme, Endpoint> = {
    http: { ...base, port: member.httpPort, tls: undefined },
    https: { ...base, port: member.httpsPort, tls },
  };
  return {
    address,
    weight: member.weight,
    hostName: member.hostName,
    counters: new ServerCounters(),
    endpoint: (scheme) => endpoints[scheme],
  };
}
