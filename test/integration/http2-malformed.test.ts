import { describe, expect, test } from 'vitest';
import { type Lync, publishLync } from './lync.ts';
import { FRAME, openRawHttp2 } from './raw-http2.ts';

const host = 'webext.contoso.com';
type Field = readonly [string, string];
const GOOD: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', host],
  [':path', '/echo'],
];
const replace = (name: string, ...by: readonly Field[]) => GOOD.flatMap((field) => (field[0] === name ? by : [field]));

async function open(lync: Lync) {
  return await openRawHttp2(lync.httpsPort, { host, ca: lync.ca });
}

/** Sends the request, then a good one, and tells how the first ended. Nothing but the good one may reach the server. */
async function sendBad(fields: readonly Field[], data?: string): Promise<string> {
  const lync = await publishLync();
  const http2 = await open(lync);
  http2.headers(1, fields, data === undefined);
  if (data !== undefined) http2.data(1, data, true);
  const ended = await Promise.race([http2.frame(1, FRAME.headers, FRAME.reset), http2.frame(0, FRAME.goaway)]);
  expect(lync.frontEnd.requests.all).toEqual([]);
  if (ended.type === FRAME.headers) return statusOf(ended.payload);
  if (ended.type === FRAME.reset) {
    http2.headers(3, GOOD);
    expect(statusOf((await http2.frame(3, FRAME.headers)).payload)).toBe('200');
    return `reset ${ended.payload.readUInt32BE(0)}`;
  }
  return `goaway ${ended.payload.readUInt32BE(4)}`;
}

/** RFC 7541 appendix A: 8 is `:status: 200`, 12 `:status: 400`, 13 404; others are literals with their digits, perhaps Huffman-coded. */
function statusOf(block: Buffer): string {
  const known: Record<number, string> = { 136: '200', 140: '400', 141: '404', 142: '500' };
  return known[block[0] ?? 0] ?? `other ${block.subarray(0, 6).toString('hex')}`;
}

const PROTOCOL_ERROR = 'reset 1';

describe('invalid pseudo-header fields are refused, and nothing is forwarded (B07)', () => {
  test.each<[string, readonly Field[], string]>([
    ['no :method', replace(':method'), PROTOCOL_ERROR],
    ['no :path', replace(':path'), PROTOCOL_ERROR],
    ['no :scheme', replace(':scheme'), PROTOCOL_ERROR],
    ['two :path', [...GOOD, [':path', '/other']], PROTOCOL_ERROR],
    ['two :authority', [...GOOD, [':authority', host]], PROTOCOL_ERROR],
    ['behind a field', [['x-a', '1'], ...GOOD], PROTOCOL_ERROR],
    ['unknown', [...GOOD, [':unknown', '1']], PROTOCOL_ERROR],
    [':path without slash', replace(':path', [':path', 'echo']), PROTOCOL_ERROR],
    [':path empty', replace(':path', [':path', '']), PROTOCOL_ERROR],
    [':method with space', replace(':method', [':method', 'GET /x']), PROTOCOL_ERROR],
    [':scheme with URL', replace(':scheme', [':scheme', 'https://evil/']), PROTOCOL_ERROR],
    [':scheme http on TLS', replace(':scheme', [':scheme', 'http']), '400'],
    [':authority with user', replace(':authority', [':authority', `a@${host}`]), PROTOCOL_ERROR],
    [':authority with path', replace(':authority', [':authority', `${host}/x`]), PROTOCOL_ERROR],
    [':authority and another host', [...GOOD, ['host', 'meet.contoso.com']], '400'],
    ['neither :authority nor host', replace(':authority'), PROTOCOL_ERROR],
  ])('%s', async (_name, fields, ended) => {
    expect(await sendBad(fields)).toBe(ended);
  });

  test(':authority and the same host is fine', async () => {
    const lync = await publishLync();
    const http2 = await open(lync);
    http2.headers(1, [...GOOD, ['host', host]]);
    expect(statusOf((await http2.frame(1, FRAME.headers)).payload)).toBe('200');
    const hosts = lync.frontEnd.requests.all[0]?.headers.filter(([name]) => name.toLowerCase() === 'host');
    expect(hosts?.map(([, value]) => value)).toEqual([host]);
  });
});

describe('invalid fields are refused, or dropped before they can be forwarded (B08)', () => {
  test.each<[string, Field]>([
    ['capital in a name', ['X-Capital', '1']],
    ['connection', ['connection', 'close']],
    ['transfer-encoding', ['transfer-encoding', 'chunked']],
    ['upgrade', ['upgrade', 'h2c']],
    ['keep-alive', ['keep-alive', '5']],
    ['te: gzip', ['te', 'gzip']],
    ['proxy-connection', ['proxy-connection', 'close']],
  ])('%s: the stream is reset', async (_name, field) => {
    expect(await sendBad([...GOOD, field])).toBe(PROTOCOL_ERROR);
  });

  test.each<[string, Field]>([
    ['CR LF in a value', ['x-bad', 'a\r\nX-Injected: 1']],
    ['LF in a value', ['x-bad', 'a\nX-Injected: 1']],
    ['CR in a value', ['x-bad', 'a\rX-Injected: 1']],
    ['NUL in a value', ['x-bad', 'a\0b']],
    ['colon in a name', ['x-bad:y', '1']],
    ['space in a name', ['x-bad y', '1']],
  ])('%s never reaches a server', async (_name, field) => {
    const lync = await publishLync();
    const http2 = await open(lync);
    http2.headers(1, [...GOOD, field]);
    await http2.frame(1, FRAME.headers, FRAME.reset);
    for (const { headers } of lync.frontEnd.requests.all) {
      for (const [name] of headers) expect(name.toLowerCase()).not.toMatch(/^x-(bad|injected)/);
    }
  });

  test.each<[string, string]>([
    ['less', '10'],
    ['more', '3'],
  ])('DATA of %s bytes than content-length says never makes a whole request', async (_name, length) => {
    const lync = await publishLync();
    const http2 = await open(lync);
    const post: readonly Field[] = [...replace(':method', [':method', 'POST']), ['content-length', length]];
    http2.headers(1, post, false);
    http2.data(1, 'hello', true);
    // nghttp2 resets the stream for less, and ends the connection for more.
    await Promise.race([http2.frame(1, FRAME.reset), http2.frame(0, FRAME.goaway)]);
    for (const { ended: outcome } of lync.frontEnd.requests.all) expect(await outcome).toBe('aborted');
  });
});

describe('CONNECT is answered by the proxy itself (B09)', () => {
  test.each<[string, readonly Field[]]>([
    [
      'plain',
      [
        [':method', 'CONNECT'],
        [':authority', `${host}:443`],
      ],
    ],
    ['extended', [...replace(':method', [':method', 'CONNECT']), [':protocol', 'websocket']]],
  ])('%s, with a body', async (_name, fields) => {
    const lync = await publishLync();
    const http2 = await open(lync);
    http2.headers(1, fields, false);
    http2.data(1, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', true);
    const ended = await http2.frame(1, FRAME.headers, FRAME.reset);
    expect(statusOf(ended.payload)).not.toBe('200');
    expect(lync.frontEnd.requests.all).toEqual([]);
  });
});

describe('a GET whose end comes in a later, empty frame (B10)', () => {
  test('goes on without Transfer-Encoding and without Content-Length', async () => {
    const lync = await publishLync();
    const http2 = await open(lync);
    http2.headers(1, GOOD, false);
    http2.data(1, '', true);
    expect(statusOf((await http2.frame(1, FRAME.headers)).payload)).toBe('200');
    const names = lync.frontEnd.requests.all[0]?.headers.map(([name]) => name.toLowerCase());
    expect(names).not.toContain('transfer-encoding');
    expect(names).not.toContain('content-length');
  });
});

test('an answer of our own to a request whose body goes on ends the stream, with NO_ERROR', async () => {
  const lync = await publishLync({
    rules: '<rule name="none" stopProcessing="true"><match url="^closed" /><action type="None" /></rule>',
  });
  const http2 = await open(lync);
  http2.headers(
    1,
    [...replace(':method', [':method', 'POST']).filter(([name]) => name !== ':path'), [':path', '/closed']],
    false,
  );
  http2.data(1, 'hello', false);
  expect(statusOf((await http2.frame(1, FRAME.headers)).payload)).toBe('404');
  expect((await http2.frame(1, FRAME.reset)).payload.readUInt32BE(0)).toBe(0);
  expect(lync.frontEnd.requests.all).toEqual([]);
});
