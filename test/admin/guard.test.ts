/** Who gets into the admin API, and who does not: Host, Origin, token, nearness. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createGuard } from '../../src/admin/guard.ts';
import { json, kindOf, reportedFarm, reportedServer, startListener, TOKEN } from './listener.ts';

const farms = [reportedFarm('fe', [reportedServer('fe01.contoso.local')])];
const DRAIN = '/api/v1/farms/fe/servers/fe01.contoso.local/state';
const drain = { method: 'POST', headers: json, body: '{"state": "Drain"}' };
const withToken = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

test('the Host is an address of this listener or of loopback, or localhost, with any port', async () => {
  const { ask, port } = await startListener({ farms });
  for (const host of [
    `127.0.0.1:${port}`,
    '127.0.0.1',
    '127.8.8.8:1',
    'localhost',
    'LocalHost:8443',
    '[::1]',
    '[0:0::1]:80',
    '[::ffff:127.0.0.1]',
  ]) {
    expect([host, (await ask('/api/v1/farms', { host })).status]).toEqual([host, 200]);
  }
});

test('any other Host is refused, so that no page can rebind its own name to this listener', async () => {
  const { ask, acted } = await startListener({ farms });
  for (const host of [
    'evil.example',
    'evil.example:9443',
    'localhost.evil.example',
    'evil.localhost',
    'localhost.',
    'localhost@evil.example',
    '127.0.0.1.evil.example',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0.0.0.0',
    '10.0.0.9',
    '[::]',
    '[localhost]',
    '[127.0.0.1]',
    '::1',
    'meet.contoso.com',
    '127.0.0.1:port',
    '127.0.0.1:123456',
  ]) {
    const read = await ask('/api/v1/farms', { host });
    expect([host, read.status, kindOf(read)]).toEqual([host, 403, 'hostRefused']);
    expect((await ask(DRAIN, { ...drain, host })).status).toBe(403);
  }
  expect(acted).toEqual([]);
});

test.each([
  ['no Host', 'GET /api/v1/farms HTTP/1.1\r\n\r\n', 400],
  ['an empty one', 'GET /api/v1/farms HTTP/1.1\r\nHost:\r\n\r\n', 403],
  ['two of them', 'GET /api/v1/farms HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n', 403],
  [
    'two of them, the good one last',
    'GET /api/v1/farms HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n',
    403,
  ],
  ['none in HTTP/1.0', 'GET /api/v1/farms HTTP/1.0\r\n\r\n', 403],
  ['another one in the target', 'GET http://evil.example/api/v1/farms HTTP/1.1\r\nHost: evil.example\r\n\r\n', 403],
])('%s: refused', async (_what, request, status) => {
  const client = (await startListener({ farms })).open();
  client.socket.write(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  expect(await client.closed()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test('on all addresses, the Host is the address that the connection came to', async () => {
  const { ask } = await startListener({ farms, address: '0.0.0.0', at: '127.0.0.9', token: TOKEN });
  const told = async (host: string) => (await ask('/api/v1/farms', { host, ...withToken(TOKEN) })).status;
  expect(await told('127.0.0.9')).toBe(200);
  expect(await told('0.0.0.0')).toBe(403);
  expect(await told('10.0.0.9')).toBe(403);
});

test('IPv6: its own address in any spelling', async () => {
  const { ask } = await startListener({ farms, address: '::1' });
  expect((await ask('/api/v1/farms')).status).toBe(200);
  expect((await ask('/api/v1/farms', { host: '[0:0:0:0:0:0:0:1]' })).status).toBe(200);
  expect((await ask('/api/v1/farms', { host: '[2001:db8::1]' })).status).toBe(403);
});

test('what a browser sends for pages of other sites is refused', async () => {
  const { ask, port, acted } = await startListener({ farms });
  const told = async (headers: Record<string, string>) => {
    const answer = await ask(DRAIN, { ...drain, headers: { ...json, ...headers } });
    return [headers, answer.status, kindOf(answer)];
  };
  for (const headers of [
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: 'http://localhost:3000' },
    { Origin: `http://127.0.0.1:${port}.evil.example` },
    { Origin: `http://evil.example/127.0.0.1:${port}` },
    { Origin: '' },
    { Origin: `chrome-extension://127.0.0.1:${port}` },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'same-origin', Origin: 'http://evil.example' },
  ]) {
    expect(await told(headers)).toEqual([headers, 403, 'crossSite']);
  }
  expect(acted).toEqual([]);
  const reading = await ask('/api/v1/farms', { headers: { 'Sec-Fetch-Site': 'cross-site' } });
  expect([reading.status, reading.headers['access-control-allow-origin']]).toEqual([403, undefined]);
  const preflight = await ask(DRAIN, {
    method: 'OPTIONS',
    headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
  });
  expect(kindOf(preflight)).toBe('crossSite');

  for (const headers of [
    {},
    { Origin: `http://127.0.0.1:${port}`, 'Sec-Fetch-Site': 'same-origin' },
    { 'Sec-Fetch-Site': 'none' },
  ]) {
    expect(await told(headers)).toEqual([headers, 200, '']);
  }
});

test('with a token, nobody else is let in, whatever the place', async () => {
  const { ask, acted, logged } = await startListener({ farms, token: TOKEN });
  for (const headers of [
    {},
    { Authorization: '' },
    { Authorization: 'Bearer' },
    { Authorization: 'Bearer ' },
    { Authorization: TOKEN },
    { Authorization: `Basic ${TOKEN}` },
    { Authorization: `Bearer ${TOKEN}x` },
    { Authorization: `Bearer ${TOKEN.slice(0, -1)}` },
    { Authorization: `Bearer ${TOKEN.toUpperCase()}` },
    { Authorization: `Bearer x ${TOKEN}` },
    { 'X-Authorization': `Bearer ${TOKEN}` },
    { Cookie: `token=${TOKEN}` },
  ]) {
    const answer = await ask(`${DRAIN}?token=${TOKEN}&access_token=${TOKEN}`, {
      ...drain,
      headers: { ...json, ...headers },
    });
    expect([headers, answer.status, kindOf(answer)]).toEqual([headers, 401, 'tokenWanted']);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="lychgate"');
  }
  expect(acted).toEqual([]);
  // Refusals are told once, and then counted, with nothing of what was sent.
  const by = expect.stringMatching(/^127\.0\.0\.1:\d+$/);
  expect(logged).toMatchObject([{ level: 40, msg: 'admin request refused: A token is wanted', by }]);
  expect(JSON.stringify(logged)).not.toContain(TOKEN.slice(0, 8));

  for (const authorization of [`Bearer ${TOKEN}`, `bearer  ${TOKEN}`]) {
    expect((await ask(DRAIN, { ...drain, headers: { ...json, Authorization: authorization } })).status).toBe(200);
  }
  const elsewhere = await ask(DRAIN, {
    ...drain,
    headers: { ...json, ...withToken(TOKEN).headers },
    host: 'evil.example',
  });
  expect(kindOf(elsewhere)).toBe('hostRefused');
  expect(acted).toHaveLength(2);
});

test('without a token, an address that others reach answers for health alone', async () => {
  const { ask } = await startListener({ farms, address: '0.0.0.0', at: '127.0.0.1' });
  expect(kindOf(await ask('/api/v1/farms'))).toBe('localOnly');
  expect((await ask('/healthz')).body).toEqual({ status: 'ok' });
  expect((await ask('/readyz')).body).toEqual({ status: 'ok' });
});

test('without a token, what a proxy on this machine passes on is not from this machine', async () => {
  const { ask, acted } = await startListener({ farms });
  for (const name of ['X-Forwarded-For', 'Forwarded', 'Via', 'X-Real-IP', 'X-ARR-LOG-ID']) {
    expect(kindOf(await ask(DRAIN, { ...drain, headers: { ...json, [name]: '1' } }))).toBe('localOnly');
  }
  expect(acted).toEqual([]);
  const known = await startListener({ farms, token: TOKEN });
  const headers = { ...withToken(TOKEN).headers, Via: '1.1 tunnel' };
  expect((await known.ask('/api/v1/farms', { headers })).status).toBe(200);
});

test('without a token, peers are on this machine', () => {
  const guard = createGuard({ address: '127.0.0.1', token: undefined });
  const from = (remoteAddress: string | undefined) => {
    const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
    const request = new IncomingMessage(socket);
    request.rawHeaders = ['Host', 'localhost'];
    request.headers.host = 'localhost';
    return guard(request)?.status;
  };
  for (const near of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) expect(from(near)).toBe(undefined);
  for (const far of ['10.0.0.9', '::ffff:10.0.0.9', '2001:db8::1', '', undefined]) expect(from(far)).toBe(403);
});

test('health is open to everybody, and all else is closed, what does not exist too', async () => {
  const { ask } = await startListener({ farms, token: TOKEN });
  const foreign = { host: 'node7.example:9443', headers: { Origin: 'https://evil.example', 'X-Forwarded-For': '1' } };
  for (const path of ['/healthz', '/readyz']) expect((await ask(path, foreign)).status).toBe(200);
  expect((await ask('/healthz', { method: 'HEAD' })).status).toBe(200);
  for (const path of [
    '/',
    '/api',
    '/nothing',
    '/healthz/../api/v1/farms',
    '//api/v1/farms',
    '/API/v1/farms',
    '/metrics',
  ])
    expect([path, (await ask(path)).status]).toEqual([path, 401]);
  expect(kindOf(await ask('/nothing', withToken(TOKEN)))).toBe('notFound');
});

test('every answer is of this moment and what it says it is', async () => {
  const { ask, open } = await startListener({ farms });
  for (const answer of [
    await ask('/healthz'),
    await ask('/readyz'),
    await ask('/api/v1/farms'),
    await ask('/api/v1/farms/none'),
    await ask('/nothing'),
    await ask('/api/v1/farms', { host: 'evil.example' }),
    await ask('/api/v1/farms/%zz'),
    await ask(`/api/v1/farms/${'x'.repeat(2000)}`),
    await ask(DRAIN, { ...drain, body: '{' }),
    await ask(DRAIN, { ...drain, headers: {} }),
    await ask(DRAIN, { method: 'PUT' }),
  ]) {
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(answer.headers['content-type']).toMatch(/^application\/(problem\+)?json/);
  }
  const client = open();
  client.socket.write('nonsense\r\n\r\n');
  expect(await client.closed()).toMatch(
    /^HTTP\/1\.1 400 .*\r\nContent-Type: application\/problem\+json.*\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n/s,
  );
});
