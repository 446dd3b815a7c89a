/** Servers that cannot be connected to: who waits for them, who does not, and how they are found again. */
import { Server as NetServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { TYPE_1 } from '../demo/ntlm-client.ts';
import { openRaw, type Protocol } from './clients.ts';
import { certificateFor } from './environment.ts';
import { KeptClient } from './kept-client.ts';
import { askLane, type LaneRequest, type Outcome } from './lane-client.ts';
import {
  countersOf,
  httpServer,
  type OneFarm,
  type OneFarmOptions,
  publishFarm,
  type RawServer,
  rawServer,
  tellCondition,
} from './one-farm.ts';
import { freePort } from './ports.ts';
import { ok, startRecordingServer } from './recording-server.ts';

const host = 'app.contoso.com';
const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];
/** Nobody looks whether the server is back as long as a test lasts. */
const FOR_GOOD = { failures: 3, pause: 100_000, longestPause: 100_000 };

const publish = (servers: OneFarmOptions['servers'], fe: Record<string, unknown>) =>
  // Nobody is to be freed by the end of a time.
  publishFarm({ host, servers, settings: { farms: { fe }, timeouts: { connect: 3600 } } });

function send(protocol: Protocol, farm: OneFarm, request: Partial<LaneRequest> = {}): Promise<Outcome> {
  const { httpsPort: port, tls } = farm;
  return askLane(protocol, { port, ...tls, method: 'GET', target: '/', headers: [], ...request });
}

const ORDER = { method: 'POST', body: 'order', length: 5 } as const;

const named = (name: string) => startRecordingServer({ answer: () => ok(name) });

/** Accepts connections, and ends them before or in the handshake of TLS. */
async function resettingServer(): Promise<RawServer & { readonly accepted: number }> {
  let accepted = 0;
  const server = await rawServer((socket) => {
    accepted++;
    socket.resetAndDestroy();
  });
  return {
    ...server,
    get accepted() {
      return accepted;
    },
  };
}

/** Takes connections, and resets them when they bring a request. */
const failingServer = () =>
  startRecordingServer({
    answer: (_request, { socket }) => {
      socket.resetAndDestroy();
      return undefined;
    },
  });

/** Accepts connections, and leaves them alone until the test does something with them. */
async function silentServer(): Promise<
  RawServer & { readonly accepted: readonly Socket[]; until(count: number): Promise<void> }
> {
  const accepted: Socket[] = [];
  const server = await rawServer((socket) => accepted.push(socket));
  return {
    ...server,
    accepted,
    async until(count) {
      while (accepted.length < count) await server.opened();
    },
  };
}

/** What the log says of circuits. */
const told = ({ proxy }: OneFarm) =>
  proxy.logged
    .filter(({ port }) => port !== undefined)
    .map(({ level, farm, server, port, msg }) => ({ level, farm, server, port, msg: String(msg) }));

const codes = ({ proxy }: OneFarm) =>
  proxy.logged.filter(({ code }) => code !== undefined).map(({ code, win32 }) => `${code} ${win32}`);

const WARN = 40;
const INFO = 30;

describe.each(PROTOCOLS)('over %s', (protocol) => {
  test('after three failures in a row nobody tries any more, and the log says so once', async () => {
    const first = await resettingServer();
    const second = await named('second');
    const farm = await publish([{ httpsPort: first.port }, second], { circuit: FOR_GOOD });
    for (let i = 0; i < 20; i++) expect((await send(protocol, farm, ORDER)).body).toBe('second');
    expect(first.accepted).toBe(3);
    expect(second.requests.map(({ body }) => body)).toEqual(Array(20).fill('order'));
    const place = { farm: 'fe', server: 'fe01.contoso.local', port: first.port };
    const line = expect.stringMatching(/^no connection can be made, .*(ECONNRESET|disconnected)/);
    expect(told(farm)).toEqual([{ level: WARN, ...place, msg: line }]);
    expect(codes(farm)).toEqual([]);
  });

  test('minServers: an unhealthy server that can be reached is asked where the healthy ones cannot', async () => {
    const second = await named('second');
    const farm = await publishFarm({
      host,
      servers: [{ httpsPort: await freePort() }, second],
      routing: '<healthCheck minServers="1" />',
      settings: { farms: { fe: { circuit: FOR_GOOD } } },
    });
    tellCondition(farm, 2, 'Active', false);
    for (let i = 0; i < 10; i++) expect((await send(protocol, farm, ORDER)).body).toBe('second');
    expect(codes(farm)).toEqual([]);
  });

  test('minServers: nor is it asked where a healthy one breaks a request, or has no room for it', async () => {
    const first = await startRecordingServer({
      answer: ({ startLine }, { socket }) => {
        if (!startLine.includes('/held')) socket.destroy();
        return undefined;
      },
    });
    const second = await named('second');
    const farm = await publishFarm({
      host,
      servers: [first, second],
      routing: '<healthCheck minServers="1" />',
      settings: { farms: { fe: { maxConnections: 1, queueLength: 0 } } },
    });
    tellCondition(farm, 2, 'Active', false);
    expect((await send(protocol, farm)).status).toBe(502);
    void send(protocol, farm, { target: '/held' });
    await first.until(({ requests }) => requests.length === 2);
    expect((await send(protocol, farm)).status).toBe(503);
    expect(second.connections).toEqual([]);
  });

  test('whoever still waits for it goes to another server as soon as it is given up', async () => {
    const first = await silentServer();
    const second = await named('second');
    const farm = await publish([{ httpsPort: first.port }, second], { circuit: { ...FOR_GOOD, failures: 1 } });
    // Every other one is for the first server.
    const asked = Array.from({ length: 8 }, () => send(protocol, farm, ORDER));
    await first.until(4);
    first.accepted[2]?.resetAndDestroy();
    for (const each of asked) expect((await each).body).toBe('second');
    expect(second.requests.map(({ body }) => body)).toEqual(Array(8).fill('order'));
    expect(first.accepted).toHaveLength(4);
    const counted = countersOf(farm).map((each) => [each.totalRequests, each.currentRequests, each.failedRequests]);
    expect(counted).toEqual([
      [4, 0, 4],
      [8, 0, 0],
    ]);
  });

  test('where there is no other one, those who wait go on waiting, and are served when it is there', async () => {
    const only = await silentServer();
    const farm = await publish([{ httpsPort: only.port }], { circuit: { ...FOR_GOOD, failures: 1 } });
    const asked = [send(protocol, farm, ORDER), send(protocol, farm, ORDER)];
    await only.until(2);
    only.accepted[0]?.resetAndDestroy();
    const lost = await Promise.race(asked);
    expect(lost.status).toBe(502);
    expect(codes(farm)).toEqual(['502.3 12030']);
    // Nobody else waits.
    expect((await send(protocol, farm)).status).toBe(502);
    expect(codes(farm).at(-1)).toBe('502.4 0');
    answerOver(only.accepted[1]!);
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 502]);
    expect(told(farm).map(({ level }) => level)).toEqual([WARN, INFO]);
    // The connection that was made is proof enough.
    expect((await send(protocol, farm)).status).toBe(200);
    expect(only.accepted).toHaveLength(2);
  });

  test('a farm of one: 502.3, then 502.4 at once; it is found again by a connection that carries no request', async () => {
    const port = await freePort();
    const farm = await publish([{ httpsPort: port }], { circuit: { failures: 3, pause: 0.05, longestPause: 0.1 } });
    for (let i = 0; i < 5; i++) expect((await send(protocol, farm)).status).toBe(502);
    expect(codes(farm)).toEqual([...Array(3).fill('502.3 12029'), '502.4 0', '502.4 0']);
    const reason = farm.proxy.logged.findLast(({ code }) => code === '502.4')?.msg;
    expect(reason).toBe('farm fe: no server takes requests: fe01.contoso.local (cannot be connected to)');
    const server = await startRecordingServer({}, { https: port });
    await expect.poll(() => told(farm).length).toBe(2);
    expect(server.requests).toEqual([]);
    expect((await send(protocol, farm)).status).toBe(200);
    expect(told(farm).map(({ level, msg }) => [level, msg.replace(/:.*/, '')])).toEqual([
      [WARN, 'no connection can be made, and until one can no request waits for it'],
      [INFO, 'connections can be made again'],
    ]);
    // The one that was made for it is used.
    expect(server.connections).toHaveLength(1);
  });

  test('"circuit": false: every request tries', async () => {
    const first = await resettingServer();
    const second = await named('second');
    const farm = await publish([{ httpsPort: first.port }, second], { circuit: false });
    for (let i = 0; i < 10; i++) expect((await send(protocol, farm)).body).toBe('second');
    expect(first.accepted).toBe(10);
    expect(told(farm)).toEqual([]);
  });
});

/** Makes the handshake that a server has left undone, and answers everything. */
function answerOver(socket: Socket): void {
  const secure = new TLSSocket(socket, { isServer: true, ...certificateFor('*.contoso.local') });
  secure.on('error', () => undefined);
  secure.on('data', () => secure.write(ok('late')));
}

test('clients that leave before a connection is made or not: what comes of it counts all the same', async () => {
  const first = await silentServer();
  const second = await named('second');
  const farm = await publish([{ httpsPort: first.port }, second], { circuit: { ...FOR_GOOD, failures: 1 } });
  const client = openRaw(farm.httpsPort, farm.tls);
  client.socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await first.until(1);
  client.socket.destroy();
  await expect.poll(() => countersOf(farm)[0]?.currentRequests).toBe(0);
  first.accepted[0]?.resetAndDestroy();
  await expect.poll(() => told(farm).length).toBe(1);
  for (let i = 0; i < 4; i++) expect((await send('HTTP/1.1', farm)).body).toBe('second');
  expect(first.accepted).toHaveLength(1);
});

test('the ports of a server are judged apart', async () => {
  const plain = await named('plain');
  const second = await named('second');
  const farm = await publish([{ httpPort: plain.httpPort, httpsPort: await freePort() }, second], {
    circuit: FOR_GOOD,
  });
  for (let i = 0; i < 10; i++) expect((await send('HTTP/1.1', farm)).body).toBe('second');
  expect(told(farm)).toHaveLength(1);
  const client = new KeptClient({ port: farm.httpPort });
  const bodies = new Set<string>();
  for (let i = 0; i < 10; i++) bodies.add((await client.ask({ host })).body);
  expect([...bodies].toSorted()).toEqual(['plain', 'second']);
});

test('a login goes on over its connection while no other can be made', async () => {
  const challenging = (name: string) =>
    httpServer((_request, response) => response.writeHead(401, { 'WWW-Authenticate': 'NTLM' }).end(name));
  const first = await challenging('first');
  const second = await challenging('second');
  const farm = await publish([{ httpPort: first.port }, { httpPort: second.port }], {
    circuit: { ...FOR_GOOD, failures: 1 },
  });
  const logIn = (client: KeptClient) => client.ask({ host, headers: { Authorization: TYPE_1 } });
  let client: KeptClient;
  do client = new KeptClient({ port: farm.httpPort });
  while ((await logIn(client)).body !== 'first');
  // As a server whose queue is full: its connections live on.
  NetServer.prototype.close.call(first.server);
  do expect((await logIn(new KeptClient({ port: farm.httpPort }))).body).toBe('second');
  while (told(farm).length === 0);
  for (let i = 0; i < 5; i++) expect((await logIn(client)).body).toBe('first');
});

test('an address of our own that cannot be used is no fault of the servers', async () => {
  const farm = await publish([await named('first'), await named('second')], {
    circuit: FOR_GOOD,
    localAddress: '192.0.2.1',
  });
  for (let i = 0; i < 10; i++) expect((await send('HTTP/1.1', farm)).status).toBe(502);
  expect(codes(farm)).toEqual(Array(10).fill('502.3 12029'));
  expect(told(farm)).toEqual([]);
  expect(countersOf(farm).map(({ failedRequests }) => failedRequests)).toEqual([0, 0]);
});

test('a server that takes connections and resets every request: what may goes elsewhere, and the supervisor is told', async () => {
  const first = await failingServer();
  const second = await named('second');
  const farm = await publish([first, second], { circuit: { ...FOR_GOOD, failures: 1 } });
  const client = new KeptClient({ port: farm.httpPort });
  for (let i = 0; i < 10; i++) expect((await client.ask({ host })).body).toBe('second');
  const orders: number[] = [];
  for (let i = 0; i < 10; i++) orders.push((await client.ask({ host, method: 'POST', body: 'order' })).status);
  expect(orders.toSorted()).toEqual([...Array(5).fill(200), ...Array(5).fill(502)]);
  expect(told(farm)).toEqual([]);
  const failures = () =>
    farm.proxy.told.flatMap((message) =>
      message.type === 'traffic' ? message.servers.map((each) => [each.server, each.failures] as const) : [],
    );
  const sum = (server: string) => failures().reduce((total, [each, count]) => total + (each === server ? count : 0), 0);
  await expect.poll(() => sum('fe01.contoso.local')).toBe(first.requests.length);
  expect(sum('fe02.contoso.local')).toBe(0);
});

test('a service that has stopped does not look for servers any more', async () => {
  const port = await freePort();
  const farm = await publish([{ httpsPort: port }], { circuit: { failures: 1, pause: 0.001, longestPause: 0.001 } });
  expect((await send('HTTP/1.1', farm)).status).toBe(502);
  await farm.proxy.serving.stop(1);
  const server = await startRecordingServer({}, { https: port });
  for (let i = 1; i <= 30; i++) {
    const { socket } = openRaw(port, { ...farm.tls, host: 'fe01.contoso.local' });
    await server.until(({ connections }) => connections.length === i);
    socket.destroy();
  }
});
