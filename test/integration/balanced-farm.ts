/** Several servers behind one proxy, each of which answers with its name: for tests of which server gets a request. */
import type { ClientHttp2Session } from 'node:http2';
import type { RunState } from '../../src/farm/server-state.ts';
import { askOver, openHttp2, type Protocol } from './clients.ts';
import {
  type Alone,
  applicationHost,
  authority,
  farmRules,
  type Published,
  startProxy,
  webFarm,
} from './environment.ts';
import { KeptClient } from './kept-client.ts';
import type { Message } from './messages.ts';
import { freePort } from './ports.ts';
import { ok, type RecordingServer, startRecordingServer } from './recording-server.ts';

export const HOST = 'app.contoso.com';
export const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];

/** A server with the address that its farm knows it by. */
export interface NamedServer extends RecordingServer {
  readonly address: string;
}

/** @param answer what a server answers; its address as the body by default */
export function startServers(
  count: number,
  answer: (address: string, request: Message) => string | undefined = (address) => ok(address),
): Promise<NamedServer[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const address = `fe0${i + 1}.contoso.local`;
      return { ...(await startRecordingServer({ answer: (request) => answer(address, request) })), address };
    }),
  );
}

export interface BalancedOptions extends Alone {
  readonly servers: readonly NamedServer[];
  /** Weights of the servers, in their order. */
  readonly weights?: readonly number[];
  /** What stands in `applicationRequestRouting`: affinity, load balancing, health check. */
  readonly routing?: string;
  readonly farm?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface AskedOf {
  readonly host?: string;
  readonly path?: string;
  /** A list: the field several times. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** By http: HTTP/1.1 only. */
  readonly plain?: boolean;
}

export interface Answered {
  readonly status: number;
  readonly body: string;
  /** Values of Set-Cookie, in order. */
  readonly cookies: readonly string[];
}

export interface BalancedFarm {
  readonly proxy: Published;
  readonly httpsPort: number;
  readonly httpPort: number;
  /** One request over a connection that is kept for the next. */
  ask(protocol: Protocol, asked?: AskedOf): Promise<Answered>;
  /** The same, and which server answered. */
  served(protocol: Protocol, asked?: AskedOf): Promise<string>;
  /** What the supervisor says of a server. */
  condition(server: NamedServer, state: RunState, healthy?: boolean): void;
}

/** applicationHost.config and settings of a farm that any host leads to. */
export function balancedFolder(
  { servers, weights = [], routing = '', farm = 'fe', settings = {} }: BalancedOptions,
  ports: { readonly https: number; readonly http: number },
) {
  const members = servers.map(({ address, httpPort, httpsPort }, i) => ({
    ...{ address, httpPort, httpsPort },
    weight: weights[i] ?? 100,
  }));
  const { farms, ...others } = settings as { farms?: object };
  return {
    iis: applicationHost({
      bindings: [`https *:${ports.https}:`, `http *:${ports.http}:`],
      farms: webFarm(farm, { servers: members, protocol: 'timeout="00:00:30"', routing }),
      rules: farmRules(farm, '*'),
    }),
    certificates: { all: [HOST] },
    settings: {
      hosts: Object.fromEntries(servers.map(({ address }) => [address, '127.0.0.1'])),
      // The stand-in servers have one certificate.
      farms: { [farm]: { serverName: 'fe01.contoso.local', ...farms } },
      ...others,
    },
  };
}

export async function publishServers(options: BalancedOptions): Promise<BalancedFarm> {
  const { farm = 'fe' } = options;
  const ports = { https: await freePort(), http: await freePort() };
  const proxy = await startProxy(balancedFolder(options, ports), options);
  const client = keptClient(ports);
  return {
    ...{ proxy, httpsPort: ports.https, httpPort: ports.http },
    ask: client,
    served: async (protocol, asked) => (await client(protocol, asked)).body,
    condition(server, state, healthy = true) {
      proxy.serving.heard({ type: 'conditions', conditions: [{ farm, server: server.address, state, healthy }] });
    },
  };
}

/**
 * Asks over one connection for each protocol, which is opened anew where it has ended.
 * @param name of the certificate, and the host where a request says no other
 */
export function keptClient(ports: { readonly https: number; readonly http: number }, name = HOST): BalancedFarm['ask'] {
  const tls = { host: name, ca: authority.certPem };
  const http1 = new Map<boolean, KeptClient>();
  let http2: ClientHttp2Session | undefined;
  const askHttp1 = async ({ host = name, path = '/', headers = {}, plain = false }: AskedOf) => {
    let client = http1.get(plain);
    if (!client?.isOpen) {
      client = new KeptClient(plain ? { port: ports.http } : { port: ports.https, tls });
      http1.set(plain, client);
    }
    const fields = Object.entries(headers).flatMap(([field, value]) =>
      [value].flat().map((each) => `${field}: ${each}`),
    );
    client.write([`GET ${path} HTTP/1.1`, `Host: ${host}`, ...fields, '', ''].join('\r\n'));
    const { status, body, headers: told } = await client.answer();
    return { status, body, cookies: told.get('set-cookie') ?? [] };
  };
  const askHttp2 = async ({ host = name, path = '/', headers = {} }: AskedOf) => {
    const asked = { protocol: 'HTTP/2' as const, port: ports.https, host, servername: name, ca: authority.certPem };
    if (http2 === undefined || http2.closed || http2.destroyed) http2 = openHttp2(asked);
    const { status, body, headers: told } = await askOver(http2, { ...asked, path, headers });
    return { status, body: body.toString(), cookies: [told['set-cookie'] ?? []].flat() };
  };
  return (protocol, asked = {}) => (protocol === 'HTTP/2' ? askHttp2(asked) : askHttp1(asked));
}

/** The cookies as a browser sends them back. */
export function cookieHeader({ cookies }: Answered): string {
  return cookies.map((cookie) => cookie.split(';')[0] ?? '').join('; ');
}
