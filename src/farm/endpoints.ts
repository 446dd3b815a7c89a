/** Where a member of a farm is reached, for each scheme, and what of its farm and of the settings decides it. */
import type { ProtocolConfig, ServerConfig } from '../config/farm-model.ts';
import type { FarmSettings } from '../config/settings-model.ts';
import type { Endpoint, Scheme } from '../connect/endpoint.ts';
import type { PublicKey } from '../connect/public-keys.ts';
import type { ServerRoutes } from '../connect/server-routes.ts';
import { type ServerTls, type ShownCertificate, sniFor } from '../connect/server-tls.ts';

/** What is the same for all servers of a farm and does not stand in its IIS section. Times in seconds. */
export interface FarmSurroundings {
  readonly settings: FarmSettings;
  readonly routes: ServerRoutes;
  /** Names that bindings and rules give to what the farm publishes. */
  readonly names: readonly string[];
  readonly ca: readonly string[];
  readonly allowPartialTrustChain: boolean;
  readonly clientCertificate: ShownCertificate | undefined;
  readonly localAddress: string | undefined;
  readonly connectTimeout: number;
}

export type Endpoints = Readonly<Record<Scheme, Endpoint>>;

export type Member = Pick<ServerConfig, 'weight' | 'hostName' | 'httpPort' | 'httpsPort'> & {
  readonly address: { readonly value: string };
};

export interface EndpointParts {
  readonly protocol: ProtocolConfig;
  readonly around: FarmSurroundings;
  readonly publicKeys: readonly PublicKey[];
  /** The host comes from a request, and is one of `upstream.allow`. */
  readonly computedHost?: boolean;
}

export function endpointsOf(
  member: Member,
  { protocol, around, publicKeys, computedHost = false }: EndpointParts,
): Endpoints {
  const { settings } = around;
  const address = member.address.value;
  const serverName = sniFor(address, settings.serverName);
  const base = {
    routes: around.routes,
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
    ...(settings.minVersion && { minVersion: settings.minVersion.value }),
    ...(settings.ciphers && { ciphers: settings.ciphers.value }),
    ...(around.allowPartialTrustChain && { allowPartialTrustChain: true }),
    ...(around.clientCertificate && { clientCertificate: around.clientCertificate }),
    ...(serverName === undefined ? {} : { serverName }),
  };
  return {
    http: { ...base, port: member.httpPort, tls: undefined },
    https: { ...base, port: member.httpsPort, tls },
  };
}
