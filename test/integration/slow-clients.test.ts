/** Rows T05, F01, F02 and U08 of the list of threats: clients, and servers, that take their time on purpose. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:http2';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ask, openHttp2, openRaw, type Protocol } from './clients.ts';
import { applicationHost, authority, farmRules, webFarm, writeFolder } from './environment.ts';
import { readAnswers, statusOf, targetOf } from './messages.ts';
import { freePort } from './ports.ts';
import { lychgate, peakMemory } from './process.ts';
import { encodeFrame, FRAME, openRawHttp2 } from './raw-http2.ts';
import { HOST, publishRecorded, type RecordedFarm, TRANSPORTS } from './recorded-farm.ts';
import { echoTarget, ok } from './recording-server.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const MB = 1024 * 1024;
const SHORT = { settings: { timeouts: { handshake: 2, header: 1, idle: 1, body: 1 } } };
/** A handshake costs both sides of it, which are in one process here, more than a millisecond. */
const MANY = { plain: 200, TLS: 40 };
const request = (target = '/') => `GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
const statuses = (received: string) => readAnswers(received, true).messages.map(statusOf);

async function isServed({ httpsPort: port, ca }: RecordedFarm, protocol: Protocol = 'HTTP/1.1'): Promise<void> {
  expect((await ask({ protocol, port, host: HOST, ca, path: '/fine' })).body.toString()).toBe('/fine');
}

/** Sends a byte again and again until the connection ends. */
function trickle(socket: Socket, bytes: Iterator<string | Buffer>): void {
  const timer = setInterval(() => {
    const next = bytes.next();
    if (!next.done && socket.writable) socket.write(next.value);
  }, 50);
  socket.once('close', () => clearInterval(timer));
}

function* forever(text: string): Generator<string> {
  for (;;) yield text;
}

describe('heads that do not end (F01)', () => {
  test.each(TRANSPORTS)(
    'many of them over %s, byte by byte: 408 at timeouts.header for each, others are served',
    async (transport) => {
      const farm = await publishRecorded(SHORT);
      const slow = Array.from({ length: MANY[transport] }, () => farm.open(transport));
      for (const { socket } of slow) {
        socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nX: `);
        trickle(socket, forever('y'));
      }
      await isServed(farm);
      const told = await Promise.all(slow.map(({ closed }) => closed()));
      expect(told.map(statuses)).toEqual(Array(MANY[transport]).fill(['408']));
      expect(farm.server.requests).toHaveLength(1);
    },
  );

  test.each(TRANSPORTS)(
    'a connection over %s on which nothing comes ends at timeouts.header, a kept one at timeouts.idle',
    async (transport) => {
      const farm = await publishRecorded(SHORT);
      const [silent, kept] = [farm.open(transport), farm.open(transport)];
      kept.socket.write(request());
      expect(await silent.closed()).toBe('');
      expect(statuses(await kept.closed())).toEqual(['200']);
    },
  );
});

describe('bodies that stop (F01)', () => {
  test.each(TRANSPORTS)(
    'many of them over %s: 408 at timeouts.body for each, no whole request, others are served',
    async (transport) => {
      const farm = await publishRecorded(SHORT);
      const slow = Array.from({ length: MANY[transport] }, () => farm.open(transport));
      for (const { socket } of slow)
        socket.write(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1000\r\n\r\nhello`);
      await isServed(farm);
      const told = await Promise.all(slow.map(({ closed }) => closed()));
      expect(told.map(statuses)).toEqual(Array(MANY[transport]).fill(['408']));
      await farm.server.until(({ connections }) => connections.filter(({ closed }) => !closed).length <= 1);
      expect(farm.server.requests).toHaveLength(1);
    },
  );

  test('one over HTTP/2, behind the beginning of its answer: at the farm’s timeout the stream ends, and the server’s connection', async () => {
    const early = () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n';
    const farm = await publishRecorded({ ...SHORT, early, protocol: 'timeout="00:00:02"' });
    const session = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
    const stream = session.request({ ':method': 'POST', ':authority': HOST, ':path': '/' });
    stream.on('error', () => undefined);
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.write('hello');
    await once(stream, 'data');
    stream.resume();
    await closed;
    expect(stream.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
    await farm.server.until(({ connections }) => connections[0]?.closed === true);
    expect(farm.server.requests).toEqual([]);
  });
});

/** From here on the proxy's clock runs fast: what takes minutes takes parts of a second. */
function hurry(): void {
  const start = performance.now();
  const real = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => start + (real() - start) * 20_000);
}

describe('clients that do not read (F01, F02)', () => {
  const huge = `HTTP/1.1 200 OK\r\nContent-Length: ${64 * MB}\r\n\r\n${'x'.repeat(64 * MB)}`;
  const options = { answer: () => huge, protocol: 'timeout="23:59:59"', settings: { timeouts: { body: 60 } } };

  test.each(TRANSPORTS)('over HTTP/1.1 and %s: the connection ends, and the server’s with it', async (transport) => {
    const farm = await publishRecorded(options);
    const client = farm.open(transport);
    client.socket.write(request());
    await client.until(/\r\n\r\n/);
    client.socket.pause();
    hurry();
    await farm.server.until(({ connections }) => connections[0]?.closed === true);
  });

  test('one that asks on and on, and is answered by us: the connection ends', async () => {
    const farm = await publishRecorded(options);
    const { socket } = farm.open('plain');
    socket.pause();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const more = () => {
      while (socket.write('GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n'.repeat(1000)));
    };
    socket.on('drain', more);
    more();
    hurry();
    await closed;
  });

  test('over HTTP/2, with a window that stays closed: the stream ends, and the server’s connection with it', async () => {
    const farm = await publishRecorded(options);
    const session = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
    const stream = session.request({ ':authority': HOST, ':path': '/' });
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.once('response', resolve));
    stream.pause();
    const closed = new Promise((resolve) => stream.once('close', resolve));
    hurry();
    await farm.server.until(({ connections }) => connections[0]?.closed === true);
    stream.resume();
    await closed;
    expect(stream.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
  });

  test('over HTTP/2, with a window of 0, and a head that is refused: the stream ends, and the session', async () => {
    const farm = await publishRecorded(SHORT);
    const session = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
    session.settings({ initialWindowSize: 0 });
    const stream = session.request({ ':authority': HOST, ':path': '/', host: 'other.example' });
    stream.on('error', () => undefined);
    const ends = [stream, session].map((each) => new Promise((resolve) => each.once('close', resolve)));
    const [{ ':status': status }] = await once(stream, 'response');
    expect(status).toBe(400);
    hurry();
    stream.resume();
    await Promise.all(ends);
  });

  test('one that pauses for long while the last of an answer is on its way gets all of it', async () => {
    const size = 32 * MB;
    const farm = await publishRecorded({
      answer: (each) => (targetOf(each) === '/' ? ok('x'.repeat(size)) : echoTarget(each)),
      protocol: 'timeout="00:00:30" minResponseBuffer="65536" responseBufferLimit="65536"',
    });
    const client = farm.open('plain');
    client.socket.write(request());
    const begun = await client.until(/\r\n\r\n/);
    client.socket.pause();
    const [unused, later] = [farm.open('plain'), farm.open('plain')];
    // Connections are taken in their order: the unused one is there when this one is served.
    later.socket.write(request('/fine'));
    await later.until(/\/fine$/);
    const real = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => real() + 600_000);
    // The time limits of the older one are looked at before those of this one.
    await unused.closed();
    client.socket.resume();
    await client.when((all) => all.length === begun.indexOf('\r\n\r\n') + 4 + size);
  });
});

describe('clients that take little, or nothing, with nothing but real time (F01, F02)', () => {
  const KB = 1000;
  const SIZE = 5000 * KB;
  const answer = () => ok('x'.repeat(SIZE));
  const protocol = 'timeout="00:01:00"';
  const settings = { timeouts: { body: 1, idle: 100 } };

  /** Passes on what the proxy sends: `first` bytes at once, then so many every tenth of a second. */
  async function relay(port: number, first: number, everyTenth: number) {
    const sockets: Socket[] = [];
    const server = createServer((client) => {
      const proxy = connect(port, '127.0.0.1').pause();
      let left = first;
      const pass = (most: number) => {
        const bytes: Buffer | null = most > 0 ? proxy.read(Math.min(most, proxy.readableLength)) : null;
        if (bytes !== null) client.write(bytes);
        return bytes?.length ?? 0;
      };
      proxy.on('readable', () => {
        left -= pass(left);
      });
      const timer = setInterval(() => pass(everyTenth), 100);
      client.pipe(proxy);
      for (const each of [client, proxy]) each.on('error', () => undefined);
      proxy.once('close', () => {
        clearInterval(timer);
        client.destroy();
      });
      sockets.push(client, proxy);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const each of sockets) each.destroy();
      server.close();
    });
    return (server.address() as { port: number }).port;
  }

  const LISTEN = '0A';
  const TIME_WAIT = '06';

  /** The bytes that the kernel holds for each connection that was accepted on this port. */
  function heldByKernel(port: number): number[] {
    const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
      readFileSync(table, 'latin1')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .flatMap(([, local = '', , state, queues = '']) =>
          local.endsWith(end) && state !== LISTEN && state !== TIME_WAIT ? [Number.parseInt(queues, 16)] : [],
        ),
    );
  }

  function openOver2(port: number, ca: string) {
    const session = openHttp2({ protocol: 'HTTP/2', port, host: HOST, ca });
    session.settings({ initialWindowSize: 64 * MB });
    session.once('connect', () => session.setLocalWindowSize(64 * MB));
    session.on('error', () => undefined);
    return session;
  }

  function answerOver2(session: ReturnType<typeof openHttp2>, path = '/') {
    const stream = session.request({ ':authority': HOST, ':path': path });
    stream.on('error', () => undefined);
    return stream;
  }

  test('5 MB at 600 KB a second, of which timeouts.body gives 1, as 10 KB a second with 60: all of it, over each protocol', async () => {
    const farm = await publishRecorded({ answer, protocol, settings });
    const slow = (port: number) => relay(port, 0, 60 * KB);
    const plain = openRaw(await slow(farm.httpPort));
    const tls = openRaw(await slow(farm.httpsPort), { host: HOST, ca: farm.ca });
    const session = openOver2(await slow(farm.httpsPort), farm.ca);
    for (const { socket } of [plain, tls]) socket.write(request());
    const whole = (all: string) => all.length - all.indexOf('\r\n\r\n') - 4 === SIZE;
    const stream = answerOver2(session);
    const over2 = new Promise<number>((resolve, reject) => {
      let length = 0;
      stream.on('data', (bytes: Buffer) => (length += bytes.length));
      stream.once('end', () => resolve(length));
      stream.once('close', () => reject(new Error(`closed behind ${length} bytes: ${stream.rstCode}`)));
    });
    await Promise.all([plain.when(whole), tls.when(whole)]);
    expect(await over2).toBe(SIZE);
  });

  test.each([
    ['more than the kernel holds', 32 * MB],
    ['all of which the kernel holds', 2 * MB],
  ])(
    'who reads nothing of %s is gone at timeouts.body, over each protocol, and what the kernel held with it',
    async (_, size) => {
      const farm = await publishRecorded({ answer: () => ok('x'.repeat(size)), protocol, settings });
      const none = (port: number) => relay(port, 64 * KB, 0);
      const plain = openRaw(await none(farm.httpPort));
      const tls = openRaw(await none(farm.httpsPort), { host: HOST, ca: farm.ca });
      const session = openOver2(await none(farm.httpsPort), farm.ca);
      answerOver2(session);
      for (const { socket } of [plain, tls]) socket.write(request());
      // A reset shows to nobody who does not read: it shows here.
      await farm.server.until(({ requests }) => requests.length === 3);
      await expect.poll(() => [farm.httpPort, farm.httpsPort].flatMap(heldByKernel)).toEqual([]);
    },
  );

  test('over HTTP/2 a closed window ends the stream at timeouts.body, and not sooner, whatever its neighbours take', async () => {
    const farm = await publishRecorded({
      answer: (each) => ok('x'.repeat(targetOf(each) === '/small' ? 50 * KB : 32 * MB)),
      protocol,
      settings,
    });
    const session = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
    const began = performance.now();
    const shut = [answerOver2(session, '/large'), answerOver2(session, '/large')];
    const ends = shut.map((stream) => new Promise((resolve) => stream.once('close', resolve)));
    for (const stream of shut) stream.pause();
    const none = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
    none.settings({ initialWindowSize: 0 });
    const small = answerOver2(none, '/small').pause();
    const smallEnds = new Promise((resolve) => small.once('close', resolve));
    // One that goes on all the time, until the others have ended.
    let taken = 0;
    let done = false;
    const next = () => {
      if (done) return;
      const busy = answerOver2(session, '/large');
      busy.on('data', (bytes: Buffer) => (taken += bytes.length));
      busy.once('close', next);
    };
    await Promise.all(shut.map((stream) => once(stream, 'response')));
    next();
    // A stream that has ended tells so only when it is read.
    const whenCut = (stream: (typeof shut)[number]) => stream.once('aborted', () => stream.resume());
    for (const stream of [...shut, small]) whenCut(stream);
    await Promise.all([...ends, smallEnds]);
    done = true;
    expect(performance.now() - began).toBeGreaterThan(1000);
    expect([...shut, small].map(({ rstCode }) => rstCode)).toEqual(Array(3).fill(constants.NGHTTP2_INTERNAL_ERROR));
    expect(session.destroyed).toBe(false);
    expect(taken).toBeGreaterThan(0);
  });
});

describe('HTTP/2 (F02)', () => {
  test('a connection on which nothing is asked, or a head does not end, is closed at timeouts.idle', async () => {
    const farm = await publishRecorded(SHORT);
    const tls = { host: HOST, ca: farm.ca };
    const noPreface = openRaw(farm.httpsPort, { ...tls, alpn: 'h2' });
    const halfPreface = openRaw(farm.httpsPort, { ...tls, alpn: 'h2' });
    halfPreface.socket.write('PRI * HTTP');
    const idle = await openRawHttp2(farm.httpsPort, tls);
    const noEnd = await openRawHttp2(farm.httpsPort, tls);
    // HEADERS without END_HEADERS, and no CONTINUATION behind it.
    noEnd.raw.socket.write(encodeFrame(FRAME.headers, 0, 1, Buffer.from([0x82])));
    await isServed(farm, 'HTTP/2');
    await Promise.all([noPreface, halfPreface, idle.raw, noEnd.raw].map((each) => each.closed()));
    expect(farm.server.requests).toHaveLength(1);
  });
});

describe('TLS handshakes (T05)', () => {
  /** The first message of a real client. */
  async function clientHello(): Promise<Buffer> {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    const hello = new Promise<Buffer>((resolve) => {
      server.once('connection', (socket) => socket.once('data', (bytes: Buffer) => resolve(bytes)));
    });
    const client = connectTls({ port, host: '127.0.0.1', servername: HOST });
    client.on('error', () => undefined);
    onTestFinished(() => {
      client.destroy();
      server.close();
    });
    return await hello;
  }

  test('200 that say nothing, and 200 that come byte by byte, end at timeouts.handshake; others are served', async () => {
    const farm = await publishRecorded(SHORT);
    const hello = await clientHello();
    const silent = Array.from({ length: 200 }, () => openRaw(farm.httpsPort));
    const slow = Array.from({ length: 200 }, () => openRaw(farm.httpsPort));
    for (const { socket } of slow) trickle(socket, Array.from(hello, (byte) => Buffer.from([byte]))[Symbol.iterator]());
    await isServed(farm);
    await isServed(farm, 'HTTP/2');
    for (const each of [...silent, ...slow]) expect(await each.closed()).toBe('');
  });

  test('a ClientHello in a hundred records is one: it is answered, or refused with an alert', async () => {
    const farm = await publishRecorded(SHORT);
    const hello = await clientHello();
    const message = hello.subarray(5);
    const size = Math.ceil(message.length / 100);
    const client = openRaw(farm.httpsPort);
    for (let at = 0; at < message.length; at += size) {
      const part = message.subarray(at, at + size);
      client.socket.write(
        Buffer.concat([hello.subarray(0, 3), Buffer.from([part.length >> 8, part.length & 255]), part]),
      );
    }
    const HANDSHAKE = 22;
    const ALERT = 21;
    expect([HANDSHAKE, ALERT]).toContain((await client.until(/^[\s\S]/)).charCodeAt(0));
    await isServed(farm);
  });
});

describe('memory (U08)', () => {
  /** A server that sends 256 MB for `/endless`, 32 MB for others, and does not read what is sent to `/full`. */
  async function publishMemory() {
    const piece = Buffer.alloc(64 * 1024, 'x');
    const sent: number[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes) => {
        const [method, target] = bytes.toString('latin1').split(' ');
        if (target === '/full') return socket.pause();
        if (method === 'POST') {
          let left = 32 * MB - (bytes.length - bytes.indexOf('\r\n\r\n') - 4);
          socket.on('data', (more) => {
            left -= more.length;
            if (left === 0) socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
          });
          return undefined;
        }
        const index = sent.push(0) - 1;
        const size = target === '/endless' ? 256 * MB : 32 * MB;
        socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`);
        const more = () => {
          while ((sent[index] ?? 0) < size) {
            sent[index] = (sent[index] ?? 0) + piece.length;
            if (!socket.write(piece)) return void socket.once('drain', more);
          }
        };
        return more();
      });
    });
    const httpPort = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => sockets.add(socket));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const port = await freePort();
    const folder = writeFolder({
      iis: applicationHost({
        bindings: [`https *:${port}:${HOST}`],
        farms: webFarm('fe', { servers: [{ address: '127.0.0.1', httpPort }] }),
        rules: farmRules('fe', HOST).replaceAll('https://fe', 'http://fe'),
      }),
      certificates: { all: [HOST] },
      settings: { workers: 1, log: { level: 'info', access: { format: 'off' } } },
    });
    const service = lychgate(['run', '--config', folder.configDir]);
    await service.prints(/Lychgate serves/);
    const [worker = 0] = service.workers();
    return { port, worker, sent };
  }

  test.each<Protocol>(['HTTP/1.1', 'HTTP/2'])(
    'answers without end for 20 clients of %s that do not read: flat memory',
    async (protocol) => {
      const { port, worker, sent } = await publishMemory();
      const asked = { protocol, port, host: HOST, ca: authority.certPem };
      // Another client's download is the clock: had nothing held them back, the others would be done as well.
      await ask({ ...asked, path: '/clock' });
      const before = peakMemory(worker);
      for (let i = 0; i < 20; i++) {
        if (protocol === 'HTTP/2') {
          const stream = openHttp2(asked).request({ ':authority': HOST, ':path': '/endless' });
          stream.on('error', () => undefined);
          await new Promise((resolve) => stream.once('response', resolve));
        } else {
          const client = openRaw(port, { host: HOST, ca: authority.certPem });
          client.socket.write(request('/endless'));
          await client.until(/\r\n\r\n/);
          client.socket.pause();
        }
      }
      await ask({ ...asked, path: '/clock' });
      await ask({ ...asked, path: '/clock' });
      expect(peakMemory(worker) - before).toBeLessThan(160 * MB);
      expect(sent.filter((bytes) => bytes === 256 * MB)).toEqual([]);
    },
  );

  test('uploads without end of 20 more clients to a server that does not read: flat memory', async () => {
    const { port, worker } = await publishMemory();
    const asked = { protocol: 'HTTP/1.1' as const, port, host: HOST, ca: authority.certPem, method: 'POST' };
    const clock = () => ask({ ...asked, path: '/clock', body: Buffer.alloc(32 * MB) });
    const piece = Buffer.alloc(64 * 1024, 'x');
    const upload20 = async () => {
      for (let i = 0; i < 20; i++) {
        const { socket } = openRaw(port, { host: HOST, ca: authority.certPem });
        socket.write(`POST /full HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${256 * MB}\r\n\r\n`);
        const more = () => {
          while (socket.writable && socket.write(piece));
        };
        socket.on('drain', more);
        more();
      }
      await clock();
      await clock();
    };
    // What a worker needs for so much traffic is there after the first of them; what they hold shows with more of them.
    await upload20();
    const before = peakMemory(worker);
    await upload20();
    expect(peakMemory(worker) - before).toBeLessThan(160 * MB);
  });
});
