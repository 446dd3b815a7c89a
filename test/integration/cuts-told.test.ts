/** What ends a request or a connection from our side is in the service log, at its default level, with the setting that did it. */
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { ask, openHttp2, openRaw } from './clients.ts';
import { targetOf } from './messages.ts';
import { HOST, publishRecorded, type RecordedFarm, TRANSPORTS } from './recorded-farm.ts';
import { echoTarget } from './recording-server.ts';

const BODY = `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1000\r\n\r\nhello`;
const request = (target = '/', more = '') => `GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\n${more}\r\n`;

/** Until a line of the log says so. */
async function told({ proxy }: RecordedFarm, msg: string): Promise<Record<string, unknown>> {
  const found = () => proxy.logged.find((line) => String(line.msg).includes(msg));
  await expect.poll(found, { message: msg }).toBeDefined();
  return found() ?? {};
}

test.each(TRANSPORTS)('times that end a connection over %s', async (transport) => {
  const timeouts = { header: 1, idle: 1, body: 1, handshake: 1, upgradeIdle: 1 };
  const accept = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const farm = await publishRecorded({
    settings: { timeouts },
    answer: (each) => (targetOf(each) === '/socket' ? accept : echoTarget(each)),
  });
  const client = { client: '127.0.0.1', level: 30 };
  farm.open(transport);
  const kept = farm.open(transport);
  kept.socket.write(request());
  const head = farm.open(transport);
  head.socket.write('GET / HT');
  const body = farm.open(transport);
  body.socket.write(BODY);
  const tunnel = farm.open(transport);
  tunnel.socket.write(request('/socket', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'));
  expect(await told(farm, 'no request came within 1 s (timeouts.header)')).toMatchObject(client);
  expect(await told(farm, 'no other request came within 1 s (timeouts.idle)')).toMatchObject(client);
  expect(await told(farm, 'no whole head within 1 s (timeouts.header)')).toMatchObject({
    ...client,
    setting: 'timeouts.header',
  });
  expect(await told(farm, 'no more of the body came within 1 s, timeouts.body')).toMatchObject({
    ...client,
    setting: 'timeouts.body',
  });
  const tunnelEnd = await told(farm, 'an idle tunnel of 1 s (timeouts.upgradeIdle)');
  expect(tunnelEnd).toMatchObject({ setting: 'timeouts.upgradeIdle' });
});

test('times that end a connection of HTTP/2, and a TLS handshake', async () => {
  const timeouts = { handshake: 1, idle: 1, body: 1 };
  const farm = await publishRecorded({ settings: { timeouts } });
  openRaw(farm.httpsPort);
  const session = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
  const stream = session.request({ ':method': 'POST', ':authority': HOST, ':path': '/' });
  stream.on('error', () => undefined).write('hello');
  openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
  const client = { client: '127.0.0.1', level: 30 };
  const setting = (name: string) => ({ ...client, setting: name });
  expect(await told(farm, 'a TLS handshake was not done within 1 s (timeouts.handshake)')).toMatchObject(client);
  expect(await told(farm, 'no other request came within 1 s (timeouts.idle)')).toMatchObject(setting('timeouts.idle'));
  expect(await told(farm, 'no more of the body came within 1 s, timeouts.body')).toMatchObject({
    ...client,
    setting: 'timeouts.body',
  });
});

test('a client that takes nothing of its answer', async () => {
  const size = 16 * 1024 * 1024;
  const answer = () => `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`;
  const farm = await publishRecorded({ answer, settings: { timeouts: { body: 1 } } });
  const { socket } = farm.open('plain');
  socket.pause();
  socket.write(request());
  const session = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
  const stream = session.request({ ':authority': HOST, ':path': '/' }).pause();
  stream.on('error', () => undefined);
  const facts = { client: '127.0.0.1', code: '408.0', win32: 121, setting: 'timeouts.body' };
  expect(await told(farm, 'the client took nothing of what was sent for 1 s (timeouts.body)')).toMatchObject(facts);
  expect(await told(farm, 'the client left no room for the answer for 1 s (timeouts.body)')).toMatchObject(facts);
});

test('limits of a message name themselves, over both protocols where both have them', async () => {
  const limits = { headerBytes: 1024, headerCount: 20, targetBytes: 64, bodyBytes: 10, trailerBytes: 32 };
  const farm = await publishRecorded({ settings: { limits } });
  const raw = async (bytes: string, status: string) => {
    const client = farm.open('plain');
    client.socket.write(bytes);
    expect(await client.closed()).toContain(`HTTP/1.1 ${status} `);
  };
  const chunked = `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  await raw(request('/', `X: ${'y'.repeat(2000)}\r\n`), '431');
  await told(farm, 'a head of more than 1024 bytes (limits.headerBytes)');
  await raw(`GET /${'x'.repeat(2000)}`, '414');
  await told(farm, 'a first line of more than 1024 bytes (limits.headerBytes)');
  await raw(request('/', 'a: b\r\n'.repeat(20)), '431');
  await told(farm, 'more than 20 header fields (limits.headerCount)');
  await raw(request(`/${'x'.repeat(64)}`), '414');
  await told(farm, 'a target of 65 bytes, 64 are taken (limits.targetBytes)');
  await raw(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 11\r\nConnection: close\r\n\r\n`, '413');
  await told(farm, 'a body of 11 bytes or more, 10 are taken (limits.bodyBytes)');
  await raw(`${chunked}1\r\nx\r\n0\r\nX: ${'y'.repeat(64)}\r\n\r\n`, '431');
  await told(farm, 'a head of more than 32 bytes (limits.trailerBytes)');
  const lines = farm.proxy.logged.length;
  const over2 = (more: object) => ask({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca, ...more });
  const headers = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`x-${i}`, 'y']));
  expect((await over2({ headers })).status).toBe(431);
  expect((await over2({ path: `/${'x'.repeat(64)}` })).status).toBe(414);
  expect((await over2({ method: 'POST', body: 'x'.repeat(11) })).status).toBe(413);
  const messages = farm.proxy.logged.slice(lines).map(({ msg }) => String(msg).replace(/^.*\(/, ''));
  expect(messages).toEqual(['limits.headerCount)', 'limits.targetBytes)', 'limits.bodyBytes)']);
  // The field says it as well as the words.
  const named = farm.proxy.logged.map(({ msg, setting }) => [/\((limits\.\w+)\)$/.exec(String(msg))?.[1], setting]);
  expect(named).toHaveLength(9);
  for (const [inWords, setting] of named) expect(setting).toBe(inWords);
});

test('an answer with too many bytes of headers names the attribute of the farm', async () => {
  const answer = () => `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(2000)}\r\nContent-Length: 0\r\n\r\n`;
  const farm = await publishRecorded({ answer, protocol: 'timeout="00:00:30" maxResponseHeaderSize="1024"' });
  expect((await ask({ protocol: 'HTTP/1.1', plain: true, port: farm.httpPort, host: HOST })).status).toBe(502);
  const line = await told(farm, 'a head of more than 1024 bytes (maxResponseHeaderSize)');
  expect(line).toMatchObject({ setting: 'maxResponseHeaderSize' });
});

test('connections beyond a limit: so many lines, then the number of those left out', async () => {
  const farm = await publishRecorded({ settings: { limits: { connections: 15, connectionsPerAddress: 2 } } });
  for (const transport of TRANSPORTS) {
    const client = farm.open(transport);
    client.socket.write(request());
    await client.until(/200 OK/);
  }
  for (let i = 0; i < 12; i++) await farm.open('plain').closed();
  const lines = farm.proxy.logged.filter(({ setting }) => setting === 'limits.connectionsPerAddress');
  expect(lines).toHaveLength(10);
  expect(lines[0]).toMatchObject({
    client: '127.0.0.1',
    listener: expect.stringContaining(String(farm.httpPort)),
    msg: 'one client has as many connections as it may (limits.connectionsPerAddress)',
  });
});

test('connections of a worker beyond limits.connections', async () => {
  const farm = await publishRecorded({ settings: { limits: { connections: 1 } } });
  const first = farm.open('plain');
  first.socket.write(request());
  await first.until(/200 OK/);
  await farm.open('plain').closed();
  const line = await told(farm, 'there are as many connections as there may be (limits.connections)');
  expect(line).toMatchObject({ setting: 'limits.connections', client: '127.0.0.1' });
});

test.each([
  ['an older version than is taken', { maxVersion: 'TLSv1.2' as const }, { minVersion: 'TLSv1.3' }, 'tls.minVersion'],
  [
    'no cipher in common',
    { maxVersion: 'TLSv1.2' as const, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256' },
    { ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384' },
    'tls.ciphers',
  ],
])('a TLS handshake with %s', async (_, asked, tls, setting) => {
  const farm = await publishRecorded({ settings: { tls } });
  const socket = connectTls({ port: farm.httpsPort, host: '127.0.0.1', servername: HOST, ca: farm.ca, ...asked });
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'error');
  expect(await told(farm, `(${setting})`)).toMatchObject({ setting, client: '127.0.0.1', level: 30 });
});

test('what is no TLS at all; a client that leaves is no cut of ours', async () => {
  const farm = await publishRecorded();
  const { socket } = openRaw(farm.httpsPort);
  await once(socket, 'connect');
  socket.destroy();
  const plain = openRaw(farm.httpsPort);
  plain.socket.write(request());
  await plain.closed();
  expect(await told(farm, 'TLS handshake: ')).toMatchObject({ client: '127.0.0.1' });
  expect(farm.proxy.logged.filter(({ msg }) => String(msg).startsWith('TLS handshake'))).toHaveLength(1);
});

test('rules that end a connection, and a Host that nobody has', async () => {
  const rules =
    '<rule name="closed" stopProcessing="true"><match url="^closed" /><action type="AbortRequest" /></rule>';
  const farm = await publishRecorded({ rules });
  const client = farm.open('plain');
  client.socket.write(request('/closed?secret'));
  await client.closed();
  expect(await told(farm, 'rule "closed" ends the connection without an answer (AbortRequest)')).toMatchObject({
    rule: 'closed',
    url: `http://${HOST}/closed`,
  });
  const http2 = { protocol: 'HTTP/2' as const, port: farm.httpsPort, host: HOST, ca: farm.ca, path: '/closed' };
  await expect(ask(http2)).rejects.toThrow();
  expect(farm.proxy.logged.filter(({ rule }) => rule === 'closed')).toHaveLength(2);
  for (let i = 0; i < 12; i++) await ask({ protocol: 'HTTP/1.1', plain: true, port: farm.httpPort, host: 'x.example' });
  expect(
    farm.proxy.logged.filter(({ msg }) => /^no binding takes x\.example on port \d+$/.test(String(msg))),
  ).toHaveLength(10);
});

test.each([
  [
    'resets',
    (socket: { resetAndDestroy(): void }) => socket.resetAndDestroy(),
    'the server reset the connection before the answer',
  ],
  ['ends', (socket: { end(): void }) => socket.end(), 'the server closed the connection before the answer'],
] as const)(
  'a server that %s a connection which it was asked on before: how long it had been idle',
  async (_, end, words) => {
    const farm = await publishRecorded({
      answer(each, { socket }) {
        if (targetOf(each) !== '/end') return echoTarget(each);
        end(socket);
        return undefined;
      },
    });
    const client = farm.open('plain');
    client.socket.write(request());
    await client.until(/200 OK/);
    client.socket.write(`POST /end HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 1\r\n\r\nx`);
    await client.until(/ 502 /);
    const { msg } = await told(farm, words);
    expect(msg).toMatch(/; it had been idle for (?:\d{1,3} ms|\d+\.\d s) before this request/);
    // Of a new connection there is nothing to say.
    await ask({
      protocol: 'HTTP/1.1',
      plain: true,
      port: farm.httpPort,
      host: HOST,
      path: '/end',
      method: 'POST',
      body: 'x',
    });
    expect(farm.proxy.logged.filter((line) => String(line.msg).includes(words))).toHaveLength(2);
    expect(farm.proxy.logged.at(-1)?.msg).not.toContain('idle');
  },
);
