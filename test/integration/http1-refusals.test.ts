import { describe, expect, test } from 'vitest';
import { openRaw } from './clients.ts';
import { publishLync } from './lync.ts';
import { HOST, publishRecorded } from './recorded-farm.ts';

const host = 'webext.contoso.com';
const NEXT = `GET /echo/next HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

/** Sends the bytes and a good request behind them; gives what came back and which targets reached the server. */
async function send(bytes: string): Promise<{ answer: string; status: string; targets: string[] }> {
  const { httpsPort, frontEnd, ca } = await publishLync();
  const client = openRaw(httpsPort, { host, ca });
  client.socket.write(Buffer.from(bytes + NEXT, 'latin1'));
  const answer = await client.closed();
  return {
    answer,
    status: /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? '',
    targets: frontEnd.requests.all.map(({ target }) => target),
  };
}

const post = (headers: string, body = '') => `POST /echo HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n\r\n${body}`;
const get = (line: string, headers = `Host: ${host}`) => `${line}\r\n${headers}\r\n\r\n`;

describe('what could be read in two ways is refused, and nothing of it or behind it is forwarded', () => {
  test.each<[string, string]>([
    ['Content-Length and Transfer-Encoding', post('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n')],
    ['two equal Content-Length', post('Content-Length: 5\r\nContent-Length: 5', 'hello')],
    ['two different Content-Length', post('Content-Length: 5\r\nContent-Length: 6', 'hello')],
    ['a list in Content-Length', post('Content-Length: 5, 5', 'hello')],
    ['a signed Content-Length', post('Content-Length: +5', 'hello')],
    ['a hexadecimal Content-Length', post('Content-Length: 0x5', 'hello')],
    ['Transfer-Encoding with a comma before', post('Transfer-Encoding: ,chunked', '0\r\n\r\n')],
    ['two Transfer-Encoding', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n')],
    ['Transfer-Encoding: xchunked', post('Transfer-Encoding: xchunked', '0\r\n\r\n')],
    ['Transfer-Encoding: chunked, identity', post('Transfer-Encoding: chunked, identity', '0\r\n\r\n')],
    ['blank before the colon', post('Transfer-Encoding : chunked', '0\r\n\r\n')],
    ['no Host', get('GET /echo HTTP/1.1', 'X: y')],
    ['two Host', get('GET /echo HTTP/1.1', `Host: ${host}\r\nHost: ${host}`)],
    ['a list in Host', get('GET /echo HTTP/1.1', `Host: ${host}, meet.contoso.com`)],
    ['a user in Host', get('GET /echo HTTP/1.1', `Host: a@${host}`)],
    ['a port that there is not in Host', get('GET /echo HTTP/1.1', `Host: ${host}:65536`)],
    ['a path in Host', get('GET /echo HTTP/1.1', `Host: ${host}/x`)],
    ['absolute form against Host', get(`GET https://meet.contoso.com/echo HTTP/1.1`)],
    ['a target without slash', get('GET echo HTTP/1.1')],
    ['a malformed % in the path', get('GET /echo/%zz HTTP/1.1')],
    ['an encoded NUL', get('GET /echo/%00 HTTP/1.1')],
    ['a bare CR in a value', get('GET /echo HTTP/1.1', `Host: ${host}\r\nX: a\rb`)],
    ['NUL in a value', get('GET /echo HTTP/1.1', `Host: ${host}\r\nX: a\0b`)],
    ['Upgrade with a body', post('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5', 'hello')],
  ])('%s: 400', async (_name, bytes) => {
    const { status, targets } = await send(bytes);
    expect(status).toBe('400');
    expect(targets.filter((target) => target !== '/echo/next')).toEqual([]);
  });

  test('Content-Length hidden behind more header lines than Node keeps: 431 (H04)', async () => {
    const smuggled = `DELETE /echo/smuggled HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const lines = 'a:\r\n'.repeat(2100);
    const { status, targets } = await send(
      get('GET /echo HTTP/1.1', `Host: ${host}\r\n${lines}Content-Length: ${smuggled.length}`) + smuggled,
    );
    expect(status).toBe('431');
    expect(targets.filter((target) => target !== '/echo/next')).toEqual([]);
  });

  test.each<[string, string, string]>([
    [
      'a header block beyond limits.headerBytes',
      get('GET /echo HTTP/1.1', `Host: ${host}\r\nX: ${'x'.repeat(70_000)}`),
      '431',
    ],
    ['more fields than limits.headerCount', get('GET /echo HTTP/1.1', `Host: ${host}${'\r\nX: y'.repeat(201)}`), '431'],
    ['a target beyond limits.targetBytes', get(`GET /echo?${'x'.repeat(17_000)} HTTP/1.1`), '414'],
    ['an unknown version', get('GET /echo HTTP/2.1'), '505'],
    ['a version of two digits', get('GET /echo HTTP/01.1'), '400'],
    ['TRACE', get('TRACE /echo HTTP/1.1'), '501'],
    ['CONNECT', get(`CONNECT ${host}:443 HTTP/1.1`), '501'],
  ])('%s', async (_name, bytes, expected) => {
    const { status, targets } = await send(bytes);
    expect(status).toBe(expected);
    expect(targets.filter((target) => target !== '/echo/next')).toEqual([]);
  });
});

describe('what is fine stays fine', () => {
  test('Chunked in any letter case, and the next request on the connection', async () => {
    const { answer, targets } = await send(post('Transfer-Encoding: CHUNKED', '5\r\nhello\r\n0\r\n\r\n'));
    expect(targets).toEqual(['/echo', '/echo/next']);
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  test('absolute form that agrees with Host goes on in origin form', async () => {
    const { targets } = await send(get(`GET https://${host}/echo?a HTTP/1.1`));
    expect(targets).toEqual(['/echo?a', '/echo/next']);
  });

  test('names of JavaScript in headers and queries are data (H22)', async () => {
    const { status } = await send(
      get('GET /echo?__proto__=1&constructor=2 HTTP/1.1', `Host: ${host}\r\n__proto__: 1\r\nconstructor: 2`),
    );
    expect(status).toBe('200');
  });

  test('Upgrade: h2c is answered as plain HTTP, and does not reach the server; the next request is one (W01)', async () => {
    const upgrade = `Host: ${host}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk`;
    const { httpsPort, frontEnd, ca } = await publishLync();
    const client = openRaw(httpsPort, { host, ca });
    client.socket.write(get('GET /echo HTTP/1.1', upgrade) + NEXT);
    const answer = await client.closed();
    expect(answer.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
    expect(frontEnd.requests.all).toHaveLength(2);
    const names = frontEnd.requests.all[0]?.headers.map(([name]) => name.toLowerCase());
    expect(names).not.toContain('upgrade');
    expect(names).not.toContain('http2-settings');
  });

  test('an https target on a listener without TLS is refused, its port or none', async () => {
    const farm = await publishRecorded();
    for (const authority of [HOST, `${HOST}:443`]) {
      const client = farm.open('plain');
      client.socket.write(`GET https://${authority}/ HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
      expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 /);
    }
    const secure = farm.open('TLS');
    secure.socket.write(`GET https://${HOST}:443/in HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    await secure.until(/\/in$/);
    expect(farm.server.requests).toHaveLength(1);
  });

  test('HTTP/1.0 without Host goes to the default site', async () => {
    const { httpsPort, frontEnd, ca } = await publishLync();
    const client = openRaw(httpsPort, { host, ca });
    client.socket.write('GET /echo HTTP/1.0\r\n\r\n');
    // The rules of this configuration ask for a host, so the site answers, and no rule takes it.
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 404 /);
    expect(frontEnd.requests.all).toEqual([]);
  });
});
