/** Servers that may have only so many connections: who waits in line, who need not, and who is sent away. */
import { describe, expect, test } from 'vitest';
import type { Protocol } from './clients.ts';
import { KeptClient } from './kept-client.ts';
import { askLane, type LaneRequest, type Outcome } from './lane-client.ts';
import { type Message, targetOf } from './messages.ts';
import { countersOf, type OneFarm, publishFarm, rawServer } from './one-farm.ts';
import { ok, type RecordingServer, startRecordingServer } from './recording-server.ts';
import { echoServer, openWebSocket } from './web-sockets.ts';

const host = 'app.contoso.com';
const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];

/** Answers with its name; what asks for `/held…` waits for the test. */
const named = (name: string) =>
  startRecordingServer({
    answer: (request: Message) => (targetOf(request).startsWith('/held') ? undefined : ok(name)),
  });

async function publish(names: readonly string[], fe: Record<string, unknown>) {
  const servers = await Promise.all(names.map(named));
  const settings = { farms: { fe: { maxConnections: 1, ...fe } } };
  const farm = await publishFarm({ host, servers, routing: '<affinity useCookie="true" />', settings });
  return { farm, servers };
}

function send(protocol: Protocol, farm: OneFarm, target = '/', more: Partial<LaneRequest> = {}): Promise<Outcome> {
  const { httpsPort: port, tls } = farm;
  return askLane(protocol, { port, ...tls, method: 'GET', target, headers: [], ...more });
}

/** A request that the server has, and does not answer until `release`. */
async function hold(protocol: Protocol, farm: OneFarm, servers: readonly RecordingServer[]) {
  const before = servers.map(({ requests }) => requests.length);
  const outcome = send(protocol, farm, '/held');
  const server = await Promise.race(
    servers.map(async (each, i) => {
      await each.until(({ requests }) => requests.length > (before[i] ?? 0));
      return each;
    }),
  );
  return { outcome, server, release: () => release(server) };
}

/** Answers the request that a server holds. */
function release({ connections }: RecordingServer): void {
  connections.findLast(({ closed }) => !closed)?.socket.write(ok('released'));
}

/** Resolves when so many requests are under way at each server, those in line included. */
const underWay = (farm: OneFarm, ...counts: readonly number[]) =>
  expect.poll(() => countersOf(farm).map(({ currentRequests }) => currentRequests)).toEqual(counts);

const codes = ({ proxy }: OneFarm) =>
  proxy.logged.filter(({ code }) => code !== undefined).map(({ code, win32 }) => `${code} ${win32}`);

const cookieOf = ({ headers }: Outcome) => /^set-cookie: (ARRAffinity=[0-9a-f]+)/m.exec(headers.join('\n'))?.[1] ?? '';

/** The cookie of a client that belongs to this server. */
async function boundTo(protocol: Protocol, farm: OneFarm, server: string): Promise<string> {
  for (;;) {
    const told = await send(protocol, farm);
    if (told.body === server) return cookieOf(told);
  }
}

describe.each(PROTOCOLS)('over %s', (protocol) => {
  test('where another server has a free connection, nobody waits', async () => {
    const { farm, servers } = await publish(['first', 'second'], {});
    const held = await hold(protocol, farm, servers);
    const other = held.server === servers[0] ? 'second' : 'first';
    for (let i = 0; i < 10; i++) expect((await send(protocol, farm)).body).toBe(other);
    held.release();
    expect((await held.outcome).body).toBe('released');
  });

  test('in line they are served one by one, in their order, over the one connection', async () => {
    const { farm, servers } = await publish(['first'], {});
    const held = await hold(protocol, farm, servers);
    const waiting: Promise<Outcome>[] = [];
    for (let i = 1; i <= 5; i++) {
      waiting.push(send(protocol, farm, `/${i}`, { method: 'POST', body: 'order', length: 5 }));
      await underWay(farm, 1 + i);
    }
    expect(servers[0]!.requests).toHaveLength(1);
    held.release();
    for (const each of waiting) expect((await each).body).toBe('first');
    expect(servers[0]!.requests.map(targetOf)).toEqual(['/held', '/1', '/2', '/3', '/4', '/5']);
    expect(servers[0]!.connections).toHaveLength(1);
  });

  test('beyond queueLength: 503 with Retry-After; who leaves the line makes room in it', async () => {
    const { farm, servers } = await publish(['first'], { queueLength: 1 });
    const held = await hold(protocol, farm, servers);
    const leaving = new KeptClient({ port: farm.httpsPort, tls: farm.tls });
    leaving.write(`GET /leaves HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await underWay(farm, 2);
    const refused = await send(protocol, farm);
    expect(refused).toMatchObject({ status: 503, whole: true });
    expect(refused.headers).toContain('retry-after: 5');
    expect(codes(farm)).toEqual(['503.0 0']);
    leaving.socket.destroy();
    await underWay(farm, 1);
    const waiting = send(protocol, farm, '/waits');
    await underWay(farm, 2);
    held.release();
    expect((await waiting).body).toBe('first');
    expect(servers[0]!.requests.map(targetOf)).toEqual(['/held', '/waits']);
    // No fault of the server.
    expect(countersOf(farm)).toMatchObject([{ currentRequests: 0, failedRequests: 0 }]);
  });

  test('queueLength 0: nobody waits, and there is room again behind the answer', async () => {
    const { farm, servers } = await publish(['first'], { queueLength: 0 });
    const held = await hold(protocol, farm, servers);
    expect((await send(protocol, farm)).status).toBe(503);
    // Who was turned away was no request of the server.
    expect(countersOf(farm)).toMatchObject([{ totalRequests: 1, currentRequests: 1, failedRequests: 0 }]);
    held.release();
    await held.outcome;
    expect((await send(protocol, farm)).body).toBe('first');
  });

  test('a full line at one server: the next one’s, however few retries there may be; 503 where all are full', async () => {
    const { farm, servers } = await publish(['first', 'second', 'third'], { queueLength: 1, retries: 0 });
    const cookie = await boundTo(protocol, farm, 'first');
    const held = [];
    while (held.length < 3) held.push(await hold(protocol, farm, servers));
    // All of them belong to the first server, and wait in one line after the other.
    const bound = { headers: [['Cookie', cookie]] } as const;
    const waiting: Promise<Outcome>[] = [];
    for (let i = 1; i <= 3; i++) {
      waiting.push(send(protocol, farm, '/', bound));
      await expect.poll(() => countersOf(farm).reduce((sum, each) => sum + each.currentRequests, 0)).toBe(3 + i);
    }
    expect(countersOf(farm).map(({ currentRequests }) => currentRequests)).toEqual([2, 2, 2]);
    expect((await send(protocol, farm, '/', bound)).status).toBe(503);
    for (const each of held) each.release();
    const bodies = (await Promise.all(waiting)).map(({ body }) => body);
    expect(bodies.toSorted()).toEqual(['first', 'second', 'third']);
  });

  test('queueTimeout: 503', async () => {
    const { farm, servers } = await publish(['first'], { queueTimeout: 1 });
    const held = await hold(protocol, farm, servers);
    const lost = await send(protocol, farm);
    expect([lost.status, lost.headers.includes('retry-after: 5')]).toEqual([503, true]);
    expect(codes(farm)).toEqual(['503.0 0']);
    expect(farm.proxy.logged.at(-1)?.msg).toMatch(
      /^fe01\.contoso\.local:\d+: no connection became free within 1 s \(queueTimeout\)$/,
    );
    held.release();
    expect((await held.outcome).body).toBe('released');
  });

  test('queueTimeout: nobody waits a second time', async () => {
    const { farm, servers } = await publish(['first', 'second'], { queueTimeout: 2 });
    const held = [await hold(protocol, farm, servers), await hold(protocol, farm, servers)];
    const asked = send(protocol, farm);
    const current = () => countersOf(farm).map(({ currentRequests }) => currentRequests);
    await expect.poll(() => current().toSorted()).toEqual([1, 2]);
    const place = current()[0] === 2 ? 'fe01' : 'fe02';
    expect((await asked).status).toBe(503);
    expect(farm.proxy.logged.at(-1)?.msg).toMatch(new RegExp(`^${place}\\..*: no connection became free`));
    for (const each of held) each.release();
  });

  test('queueTimeout: a client that belongs to its server waits there, and then gets another that is free', async () => {
    const { farm, servers } = await publish(['first', 'second'], { queueTimeout: 1 });
    const bound = { headers: [['Cookie', await boundTo(protocol, farm, 'first')]] } as const;
    const held = send(protocol, farm, '/held', bound);
    await servers[0]!.until(({ requests }) => requests.some((each) => targetOf(each) === '/held'));
    const told = await send(protocol, farm, '/', bound);
    expect(told.body).toBe('second');
    expect(cookieOf(told)).not.toBe('');
    expect(codes(farm)).toEqual([]);
    release(servers[0]!);
    expect((await held).body).toBe('released');
  });

  test('those in line for a server that is given up go to another one', async () => {
    const silent = await rawServer(() => undefined);
    const second = await named('second');
    const farm = await publishFarm({
      host,
      servers: [{ httpsPort: silent.port }, second],
      settings: {
        farms: { fe: { maxConnections: 1, queueTimeout: 3600, circuit: { failures: 1, pause: 1000 } } },
        timeouts: { connect: 3600 },
      },
    });
    const opened = silent.opened();
    const connecting = send(protocol, farm);
    const socket = await opened;
    const held = await hold(protocol, farm, [second]);
    const waiting = [1, 2, 3, 4].map(() => send(protocol, farm));
    await underWay(farm, 3, 3);
    socket.resetAndDestroy();
    await underWay(farm, 0, 6);
    held.release();
    for (const each of [connecting, ...waiting]) expect((await each).body).toBe('second');
    expect(codes(farm)).toEqual([]);
  });

  test('a kept connection that the server has ended takes nobody’s place', async () => {
    const { farm, servers } = await publish(['first'], { queueLength: 0 });
    for (let i = 1; i <= 3; i++) {
      expect((await send(protocol, farm)).body).toBe('first');
      servers[0]!.connections.at(-1)?.socket.destroy();
      await servers[0]!.until(({ connections }) => connections.every(({ closed }) => closed));
    }
    expect(servers[0]!.connections).toHaveLength(3);
  });

  test('a kept connection that breaks under a request makes room for another: with queueLength 0 as well', async () => {
    const server = await startRecordingServer({
      answer: (_request, { socket, requests }) => {
        if (requests.length === 1) return ok('answer');
        socket.destroy();
        return undefined;
      },
    });
    const farm = await publishFarm({
      host,
      servers: [server],
      settings: { farms: { fe: { maxConnections: 1, queueLength: 0 } } },
    });
    for (let i = 0; i < 3; i++) expect((await send(protocol, farm)).status).toBe(200);
    expect(server.connections).toHaveLength(3);
  });
});

test('a WebSocket is a connection like any other', async () => {
  const server = await echoServer();
  const settings = { farms: { fe: { maxConnections: 1, queueLength: 0 } } };
  const farm = await publishFarm({ host, servers: [{ httpPort: server.port }], settings });
  const first = await openWebSocket({ port: farm.httpPort }, { host });
  await expect(openWebSocket({ port: farm.httpPort }, { host })).rejects.toThrow(/^HTTP\/1\.1 503 /);
  first.socket.destroy();
  await underWayWebSockets(farm, 0);
  await openWebSocket({ port: farm.httpPort }, { host });
});

const underWayWebSockets = (farm: OneFarm, count: number) =>
  expect.poll(() => countersOf(farm)[0]?.currentWebSocketRequests).toBe(count);
