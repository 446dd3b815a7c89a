/** One name published with HTTPS and with HTTP, in front of the servers that a test makes itself. */
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import type { CounterValues } from '../../src/farm/server-counters.ts';
import type { RunState, ServerTraffic } from '../../src/farm/server-state.ts';
import { openRaw } from './clients.ts';
import {
  applicationHost,
  authority,
  certificateFor,
  farmRules,
  type Published,
  startProxy,
  webFarm,
} from './environment.ts';
import { freePort } from './ports.ts';

/** Of every member of the farm. */
const SERVER_NAMES = '*.contoso.local';

export interface OneFarmOptions {
  readonly host: string;
  /** Ports of the members; plain and TLS may be the same where the test asks over one of them only. */
  readonly servers: readonly { readonly httpPort?: number; readonly httpsPort?: number; readonly weight?: number }[];
  readonly protocol?: string;
  /** Elements beside `protocol`. */
  readonly routing?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Of requests to the servers, where it is not that of the client's. */
  readonly scheme?: 'http';
}

export interface OneFarm {
  readonly proxy: Published;
  readonly host: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** What a client needs for the port with TLS. */
  readonly tls: { readonly host: string; readonly ca: string };
}

/** Requests over TLS go to the servers' TLS ports, plain ones to the others. Everything ends with the test. */
export async function publishFarm({
  host,
  servers,
  protocol,
  routing,
  settings,
  scheme,
}: OneFarmOptions): Promise<OneFarm> {
  const httpPort = await freePort();
  const httpsPort = await freePort();
  // Members need names of their own, which all mean this machine.
  const members = servers.map((server, i) => ({ address: `fe0${i + 1}.contoso.local`, ...server }));
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`https *:${httpsPort}:${host}`, `http *:${httpPort}:${host}`],
      farms: webFarm('fe', {
        servers: members,
        ...(protocol === undefined ? {} : { protocol }),
        ...(routing === undefined ? {} : { routing }),
      }),
      rules:
        scheme === undefined ? farmRules('fe', host) : farmRules('fe', host).replaceAll('https://fe', `${scheme}://fe`),
    }),
    certificates: { all: [host] },
    settings: { hosts: Object.fromEntries(members.map(({ address }) => [address, '127.0.0.1'])), ...settings },
  });
  return { proxy, host, httpPort, httpsPort, tls: { host, ca: authority.certPem } };
}

/** What the supervisor says of the server with this number, from 1. */
export function tellCondition({ proxy }: OneFarm, server: number, state: RunState, healthy = true): void {
  const condition = { farm: 'fe', server: `fe0${server}.contoso.local`, state, healthy, since: performance.now() };
  proxy.serving.heard({ type: 'conditions', conditions: [condition] });
}

/** The two messages of a ForcefulStop. */
export function stopForcefully(farm: OneFarm, server: number): void {
  tellCondition(farm, server, 'Inactive');
  farm.proxy.serving.heard({ type: 'terminate', farm: 'fe', server: `fe0${server}.contoso.local` });
}

/** What the supervisor would know of each server now: it adds up the failures, which the worker tells whenever it pleases. */
export function trafficOf({ proxy }: OneFarm): readonly ServerTraffic[] {
  proxy.serving.heard({ type: 'report', id: 1 });
  const told = proxy.told.flatMap((message) => (message.type === 'traffic' ? [message.servers] : []));
  const sum = (name: string, what: 'failures' | 'broken') =>
    told.flat().reduce((total, { server, [what]: count }) => total + (server === name ? count : 0), 0);
  return (told.at(-1) ?? []).map((last) => ({
    ...last,
    failures: sum(last.server, 'failures'),
    broken: sum(last.server, 'broken'),
  }));
}

/** Of each server, as they stand now. */
export function countersOf(farm: OneFarm): readonly CounterValues[] {
  return trafficOf(farm).map(({ counters }) => counters);
}

export interface RawServer {
  readonly port: number;
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** The next connection that opens. */
  opened(): Promise<Socket>;
}

/** A server that does to each connection what the test says; with TLS where it has a certificate. */
export async function rawServer(onConnection: (socket: Socket) => void, secure = false): Promise<RawServer> {
  const take = (socket: Socket) => {
    watched.add(socket);
    onConnection(socket);
  };
  const server = secure
    ? createTlsServer({ ...certificateFor(SERVER_NAMES), allowHalfOpen: true }, take)
    : createTcpServer({ allowHalfOpen: true, noDelay: true }, take);
  server.on('tlsClientError', () => undefined);
  const watched = watchSockets();
  const port = await listen(server);
  return { port, sockets: watched.sockets, opened: watched.opened };
}

export interface HttpServerInTest extends RawServer {
  readonly server: HttpServer;
}

/**
 * Node's own HTTP/1.1 server on a plain port, with its connections within reach.
 * @param place where it listens; otherwise on any port of 127.0.0.1
 */
export async function httpServer(
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
  place?: { readonly address: string; readonly port: number },
): Promise<HttpServerInTest> {
  const server = createServer({ keepAliveTimeout: 120_000, maxHeaderSize: 131_072 }, onRequest);
  const watched = watchSockets();
  server.on('connection', watched.add);
  const port = await listen(server, place);
  return { server, port, sockets: watched.sockets, opened: watched.opened };
}

function watchSockets() {
  const sockets = new Set<Socket>();
  let waiting: ((socket: Socket) => void)[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return {
    sockets,
    add(socket: Socket) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
      const told = waiting;
      waiting = [];
      for (const each of told) each(socket);
    },
    opened: () => new Promise<Socket>((resolve) => waiting.push(resolve)),
  };
}

async function listen(server: Server, { address, port } = { address: '127.0.0.1', port: 0 }): Promise<number> {
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return (server.address() as AddressInfo).port;
}

/** Resolves when the other side has closed, and lets the socket go. */
export function closeOf(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  socket.once('end', () => socket.destroy());
  if (socket.readableEnded) socket.destroy();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** A port whose queue of connections is full, and stays so. */
export async function deafPort(): Promise<number> {
  const code = `
    const { createServer } = require('node:net');
    const { parentPort } = require('node:worker_threads');
    const server = createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      // Nothing is accepted from here on.
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
    });`;
  const worker = new Worker(code, { eval: true });
  onTestFinished(async () => {
    await worker.terminate();
  });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  for (let i = 0; i < 2; i++) {
    const { socket } = openRaw(port);
    await new Promise((resolve) => socket.once('connect', resolve));
  }
  return port;
}
