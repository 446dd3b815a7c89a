/** ARR's states of servers, and health: who gets requests, who keeps clients, and what becomes of requests under way. */
import { describe, expect, test } from 'vitest';
import { TYPE_1 } from '../demo/ntlm-client.ts';
import type { Protocol } from './clients.ts';
import { applicationHost, farmRules, startProxy, webFarm } from './environment.ts';
import { KeptClient } from './kept-client.ts';
import { askLane, type LaneRequest, type Outcome, openUpload } from './lane-client.ts';
import { type Message, targetOf } from './messages.ts';
import { countersOf, type OneFarm, publishFarm, rawServer, stopForcefully, tellCondition } from './one-farm.ts';
import { freePort } from './ports.ts';
import { ok, type RecordedConnection, type RecordingServer, startRecordingServer } from './recording-server.ts';
import { accepting, echoFrames, openWebSocket, TEXT } from './web-sockets.ts';

const host = 'app.contoso.com';
const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];
const NAMES = ['first', 'second', 'third'];
const TO_HOLD = '/held';
const AFFINITY = '<affinity useCookie="true" />';

/** Answers with its name; what asks for `/held` waits for the test. */
function named(name: string, early?: (request: Message) => string | undefined): Promise<RecordingServer> {
  const answer = (request: Message) => (targetOf(request) === TO_HOLD ? undefined : ok(name));
  return startRecordingServer(early ? { answer, early } : { answer });
}

interface Published {
  readonly farm: OneFarm;
  readonly servers: readonly RecordingServer[];
}

async function publish(count: number, routing = AFFINITY, fe: Record<string, unknown> = {}): Promise<Published> {
  const servers = await Promise.all(NAMES.slice(0, count).map((name) => named(name)));
  const farm = await publishFarm({ host, servers, routing, settings: { farms: { fe: { slowStart: 0, ...fe } } } });
  return { farm, servers };
}

function send(protocol: Protocol, farm: OneFarm, request: Partial<LaneRequest> = {}): Promise<Outcome> {
  const { httpsPort: port, tls } = farm;
  return askLane(protocol, { port, ...tls, method: 'GET', target: '/', headers: [], ...request });
}

/** The servers that so many new clients get, each once. */
async function newClients(protocol: Protocol, farm: OneFarm, count = 12): Promise<string[]> {
  const bodies = new Set<string>();
  for (let i = 0; i < count; i++) bodies.add((await send(protocol, farm)).body);
  return [...bodies].toSorted();
}

const cookieOf = ({ headers }: Outcome) => /^set-cookie: (ARRAffinity=[0-9a-f]+)/m.exec(headers.join('\n'))?.[1];

/** The cookie of a client that is bound to this server. */
async function boundTo(protocol: Protocol, farm: OneFarm, server: string): Promise<string> {
  for (;;) {
    const told = await send(protocol, farm);
    if (told.body === server) return cookieOf(told) ?? '';
  }
}

/** A request that its server holds, and how to let it go. */
async function hold(protocol: Protocol, farm: OneFarm, server: RecordingServer, cookie: string) {
  const { length } = server.requests;
  const outcome = send(protocol, farm, { target: TO_HOLD, headers: [['Cookie', cookie]] });
  await server.until(({ requests }) => requests.length > length);
  const connection = holder(server);
  return { outcome, connection, release: () => connection.socket.write(ok('released')) };
}

function holder({ connections }: RecordingServer): RecordedConnection {
  const found = connections.findLast(({ requests, closed }) => !closed && requests.at(-1)?.startLine.includes(TO_HOLD));
  if (found === undefined) throw new Error('no request is held');
  return found;
}

const codes = ({ proxy }: OneFarm) =>
  proxy.logged.filter(({ code }) => code !== undefined).map(({ code, win32 }) => `${code} ${win32}`);

const counted = (farm: OneFarm) =>
  countersOf(farm).map(({ currentRequests, failedRequests }) => [currentRequests, failedRequests]);

describe.each(PROTOCOLS)('over %s', (protocol) => {
  test('Draining: no new clients; those that are bound to it stay, and requests under way complete', async () => {
    const { farm, servers } = await publish(2);
    const cookie = await boundTo(protocol, farm, 'first');
    const held = await hold(protocol, farm, servers[0]!, cookie);
    tellCondition(farm, 1, 'Draining');
    expect(await newClients(protocol, farm)).toEqual(['second']);
    for (let i = 0; i < 5; i++) {
      const told = await send(protocol, farm, { headers: [['Cookie', cookie]] });
      expect([told.status, told.body, cookieOf(told)]).toEqual([200, 'first', undefined]);
    }
    held.release();
    expect(await held.outcome).toMatchObject({ status: 200, body: 'released', whole: true });
    tellCondition(farm, 1, 'Active');
    expect(await newClients(protocol, farm)).toEqual(['first', 'second']);
  });

  describe.each<[string, 'Active' | 'Draining' | 'Inactive', boolean]>([
    ['Inactive', 'Inactive', true],
    ['unhealthy', 'Active', false],
    ['Draining and unhealthy', 'Draining', false],
  ])('%s', (_name, state, healthy) => {
    test('nobody new, and clients that were bound to it are bound to another', async () => {
      const { farm } = await publish(3);
      const cookie = await boundTo(protocol, farm, 'first');
      tellCondition(farm, 1, state, healthy);
      expect(await newClients(protocol, farm)).toEqual(['second', 'third']);
      const told = await send(protocol, farm, { headers: [['Cookie', cookie]] });
      expect(['second', 'third']).toContain(told.body);
      const next = cookieOf(told) ?? '';
      expect(next).not.toBe('');
      for (let i = 0; i < 5; i++) {
        expect((await send(protocol, farm, { headers: [['Cookie', next]] })).body).toBe(told.body);
      }
      tellCondition(farm, 1, 'Active');
      expect(await newClients(protocol, farm)).toEqual(NAMES.toSorted());
      // Who was moved stays where he is now.
      expect((await send(protocol, farm, { headers: [['Cookie', next]] })).body).toBe(told.body);
    });

    test('requests under way complete: a long poll, an answer in its middle, an upload', async () => {
      const { farm, servers } = await publish(2);
      const cookie = await boundTo(protocol, farm, 'first');
      const poll = await hold(protocol, farm, servers[0]!, cookie);
      const half = await hold(protocol, farm, servers[0]!, cookie);
      half.connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf');
      const { write, end, answered } = openUpload(protocol, farm, { length: 10, cookie });
      write('01234');
      await servers[0]!.until(({ connections }) => connections.some(({ bytes }) => bytes.endsWith('01234')));
      tellCondition(farm, 1, state, healthy);
      expect(await newClients(protocol, farm)).toEqual(['second']);
      poll.release();
      half.connection.socket.write('rest');
      write('56789');
      end();
      expect(await poll.outcome).toMatchObject({ status: 200, body: 'released', whole: true });
      expect(await half.outcome).toMatchObject({ status: 200, body: 'halfrest', whole: true });
      expect(await answered).toBe('200 first');
      expect(counted(farm)).toEqual([
        [0, 0],
        [0, 0],
      ]);
    });
  });

  describe('ForcefulStop', () => {
    test('a request that waits for its answer: 502.3 with 12030 at once; that of another server goes on', async () => {
      const { farm, servers } = await publish(2);
      const stopped = await hold(protocol, farm, servers[0]!, await boundTo(protocol, farm, 'first'));
      const other = await hold(protocol, farm, servers[1]!, await boundTo(protocol, farm, 'second'));
      stopForcefully(farm, 1);
      expect((await stopped.outcome).status).toBe(502);
      expect(codes(farm)).toEqual(['502.3 12030']);
      expect(farm.proxy.logged.at(-1)?.msg).toBe('fe01.contoso.local was stopped (ForcefulStop)');
      await servers[0]!.until(() => stopped.connection.closed);
      // Not the fault of the server.
      expect(counted(farm)).toEqual([
        [0, 0],
        [1, 0],
      ]);
      expect(await newClients(protocol, farm)).toEqual(['second']);
      other.release();
      expect(await other.outcome).toMatchObject({ status: 200, body: 'released' });
    });

    test('an answer in its middle is cut, and has no clean end', async () => {
      const { farm, servers } = await publish(2);
      const cookie = await boundTo(protocol, farm, 'first');
      const counted = await hold(protocol, farm, servers[0]!, cookie);
      const chunked = await hold(protocol, farm, servers[0]!, cookie);
      const endless = await hold(protocol, farm, servers[0]!, cookie);
      counted.connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf');
      chunked.connection.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
      endless.connection.socket.write('HTTP/1.1 200 OK\r\n\r\nhalf');
      await expect.poll(() => countersOf(farm)[0]?.bytesReceived).toBe('first'.length + 3 * 'half'.length);
      stopForcefully(farm, 1);
      for (const { outcome } of [counted, chunked, endless]) {
        expect(await outcome).toMatchObject({ status: 200, body: 'half', whole: false });
      }
      expect(codes(farm)).toEqual(Array(3).fill('502.3 12030'));
    });

    test('an upload under way: 502.3 with 12030', async () => {
      const { farm, servers } = await publish(2);
      const cookie = await boundTo(protocol, farm, 'first');
      const { write, answered } = openUpload(protocol, farm, { length: 10, cookie });
      write('01234');
      await servers[0]!.until(({ connections }) => connections.some(({ bytes }) => bytes.endsWith('01234')));
      stopForcefully(farm, 1);
      // The server is done with it, whatever the client still has to send.
      expect(counted(farm)[0]).toEqual([0, 0]);
      expect(await answered).toMatch(/^502 .*502\.3/s);
      expect(codes(farm)).toEqual(['502.3 12030']);
    });

    test('who is still connecting, or waits in line, was not asked yet, and goes to another server', async () => {
      const silent = await rawServer(() => undefined);
      const second = await named('second');
      const farm = await publishFarm({
        host,
        servers: [{ httpsPort: silent.port }, second],
        settings: { farms: { fe: { maxConnections: 1 } } },
      });
      const opened = silent.opened();
      const connecting = send(protocol, farm, { method: 'POST', body: 'order', length: 5 });
      const socket = await opened;
      const held = send(protocol, farm, { target: TO_HOLD });
      await second.until(({ requests }) => requests.length === 1);
      // Both are full: these wait in line, at the one and the other.
      const waiting = [send(protocol, farm), send(protocol, farm)];
      await expect.poll(() => countersOf(farm).map(({ currentRequests }) => currentRequests)).toEqual([2, 2]);
      stopForcefully(farm, 1);
      expect(countersOf(farm).map(({ currentRequests }) => currentRequests)).toEqual([0, 4]);
      holder(second).socket.write(ok('released'));
      expect((await held).body).toBe('released');
      expect((await connecting).body).toBe('second');
      for (const each of waiting) expect((await each).body).toBe('second');
      expect(second.requests.map(({ body }) => body).toSorted()).toEqual(['', '', '', 'order']);
      expect(codes(farm)).toEqual([]);
      socket.destroy();
    });

    test('where there is no other one: 502.3 with 12030 for these, too, then 502.4', async () => {
      const silent = await rawServer(() => undefined);
      const farm = await publishFarm({
        host,
        servers: [{ httpsPort: silent.port }],
        settings: { farms: { fe: { maxConnections: 1 } } },
      });
      const asked = [send(protocol, farm), send(protocol, farm)];
      await expect.poll(() => countersOf(farm)[0]?.currentRequests).toBe(2);
      stopForcefully(farm, 1);
      for (const each of asked) expect((await each).status).toBe(502);
      expect((await send(protocol, farm)).status).toBe(502);
      expect(codes(farm)).toEqual(['502.3 12030', '502.3 12030', '502.4 0']);
      expect(counted(farm)).toEqual([[0, 0]]);
    });
  });

  test('nobody takes requests: 502.4, and the log says why of each server', async () => {
    const { farm } = await publish(3);
    tellCondition(farm, 1, 'Inactive');
    tellCondition(farm, 2, 'Active', false);
    tellCondition(farm, 3, 'Draining');
    const told = await send(protocol, farm);
    expect(told.status).toBe(502);
    expect(told.body).toContain('502.4');
    expect(told.body).not.toContain('contoso.local');
    expect(codes(farm)).toEqual(['502.4 0']);
    const why = 'fe01.contoso.local (Inactive), fe02.contoso.local (unhealthy), fe03.contoso.local (Draining)';
    expect(farm.proxy.logged.at(-1)?.msg).toBe(`farm fe: no server takes requests: ${why}`);
  });

  test.each<[number, string[]]>([
    [1, ['third']],
    [2, ['first', 'third']],
  ])(
    'minServers %i: those that were healthy last get requests all the same, and keep their clients',
    async (minServers, names) => {
      const { farm, servers } = await publish(3, `<healthCheck minServers="${minServers}" />${AFFINITY}`);
      const cookies = new Map<string, string>();
      for (const name of NAMES) cookies.set(name, await boundTo(protocol, farm, name));
      for (const server of [2, 1, 3]) tellCondition(farm, server, 'Active', false);
      expect(await newClients(protocol, farm)).toEqual(names);
      for (const [name, cookie] of cookies) {
        for (let i = 0; i < 4; i++) {
          const told = await send(protocol, farm, { headers: [['Cookie', cookie]] });
          if (!names.includes(name)) expect(names).toContain(told.body);
          else expect([told.body, cookieOf(told)]).toEqual([name, undefined]);
        }
      }
      // A kept connection that has ended is no reason to fail, either.
      const third = servers[2]!;
      for (const { socket } of third.connections) socket.destroy();
      await third.until(({ connections }) => connections.every(({ closed }) => closed));
      const cookie = cookies.get('third') ?? '';
      expect((await send(protocol, farm, { headers: [['Cookie', cookie]] })).body).toBe('third');
      // What an administrator takes out stays out.
      for (const server of [1, 2, 3]) tellCondition(farm, server, 'Inactive', false);
      expect((await send(protocol, farm)).status).toBe(502);
      expect(codes(farm)).toEqual(['502.4 0']);
    },
  );
});

describe('WebSockets', () => {
  async function withSockets() {
    const echoing = () =>
      startRecordingServer({
        answer(request, { socket }) {
          socket.removeAllListeners('data').on('data', echoFrames(socket));
          return accepting(request.head);
        },
      });
    const servers = [await echoing(), await echoing()];
    const farm = await publishFarm({ host, servers });
    const open = () => openWebSocket({ port: farm.httpPort }, { host });
    return { farm, first: await open(), second: await open() };
  }
  const frame = { opcode: TEXT, payload: Buffer.from('still there?') };

  test.each<[string, 'Active' | 'Draining' | 'Inactive', boolean]>([
    ['Draining', 'Draining', true],
    ['Inactive', 'Inactive', true],
    ['unhealthy', 'Active', false],
  ])('%s: they live on', async (_name, state, healthy) => {
    const { farm, first } = await withSockets();
    tellCondition(farm, 1, state, healthy);
    first.send(frame);
    expect(await first.next()).toEqual(frame);
  });

  test('ForcefulStop: they are closed, those of others are not', async () => {
    const { farm, first, second } = await withSockets();
    stopForcefully(farm, 1);
    await first.closed;
    second.send(frame);
    expect(await second.next()).toEqual(frame);
    expect(codes(farm)).toEqual(['502.3 12030']);
    const counters = countersOf(farm).map((each) => [each.currentWebSocketRequests, each.failedWebSocketRequests]);
    expect(counters).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });
});

test('ForcefulStop in one farm: requests of another farm to the same server, over the same connections, go on', async () => {
  const server = await named('shared');
  const [port, others] = [await freePort(), 'other.contoso.com'];
  const servers = [{ address: 'fe01.contoso.local', httpPort: server.httpPort }];
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`http *:${port}:`],
      farms: webFarm('fe', { servers }) + webFarm('other', { servers }),
      rules: farmRules('fe', host) + farmRules('other', others),
    }),
    settings: { hosts: { 'fe01.contoso.local': '127.0.0.1' } },
  });
  const client = new KeptClient({ port });
  for (const name of [host, others, host]) expect((await client.ask({ host: name })).body).toBe('shared');
  // They share a connection, so that what follows is to be told apart by more than that.
  expect(server.connections).toHaveLength(1);
  const held = async (name: string) => {
    const own = new KeptClient({ port });
    const { length } = server.requests;
    const answer = own.ask({ host: name, path: TO_HOLD });
    await server.until(({ requests }) => requests.length > length);
    return { answer, connection: holder(server) };
  };
  const kept = await held(others);
  const stopped = await held(host);
  const condition = { farm: 'fe', server: 'fe01.contoso.local', state: 'Inactive', healthy: true } as const;
  proxy.serving.heard({ type: 'conditions', conditions: [condition] });
  proxy.serving.heard({ type: 'terminate', farm: 'fe', server: 'fe01.contoso.local' });
  expect((await stopped.answer).status).toBe(502);
  kept.connection.socket.write(ok('released'));
  expect((await kept.answer).body).toBe('released');
  expect((await client.ask({ host: others })).body).toBe('shared');
  expect((await client.ask({ host })).status).toBe(502);
});

describe('a client that has logged in by its connection (NTLM)', () => {
  /** The connection of the login is the first server’s. */
  async function loggedIn() {
    const answer = (name: string) => (request: Message) => {
      if (targetOf(request) === TO_HOLD) return undefined;
      return targetOf(request) === '/login'
        ? 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n'
        : ok(name);
    };
    const servers = await Promise.all(
      ['first', 'second'].map((name) => startRecordingServer({ answer: answer(name) })),
    );
    const farm = await publishFarm({ host, servers });
    const client = new KeptClient({ port: farm.httpPort });
    const login = { host, path: '/login', headers: { Authorization: TYPE_1 } };
    expect((await client.ask(login)).status).toBe(401);
    expect((await client.ask({ host })).body).toBe('first');
    expect(servers[0]!.connections).toHaveLength(1);
    return { farm, client, servers };
  }

  test('Draining: it stays', async () => {
    const { farm, client, servers } = await loggedIn();
    tellCondition(farm, 1, 'Draining');
    for (let i = 0; i < 3; i++) expect((await client.ask({ host })).body).toBe('first');
    expect(servers[0]!.connections).toHaveLength(1);
  });

  test.each<[string, 'Active' | 'Inactive', boolean]>([
    ['Inactive', 'Inactive', true],
    ['unhealthy', 'Active', false],
  ])('%s: the request under way completes, and the next one is for another server', async (_name, state, healthy) => {
    const { farm, client, servers } = await loggedIn();
    const answer = client.ask({ host, path: TO_HOLD });
    await servers[0]!.until(({ requests }) => requests.some((each) => targetOf(each) === TO_HOLD));
    tellCondition(farm, 1, state, healthy);
    holder(servers[0]!).socket.write(ok('released'));
    expect((await answer).body).toBe('released');
    expect((await client.ask({ host })).body).toBe('second');
    expect((await client.ask({ host, path: '/login', headers: { Authorization: TYPE_1 } })).status).toBe(401);
    // The new login takes the place of the old one, whose connection ends.
    await servers[0]!.until(({ connections }) => connections.every(({ closed }) => closed));
    tellCondition(farm, 1, 'Active');
    for (let i = 0; i < 4; i++) expect((await client.ask({ host })).body).toBe('second');
  });

  test('ForcefulStop under its request: 502.3 with 12030', async () => {
    const { farm, client, servers } = await loggedIn();
    const answer = client.ask({ host, path: TO_HOLD });
    await servers[0]!.until(({ requests }) => requests.some((each) => targetOf(each) === TO_HOLD));
    stopForcefully(farm, 1);
    expect((await answer).status).toBe(502);
    expect(codes(farm)).toEqual(['502.3 12030']);
    expect((await client.ask({ host })).body).toBe('second');
  });
});
