/** URL tests over real sockets: what is asked, whom the connection goes to, and what each answer counts as. */
import { createHash, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ServerRoutes } from '../../src/connect/server-routes.ts';
import { runUrlTest } from '../../src/health/health-check.ts';
import { authority } from '../integration/environment.ts';
import { targetOf, valuesOf } from '../integration/messages.ts';
import { closeOf, deafPort, rawServer } from '../integration/one-farm.ts';
import { freePort } from '../integration/ports.ts';
import { ok, type RecordingOptions, startRecordingServer } from '../integration/recording-server.ts';
import { FARM, SERVER, type WatchOptions, watchFarm } from './watched-farm.ts';

/** Tests are made when the test says so, and tried once. */
const ASKED = { interval: 0, retries: 0, timeout: 20 };

/** One server, with a URL test that is made when it is asked for. */
async function tested(more: RecordingOptions, { quick, ...rest }: Partial<WatchOptions> = {}) {
  const server = await startRecordingServer(more);
  const { httpPort, httpsPort } = server;
  const farm = watchFarm({
    servers: [{ address: SERVER, httpPort, httpsPort }],
    quick: { url: `http://${FARM}/`, ...ASKED, ...quick },
    ...rest,
  });
  return { server, farm };
}

/** As `tested`, but a port where the test does what it likes to each connection. */
function testedAt(httpPort: number, more: Partial<WatchOptions> = {}) {
  const { quick, ...rest } = more;
  return watchFarm({
    servers: [{ address: SERVER, httpPort }],
    quick: { url: `http://${FARM}/`, ...ASKED, timeout: 0.2, ...quick },
    ...rest,
  });
}

describe('what is asked for', () => {
  test.each(['http', 'https'])(
    '%s: a GET on a connection of its own, to the server and not to the host of the URL',
    async (scheme) => {
      const url = `${scheme}://Pool.contoso.com/a%2Fb/%c3/../x;y?q=a b&<ü>#part`;
      const ports: (number | undefined)[] = [];
      const opened = ({ socket }: { socket: Socket }) => ports.push(socket.localPort);
      const { server, farm } = await tested({ opened }, { quick: { url } });
      expect([await farm.test(), await farm.test()]).toEqual(['Success', 'Success']);
      expect(server.connections.map(({ requests }) => requests.length)).toEqual([1, 1]);
      const [request] = server.requests;
      expect(request?.startLine).toBe('GET /a%2Fb/%c3/../x;y?q=a%20b&<%C3%BC> HTTP/1.1');
      expect(request?.headers.map(([name, value]) => `${name}: ${value}`)).toEqual([
        'host: pool.contoso.com',
        'connection: close',
        'user-agent: Lychgate-HealthCheck',
        'accept: */*',
      ]);
      const port = scheme === 'http' ? server.httpPort : server.httpsPort;
      expect(ports).toEqual([port, port]);
      await server.until(({ connections }) => connections.every(({ closed }) => closed));
    },
  );

  test('of a URL with a port that port, and without one that of the server by the scheme', async () => {
    const other = await startRecordingServer();
    const { server, farm } = await tested({}, { quick: { url: `http://${FARM}:${other.httpPort}?whole` } });
    expect(await farm.test()).toBe('Success');
    expect(server.requests).toEqual([]);
    expect(other.requests.map(targetOf)).toEqual(['/?whole']);
    expect(valuesOf(other.requests[0]!, 'host')).toEqual([`${FARM}:${other.httpPort}`]);
  });

  test('healthCheckAlternateHostName and healthCheckAlternatePort go before the URL', async () => {
    const other = await startRecordingServer();
    const routing = `healthCheckAlternateHostName="fe-internal:81" healthCheckAlternatePort="${other.httpPort}"`;
    const farm = watchFarm({
      servers: [{ address: SERVER, httpPort: 1, routing }],
      quick: { url: 'http://pool:2/', ...ASKED },
    });
    expect(await farm.test()).toBe('Success');
    expect(valuesOf(other.requests[0]!, 'host')).toEqual(['fe-internal:81']);
  });

  test('localAddress of the farm is where it comes from', async () => {
    const { server, farm } = await tested({}, { settings: { localAddress: '127.0.0.9' } });
    expect(await farm.test()).toBe('Success');
    expect(server.connections[0]?.socket.remoteAddress).toBe('127.0.0.9');
  });
});

describe('what an answer counts as', () => {
  const answered = (status: number, more = '') => `HTTP/1.1 ${status} Told\r\n${more}Content-Length: 0\r\n\r\n`;

  test.each([
    [200, '200-399', 'Success'],
    [399, '200-399', 'Success'],
    [400, '200-399', 'StatusCodeFailure'],
    [401, '200,401', 'Success'],
    [404, '200,401', 'StatusCodeFailure'],
    [503, '500-', 'Success'],
    [999, '500-', 'Success'],
    [204, '200', 'StatusCodeFailure'],
  ])('%i with statusCodeMatch %s: %s', async (status, statusCodeMatch, result) => {
    const { farm } = await tested({ answer: () => answered(status) }, { quick: { statusCodeMatch } });
    expect(await farm.test()).toBe(result);
    expect(farm.of().reason).toBe(result === 'Success' ? '' : `http://${FARM}/ was answered ${status}`);
  });

  test('interim answers are passed over', async () => {
    const { farm } = await tested({ answer: () => `HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n${answered(200)}` });
    expect(await farm.test()).toBe('Success');
  });

  test('redirects are not followed', async () => {
    const other = await startRecordingServer();
    const answer = () => answered(302, `Location: http://127.0.0.1:${other.httpPort}/\r\n`);
    const { server, farm } = await tested({ answer });
    expect(await farm.test()).toBe('Success');
    const strict = await tested({ answer }, { quick: { statusCodeMatch: '200' } });
    expect(await strict.farm.test()).toBe('StatusCodeFailure');
    expect([server.requests.length, other.connections.length]).toEqual([1, 0]);
  });

  test.each([
    ['101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
    ['what is no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['a head that is too large', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`],
  ])('%s: ConnectionFailure', async (_, answer) => {
    const { farm } = await tested({ answer: () => answer });
    expect(await farm.test()).toBe('ConnectionFailure');
    expect(farm.of().reason).toMatch(/^http:\/\/fe\/ was not answered: ./);
  });

  test.each([
    ['in one piece', '<p>All is well</p>', 'Success'],
    ['cut in the middle', '<p>All |is well', 'Success'],
    ['a byte at a time', [...'All is well'].join('|'), 'Success'],
    ['cut after a beginning of it', 'All is All is |well', 'Success'],
    ['in another letter case', 'all is well', 'ResponseEntityFailure'],
    ['only its beginning', 'All is wel', 'ResponseEntityFailure'],
    ['no body', '', 'ResponseEntityFailure'],
  ])('responseMatch, %s', async (_, body, result) => {
    const chunks = body.split('|').filter((piece) => piece !== '');
    const coded = chunks.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
    const answer = () => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${coded}0\r\n\r\n`;
    const { farm } = await tested({ answer }, { quick: { responseMatch: 'All is well' } });
    expect(await farm.test()).toBe(result);
    const reason = `http://${FARM}/ was answered without "All is well"`;
    expect(farm.of().reason).toBe(result === 'Success' ? '' : reason);
  });

  test('responseMatch beyond ASCII is UTF-8', async () => {
    const answer = () => ok(Buffer.from('Prüfung').toString('latin1'));
    const { farm } = await tested({ answer }, { quick: { responseMatch: 'üf' } });
    expect(await farm.test()).toBe('Success');
  });

  test.each([
    [1024 * 1024, 'Success'],
    [1024 * 1024 + 1, 'ResponseEntityFailure'],
  ])('responseMatch that ends with byte %i of the body: %s', async (end, result) => {
    const { farm } = await tested(
      { answer: () => ok(`${'-'.repeat(end - 4)}well and more`) },
      { quick: { responseMatch: 'well' } },
    );
    expect(await farm.test()).toBe(result);
  });

  test.each(['', 'never there'])(
    '1 GB of body, responseMatch %j: no more than the first MiB is taken (U10)',
    async (responseMatch) => {
      const piece = Buffer.alloc(256 * 1024, '-');
      const raw = await rawServer((socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n');
        const more = (): void => {
          while (socket.writable && socket.write(piece));
        };
        socket.on('drain', more);
        more();
      });
      const opened = raw.opened();
      const before = process.memoryUsage.rss();
      const farm = testedAt(raw.port, { quick: { responseMatch, timeout: 20 } });
      expect(await farm.test()).toBe(responseMatch === '' ? 'Success' : 'ResponseEntityFailure');
      const socket = await opened;
      await closeOf(socket);
      // What lies in the buffers of the kernel on both sides comes on top.
      expect(socket.bytesWritten).toBeLessThan(32 * 1024 * 1024);
      expect(process.memoryUsage.rss() - before).toBeLessThan(128 * 1024 * 1024);
    },
  );

  test('what the text is found in needs no end', async () => {
    const raw = await rawServer((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nAll is well'));
    expect(await testedAt(raw.port, { quick: { responseMatch: 'well' } }).test()).toBe('Success');
  });
});

describe('servers that do not answer (U04, U10)', () => {
  test('an answer after the time-out: it counts as failed', async () => {
    const { server, farm } = await tested({ answer: () => '' }, { quick: { timeout: 0.2 } });
    expect(await farm.test()).toBe('ConnectionFailure');
    expect(farm.of()).toMatchObject({ healthy: false, reason: `http://${FARM}/ was not answered within 0.2 s` });
    // The other end is gone, so that nobody waits for an answer any more.
    await server.until(({ connections }) => connections.every(({ closed }) => closed));
  });

  /** A byte at a time, over and over. */
  function dribble(socket: Socket, text: string): void {
    let at = 0;
    const timer = setInterval(() => {
      socket.write(text.charAt(at));
      at = (at + 1) % text.length;
    }, 10);
    socket.on('close', () => clearInterval(timer));
  }

  const silent: [string, (socket: Socket) => void, string][] = [
    ['accepts and says nothing', (socket) => socket.resume(), ''],
    ['sends a head without end', (socket) => dribble(socket, 'HTTP/1.1 200 OK and so on'), ''],
    ['sends interim answers for ever', (socket) => dribble(socket, 'HTTP/1.1 102 Processing\r\n\r\n'), ''],
    [
      'sends its body a byte at a time',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        dribble(socket, '-');
      },
      'well',
    ],
  ];

  test.each(silent)('one that %s: the whole answer has one time-out', async (_, serve, responseMatch) => {
    const raw = await rawServer(serve);
    const farm = testedAt(raw.port, { quick: { responseMatch } });
    const opened = raw.opened();
    expect(await farm.test()).toBe('ConnectionFailure');
    expect(farm.of().reason).toBe(`http://${FARM}/ was not answered within 0.2 s`);
    await closeOf(await opened);
  });

  test('a SYN that is dropped: the time-out', async () => {
    const farm = testedAt(await deafPort());
    expect(await farm.test()).toBe('ConnectionFailure');
    expect(farm.of().reason).toBe(`http://${FARM}/ was not answered within 0.2 s`);
  });

  test('TLS that never comes up: the time-out', async () => {
    const raw = await rawServer(() => undefined);
    const farm = testedAt(raw.port, { quick: { url: `https://${FARM}:${raw.port}/` } });
    expect(await farm.test()).toBe('ConnectionFailure');
    expect(farm.of().reason).toBe(`https://${FARM}:${raw.port}/ was not answered within 0.2 s`);
  });

  test.each([
    ['resets at once', (socket: Socket) => void socket.resetAndDestroy()],
    ['closes at once', (socket: Socket) => void socket.end()],
    ['closes within its head', (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\n')],
    ['closes within its body', (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nAll')],
  ])('one that %s', async (_, serve) => {
    const raw = await rawServer(serve);
    const farm = testedAt(raw.port, { quick: { responseMatch: 'well', timeout: 20 } });
    expect(await farm.test()).toBe('ConnectionFailure');
    expect(farm.of().reason).toMatch(/^http:\/\/fe\/ was not answered: ./);
  });

  test('a port where nobody listens', async () => {
    const port = await freePort();
    const farm = testedAt(port, { quick: { timeout: 20 } });
    expect(await farm.test()).toBe('ConnectionFailure');
    expect(farm.of().reason).toBe(`http://${FARM}/ was not answered: connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  test('a name that does not resolve', async () => {
    const farm = watchFarm({
      servers: [{ address: 'nowhere.contoso.local' }],
      quick: { url: `http://${FARM}/`, ...ASKED },
      // Nobody answers there.
      dns: [`127.0.0.1:${await freePort()}`],
    });
    expect(await farm.test()).toBe('ConnectionFailure');
    expect(farm.of().reason).toContain(`http://${FARM}/ was not answered: `);
    expect(farm.of().reason).toContain('nowhere.contoso.local');
  });
});

describe('what says nothing of the server', () => {
  const NOWHERE = { tls: undefined, localAddress: undefined, computedHost: false };
  const failing = (failure: Error): ServerRoutes => ({
    key: '',
    name: () => expect.unreachable(),
    to: () => ({ lookup: (_name, _options, callback) => callback(failure, []), refusal: () => undefined }),
    close: () => undefined,
  });
  const asked = (failure: Error, signal = new AbortController().signal) =>
    runUrlTest(
      {
        url: 'http://fe/',
        ...{ reach: { ...NOWHERE, routes: failing(failure), address: SERVER, port: 1 }, host: 'fe', target: '/' },
        ...{ timeout: 20, maxResponseHeaderSize: 0, statusCodes: () => true, responseMatch: '' },
      },
      signal,
    );

  test.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])('%s: we could not ask', async (code) => {
    expect(await asked(Object.assign(new Error('too many'), { code }))).toEqual({
      result: 'ConnectionFailure',
      reason: 'http://fe/ was not answered: too many',
      inconclusive: true,
    });
  });

  test('another failure does', async () => {
    const told = await asked(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
    expect(told).toEqual({ result: 'ConnectionFailure', reason: 'http://fe/ was not answered: no such name' });
  });

  test('a stop that came before', async () => {
    expect(await asked(new Error('not asked'), AbortSignal.abort())).toEqual({
      result: 'ConnectionFailure',
      reason: 'http://fe/ was not tested to the end',
      inconclusive: true,
    });
  });
});

describe('servers with TLS are judged as for requests', () => {
  async function overTls(address: string, more: Partial<WatchOptions> = {}) {
    const server = await startRecordingServer();
    const farm = watchFarm({
      servers: [{ address, httpsPort: server.httpsPort }],
      quick: { url: `https://${SERVER}/`, ...ASKED },
      ...more,
    });
    return { server, farm };
  }

  test('a certificate for another name: the host of the URL is no name to accept', async () => {
    const { server, farm } = await overTls('fe07.fabrikam.local');
    expect(await farm.test()).toBe('ConnectionFailure');
    expect(farm.of().reason).toMatch(/none of the configured names is among them: fe07\.fabrikam\.local/);
    expect(server.requests).toEqual([]);
  });

  test.each(['chain', 'none'])('and with verify "%s" it passes', async (verify) => {
    const { server, farm } = await overTls('fe07.fabrikam.local', { settings: { verify } });
    expect(await farm.test()).toBe('Success');
    expect(server.requests).toHaveLength(1);
  });

  test('an unknown authority', async () => {
    const { server, farm } = await overTls(SERVER, { ca: [] });
    expect(await farm.test()).toBe('ConnectionFailure');
    expect(farm.of().reason).toMatch(/unable to verify the first certificate/);
    expect(server.requests).toEqual([]);
  });

  test.each(['full', 'none'])('pins hold with verify "%s"', async (verify) => {
    const server = await startRecordingServer();
    const pin = await pinOf(server.httpsPort);
    const results = [pin, Buffer.alloc(32).toString('base64')].map(async (each) => {
      const farm = watchFarm({
        servers: [{ address: SERVER, httpsPort: server.httpsPort }],
        quick: { url: `https://${FARM}/`, ...ASKED },
        settings: { verify, pins: [each] },
      });
      return [await farm.test(), farm.of().reason];
    });
    expect(await Promise.all(results)).toEqual([
      ['Success', ''],
      ['ConnectionFailure', `https://${FARM}/ was not answered: the key of the certificate (${pin}) is not pinned`],
    ]);
    expect(server.requests).toHaveLength(1);
  });

  function pinOf(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { port, host: '127.0.0.1', servername: SERVER, ca: authority.certPem };
      const socket = connectTls(options, () => {
        const key = new X509Certificate(socket.getPeerCertificate().raw).publicKey;
        resolve(
          createHash('sha256')
            .update(key.export({ type: 'spki', format: 'der' }))
            .digest('base64'),
        );
        socket.destroy();
      });
      socket.once('error', reject);
    });
  }
});

describe('when this process is held up (F15)', () => {
  /** In a thread of its own, so that it goes on meanwhile. `counts`: requests that came, and those that were answered. */
  async function serverBeside(answers: boolean): Promise<{ port: number; counts: Int32Array }> {
    const counts = new Int32Array(new SharedArrayBuffer(8));
    const code = `
      const { createServer } = require('node:http');
      const { parentPort, workerData: { counts, answers } } = require('node:worker_threads');
      const count = (which) => {
        Atomics.add(counts, which, 1);
        Atomics.notify(counts, which);
      };
      const server = createServer((request, response) => {
        count(0);
        if (answers) response.end('well', () => count(1));
      });
      server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
    const worker = new Worker(code, { eval: true, workerData: { counts, answers } });
    onTestFinished(async () => {
      await worker.terminate();
    });
    return { port: await new Promise((resolve) => worker.once('message', resolve)), counts };
  }

  const block = (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  test('an answer that lay unread beyond the time-out counts', async () => {
    const { port, counts } = await serverBeside(true);
    const farm = testedAt(port, { quick: { responseMatch: 'well' } });
    const result = farm.test();
    while (Atomics.load(counts, 0) === 0) await turn();
    // Nothing is read here until the answer is there and the time-out has passed.
    Atomics.wait(counts, 1, 0, 20_000);
    block(300);
    expect(await result).toBe('Success');
    expect(farm.changes).toEqual([]);
  });

  test('one that was held up before it could ask has its time all the same', async () => {
    const { port } = await serverBeside(true);
    const farm = testedAt(port, { quick: { timeout: 1 } });
    const result = farm.test();
    for (let i = 0; i < 4; i++) {
      block(1100);
      await turn();
    }
    expect(await result).toBe('Success');
  });

  test('held up again and again, servers that answer pass, and silent ones are still found', async () => {
    const [good, silent] = [await serverBeside(true), await serverBeside(false)];
    const farm = watchFarm({
      servers: [
        { address: SERVER, httpPort: good.port },
        { address: 'fe02.contoso.local', httpPort: silent.port },
      ],
      // Less than each time that this process is away.
      quick: { url: `http://${FARM}/`, ...ASKED, timeout: 0.3 },
    });
    let away = true;
    const starve = () => {
      block(350);
      if (away) setImmediate(starve);
    };
    starve();
    const results = await Promise.all([farm.test(SERVER), farm.test('fe02.contoso.local')]);
    away = false;
    expect(results).toEqual(['Success', 'ConnectionFailure']);
    expect(farm.changes).toEqual([`fe02.contoso.local: unhealthy, http://${FARM}/ was not answered within 0.3 s`]);
  });
});
