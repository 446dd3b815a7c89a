/** Messages for the comparison with Node's own parser, good and bad; each has a name, by which differential-table.ts calls it. */
import { METHODS } from 'node:http';
import { breakages, lastResponses, requests, responses } from './message-corpus.ts';

export type Named = readonly [name: string, text: string];

const hex = (code: number) => `0x${code.toString(16).padStart(2, '0')}`;
export const codes = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** A long value goes by its beginning and its length. */
const short = (value: string) => JSON.stringify(value.length > 60 ? `${value.slice(0, 20)}… ${value.length}` : value);

export const nameOf = (place: string, value: string) => `${place} ${short(value)}`;
export const nameOfByte = (code: number, place: string) => `${hex(code)} ${place}`;

/** One message for every byte at one place. */
const eachByte = (place: string, message: (char: string) => string): Named[] =>
  codes(0, 255).map((code) => [nameOfByte(code, place), message(String.fromCharCode(code))]);
const each = (place: string, values: readonly string[], message: (value: string) => string): Named[] =>
  values.map((value) => [nameOf(place, value), message(value)]);

const get = (fields: string) => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const post = (fields: string, body = '') => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;
const line = (text: string) => `${text}\r\nHost: a\r\n\r\n`;
const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body);
const ok = (fields: string, body = '') => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`;
const END = '0\r\n\r\n';

const LENGTHS = [
  ...[
    '',
    '0',
    '5',
    '+5',
    '-5',
    '0x5',
    '5_0',
    '05',
    '00',
    '5.0',
    '5e0',
    '5,',
    ',5',
    '5, 5',
    '5 5',
    '5;',
    '"5"',
    '5\xa0',
    'a',
  ],
  ...['9007199254740991', '9007199254740992', '9223372036854775808', '18446744073709551615', '18446744073709551621'],
];
const CODINGS = [
  ...['', 'chunked', 'Chunked', 'CHUNKED', 'identity', 'gzip', 'xchunked', 'chunkedx', 'x-chunked', 'cow', '"chunked"'],
  ...['chunked, identity', 'identity, chunked', 'gzip, chunked', 'chunked, chunked', 'chunked chunked', ',chunked'],
  ...[
    'chunked,',
    'chunked;',
    'chunked;q=1',
    ';chunked',
    'chunked\xa0',
    '\xa0chunked',
    '\vchunked',
    'chunked\v',
    '\tchunked\t',
  ],
];
const SIZES = [
  ...[
    '5',
    '05',
    '0000000000000005',
    '00000000000000005',
    '+5',
    '-5',
    '0x5',
    '5_0',
    ' 5',
    '5 ',
    '\t5',
    '5\t',
    '',
    'g',
    '5g',
    '5.',
  ],
  ...[
    '5;',
    '5;a',
    '5;a=b',
    '5;a="b"',
    '5;a="b;c\\"d"',
    '5;;a',
    '5;=a',
    '5;a=',
    '5;a;',
    '5;a b',
    '5; a',
    '5 ;a',
    '5;a =b',
    '5;"a"',
  ],
  ...[
    '5;a="b',
    '5;a="b"c',
    '5;a=b"c"',
    '5;a=b=c',
    '5;a(',
    '5;a\xe4',
    '5;a="\xe4"',
    'ffffffffffffffff',
    '10000000000000005',
  ],
];
const ENDS: readonly (readonly [string, string])[] = [
  ['LF behind the size', `5\nhello\r\n${END}`],
  ['CR behind the size', `5\rhello\r\n${END}`],
  ['CR CR LF behind the size', `5\r\r\nhello\r\n${END}`],
  ['LF behind the data', `5\r\nhello\n${END}`],
  ['CR behind the data', `5\r\nhello\r${END}`],
  ['nothing behind the data', `5\r\nhello${END}`],
  ['data too long', `5\r\nhello!\r\n${END}`],
  ['data too short', `6\r\nhello\r\n${END}`],
  ['an empty line before the first size', `\r\n5\r\nhello\r\n${END}`],
  ['an empty line between chunks', `5\r\nhello\r\n\r\n${END}`],
  ['LF behind the last size', '0\n\r\n'],
  ['LF for the last line', '0\r\n\n'],
  ['CR and something for the last line', '0\r\n\rX'],
  ['LF in an extension', `5;a\nhello\r\n${END}`],
  ['LF in a quoted extension', `5;a="\n"\r\nhello\r\n${END}`],
  ['16 KB of extensions', `5;${'a'.repeat(16_384)}\r\nhello\r\n${END}`],
  ['more than 16 KB of extensions', `5;${'a'.repeat(16_385)}\r\nhello\r\n${END}`],
  ['a trailer', '0\r\nX: a\r\n\r\n'],
  ['trailers of one name', '0\r\nX: a\r\nx: b\r\n\r\n'],
  ['Host as a trailer', '0\r\nHost: a\r\n\r\n'],
  ['Content-Length as a trailer', '0\r\nContent-Length: 5\r\n\r\n'],
  ['Transfer-Encoding as a trailer', '0\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['a folded trailer', '0\r\nX: a\r\n b\r\n\r\n'],
  ['a blank before the colon of a trailer', '0\r\nX : a\r\n\r\n'],
  ['a trailer without a colon', '0\r\nX\r\n\r\n'],
  ['LF behind a trailer', '0\r\nX: a\n\r\n'],
  ['201 trailers', `0\r\n${'a:\r\n'.repeat(201)}\r\n`],
];
const FIELDS: readonly (readonly [string, string])[] = [
  ['blanks and tabs around a value', 'X: \t a \t b\t \r\n'],
  ['no blank before a value', 'X:a\r\n'],
  ['an empty value', 'X:\r\n'],
  ['a value of blanks', 'X: \t\r\n'],
  ['a colon in a value', 'X: a:b\r\n'],
  ['fields of one name', 'X: a\r\nx: b\r\nX: a\r\n'],
  ['names of JavaScript', '__proto__: 1\r\nconstructor: 2\r\n'],
  ['a blank before the colon', 'X : y\r\n'],
  ['a tab before the colon', 'X\t: y\r\n'],
  ['an empty name', ': y\r\n'],
  ['no colon', 'X\r\n'],
  ['a folded line', 'X: a\r\n b\r\n'],
  ['a line folded with a tab', 'X: a\r\n\tb\r\n'],
  ['a folded line of blanks', 'X: a\r\n \r\n'],
  ['a folded empty value', 'X:\r\n a\r\n'],
  ['LF behind a field', 'X: y\nY: z\r\n'],
  ['CR behind a field', 'X: y\rY: z\r\n'],
  ['CR CR LF behind a field', 'X: y\r\r\nY: z\r\n'],
  ['LF for the empty line', 'X: y\r\n\n'],
  ['CR and something for the empty line', 'X: y\r\n\rX'],
  ['CR CR LF for the empty line', 'X: y\r\n\r\r\n'],
  ['200 fields', 'a:\r\n'.repeat(199)],
  ['201 fields', 'a:\r\n'.repeat(201)],
  ['a value of 70 KB', `X: ${'x'.repeat(70_000)}\r\n`],
  ['close and keep-alive', 'Connection: keep-alive, close\r\n'],
];
const FRAMINGS: readonly (readonly [string, string])[] = [
  ['Content-Length before Transfer-Encoding', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
  ['Transfer-Encoding before Content-Length', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'],
  ['two equal Content-Length', 'Content-Length: 5\r\nContent-Length: 5\r\n'],
  ['two different Content-Length', 'Content-Length: 5\r\ncontent-length: 6\r\n'],
  ['two Transfer-Encoding chunked', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'],
  ['Transfer-Encoding identity, then chunked', 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n'],
  ['Transfer-Encoding chunked, then identity', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n'],
  ['a blank before the colon of Content-Length', 'Content-Length : 5\r\n'],
  ['a blank before the colon of Transfer-Encoding', 'Transfer-Encoding : chunked\r\n'],
  ['a folded Transfer-Encoding', 'Transfer-Encoding:\r\n chunked\r\n'],
  ['a folded Content-Length', 'Content-Length:\r\n 5\r\n'],
  ['look-alikes with _', 'Content_Length: 5\r\nTransfer_Encoding: chunked\r\n'],
];
const TARGETS = [
  ...[
    '/',
    '*',
    '/*',
    '//a/b',
    '/a/../b',
    '/%zz',
    '/a?b=c?d',
    '/a#b',
    '/a b',
    'a',
    'a/b',
    '?a',
    '#a',
    '.',
    './a',
    '%2F',
    ':80',
    'a:80',
  ],
  ...[
    'http://a/',
    'http://a',
    'http://a?b',
    'HTTPS://a/',
    'ftp://a/',
    'http://u@a/',
    'http:/a',
    'http:///a',
    'http:a',
    'http://',
    '://a',
  ],
  ...['\\a', '/\\a', '/a\tb', '/"<>^`{|}', `/${'a'.repeat(16_383)}`, `/${'a'.repeat(16_384)}`],
];
const REQUEST_LINES = [
  ...[
    'GET /',
    'GET',
    '',
    ' GET / HTTP/1.1',
    '\tGET / HTTP/1.1',
    'GET  / HTTP/1.1',
    'GET /  HTTP/1.1',
    'GET / HTTP/1.1 ',
    'GET / HTTP/1.1\t',
  ],
  ...[
    'GET HTTP/1.1',
    'GET  HTTP/1.1',
    'GET\t/ HTTP/1.1',
    'GET /\tHTTP/1.1',
    ' / HTTP/1.1',
    'GET / HTTP/1.1x',
    'GET / HTTP/1.1 x',
  ],
  ...['1.0', '1.2', '1.10', '1.32', '0.9', '2.0', '3.0', '01.1', '1.01', '1', '1.', '.1', 'a.b', '+1.1'].map(
    (version) => `GET / HTTP/${version}`,
  ),
  ...[
    'GET / http/1.1',
    'GET / Http/1.1',
    'GET / HTTPS/1.1',
    'GET / HTTP1.1',
    'GET / HTTP /1.1',
    'GET / ICE/1.0',
    'GET / RTSP/1.0',
  ],
  ...[
    'CONNECT a:443 HTTP/1.1',
    'CONNECT [::1]:443 HTTP/1.1',
    'CONNECT a HTTP/1.1',
    'CONNECT / HTTP/1.1',
    'CONNECT http://a:80 HTTP/1.1',
  ],
  ...[
    'CONNECT u@a:443 HTTP/1.1',
    'CONNECT a:443/ HTTP/1.1',
    'CONNECT a: HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'OPTIONS *a HTTP/1.1',
    'GET * HTTP/1.1',
  ],
];
const OTHER_METHODS = [
  ...[
    'RPC_IN_DATA',
    'RPC_OUT_DATA',
    'RDG_OUT_DATA',
    'BCOPY',
    'BPROPPATCH',
    'POLL',
    'VERSION-CONTROL',
    'GETX',
    'M2_-X',
    'M'.repeat(32),
  ],
  ...['get', 'Get', 'gET', 'GEt', 'M'.repeat(33), '1GET', 'G(T', 'G\xc4T', '-GET', '_GET', 'GET:', 'PRI'],
];
const HOSTS: readonly (readonly [string, string])[] = [
  ['no Host', 'X: y\r\n'],
  ['two Host', 'Host: a\r\nHost: b\r\n'],
  ['two equal Host', 'Host: a\r\nhost: a\r\n'],
  ['an empty Host', 'Host:\r\n'],
  ['a folded line before Host', ' Host: a\r\n'],
  ['a tab before the first field', '\tX: y\r\nHost: a\r\n'],
  ['LF behind the request line', '\nHost: a\r\n'],
];
const STATUS_LINES = [
  ...[
    'HTTP/1.1 200 OK',
    'HTTP/1.1 200 ',
    'HTTP/1.1 200',
    'HTTP/1.1 200  OK',
    'HTTP/1.1 200 a\tb',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1  200 OK',
  ],
  ...[
    'HTTP/1.0 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/1.2 200 OK',
    'HTTP/1.10 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/2 200 OK',
    'http/1.1 200 OK',
  ],
  ...['000', '099', '199', '299', '599', '600', '999', '1000', '20', '2', '2x0', '+20', '-20', '0x1', ''].map(
    (status) => `HTTP/1.1 ${status} x`,
  ),
  ...[
    'HTTP/1.1 200OK',
    'HTTP/1.1',
    'HTTP/1.1 ',
    'HTTP/1.1 OK',
    ' HTTP/1.1 200 OK',
    'ICY 200 OK',
    'hello',
    'GET / HTTP/1.1',
    'X: y',
    '<html>',
  ],
];

export const requestMessages: readonly Named[] = [
  ...requests.map((text): Named => [nameOf('request', text), text]),
  ['all of them', requests.filter((text) => !/Upgrade|HTTP\/1\.0|RPC|\xe4\xff/.test(text)).join('')],
  ...breakages.filter((text) => text.length > 1).map((text): Named => [nameOf('broken', text), text]),
  ...eachByte('in a value', (char) => get(`X: a${char}b\r\n`)),
  ...eachByte('in a name', (char) => get(`X${char}Y: z\r\n`)),
  ...eachByte('in a target', (char) => line(`GET /a${char}b HTTP/1.1`)),
  ...eachByte('before the request', (char) => `${char}${get('')}`),
  ...eachByte('in an extension', (char) => chunked(`5;a${char}b\r\nhello\r\n${END}`)),
  ...eachByte('in a quoted extension', (char) => chunked(`5;a="${char}"\r\nhello\r\n${END}`)),
  ...eachByte('behind a size', (char) => chunked(`5${char}\r\nhello\r\n${END}`)),
  ...eachByte('in a trailer', (char) => chunked(`0\r\nX: a${char}b\r\n\r\n`)),
  ...METHODS.filter((method) => method !== 'CONNECT').map(
    (method): Named => [`method ${method}`, line(`${method} / HTTP/1.1`)],
  ),
  ...each('method', OTHER_METHODS, (method) => line(`${method} / HTTP/1.1`)),
  ...each('target', TARGETS, (target) => line(`GET ${target} HTTP/1.1`)),
  ...each('line', REQUEST_LINES, line),
  ...each('Content-Length', LENGTHS, (length) =>
    post(`Content-Length: ${length}\r\n`, /^0+$/.test(length) ? '' : 'hello'),
  ),
  ...each('Transfer-Encoding', CODINGS, (coding) => post(`Transfer-Encoding: ${coding}\r\n`, `5\r\nhello\r\n${END}`)),
  ...each('size', SIZES, (size) => chunked(`${size}\r\nhello\r\n${END}`)),
  ...ENDS.map(([name, body]): Named => [name, chunked(body)]),
  ...FIELDS.map(([name, fields]): Named => [name, get(fields)]),
  ...FRAMINGS.map(([name, fields]): Named => [name, post(fields, `5\r\nhello\r\n${END}`)]),
  ...HOSTS.map(([name, fields]): Named => [name, `GET / HTTP/1.1\r\n${fields}\r\n`]),
  ['HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n'],
  ['chunked in HTTP/1.0', `POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${END}`],
  ['two empty lines before it', `\r\n\r\n${get('')}`],
  ['another expectation', post('Expect: x\r\nContent-Length: 5\r\n', 'hello')],
  ['2,100 short fields, then Content-Length', get(`${'a:\r\n'.repeat(2100)}Content-Length: 5\r\n`)],
];

export const responseMessages: readonly Named[] = [
  ...[...responses, ...lastResponses].map((text): Named => [nameOf('answer', text), text]),
  ...eachByte('in a value', (char) => ok(`X: a${char}b\r\nContent-Length: 0\r\n`)),
  ...eachByte('in a name', (char) => ok(`X${char}Y: z\r\nContent-Length: 0\r\n`)),
  ...eachByte('in a reason', (char) => `HTTP/1.1 200 a${char}b\r\nContent-Length: 0\r\n\r\n`),
  ...eachByte('behind the status', (char) => `HTTP/1.1 200${char}\r\nContent-Length: 0\r\n\r\n`),
  ...each('line', STATUS_LINES, (text) => `${text}\r\nContent-Length: 0\r\n\r\n`),
  ...each('Content-Length', LENGTHS, (length) =>
    ok(`Content-Length: ${length}\r\n`, /^0+$/.test(length) ? '' : 'hello'),
  ),
  ...each('Transfer-Encoding', CODINGS, (coding) => ok(`Transfer-Encoding: ${coding}\r\n`, `5\r\nhello\r\n${END}`)),
  ...each('size', SIZES, (size) => ok('Transfer-Encoding: chunked\r\n', `${size}\r\nhello\r\n${END}`)),
  ...ENDS.map(([name, body]): Named => [name, ok('Transfer-Encoding: chunked\r\n', body)]),
  ...FIELDS.map(([name, fields]): Named => [name, ok(`Content-Length: 0\r\n${fields}`)]),
  ...FRAMINGS.map(([name, fields]): Named => [name, ok(fields, `5\r\nhello\r\n${END}`)]),
  ['Host in an answer', ok('Host: a\r\nX: y\r\nContent-Length: 0\r\n')],
  ['chunked in HTTP/1.0', `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n${END}`],
  ['an empty line before it', `\r\n${ok('Content-Length: 0\r\n')}`],
  ['two empty lines before it', `\r\n\r\n${ok('Content-Length: 0\r\n')}`],
  ['a change of protocols', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: b\r\n\r\n'],
  ['204 with Transfer-Encoding', 'HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['304 with Transfer-Encoding', 'HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['205 with a body', 'HTTP/1.1 205 x\r\nContent-Length: 5\r\n\r\nhello'],
  ['100 with Content-Length', `HTTP/1.1 100 x\r\nContent-Length: 5\r\n\r\n${ok('Content-Length: 0\r\n')}`],
];
