/** Heads of answers: the exact parts of what is taken, and what is refused (U02); bodies that there cannot be (H17). */
import { describe, expect, test } from 'vitest';
import type { ResponseMessage } from '../../src/http1/response-message.ts';
import { bytes, readResponses } from './stream-reader.ts';

function read(text: string, method = 'GET'): ResponseMessage | number | undefined {
  const whole = readResponses([bytes(text)], [method]);
  expect(
    readResponses(
      [...bytes(text)].map((byte) => Buffer.of(byte)),
      [method],
    ),
  ).toEqual(whole);
  return whole.messages[0]?.head ?? whole.fault?.status;
}

const ok = (fields: string) => `HTTP/1.1 200 OK\r\n${fields}\r\n`;

describe('what is taken', () => {
  const plain: ResponseMessage = {
    status: 200,
    reason: 'OK',
    headers: [],
    body: 'until-close',
    keepAlive: false,
    keepAliveTimeout: undefined,
    upgrade: '',
    persistentAuth: false,
  };
  const length0: Partial<ResponseMessage> = { headers: ['Content-Length', '0'], body: 0, keepAlive: true };

  test.each<[string, string, Partial<ResponseMessage>]>([
    ['nothing about the body: until the connection ends', ok(''), {}],
    ['a length', ok('Content-Length: 5\r\n'), { headers: ['Content-Length', '5'], body: 5, keepAlive: true }],
    [
      'chunked',
      ok('Transfer-Encoding: Chunked\r\n'),
      { headers: ['Transfer-Encoding', 'Chunked'], body: 'chunked', keepAlive: true },
    ],
    [
      'a connection that has logged in',
      ok('Persistent-Auth: True\r\nContent-Length: 0\r\n'),
      { ...length0, headers: ['Persistent-Auth', 'True', 'Content-Length', '0'], persistentAuth: true },
    ],
    [
      'a connection that has not',
      ok('Persistent-Auth: false\r\nContent-Length: 0\r\n'),
      { ...length0, headers: ['Persistent-Auth', 'false', 'Content-Length', '0'] },
    ],
    ['no reason', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', { ...length0, reason: '' }],
    ['no blank behind the status', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', { ...length0, reason: '' }],
    ['a reason with blanks', 'HTTP/1.1 200  a\tb \r\n\r\n', { reason: ' a\tb ' }],
    [
      'a reason with bytes from 0x80 on',
      'HTTP/1.1 404 Pas trouv\xe9\xff\r\n\r\n',
      { status: 404, reason: 'Pas trouv\xe9\xff' },
    ],
    [
      'the lowest status',
      'HTTP/1.1 100 Continue\r\n\r\n',
      { status: 100, reason: 'Continue', body: 'none', keepAlive: true },
    ],
    ['the highest status', 'HTTP/1.1 599 x\r\n\r\n', { status: 599, reason: 'x' }],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', { ...length0, keepAlive: false }],
    [
      'HTTP/1.0 that stays',
      'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n',
      { headers: ['Connection', 'Keep-Alive', 'Content-Length', '0'], body: 0, keepAlive: true },
    ],
    [
      'HTTP/1.0 that stays, but whose body only ends with it',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n',
      { headers: ['Connection', 'keep-alive'] },
    ],
    [
      'close',
      ok('Content-Length: 0\r\nConnection: x, CLOSE\r\n'),
      { headers: ['Content-Length', '0', 'Connection', 'x, CLOSE'], body: 0 },
    ],
    [
      'how long it stays',
      ok('Content-Length: 0\r\nKeep-Alive: max=5, Timeout=30\r\n'),
      {
        headers: ['Content-Length', '0', 'Keep-Alive', 'max=5, Timeout=30'],
        body: 0,
        keepAlive: true,
        keepAliveTimeout: 30,
      },
    ],
    [
      'a stay that is no number of seconds',
      ok('Content-Length: 0\r\nKeep-Alive: xtimeout=5, timeout=1234567, timeout=-1\r\n'),
      {
        headers: ['Content-Length', '0', 'Keep-Alive', 'xtimeout=5, timeout=1234567, timeout=-1'],
        body: 0,
        keepAlive: true,
      },
    ],
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      {
        status: 101,
        reason: 'Switching Protocols',
        headers: ['Upgrade', 'websocket', 'Connection', 'Upgrade'],
        body: 'none',
        keepAlive: true,
        upgrade: 'websocket',
      },
    ],
    [
      'repeated fields, their order, letter case and bytes',
      ok('Set-Cookie: a=\x80\xff\r\nWWW-Authenticate: NTLM\r\nset-cookie: b\r\nwww-AUTHENTICATE: Negotiate\r\n'),
      {
        headers: [
          ...['Set-Cookie', 'a=\x80\xff', 'WWW-Authenticate', 'NTLM'],
          ...['set-cookie', 'b', 'www-AUTHENTICATE', 'Negotiate'],
        ],
      },
    ],
    [
      'Host, which means nothing here',
      ok('Host: a\r\nhost: b\r\nX: y\r\n'),
      { headers: ['X', 'y', 'Host', 'a', 'Host', 'b'] },
    ],
    ['one empty line before it', `\r\n${ok('')}`, {}],
  ])('%s', (_name, text, parts) => {
    expect(read(text)).toStrictEqual({ ...plain, ...parts });
  });
});

describe('H17: whatever the fields say, these have no body', () => {
  const fields = ['', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'];
  test.each(fields)('%j', (field) => {
    for (const status of [100, 102, 103, 199, 204, 304]) {
      expect(read(`HTTP/1.1 ${status} x\r\n${field}\r\n`), String(status)).toMatchObject({
        body: 'none',
        keepAlive: true,
      });
    }
    for (const status of [200, 206, 401, 404, 500]) {
      expect(read(`HTTP/1.1 ${status} x\r\n${field}\r\n`, 'HEAD')).toMatchObject({ body: 'none', keepAlive: true });
    }
  });

  test('205 has the body that it says (RFC 9112 6.3)', () => {
    expect(read('HTTP/1.1 205 x\r\nContent-Length: 5\r\n\r\n')).toMatchObject({ body: 5 });
  });

  test.each(['HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n', 'HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n'])(
    'what follows %j is no body but another message, and no good one',
    (head) => {
      const stream = readResponses([bytes(`${head}5\r\nhello`)]);
      expect(stream.messages).toMatchObject([{ body: '', complete: true }]);
      expect(stream.fault?.status ?? stream.begun).toBeTruthy();
    },
  );
});

describe('what is refused (U02)', () => {
  test.each([
    ...['HTTP/1.1 099 x', 'HTTP/1.1 000 x', 'HTTP/1.1 600 x', 'HTTP/1.1 999 x', 'HTTP/1.1 1000 x', 'HTTP/1.1 20 x'],
    ...[
      'HTTP/1.1 2000',
      'HTTP/1.1 20',
      'HTTP/1.1 2x0 x',
      'HTTP/1.1 +20 x',
      'HTTP/1.1 -20 x',
      'HTTP/1.1 0x1 x',
      'HTTP/1.1 200x',
    ],
    ...[
      'HTTP/1.1  200 OK',
      'HTTP/1.1\t200 OK',
      'HTTP/1.1 200\tOK',
      ' HTTP/1.1 200 OK',
      'HTTP/1.1',
      'HTTP/1.1 ',
      'HTTP/1.1 OK',
    ],
    ...[
      'HTTP/0.9 200 OK',
      'HTTP/1.2 200 OK',
      'HTTP/1.10 200 OK',
      'HTTP/2.0 200 OK',
      'HTTP/2 200',
      'http/1.1 200 OK',
      'HTTP 200 OK',
    ],
    ...[
      'ICY 200 OK',
      'HTTP/1.1 200 a\x00b',
      'HTTP/1.1 200 a\x7fb',
      'HTTP/1.1 200 a\rb',
      'hello',
      'GET / HTTP/1.1',
      'X: y',
      '<html>',
    ],
  ])('%j', (line) => {
    expect(read(`${line}\r\nContent-Length: 0\r\n\r\n`)).toBe(400);
  });

  test.each<[string, number, string]>([
    ['Content-Length and Transfer-Encoding', 400, ok('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n')],
    ['two equal Content-Length', 400, ok('Content-Length: 5\r\nContent-Length: 5\r\n')],
    ['two different Content-Length', 400, ok('Content-Length: 5\r\nContent-Length: 6\r\n')],
    ['a list of lengths', 400, ok('Content-Length: 5, 5\r\n')],
    ['another transfer coding', 400, ok('Transfer-Encoding: gzip, chunked\r\n')],
    ['chunked in HTTP/1.0', 400, 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a bare LF', 400, 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['a bare LF behind a field', 400, ok('X: y\nContent-Length: 0\r\n')],
    ['a bare CR in a value', 400, ok('X: y\rContent-Length: 0\r\n')],
    ['CR CR LF', 400, ok('X: y\r\r\n')],
    ['NUL in a value', 400, ok('X: a\0b\r\n')],
    ['a folded line', 400, ok('X: a\r\n b\r\n')],
    ['nothing but blanks before the colon', 400, ok(' \t: 5\r\n')],
    ['a length twice, once with a blank before the colon', 400, ok('Content-Length : 5\r\nContent-Length: 6\r\n')],
    ['no colon', 400, ok('hello\r\n')],
    ['an empty name', 400, ok(': a\r\n')],
    ['a framing field behind 2,100 short lines (H04)', 431, ok(`${'a:\r\n'.repeat(2100)}Content-Length: 5\r\n`)],
    ['100,000 fields', 431, ok('a:\r\n'.repeat(100_000))],
    ['one field of 1 MB', 431, ok(`X: ${'x'.repeat(1024 * 1024)}\r\n`)],
    ['103 with 1 MB of Link (U03)', 431, `HTTP/1.1 103 x\r\nLink: ${'x'.repeat(1024 * 1024)}\r\n\r\n`],
    ['a first line without end', 414, `HTTP/1.1 200 ${'x'.repeat(70_000)}`],
  ])('%s: %i', (_name, status, text) => {
    // A megabyte byte by byte says no more than its beginning.
    const begin = text.slice(0, 70_000);
    expect(read(begin)).toBe(status);
    expect(readResponses([bytes(text)]).fault?.status).toBe(status);
    expect(readResponses([bytes(text)], ['HEAD']).fault?.status).toBe(status);
  });
});

describe('interim answers (U03)', () => {
  test('stand on their own before the answer', () => {
    const stream = readResponses([
      bytes(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 \r\nLink: a\r\n\r\n${ok('Content-Length: 2\r\n')}ab`),
    ]);
    expect(stream.messages.map(({ head, body }) => [head.status, head.headers, body])).toEqual([
      [100, [], ''],
      [103, ['Link', 'a'], ''],
      [200, ['Content-Length', '2'], 'ab'],
    ]);
    expect(stream.fault).toBeUndefined();
  });

  test('10,000 of them keep nothing behind', () => {
    const stream = readResponses([bytes('HTTP/1.1 102 x\r\n\r\n'.repeat(10_000))]);
    expect(stream.messages).toHaveLength(10_000);
    expect(stream.begun).toBe(false);
  });
});
