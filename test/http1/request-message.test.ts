/** Heads of requests: the exact parts of what is taken, the status of what is refused (threats H01, H02, H04, H05, H08-H13). */
import { describe, expect, test } from 'vitest';
import { HeadReader } from '../../src/http1/head-reader.ts';
import { MessageFault } from '../../src/http1/message-fault.ts';
import { parseRequest, type RequestMessage } from '../../src/http1/request-message.ts';
import { bytes, limits, readRequests } from './stream-reader.ts';

function read(text: string): RequestMessage {
  const reader = new HeadReader({ limit: limits.headBytes, startLine: true });
  const head = bytes(text);
  expect(reader.push(head, 0)).toBe(head.length);
  return parseRequest(reader.text, limits);
}

/** Every refusal shows, whole or byte by byte, and nothing of the stream is a message. */
function status(text: string): number | undefined {
  const whole = readRequests([bytes(text)]);
  const single = readRequests([...bytes(text)].map((byte) => Buffer.of(byte)));
  expect(single).toEqual(whole);
  expect(whole.messages).toEqual([]);
  return whole.fault?.status;
}

const get = (fields: string) => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const post = (fields: string) => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const line = (text: string) => `${text}\r\nHost: a\r\n\r\n`;

describe('what is taken', () => {
  const plain: RequestMessage = {
    method: 'GET',
    target: '/',
    version: 'HTTP/1.1',
    host: 'a',
    headers: [],
    body: 'none',
    keepAlive: true,
    upgrade: '',
    expectsContinue: false,
    fieldText: '',
  };

  test.each<[string, string, Partial<RequestMessage>]>([
    ['the least', get(''), {}],
    [
      'the example of RFC 9112 2.1',
      'GET /hello.txt HTTP/1.1\r\nUser-Agent: curl/7.64.1\r\nHost: www.example.com\r\nAccept-Language: en, mi\r\n\r\n',
      {
        target: '/hello.txt',
        host: 'www.example.com',
        headers: ['User-Agent', 'curl/7.64.1', 'Accept-Language', 'en, mi'],
      },
    ],
    ['origin form (3.2.1)', line('GET /where?q=now HTTP/1.1'), { target: '/where?q=now' }],
    [
      'absolute form (3.2.2)',
      line('GET http://www.example.org/pub/WWW/TheProject.html HTTP/1.1'),
      { target: 'http://www.example.org/pub/WWW/TheProject.html' },
    ],
    ['absolute form in capitals', line('GET HTTPS://A?b HTTP/1.1'), { target: 'HTTPS://A?b' }],
    [
      'authority form (3.2.3)',
      line('CONNECT www.example.com:80 HTTP/1.1'),
      { method: 'CONNECT', target: 'www.example.com:80' },
    ],
    ['authority form with brackets', line('CONNECT [::1]:443 HTTP/1.1'), { method: 'CONNECT', target: '[::1]:443' }],
    ['HTTP/1.2, as 1.1', line('GET / HTTP/1.2'), { version: 'HTTP/1.1', keepAlive: true }],
    ['HTTP/1.9, as 1.1', line('GET / HTTP/1.9'), { version: 'HTTP/1.1', keepAlive: true }],
    ['asterisk form (3.2.4)', line('OPTIONS * HTTP/1.1'), { method: 'OPTIONS', target: '*' }],
    ['OPTIONS of a path', line('OPTIONS /* HTTP/1.1'), { method: 'OPTIONS', target: '/*' }],
    ['bytes from 0x80 on in the target', line('GET /\x80\xff?\xe4 HTTP/1.1'), { target: '/\x80\xff?\xe4' }],
    ['what no URL has in the target', line('GET /"<>\\^`{|}%zz HTTP/1.1'), { target: '/"<>\\^`{|}%zz' }],
    ['a method of Exchange', line('RPC_IN_DATA /rpc HTTP/1.1'), { method: 'RPC_IN_DATA', target: '/rpc' }],
    ['a method of WebDAV', line('VERSION-CONTROL / HTTP/1.1'), { method: 'VERSION-CONTROL' }],
    ['a method nobody knows', line('M2_-X HTTP/1.1'.replace(' ', ' / ')), { method: 'M2_-X' }],
    ['a method of 32 letters', line(`${'M'.repeat(32)} / HTTP/1.1`), { method: 'M'.repeat(32) }],
    ['one empty line before it', `\r\n${get('')}`, {}],
    ['blanks and tabs around a value', get('X: \t a \t b\t \r\n'), { headers: ['X', 'a \t b'] }],
    ['no blank before a value', get('X:a\r\n'), { headers: ['X', 'a'] }],
    ['empty values', get('X:\r\nY: \t\r\n'), { headers: ['X', '', 'Y', ''] }],
    ['a colon in a value', get('X: a:b: c\r\n'), { headers: ['X', 'a:b: c'] }],
    [
      'letter case, order and repetition of fields',
      get('x-B: 1\r\nX-A: 2\r\nX-b: 3\r\nx-B: 1\r\n'),
      { headers: ['x-B', '1', 'X-A', '2', 'X-b', '3', 'x-B', '1'] },
    ],
    ['every character of a token', get("!#$%&'*+-.^_`|~09azAZ: x\r\n"), { headers: ["!#$%&'*+-.^_`|~09azAZ", 'x'] }],
    [
      'names of JavaScript',
      get('__proto__: 1\r\nconstructor: 2\r\ntoString: 3\r\n'),
      { headers: ['__proto__', '1', 'constructor', '2', 'toString', '3'] },
    ],
    ['Host in any letter case', 'GET / HTTP/1.1\r\nhOST:  a:80 \r\n\r\n', { host: 'a:80' }],
    ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', { host: '' }],
    ['HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n', { version: 'HTTP/1.0', host: undefined, keepAlive: false }],
    [
      'HTTP/1.0 that stays',
      'GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n',
      { version: 'HTTP/1.0', host: undefined, headers: ['Connection', 'x, Keep-Alive'] },
    ],
    [
      'HTTP/1.0 that says both',
      'GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n',
      {
        version: 'HTTP/1.0',
        host: undefined,
        headers: ['Connection', 'keep-alive', 'Connection', 'close'],
        keepAlive: false,
      },
    ],
    ['close', get('Connection: Close\r\n'), { headers: ['Connection', 'Close'], keepAlive: false }],
    [
      'close in a list',
      get('Connection: x ,\tclose,\r\n'),
      { headers: ['Connection', 'x ,\tclose,'], keepAlive: false },
    ],
    ['not quite close', get('Connection: closed, xclose\r\n'), { headers: ['Connection', 'closed, xclose'] }],
    [
      'no close: a no-break space is no blank',
      get('Connection: x,\xa0close\r\n'),
      { headers: ['Connection', 'x,\xa0close'] },
    ],
    [
      'an upgrade',
      get('Upgrade: a\r\nUpgrade: b/2\r\nConnection: x\r\nConnection: Upgrade\r\n'),
      { headers: ['Upgrade', 'a', 'Upgrade', 'b/2', 'Connection', 'x', 'Connection', 'Upgrade'], upgrade: 'a, b/2' },
    ],
    ['an upgrade that Connection does not name', get('Upgrade: a\r\n'), { headers: ['Upgrade', 'a'] }],
    [
      'an upgrade in HTTP/1.0',
      'GET / HTTP/1.0\r\nHost: a\r\nUpgrade: b\r\nConnection: Upgrade\r\n\r\n',
      { version: 'HTTP/1.0', headers: ['Upgrade', 'b', 'Connection', 'Upgrade'], keepAlive: false },
    ],
    ['Expect without a body', get('Expect: 100-continue\r\n'), { headers: ['Expect', '100-continue'] }],
    [
      'Expect with a body',
      post('Expect: 100-Continue\r\nContent-Length: 1\r\n'),
      { method: 'POST', headers: ['Expect', '100-Continue', 'Content-Length', '1'], body: 1, expectsContinue: true },
    ],
    [
      'Expect with a body of no bytes',
      post('Expect: 100-continue\r\nContent-Length: 0\r\n'),
      { method: 'POST', headers: ['Expect', '100-continue', 'Content-Length', '0'], body: 0 },
    ],
    [
      'Expect in HTTP/1.0',
      'POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\n',
      {
        method: 'POST',
        version: 'HTTP/1.0',
        host: undefined,
        headers: ['Expect', 'x', 'Content-Length', '1'],
        body: 1,
        keepAlive: false,
      },
    ],
  ])('%s', (_name, text, parts) => {
    const fieldText = text.slice(text.indexOf('\r\n', 2) + 2);
    expect(read(text)).toStrictEqual({ ...plain, fieldText, ...parts });
  });

  test('bytes from 0x80 to 0xff and every printable one are kept in values as they are', () => {
    const value = String.fromCharCode(
      ...Array.from({ length: 256 }, (_, i) => i).filter((i) => i > 0x20 && i !== 0x7f),
    );
    expect(read(get(`X: ${value}\r\n`)).headers).toEqual(['X', value]);
  });

  test('as many fields, and as long a target, as the limits say', () => {
    expect(read(`GET / HTTP/1.1\r\n${'a:\r\n'.repeat(199)}Host: a\r\n\r\n`).headers).toHaveLength(398);
    expect(read(line(`GET /${'a'.repeat(16_383)} HTTP/1.1`)).target).toHaveLength(16_384);
  });
});

describe('what is refused', () => {
  const chunked = 'Transfer-Encoding: chunked\r\n';
  const control = Array.from({ length: 33 }, (_, i) => (i === 32 ? 0x7f : i)).filter((i) => i !== 0x09);

  test.each<[string, number, string]>(
    [
      // H12: the request line.
      ['a method in small letters', 501, line('get / HTTP/1.1')],
      ['a method in mixed letters', 501, line('Get / HTTP/1.1')],
      ['a method of 33 letters', 501, line(`${'M'.repeat(33)} / HTTP/1.1`)],
      ['a method that is no token', 501, line('G(T / HTTP/1.1')],
      ['a method with bytes from 0x80 on', 501, line('G\xc4T / HTTP/1.1')],
      ['a method that begins with a digit', 501, line('1GET / HTTP/1.1')],
      ['a method behind a tab', 501, line('\tGET / HTTP/1.1')],
      ['no method', 400, line(' / HTTP/1.1')],
      ['a blank before the method', 400, line(' GET / HTTP/1.1')],
      ['nothing but a method', 400, line('GET')],
      ['HTTP/0.9', 400, line('GET /')],
      ['HTTP/0.9 with its number', 505, line('GET / HTTP/0.9')],
      ['no target', 400, line('GET HTTP/1.1')],
      ['no target, two blanks', 400, line('GET  HTTP/1.1')],
      ['two blanks before the target', 400, line('GET  / HTTP/1.1')],
      ['two blanks behind the target', 400, line('GET /  HTTP/1.1')],
      ['a blank behind the version', 400, line('GET / HTTP/1.1 ')],
      ['a tab behind the version', 400, line('GET / HTTP/1.1\t')],
      ['a tab before the target', 400, line('GET\t/ HTTP/1.1')],
      ['a tab behind the target', 400, line('GET /\tHTTP/1.1')],
      ['a tab in the target', 400, line('GET /\ta HTTP/1.1')],
      ['a blank in the target', 400, line('GET /a b HTTP/1.1')],
      ['a fragment in the target', 400, line('GET /a#b HTTP/1.1')],
      ['HTTP/1.32', 400, line('GET / HTTP/1.32')],
      ['HTTP/1.10', 400, line('GET / HTTP/1.10')],
      ['HTTP/1.01', 400, line('GET / HTTP/1.01')],
      ['HTTP/2.0', 505, line('GET / HTTP/2.0')],
      ['HTTP/01.1', 400, line('GET / HTTP/01.1')],
      ['the preface of HTTP/2', 505, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['HTTP/2', 400, line('GET / HTTP/2')],
      ['http/1.1', 400, line('GET / http/1.1')],
      ['HTTP/1,1', 400, line('GET / HTTP/1,1')],
      ['HTTPS/1.1', 400, line('GET / HTTPS/1.1')],
      ['HTTP/1.1x', 400, line('GET / HTTP/1.1x')],
      ['a target of 64 KB', 414, line(`GET /${'a'.repeat(65_536)} HTTP/1.1`)],
      ['a target of a byte too many', 414, line(`GET /${'a'.repeat(16_384)} HTTP/1.1`)],
      ['a target without slash', 400, line('GET echo HTTP/1.1')],
      ['a query for a target', 400, line('GET ?a HTTP/1.1')],
      ['* for another method', 400, line('GET * HTTP/1.1')],
      ['* with more behind it', 400, line('OPTIONS *a HTTP/1.1')],
      ['authority form for another method', 400, line('GET a:80 HTTP/1.1')],
      ['CONNECT to a path', 400, line('CONNECT / HTTP/1.1')],
      ['CONNECT to a URL', 400, line('CONNECT http://a:80 HTTP/1.1')],
      ['CONNECT without port', 400, line('CONNECT a HTTP/1.1')],
      ['CONNECT with a user', 400, line('CONNECT u@a:443 HTTP/1.1')],
      ['a URL of another scheme', 400, line('GET ftp://a/ HTTP/1.1')],
      ['a URL without host', 400, line('GET http:///a HTTP/1.1')],
      ['a URL with one slash', 400, line('GET http:/a HTTP/1.1')],
      ['two empty lines before it', 400, `\r\n\r\n${get('')}`],
      ['a bare LF before it', 400, `\n${get('')}`],
      ['a bare CR before it', 400, `\r${get('')}`],

      // H08: ends of lines and blocks.
      ['LF behind the request line', 400, 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
      ['CR behind the request line', 400, 'GET / HTTP/1.1\rHost: a\r\n\r\n'],
      ['LF behind a field', 400, 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n'],
      ['CR CR LF behind a field', 400, 'GET / HTTP/1.1\r\nHost: a\r\r\n\r\n'],
      ['LF for the empty line', 400, 'GET / HTTP/1.1\r\nHost: a\r\n\n'],
      ['CR and something for the empty line', 400, 'GET / HTTP/1.1\r\nHost: a\r\n\rX'],
      ['CR CR LF for the empty line', 400, 'GET / HTTP/1.1\r\nHost: a\r\n\r\r\n'],
      ['LF LF', 400, 'GET / HTTP/1.1\r\nHost: a\n\n'],
      ['CR within a name', 400, get('X\rY: z\r\n')],

      // H09: folded lines.
      ['a folded line', 400, get('X: a\r\n b\r\n')],
      ['a line folded with a tab', 400, get('X: a\r\n\tb\r\n')],
      ['a folded line with nothing in it', 400, get('X: a\r\n \r\n')],
      ['a folded Transfer-Encoding', 400, post('Transfer-Encoding:\r\n chunked\r\n')],
      ['a folded line before the first field', 400, 'GET / HTTP/1.1\r\n Host: a\r\n\r\n'],
      ['a tab before the first field', 400, 'GET / HTTP/1.1\r\n\tX: y\r\nHost: a\r\n\r\n'],

      // H10: names.
      ['a blank before the colon', 400, get('X : y\r\n')],
      ['a tab before the colon', 400, get('X\t: y\r\n')],
      ['a blank before the colon of Host', 400, 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
      ['an empty name', 400, get(': y\r\n')],
      ['no colon', 400, get('X\r\n')],
      ['no colon in the last line but in what follows', 400, `${get('X\r\n')}a: b`],
      ['a blank in a name', 400, get('X Y: z\r\n')],
      ['an underscore look-alike is a name, a slash is not', 400, get('X/Y: z\r\n')],
      ['a byte from 0x80 on in a name', 400, get('X\xe4: y\r\n')],
      ['a quote in a name', 400, get('"X": y\r\n')],
      ['a long name that is none', 400, get(`${'X'.repeat(1000)}(: y\r\n`)],

      // H13 as far as one Host is concerned; what it may say is looked at where HTTP/2 has it looked at as well.
      ['no Host', 400, 'GET / HTTP/1.1\r\n\r\n'],
      ['two Host', 400, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
      ['two equal Host', 400, 'GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n'],
      ['two Host, one of them empty', 400, 'GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n'],
      ['two Host in HTTP/1.0', 400, 'GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n'],
      ['absolute form without Host', 400, 'GET http://a/ HTTP/1.1\r\n\r\n'],

      // H01, H02, H05: the framing; more of it in body-framing.test.ts.
      ['Content-Length before Transfer-Encoding', 400, post(`Content-Length: 5\r\n${chunked}`)],
      ['Transfer-Encoding before Content-Length', 400, post(`${chunked}Content-Length: 5\r\n`)],
      ['a blank before the colon of Transfer-Encoding', 400, post('Transfer-Encoding : chunked\r\n')],
      ['a tab before the colon of Transfer-Encoding', 400, post('Transfer-Encoding\t: chunked\r\n')],
      ['a vertical tab before chunked', 400, post('Transfer-Encoding: \vchunked\r\n')],
      ['Transfer-Encoding in HTTP/1.0', 400, `POST / HTTP/1.0\r\nHost: a\r\n${chunked}\r\n`],
      ['chunked on a GET, twice', 400, get(chunked + chunked)],
      ['two Content-Length', 400, get('Content-Length: 5\r\nContent-Length: 5\r\n')],
      ['another expectation', 400, post('Expect: x\r\nContent-Length: 1\r\n')],
      ['an expectation twice', 400, post('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 1\r\n')],

      // H04, H21: limits.
      ['a field too many', 431, get('a:\r\n'.repeat(200))],
      ['Content-Length behind 2,100 short lines (H04)', 431, get(`${'a:\r\n'.repeat(2100)}Content-Length: 5\r\n`)],
      ['Transfer-Encoding behind 2,100 short lines (H04)', 431, get('a:\r\n'.repeat(2100) + chunked)],
      ['one field of 100 KB', 431, get(`X: ${'x'.repeat(100_000)}\r\n`)],
      ['one name of 100 KB', 431, get(`${'x'.repeat(100_000)}: y\r\n`)],
      ['10,000 cookies', 431, get('Cookie: a=b\r\n'.repeat(10_000))],
      ['a request line without end', 414, 'G'.repeat(65_537)],
      ...control.flatMap((code): [string, number, string][] => [
        [`byte ${code} in a value (H11)`, 400, get(`X: a${String.fromCharCode(code)}b\r\n`)],
        [`byte ${code} in a name (H10)`, 400, get(`X${String.fromCharCode(code)}Y: z\r\n`)],
        [`byte ${code} in a target (H12)`, 400, line(`GET /${String.fromCharCode(code)} HTTP/1.1`)],
      ]),
    ].filter(([name]) => !/^byte 32 /.test(String(name))) as [string, number, string][],
  )('%s: %i', (_name, expected, text) => {
    expect(status(text)).toBe(expected);
  });

  test('at the byte where it stands, without waiting for the end of the head', () => {
    for (const text of ['GET / HTTP/1.1\r\nX: \0', 'GET / HTTP/1.1\n', 'GET / HTTP/1.1\r\r', '\r\n\r\n', '\x16']) {
      const whole = bytes(text);
      expect(readRequests([whole.subarray(0, -1)]).fault, JSON.stringify(text)).toBeUndefined();
      expect(readRequests([whole]).fault?.status, JSON.stringify(text)).toBe(400);
    }
  });

  test('a fault is a MessageFault with a reason that is bounded', () => {
    for (const text of [
      get(`${'('.repeat(60_000)}: y\r\n`),
      line(`GET ${'x'.repeat(16_000)} HTTP/1.1`),
      line(`${'g'.repeat(60_000)} / HTTP/1.1`),
    ]) {
      const head = new HeadReader({ limit: limits.headBytes, startLine: true });
      head.push(bytes(text), 0);
      let fault: unknown;
      try {
        parseRequest(head.text, limits);
      } catch (error) {
        fault = error;
      }
      expect(fault).toBeInstanceOf(MessageFault);
      expect((fault as MessageFault).message.length).toBeLessThan(256);
    }
  });
});

describe('a block of fields that came before', () => {
  const limits = { headerCount: 10, targetBytes: 100 };
  const first = parseRequest('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: y\r\n\r\n', limits);

  test('is not read again, whatever the request line', () => {
    const again = parseRequest('PUT /other?x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: y\r\n\r\n', limits, first);
    expect(again).toStrictEqual({ ...first, method: 'PUT', target: '/other?x' });
    expect(again.headers).toBe(first.headers);
  });

  test.each([
    'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nX: y\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: y\r\nZ: z\r\n\r\n',
    'POST /a HTTP/1.1\r\nA: b\r\nHost: a\r\nContent-Length: 5\r\nX: y\r\n\r\n',
    'POST /a HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nX: y\r\n\r\n',
    'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
  ])('is no other than it was: %j', (text) => {
    expect(parseRequest(text, limits, first)).toStrictEqual(parseRequest(text, limits));
  });

  test('is not kept where it is long', () => {
    const long = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(4096)}\r\n\r\n`;
    expect(parseRequest(long, limits).fieldText).toBe('');
  });
});
