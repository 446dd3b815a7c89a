/** Rows U01 and U03 to U08 of the list of threats: servers that send too much, too little, too late, or unasked. */
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ask, openRaw, type RawClient } from './clients.ts';
import {
  applicationHost,
  authority,
  certificateFor,
  farmRules,
  type Published,
  startProxy,
  webFarm,
} from './environment.ts';
import { readAnswers, statusOf, targetOf } from './messages.ts';
import { deafPort, publishFarm, rawServer } from './one-farm.ts';
import { freePort } from './ports.ts';
import { HOST, publishRecorded, type RecordedFarm, TRANSPORTS, type Transport } from './recorded-farm.ts';
import { echoTarget, ok, startRecordingServer } from './recording-server.ts';
import type { PeerCommand, PeerData, PeerReport } from './stray-answer-peer.ts';

const request = (target: string, more = '') => `GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\n${more}\r\n`;
const LAST = 'Connection: close\r\n';
const codes = ({ logged }: Published) =>
  logged.filter(({ code }) => code !== undefined).map(({ code, win32 }) => `${code} ${win32}`);

/** One request on a connection of its own; everything that came back. */
async function get(farm: RecordedFarm, transport: Transport, target: string): Promise<string> {
  const client = farm.open(transport);
  client.socket.write(request(target, LAST));
  return client.closed();
}

const bodyOf = (received: string) => readAnswers(received, true).messages.at(-1)?.body;
const statuses = (received: string) => readAnswers(received, true).messages.map(statusOf);

describe.each(TRANSPORTS)('an answer that nobody asked for, over %s (U01)', (transport) => {
  test('on an idle connection: the connection is thrown away, and the next client gets its own answer', async () => {
    const farm = await publishRecorded();
    expect(bodyOf(await get(farm, transport, '/first'))).toBe('/first');
    const [kept] = farm.server.connections;
    kept?.socket.write(ok('STRAY'));
    await farm.server.until(() => kept?.closed === true);
    expect(bodyOf(await get(farm, transport, '/second'))).toBe('/second');
    expect(farm.server.connections).toHaveLength(2);
  });

  test.each([true, false])('while the event loop is busy, the request being there first: %s', async (clientFirst) => {
    const peer = await startPeer();
    const port = await freePort();
    await startProxy({
      iis: applicationHost({
        bindings: [`${transport === 'TLS' ? 'https' : 'http'} *:${port}:${HOST}`],
        farms: webFarm('fe', { servers: [{ address: 'fe01.contoso.local', ...peer.ports }] }),
        rules: farmRules('fe', HOST),
      }),
      certificates: { all: [HOST] },
      settings: { hosts: { 'fe01.contoso.local': '127.0.0.1' } },
    });
    peer.send({ kind: 'connect', port, tls: transport === 'TLS' });
    peer.send({ kind: 'ask', target: '/first' });
    expect(bodyOf(await peer.answer())).toBe('/first');
    for (let i = 0; i < 5; i++) {
      const target = `/mine/${i}`;
      peer.collide({ kind: 'collide', answer: ok('STRAY'), target, clientFirst });
      expect(bodyOf(await peer.answer())).toBe(target);
    }
  });
});

test('more sockets at once than one look of the event loop takes: no answer passes for an unasked one', async () => {
  const peer = await startPeer();
  const port = await freePort();
  await startProxy({
    iis: applicationHost({
      bindings: [`http *:${port}:${HOST}`],
      farms: webFarm('fe', { servers: [{ address: 'fe01.contoso.local', ...peer.ports }] }),
      rules: farmRules('fe', HOST),
    }),
    settings: { hosts: { 'fe01.contoso.local': '127.0.0.1' } },
  });
  const size = 1500;
  peer.send({ kind: 'gather', port, size });
  expect(await peer.report()).toEqual({ kind: 'crowd', statuses: { 200: size } });
  for (let i = 0; i < 3; i++) {
    // Not to be sent twice, so that each mistake shows.
    peer.collide({ kind: 'rush', request: `POST /rush HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 0\r\n\r\n` });
    expect(await peer.report()).toEqual({ kind: 'crowd', statuses: { 200: size } });
  }
});

/** Server and client in a thread of their own. */
async function startPeer() {
  const data: PeerData = {
    certificate: certificateFor('fe01.contoso.local'),
    ca: authority.certPem,
    host: HOST,
    sent: new SharedArrayBuffer(4),
  };
  const worker = new Worker(new URL('./stray-answer-peer.ts', import.meta.url), { workerData: data });
  onTestFinished(async () => {
    await worker.terminate();
  });
  const reports: PeerReport[] = [];
  let wake: (() => void) | undefined;
  worker.on('message', (each: PeerReport) => {
    reports.push(each);
    wake?.();
  });
  const next = async (): Promise<PeerReport> => {
    for (;;) {
      const first = reports.shift();
      if (first) return first;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const listening = await next();
  if (listening.kind !== 'listening') throw new Error(listening.kind);
  const send = (command: PeerCommand) => worker.postMessage(command);
  return {
    ports: { httpPort: listening.httpPort, httpsPort: listening.httpsPort },
    send,
    report: next,
    /** Returns when both sides have sent: this thread, and the proxy in it, stands still meanwhile. */
    collide(command: PeerCommand) {
      const sent = new Int32Array(data.sent);
      Atomics.store(sent, 0, 0);
      send(command);
      expect(Atomics.wait(sent, 0, 0, 10_000)).not.toBe('timed-out');
    },
    async answer(): Promise<string> {
      const each = await next();
      if (each.kind !== 'answered') throw new Error(each.kind);
      return each.received;
    },
  };
}

describe('interim answers (U03)', () => {
  test.each([100, 102, 103])('a flood of %s is bounded, then 502', async (status) => {
    const flood = `HTTP/1.1 ${status} X\r\nLink: </a>\r\n\r\n`.repeat(10_000);
    const farm = await publishRecorded({ answer: (each) => (targetOf(each) === '/bad' ? flood : echoTarget(each)) });
    const told = statuses(await get(farm, 'plain', '/bad'));
    expect(told.at(-1)).toBe('502');
    expect(told.length).toBeLessThan(100);
    expect(codes(farm.proxy)).toEqual(['502.3 12152']);
    expect(bodyOf(await get(farm, 'plain', '/next'))).toBe('/next');
  });

  test('103 with a Link of 1 MB: 502', async () => {
    const huge = `HTTP/1.1 103 Early Hints\r\nLink: <${'x'.repeat(1024 * 1024)}>\r\n\r\n`;
    const farm = await publishRecorded({ answer: () => huge });
    expect(statuses(await get(farm, 'plain', '/bad'))).toEqual(['502']);
  });

  test('some of them are relayed, whatever their number within the bound', async () => {
    const some = 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(20);
    const farm = await publishRecorded({ answer: (each) => some + echoTarget(each) });
    expect(statuses(await get(farm, 'plain', '/a'))).toEqual([...Array(20).fill('102'), '200']);
  });
});

describe('servers that do not answer (U04)', () => {
  test('a SYN that is dropped: 502.3 with 12002 at timeouts.connect', async () => {
    const farm = await publishTo(await deafPort(), { timeouts: { connect: 1 } });
    expect((await farm.get()).status).toBe(502);
    expect(codes(farm.proxy)).toEqual(['502.3 12002']);
  });

  test.each<[string, string]>([
    ['in its status line', 'HTTP/1.1 20'],
    ['in its headers', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['behind an interim answer', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('one that stops %s: 502.3 with 12002 at the farm’s timeout', async (_name, bytes) => {
    const farm = await publishRecorded({ answer: () => bytes, protocol: 'timeout="00:00:01"' });
    expect(statuses(await get(farm, 'plain', '/')).at(-1)).toBe('502');
    expect(codes(farm.proxy)).toEqual(['502.3 12002']);
    await farm.server.until(({ connections }) => connections.every(({ closed }) => closed));
  });

  test.each<[string, string]>([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    ['no length', 'HTTP/1.1 200 OK\r\n\r\nhello'],
  ])('one that stops in a body with %s: the answer is cut, and not a short but valid one', async (_name, bytes) => {
    const farm = await publishRecorded({ answer: () => bytes, protocol: 'timeout="00:00:01"' });
    const received = await get(farm, 'plain', '/');
    expect(readAnswers(received, false).messages).toMatchObject([{ whole: false }]);
    expect(received).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(codes(farm.proxy)).toEqual(['502.3 12002']);
  });

  test.each(TRANSPORTS)(
    'one that is down while the client still sends: 502 is told at once over %s',
    async (transport) => {
      const farm = await publishRecorded();
      await farm.server.stop();
      const client = farm.open(transport);
      client.socket.write(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 10\r\n\r\nhello`);
      await client.until(/^HTTP\/1\.1 502 [\s\S]*502\.3/);
      client.socket.write(`world${request('/', LAST)}`);
      expect(statuses(await client.closed())).toEqual(['502', '502']);
    },
  );

  test('one that sends a byte at a time is served whole', async () => {
    const farm = await publishRecorded({
      answer(each, { socket }) {
        void oneByOne(
          socket,
          'HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
        );
        return targetOf(each) === '' ? '' : undefined;
      },
    });
    const { messages } = readAnswers(await get(farm, 'plain', '/'), true);
    expect(messages.map((each) => [statusOf(each), each.body, each.whole])).toEqual([
      ['103', '', true],
      ['200', 'hello', true],
    ]);
  });

  test('all servers of a farm are down: 502.3, then 502.4 at once, and the next one that comes back serves (U11)', async () => {
    const [first, second] = [await freePort(), await freePort()];
    const port = await freePort();
    const proxy = await startProxy({
      iis: applicationHost({
        bindings: [`https *:${port}:${HOST}`],
        farms: webFarm('fe', {
          servers: [
            { address: 'fe01.contoso.local', httpsPort: first },
            { address: 'fe02.contoso.local', httpsPort: second },
          ],
        }),
        rules: farmRules('fe', HOST),
      }),
      certificates: { all: [HOST] },
      settings: { hosts: { 'fe01.contoso.local': '127.0.0.1', 'fe02.contoso.local': '127.0.0.1' } },
    });
    const asked = { protocol: 'HTTP/1.1' as const, port, host: HOST, ca: authority.certPem };
    for (let i = 0; i < 4; i++) expect((await ask(asked)).status).toBe(502);
    // From the third failure on nobody waits for a connection.
    expect(codes(proxy)).toEqual([...Array(3).fill('502.3 12029'), '502.4 0']);
    await startRecordingServer({}, { https: first });
    await expect.poll(async () => (await ask(asked)).status).toBe(200);
    expect((await ask(asked)).status).toBe(200);
  });
});

async function oneByOne(socket: Socket, text: string): Promise<void> {
  for (const byte of text) {
    await new Promise<void>((resolve) => {
      socket.write(byte, () => resolve());
    });
  }
}

async function publishTo(httpPort: number, settings: object) {
  const port = await freePort();
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`http *:${port}:${HOST}`],
      farms: webFarm('fe', { servers: [{ address: 'fe01.contoso.local', httpPort }] }),
      rules: farmRules('fe', HOST),
    }),
    settings: { hosts: { 'fe01.contoso.local': '127.0.0.1' }, ...settings },
  });
  return { proxy, get: () => ask({ protocol: 'HTTP/1.1', plain: true, port, host: HOST }) };
}

/** Each of `held` answers one request, in their order. */
async function publishHeld() {
  const held: (() => void)[] = [];
  const farm = await publishRecorded({
    answer: (message, { socket }) => {
      held.push(() => socket.write(ok(targetOf(message))));
      return undefined;
    },
  });
  return { farm, held };
}

describe('connections that end on one side (U05)', () => {
  test('a plain client that ends its side behind several requests gets all answers, our own too', async () => {
    const { farm, held } = await publishHeld();
    const client = farm.open('plain');
    const nobody = 'GET /nobody HTTP/1.1\r\nHost: nobody.example\r\n\r\n';
    client.socket.end(request('/1') + nobody + request('/2') + nobody + nobody + request('/3'));
    for (let i = 0; i < 3; i++) {
      await farm.server.until(() => held.length > i);
      // The end of the client's side has been read: what another client asks behind it is served.
      expect(
        (await ask({ protocol: 'HTTP/1.1', plain: true, port: farm.httpPort, host: 'nobody.example' })).status,
      ).toBe(400);
      held[i]?.();
    }
    const { messages } = readAnswers(await client.closed(), true);
    expect(messages.map(statusOf)).toEqual(['200', '400', '200', '400', '400', '200']);
    expect(messages.flatMap(({ body }) => (/^\/\d$/.test(body) ? [body] : []))).toEqual(['/1', '/2', '/3']);
  });

  test('behind very many requests, of which the answers do not fit on the way: all of them, too', async () => {
    const farm = await publishRecorded();
    const { socket } = farm.open('plain');
    const count = 20_000;
    socket.end('GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n'.repeat(count));
    const pieces: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => pieces.push(bytes));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(
      Buffer.concat(pieces)
        .toString('latin1')
        .match(/^HTTP\/1\.1 400 /gm),
    ).toHaveLength(count);
  });

  test('behind several requests and a part of one: the answers, and the end', async () => {
    const { farm, held } = await publishHeld();
    const client = farm.open('plain');
    client.socket.end(`${request('/1')}POST /part HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 10\r\n\r\nhello`);
    await farm.server.until(() => held.length === 1);
    held[0]?.();
    expect(bodyOf(await client.closed())).toBe('/1');
    await farm.server.until(({ connections }) =>
      connections.every(({ closed, requests }) => closed || requests.length < 2),
    );
    expect(farm.server.requests.map(targetOf)).toEqual(['/1']);
  });

  test('behind a request to upgrade: the server hears of the end', async () => {
    const server = await rawServer((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
      );
      socket.once('end', () => socket.end('bye'));
    });
    const farm = await publishFarm({ host: HOST, servers: [{ httpPort: server.port }] });
    const client = openRaw(farm.httpPort);
    client.socket.end(request('/', 'Connection: Upgrade\r\nUpgrade: x\r\n'));
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\nbye$/);
  });

  test('a plain client that ends its side behind its request gets the answer', async () => {
    const farm = await publishRecorded();
    const client = openRaw(farm.httpPort);
    client.socket.allowHalfOpen = true;
    client.socket.end(request('/asked'));
    expect(bodyOf(await client.closed())).toBe('/asked');
  });

  test.each(TRANSPORTS)(
    'a client that ends before its %s request is complete: the server never sees a whole one',
    async (transport) => {
      const farm = await publishRecorded();
      const client = farm.open(transport);
      client.socket.write(`POST /part HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 10\r\n\r\nhello`);
      await farm.server.until(({ connections }) => connections[0]?.bytes.endsWith('hello') === true);
      client.socket.end();
      await farm.server.until(({ connections }) => connections[0]?.closed === true);
      expect(farm.server.requests).toEqual([]);
      expect(bodyOf(await get(farm, transport, '/next'))).toBe('/next');
    },
  );

  test('a server that ends its side before its answer: 502.3 with 12030', async () => {
    const farm = await publishRecorded({
      answer(_each, { socket }) {
        socket.end();
        return undefined;
      },
      allowHalfOpen: true,
    });
    expect(statuses(await get(farm, 'plain', '/'))).toEqual(['502']);
    expect(codes(farm.proxy)).toEqual(['502.3 12030']);
  });

  test.each(['end', 'resetAndDestroy'] as const)(
    'a server whose connection ends behind the answer (%s): the next one has a new connection',
    async (how) => {
      const farm = await publishRecorded({
        answer(each, { socket }) {
          if (targetOf(each) === '/after') return echoTarget(each);
          socket.write(echoTarget(each), () => socket[how]());
          return undefined;
        },
      });
      const client = farm.open('plain');
      for (const target of ['/1', '/2', '/3', '/after']) {
        const seen = client.received().length;
        client.socket.write(request(target));
        const received = await client.when(
          (text) => readAnswers(text.slice(seen), false).messages.at(-1)?.whole === true,
        );
        expect(bodyOf(received.slice(seen))).toBe(target);
      }
    },
  );

  test.each<[string, string, boolean]>([
    ['GET', 'GET /again HTTP/1.1', true],
    ['PUT without a body', 'PUT /again HTTP/1.1', true],
    ['POST', 'POST /again HTTP/1.1', false],
  ])(
    'a kept connection that the server ends as a request comes, and %s (%s) once more: %s',
    async (_name, line, again) => {
      let refuse = true;
      const farm = await publishRecorded({
        answer(each, { socket }) {
          if (targetOf(each) !== '/again' || !refuse) return echoTarget(each);
          refuse = false;
          socket.resetAndDestroy();
          return undefined;
        },
      });
      expect(bodyOf(await get(farm, 'plain', '/first'))).toBe('/first');
      const client = farm.open('plain');
      client.socket.write(`${line}\r\nHost: ${HOST}\r\nContent-Length: 0\r\n${LAST}\r\n`);
      expect(statuses(await client.closed())).toEqual([again ? '200' : '502']);
      expect(farm.server.requests.map(targetOf)).toEqual(['/first', '/again', ...(again ? ['/again'] : [])]);
    },
  );

  test('never twice, and never on a new connection', async () => {
    const farm = await publishRecorded({
      answer(each, { socket }) {
        if (targetOf(each) === '/first') return echoTarget(each);
        socket.resetAndDestroy();
        return undefined;
      },
    });
    expect(statuses(await get(farm, 'plain', '/lost'))).toEqual(['502']);
    await get(farm, 'plain', '/first');
    expect(statuses(await get(farm, 'plain', '/lost'))).toEqual(['502']);
    expect(farm.server.requests.map(targetOf)).toEqual(['/lost', '/first', '/lost', '/lost']);
  });
});

describe.each(TRANSPORTS)('a final answer while the client still sends, over %s (U06)', (transport) => {
  const early = (status: string, more = '') => `HTTP/1.1 ${status}\r\n${more}Content-Length: 5\r\n\r\nearly`;
  const upload = (length: number) => `POST /up HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${length}\r\n\r\n`;

  test.each(['401 Unauthorized', '413 Too Large', '200 OK'])(
    '%s to 1 GB, and the server ends its connection: told at once, and the connection ends',
    async (status) => {
      const farm = await publishRecorded({ early: () => early(status, 'Connection: close\r\n') });
      const client = farm.open(transport);
      client.socket.write(`${upload(1024 ** 3)}some of it`);
      const received = await client.closed();
      expect(statuses(received)).toEqual([status.slice(0, 3)]);
      expect(received).toMatch(/\r\nConnection: close\r\n/);
      expect(bodyOf(received)).toBe('early');
      await farm.server.until(({ connections }) => connections.every(({ closed }) => closed));
      expect(farm.server.requests).toEqual([]);
    },
  );

  test('a small rest is read, and the next request on the connection is answered as itself', async () => {
    const farm = await publishRecorded({
      early: (each) => (targetOf(each) === '/up' ? early('403 Forbidden') : undefined),
      answer: (each) => (targetOf(each) === '/up' ? undefined : echoTarget(each)),
    });
    const client = farm.open(transport);
    client.socket.write(`${upload(20)}0123456789`);
    await client.until(/early$/);
    client.socket.write(`0123456789${request('/next', LAST)}`);
    const { messages } = readAnswers(await client.closed(), true);
    expect(messages.map((each) => [statusOf(each), each.body])).toEqual([
      ['403', 'early'],
      ['200', '/next'],
    ]);
  });

  test('a rest without end, for a server that ends its connection, is read up to a bound, then the connection ends', async () => {
    const farm = await publishRecorded({ early: () => early('200 OK', 'Connection: close\r\n') });
    const client = farm.open(transport);
    client.socket.write(`POST /up HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    await client.until(/early/);
    await endless(client, `10000\r\n${'x'.repeat(0x10000)}\r\n`);
    await client.closed();
  });

  test('a server that stops reading, answers and goes: the client is not left waiting with its rest', async () => {
    const farm = await publishRecorded({
      early(_each, { socket }) {
        socket.pause();
        return early('200 OK');
      },
    });
    const client = farm.open(transport);
    client.socket.write(`POST /up HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    await client.until(/early/);
    const sent = endless(client, `10000\r\n${'x'.repeat(0x10000)}\r\n`);
    farm.server.connections[0]?.socket.destroy();
    await sent;
  });
});

/** Writes until the other side ends the connection. */
async function endless({ socket }: RawClient, piece: string): Promise<void> {
  for (let i = 0; i < 10_000 && !socket.destroyed; i++) {
    await new Promise<void>((resolve) => {
      socket.write(piece, 'latin1', () => resolve()); // Called with an error too.
    });
  }
  expect(socket.destroyed).toBe(true);
}

test('a body without a length whose connection is reset is no whole one (U07)', async () => {
  const farm = await publishRecorded({
    answer(_each, { socket }) {
      socket.write('HTTP/1.1 200 OK\r\n\r\nhello', () => socket.resetAndDestroy());
      return undefined;
    },
  });
  const received = await get(farm, 'plain', '/');
  expect(readAnswers(received, false).messages.at(-1)?.whole ?? false).toBe(false);
});

test.each([
  ['a line without a colon', 'HTTP/1.1 200 OK\r\nServer: x\r\nhello there\r\n\r\n', '"hello there"'],
  ['a control character', 'HTTP/1.1 200 OK\r\nX: a\u0001b\r\n\r\n', 'X: a\\u0001b'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n\tb\r\n\r\n', '"\\tb"'],
  ['a bare LF', 'HTTP/1.1 200 OK\nX: a\r\n\r\n', 'HTTP/1.1 200 OK\\nX'],
  ['a status line', 'HTTP/2.7 200 OK\r\n\r\n', '"HTTP/2.7 200 OK"'],
  ['a chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello', '\\r\\n0x5\\r\\n'],
  ['a chunk that is longer', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello', '2\\r\\nhello'],
])('the log shows the bytes of a refused answer, escaped and cut: %s', async (_name, answer, shown) => {
  const farm = await publishRecorded({ answer: () => answer + 'z'.repeat(500) });
  const client = farm.open('plain');
  client.socket.on('error', () => undefined);
  client.socket.write(request('/', LAST));
  await client.closed().catch(() => undefined);
  const [line] = farm.proxy.logged.filter(({ code }) => code === '502.3');
  expect(line?.msg).toContain(shown);
  expect(String(line?.msg)).not.toContain('z'.repeat(100));
});
