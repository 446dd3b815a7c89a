/** What becomes of a request whose server fails: another one is asked, where that can do no harm. */
import { constants } from 'node:http2';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TYPE_1 } from '../demo/ntlm-client.ts';
import { openHttp2, openRaw, type Protocol } from './clients.ts';
import { certificateFor } from './environment.ts';
import { KeptClient } from './kept-client.ts';
import { askLane, type LaneRequest, type Outcome, openUpload } from './lane-client.ts';
import { type Message, targetOf, valuesOf } from './messages.ts';
import {
  closeOf,
  countersOf,
  deafPort,
  type OneFarm,
  type OneFarmOptions,
  publishFarm,
  rawServer,
  tellCondition,
  trafficOf,
} from './one-farm.ts';
import { freePort } from './ports.ts';
import { ok, type RecordedConnection, type RecordingServer, startRecordingServer } from './recording-server.ts';
import { echoServer, openWebSocket, TEXT } from './web-sockets.ts';

const host = 'app.contoso.com';
const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];

function publish(servers: OneFarmOptions['servers'], fe: Record<string, unknown> = {}, more: object = {}) {
  return publishFarm({ host, servers, settings: { farms: { fe }, ...more } });
}

function send(protocol: Protocol, farm: OneFarm, request: Partial<LaneRequest> = {}): Promise<Outcome> {
  const { httpsPort: port, tls } = farm;
  return askLane(protocol, { port, ...tls, method: 'GET', target: '/', headers: [], ...request });
}

/** Codes of the service log. */
const codes = ({ proxy }: OneFarm) =>
  proxy.logged.filter(({ code }) => code !== undefined).map(({ code, win32 }) => `${code} ${win32}`);

const counted = (farm: OneFarm) =>
  countersOf(farm).map(({ totalRequests, currentRequests, failedRequests }) => [
    totalRequests,
    currentRequests,
    failedRequests,
  ]);

/** Answers with its name. */
const named = (name: string) => startRecordingServer({ answer: () => ok(name) });

/** Does this to its connection in place of an answer. */
function failing(fail: (connection: RecordedConnection, request: Message) => void): Promise<RecordingServer> {
  return startRecordingServer({
    answer: (request, connection) => {
      fail(connection, request);
      return undefined;
    },
  });
}

/** A port where a TLS handshake fails. */
async function refusingTls(): Promise<number> {
  const server = createTlsServer(certificateFor('elsewhere.contoso.com'), (socket) => socket.destroy());
  server.on('tlsClientError', () => undefined);
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

describe.each(PROTOCOLS)('over %s', (protocol) => {
  describe('no connection could be made: any request goes to another server', () => {
    const CAUSES: readonly [string, () => Promise<number>, object][] = [
      ['refused', freePort, {}],
      ['a certificate for another name', refusingTls, {}],
      ['a connect time-out', deafPort, { timeouts: { connect: 1 } }],
    ];
    describe.each(CAUSES)('%s', (_cause, port, settings) => {
      test.each<[string, Partial<LaneRequest>, string]>([
        ['POST with a length', { method: 'POST', body: 'x'.repeat(70_000), length: 70_000 }, 'x'.repeat(70_000)],
        ['POST without one', { method: 'POST', body: 'x'.repeat(70_000) }, 'x'.repeat(70_000)],
        ['GET', {}, ''],
      ])('%s, with its whole body', async (_name, request, body) => {
        const second = await named('second');
        const farm = await publish([{ httpsPort: await port() }, second], {}, settings);
        expect(await send(protocol, farm, request)).toMatchObject({ status: 200, body: 'second' });
        expect(second.requests.map((each) => each.body)).toEqual([body]);
        expect(counted(farm)).toEqual([
          [1, 0, 1],
          [1, 0, 0],
        ]);
        expect(countersOf(farm).map(({ bytesSent }) => bytesSent)).toEqual([0, body.length]);
        // Nothing failed for the client.
        expect(codes(farm)).toEqual([]);
      });
    });

    test.each([20, undefined])('a body that is still coming in, of length %s', async (length) => {
      const second = await named('second');
      const farm = await publish([{ httpsPort: await freePort() }, second]);
      const { write, end, answered } = openUpload(protocol, farm, { length });
      write('0123456789');
      await second.until(({ connections }) => connections[0]?.bytes.includes('0123456789') === true);
      write('abcdefghij');
      end();
      expect(await answered).toBe('200 second');
      expect(second.requests.map((each) => each.body)).toEqual(['0123456789abcdefghij']);
    });

    test('the head of a POST, whose body comes when the server is found', async () => {
      const second = await startRecordingServer({
        early: () => 'HTTP/1.1 100 Continue\r\n\r\n',
        answer: () => ok('second'),
      });
      const farm = await publish([{ httpsPort: await freePort() }, second]);
      const { write, end, answered } = openUpload(protocol, farm, { length: 3 });
      await second.until(({ connections }) => connections[0]?.bytes.includes('\r\n\r\n') === true);
      write('abc');
      end();
      expect(await answered).toBe('200 second');
    });

    test('more servers than `retries` are down: 502.3 for the last of them', async () => {
      const last = await named('last');
      const dead = await Promise.all([1, 2, 3].map(async () => ({ httpsPort: await freePort() })));
      const farm = await publish([...dead, last], { circuit: false });
      expect((await send(protocol, farm)).status).toBe(502);
      expect(codes(farm)).toEqual(['502.3 12029']);
      expect(counted(farm)).toEqual([
        [1, 0, 1],
        [1, 0, 1],
        [1, 0, 1],
        [0, 0, 0],
      ]);
      expect(await send(protocol, farm)).toMatchObject({ status: 200, body: 'last' });
    });

    test('"retries": 0: 502.3 at once', async () => {
      const second = await named('second');
      const farm = await publish([{ httpsPort: await freePort() }, second], { retries: 0 });
      expect((await send(protocol, farm)).status).toBe(502);
      expect(codes(farm)).toEqual(['502.3 12029']);
      expect(second.connections).toEqual([]);
    });
  });

  describe('the server breaks off before a byte of its answer', () => {
    test.each<[string, (connection: RecordedConnection) => void]>([
      ['closes', ({ socket }) => socket.end()],
      ['resets', ({ socket }) => socket.destroy()],
    ])('it %s: GET, HEAD, OPTIONS, DELETE and PUT without a body go to another one', async (_name, fail) => {
      const first = await failing(fail);
      const second = await named('second');
      const farm = await publish([first, second]);
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PUT']) {
        expect((await send(protocol, farm, { method })).status, method).toBe(200);
        // Each second one began with the second server.
        if (second.requests.length > first.requests.length) continue;
        expect(second.requests.at(-1)?.startLine).toBe(first.requests.at(-1)?.startLine);
      }
      expect(second.requests).toHaveLength(5);
      expect(codes(farm)).toEqual([]);
      const [failed, served] = counted(farm);
      expect(failed).toEqual([first.requests.length, 0, first.requests.length]);
      expect(served).toEqual([5, 0, 0]);
    });

    test('a kept connection broke: the same server is asked once more on a new one, then another', async () => {
      const first = await startRecordingServer({
        answer: (request, { socket }) => {
          if (targetOf(request) === '/warm') return ok('first');
          socket.destroy();
          return undefined;
        },
      });
      const second = await named('second');
      const farm = await publish([first, second]);
      expect((await send(protocol, farm, { target: '/warm' })).body).toBe('first');
      expect((await send(protocol, farm)).body).toBe('second');
      expect((await send(protocol, farm)).body).toBe('second');
      expect(first.requests.map(targetOf)).toEqual(['/warm', '/', '/']);
      expect(first.connections).toHaveLength(2);
      // One request to this server, however often it was sent there.
      expect(counted(farm)).toEqual([
        [2, 0, 1],
        [2, 0, 0],
      ]);
    });

    test.each<[string, Partial<LaneRequest>]>([
      ['POST', { method: 'POST', body: 'order', length: 5 }],
      ['POST without a body', { method: 'POST', body: '', length: 0 }],
      ['PATCH', { method: 'PATCH', body: 'order', length: 5 }],
      ['PUT with a body, which is gone', { method: 'PUT', body: 'order', length: 5 }],
      ['PUT with chunks', { method: 'PUT', body: 'order' }],
    ])('%s is not sent again: 502.3 with 12030', async (_name, request) => {
      const first = await failing(({ socket }) => socket.destroy());
      const second = await named('second');
      const farm = await publish([first, second]);
      expect((await send(protocol, farm, request)).status).toBe(502);
      expect(codes(farm)).toEqual(['502.3 12030']);
      expect([first.requests.length, second.connections.length]).toEqual([1, 0]);
    });

    test('"retries": 0: 502.3', async () => {
      const first = await failing(({ socket }) => socket.destroy());
      const second = await named('second');
      const farm = await publish([first, second], { retries: 0 });
      expect((await send(protocol, farm)).status).toBe(502);
      expect(second.connections).toEqual([]);
      // The last one asked has failed as much as those before it.
      expect(trafficOf(farm)[0]).toMatchObject({ failures: 1, broken: 1 });
    });

    test('"retryBudget": 0: 502.3, but what was not sent goes on', async () => {
      const first = await failing(({ socket }) => socket.destroy());
      const second = await named('second');
      const farm = await publish([first, second], { retryBudget: 0 });
      expect((await send(protocol, farm)).status).toBe(502);
      expect(codes(farm)).toEqual(['502.3 12030']);
      expect(second.connections).toEqual([]);
      expect((await send(protocol, farm)).body).toBe('second');
      await first.stop();
      expect((await send(protocol, farm)).body).toBe('second');
      expect(counted(farm)[0]).toEqual([2, 0, 2]);
    });
  });

  test.each<[string, string]>([
    ['a byte', 'H'],
    ['a status line', 'HTTP/1.1 200 OK\r\n'],
    ['an interim answer', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('never behind %s of the answer: 502.3 with 12030', async (_name, begun) => {
    const first = await failing(({ socket }) => socket.write(begun, () => socket.destroy()));
    const second = await named('second');
    const farm = await publish([first, second]);
    expect((await send(protocol, farm)).status).toBe(502);
    expect(codes(farm)).toEqual(['502.3 12030']);
    expect(second.connections).toEqual([]);
  });

  test('never behind the head of the answer: it is cut', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf';
    const first = await failing(({ socket }) => socket.write(head, () => socket.destroy()));
    const second = await named('second');
    const farm = await publish([first, second]);
    expect(await send(protocol, farm)).toMatchObject({ status: 200, whole: false });
    expect(second.connections).toEqual([]);
    expect(counted(farm)).toEqual([
      [1, 0, 1],
      [0, 0, 0],
    ]);
  });

  test('never for a silent server: 502.3 with 12002', async () => {
    const first = await failing(() => undefined);
    const second = await named('second');
    const protocolOf = 'timeout="00:00:01"';
    const farm = await publishFarm({ host, servers: [first, second], protocol: protocolOf });
    expect((await send(protocol, farm)).status).toBe(502);
    expect(codes(farm)).toEqual(['502.3 12002']);
    expect(second.connections).toEqual([]);
  });

  test('a request that breaks each server counts against one of them', async () => {
    const breaking = () => failing(({ socket }) => socket.destroy());
    const farm = await publish([await breaking(), await breaking(), await breaking()]);
    expect((await send(protocol, farm)).status).toBe(502);
    expect(trafficOf(farm).map(({ failures, broken }) => [failures, broken])).toEqual([
      [1, 1],
      [1, 0],
      [1, 0],
    ]);
  });

  test('a silence counts against a server that answered nobody else meanwhile', async () => {
    const server = await startRecordingServer({
      answer: ({ startLine }) => (startLine.includes('/poll') ? undefined : ok('answer')),
    });
    const farm = await publishFarm({ host, servers: [server], protocol: 'timeout="00:00:01"' });
    const polled = send(protocol, farm, { target: '/poll' });
    await server.until(({ requests }) => requests.length === 1);
    expect((await send(protocol, farm)).status).toBe(200);
    expect((await polled).status).toBe(502);
    expect(trafficOf(farm)[0]).toMatchObject({ failures: 1, broken: 0 });
    expect((await send(protocol, farm, { target: '/poll' })).status).toBe(502);
    expect(trafficOf(farm)[0]).toMatchObject({ failures: 2, broken: 1 });
  });

  test('a silence does not count against a server that was judged meanwhile', async () => {
    const server = await startRecordingServer({ answer: () => undefined });
    const farm = await publishFarm({ host, servers: [server], protocol: 'timeout="00:00:01"' });
    const polled = send(protocol, farm);
    await server.until(({ requests }) => requests.length === 1);
    tellCondition(farm, 1, 'Active', false);
    tellCondition(farm, 1, 'Active');
    expect((await polled).status).toBe(502);
    expect(countersOf(farm)[0]?.failedRequests).toBe(1);
    expect(trafficOf(farm)[0]).toMatchObject({ failures: 0, broken: 0 });
  });

  test('a client that leaves while another server is asked leaves nothing behind', async () => {
    const first = await failing(({ socket }) => socket.destroy());
    const second = await failing(() => undefined);
    const farm = await publish([first, second]);
    const leave = leaver(protocol, farm);
    await second.until(({ requests }) => requests.length === 1);
    expect(counted(farm)).toEqual([
      [1, 0, 1],
      [1, 1, 0],
    ]);
    leave();
    await second.until(({ connections }) => connections.every(({ closed }) => closed));
    expect(counted(farm)).toEqual([
      [1, 0, 1],
      [1, 0, 0],
    ]);
  });

  test('a client that leaves while a connection to another server is opened leaves nothing behind', async () => {
    // Accepts connections, and says nothing in their handshakes.
    const second = await rawServer(() => undefined);
    const farm = await publish([{ httpsPort: await freePort() }, { httpsPort: second.port }]);
    const opened = second.opened();
    const leave = leaver(protocol, farm);
    const socket = await opened;
    expect(counted(farm)).toEqual([
      [1, 0, 1],
      [0, 1, 0],
    ]);
    leave();
    await expect.poll(() => counted(farm)[1]).toEqual([0, 0, 0]);
    // Nobody is told of what becomes of it.
    socket.destroy();
    await closeOf(socket);
    expect(codes(farm)).toEqual([]);
  });
});

/** A GET whose client goes when the test says so. */
function leaver(protocol: Protocol, { httpsPort: port, tls }: OneFarm): () => void {
  if (protocol === 'HTTP/2') {
    const session = openHttp2({ protocol, port, ...tls });
    const stream = session.request({ ':authority': host });
    stream.on('error', () => undefined);
    return () => stream.close(constants.NGHTTP2_CANCEL);
  }
  const client = openRaw(port, tls);
  client.socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return () => client.socket.destroy();
}

test('a budget that is used up: 502.3, and one more with the hundredth request that follows', async () => {
  const first = await failing(({ socket }) => socket.resetAndDestroy());
  const second = await named('second');
  // Nearly all begin with the first server.
  const farm = await publish(
    [
      { ...first, weight: 1_000_000 },
      { ...second, weight: 1 },
    ],
    { retryBudget: 1 },
  );
  const client = new KeptClient({ port: farm.httpPort });
  const statuses: number[] = [];
  // A thousand are there from the start, and each request adds a hundredth.
  for (let i = 0; i < 1111; i++) statuses.push((await client.ask({ host })).status);
  expect(statuses.indexOf(502)).toBe(1010);
  expect(statuses.slice(1010).filter((status) => status === 200)).toHaveLength(1);
  expect(new Set(codes(farm))).toEqual(new Set(['502.3 12030']));
});

test('a request that carries a Windows login is its connection’s alone: 502.3, and no other server sees it', async () => {
  const first = await failing(({ socket }) => socket.resetAndDestroy());
  const second = await named('second');
  const farm = await publish([first, second]);
  const client = new KeptClient({ port: farm.httpPort });
  expect((await client.ask({ host, headers: { Authorization: TYPE_1 } })).status).toBe(502);
  expect(codes(farm)).toEqual(['502.3 12030']);
  expect(second.connections).toEqual([]);
  // Where it was not sent, it may go anywhere.
  await first.stop();
  expect((await client.ask({ host, headers: { Authorization: TYPE_1 } })).body).toBe('second');
  expect((await client.ask({ host, headers: { Authorization: TYPE_1 } })).body).toBe('second');
  expect(second.requests.map((request) => valuesOf(request, 'authorization'))).toEqual([[TYPE_1], [TYPE_1]]);
});

describe('WebSockets', () => {
  test.each<[string, () => Promise<number>]>([
    ['refuses', freePort],
    ['resets', async () => (await rawServer((socket) => socket.resetAndDestroy())).port],
  ])('a server that %s: the next one gets the upgrade', async (_name, port) => {
    const second = await echoServer();
    const farm = await publish([{ httpPort: await port() }, { httpPort: second.port }]);
    const socket = await openWebSocket({ port: farm.httpPort }, { host });
    const frame = { opcode: TEXT, payload: Buffer.from('hello') };
    socket.send(frame);
    expect(await socket.next()).toEqual(frame);
    const counters = countersOf(farm).map((each) => [
      each.totalWebSocketRequests,
      each.currentWebSocketRequests,
      each.failedWebSocketRequests,
    ]);
    expect(counters).toEqual([
      [1, 0, 1],
      [1, 1, 0],
    ]);
    socket.socket.destroy();
    await expect.poll(() => countersOf(farm)[1]?.currentWebSocketRequests).toBe(0);
    expect(counted(farm)).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });
});
