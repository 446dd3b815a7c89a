/** Ways to make two HTTP implementations read one stream of bytes in two ways, and what must come of each. */
import { HOST } from './recorded-farm.ts';

const HOST_LINE = `Host: ${HOST}`;

/** What an attacker wants to arrive: it never does as a request. */
export const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST_LINE}\r\n\r\n`;

export interface RequestPayload {
  readonly technique: string;
  readonly name: string;
  /** As it is sent. Another request, `/after`, follows it directly. */
  readonly bytes: string;
  /** The statuses of all that comes back, in order; the connection is closed then. */
  readonly answers: string;
  /** How many whole requests arrive at the server, `/after` not counted: the one meant, or none. */
  readonly requests: 0 | 1;
  /** Part of the head, or of the body, of the request that arrives. */
  readonly arrives: RegExp | undefined;
}

type Row = readonly [name: string, bytes: string, answers: string, requests: 0 | 1, arrives?: RegExp];

const group = (technique: string, rows: readonly Row[]): RequestPayload[] =>
  rows.map(([name, bytes, answers, requests, arrives]) => ({ technique, name, bytes, answers, requests, arrives }));

const head = (line: string, ...fields: string[]) => `${line}\r\n${[HOST_LINE, ...fields].join('\r\n')}\r\n\r\n`;
const post = (fields: string, body: string) => head('POST /meant HTTP/1.1', fields) + body;
const get = (...fields: string[]) => head('GET /meant HTTP/1.1', ...fields);
const sized = (body: string) => `Content-Length: ${body.length}`;
const chunk = (data: string) => `${data.length.toString(16)}\r\n${data}\r\n`;
const END = '0\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked';

/** Refused: nothing of it, and nothing behind it. */
const refused = (name: string, bytes: string, status = '400'): Row => [name, bytes, status, 0];
/** Read as one request, and `/after` as the next. */
const taken = (name: string, bytes: string, arrives?: RegExp): Row =>
  arrives === undefined ? [name, bytes, '200 200', 1] : [name, bytes, '200 200', 1, arrives];
/** A sound request, and behind it bytes that are none. */
const takenThenRefused = (name: string, bytes: string, arrives?: RegExp): Row =>
  arrives === undefined ? [name, bytes, '200 400', 1] : [name, bytes, '200 400', 1, arrives];

const chunkedWith = (body: string) => post(CHUNKED, body + SMUGGLED);
const trailerWith = (lines: string) => post(CHUNKED, `${chunk('hello')}0\r\n${lines}\r\n\r\n`);

export const REQUEST_PAYLOADS: readonly RequestPayload[] = [
  ...group('CL.TE', [
    refused('Content-Length, then Transfer-Encoding', post(`${sized(END + SMUGGLED)}\r\n${CHUNKED}`, END + SMUGGLED)),
    refused('Content-Length: 0 and Transfer-Encoding', post(`Content-Length: 0\r\n${CHUNKED}`, chunk(SMUGGLED) + END)),
    refused('Content-Length that is right for the chunks', post(`${sized(END)}\r\n${CHUNKED}`, END)),
    refused('in HTTP/1.0', head('POST /meant HTTP/1.0', sized(END), CHUNKED) + END + SMUGGLED),
    refused('with Transfer-Encoding empty', post(`${sized('hello')}\r\nTransfer-Encoding:`, 'hello')),
    refused('with Transfer-Encoding: identity', post(`${sized('hello')}\r\nTransfer-Encoding: identity`, 'hello')),
  ]),
  ...group('TE.CL', [
    refused('Transfer-Encoding, then Content-Length', post(`${CHUNKED}\r\nContent-Length: 4`, chunk(SMUGGLED) + END)),
    refused('a chunk that hides a request', post(`Content-Length: 3\r\n${CHUNKED}`, `8\r\nSMUGGLED\r\n${END}`)),
    refused('both on GET', get(CHUNKED, 'Content-Length: 5') + END + SMUGGLED),
    refused('both with an Upgrade', post(`${CHUNKED}\r\nContent-Length: 5\r\nConnection: Upgrade\r\nUpgrade: x`, END)),
  ]),
  ...group('TE.TE', [
    ...[
      'xchunked',
      'chunkedd',
      'chunk',
      'c hunked',
      'chunked;',
      'chunked; q=1',
      '"chunked"',
      "'chunked'",
      'chunked, chunked',
      'chunked, identity',
      'identity, chunked',
      'gzip, chunked',
      'chunked gzip',
      ',chunked',
      'chunked,',
      ', chunked ,',
      'identity',
      'deflate',
      '',
      '\x0bchunked',
      '\x0cchunked',
      'chunked\x0b',
      '\0chunked',
      'chunked\0',
      '\x7fchunked',
      '\xa0chunked',
      'chunked\x85',
      'chun\xe2\x84\xaaed',
      '\r\n chunked',
      '\r\n\tchunked',
      'x\r\n chunked',
      'chunked\r\n , identity',
    ].map((value) => refused(JSON.stringify(value), post(`Transfer-Encoding: ${value}`, END + SMUGGLED))),
    refused('chunked, then identity', post(`${CHUNKED}\r\nTransfer-Encoding: identity`, END + SMUGGLED)),
    refused('twice chunked', post(`${CHUNKED}\r\n${CHUNKED}`, END + SMUGGLED)),
    refused('chunked, then another case', post(`${CHUNKED}\r\ntransfer-encoding: cow`, END + SMUGGLED)),
    refused('blank before the colon', post('Transfer-Encoding : chunked', END + SMUGGLED)),
    refused('tab before the colon', post('Transfer-Encoding\t: chunked', END + SMUGGLED)),
    refused('NUL before the colon', post('Transfer-Encoding\0: chunked', END + SMUGGLED)),
    refused('no-break space before the colon', post('Transfer-Encoding\xa0: chunked', END + SMUGGLED)),
    refused('blank before the name', post(`X: y\r\n ${CHUNKED}`, END + SMUGGLED)),
    refused('blank in the name', post('Transfer Encoding: chunked', END + SMUGGLED)),
    refused('behind a bare CR', post(`X: y\r${CHUNKED}`, END + SMUGGLED)),
    refused('behind a bare LF', post(`X: y\n${CHUNKED}`, END + SMUGGLED)),
    refused('value on the next line', post('Transfer-Encoding:\r\nchunked', END + SMUGGLED)),
    refused('in HTTP/1.0', head('POST /meant HTTP/1.0', CHUNKED) + END + SMUGGLED),
    taken('CHUNKED', post('Transfer-Encoding: CHUNKED', chunk(SMUGGLED) + END), /\nTransfer-Encoding: chunked\r/),
    taken('odd letter case of the name', post('tRANSFER-eNCODING: chunked', chunk(SMUGGLED) + END)),
    taken('no blank', post('Transfer-Encoding:chunked', chunk(SMUGGLED) + END)),
    taken('blanks and tabs around', post('Transfer-Encoding: \t chunked \t ', chunk(SMUGGLED) + END)),
    takenThenRefused('underscore', post('Transfer_Encoding: chunked', END), /^(?![\s\S]*Transfer_)[\s\S]*$/),
    taken(
      'underscore beside Content-Length',
      post(`Transfer_Encoding: chunked\r\n${sized(SMUGGLED)}`, SMUGGLED),
      /^(?![\s\S]*Transfer_)/,
    ),
    takenThenRefused('without the hyphen', post('TransferEncoding: chunked', END)),
    taken('TE, which is something else', get('TE: chunked'), /^(?![\s\S]*\nTE:)/),
  ]),
  ...group('Content-Length', [
    ...[
      '+5',
      '-5',
      '-0',
      '0x5',
      '5_0',
      '05',
      '005',
      '',
      '5, 5',
      '5, 6',
      '5,',
      ',5',
      '5;',
      '5 5',
      '5.0',
      '5e0',
      '"5"',
      'NaN',
      '\xd9\xa5',
      '\x0b5',
      '5\0',
      '9007199254740992',
      '9223372036854775808',
      '18446744073709551621',
      '\r\n 5',
    ].map((value) => refused(JSON.stringify(value), post(`Content-Length: ${value}`, `hello${SMUGGLED}`))),
    refused('two equal', post('Content-Length: 5\r\nContent-Length: 5', `hello${SMUGGLED}`)),
    refused('two different', post('Content-Length: 0\r\nContent-Length: 5', `hello${SMUGGLED}`)),
    refused('two, in different letter case', post('Content-Length: 5\r\ncontent-length: 6', `hello${SMUGGLED}`)),
    refused('blank before the colon', post('Content-Length : 5', `hello${SMUGGLED}`)),
    refused('NUL in the name', post('Content-\0Length: 5', `hello${SMUGGLED}`)),
    refused('quotes around the name', post('"Content-Length": 5', `hello${SMUGGLED}`)),
    refused('behind more fields than are taken', post(`${'a:\r\n'.repeat(2100)}${sized(SMUGGLED)}`, SMUGGLED), '431'),
    [
      'underscore',
      post('Content_Length: 5', 'hello'),
      '200 501',
      1,
      /^(?![\s\S]*Content_)[\s\S]*\nContent-Length: 0\r/,
    ],
    ['one byte too small', post('Content-Length: 4', 'hello'), '200 501', 1, /\r\n\r\nhell$/],
    taken('one byte too large, so that the next method is ET', post('Content-Length: 6', 'hello'), /\r\n\r\nhelloG$/),
    taken('blanks around', post('Content-Length: \t5\t ', 'hello'), /\nContent-Length: 5\r/),
  ]),
  ...group('CL.0', [
    ...['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PROPFIND'].map((method) =>
      taken(
        `${method} with a request as its body`,
        head(`${method} /meant HTTP/1.1`, sized(SMUGGLED)) + SMUGGLED,
        /\r\n\r\nGET \/smuggled/,
      ),
    ),
    taken('GET with a request in chunks', get(CHUNKED) + chunk(SMUGGLED) + END),
    ['a redirect by the proxy itself', head('POST /redirect HTTP/1.1', sized(SMUGGLED)) + SMUGGLED, '302 200', 0],
    ['an answer of a rule', head('GET /forbidden HTTP/1.1', sized(SMUGGLED)) + SMUGGLED, '403 200', 0],
    [
      'an answer of a rule to a chunked request',
      head('POST /forbidden HTTP/1.1', CHUNKED) + chunk(SMUGGLED) + END,
      '403 200',
      0,
    ],
    ['a path that is refused', head('POST /%zz HTTP/1.1', sized(SMUGGLED)) + SMUGGLED, '400 200', 0],
    [
      'a name without a binding',
      `POST /meant HTTP/1.1\r\nHost: other.example\r\n${sized(SMUGGLED)}\r\n\r\n${SMUGGLED}`,
      '400 200',
      0,
    ],
  ]),
  ...group('0.CL', [
    taken('POST without a length', head('POST /meant HTTP/1.1'), /\nContent-Length: 0\r/),
    taken('Content-Length: 0', post('Content-Length: 0', ''), /\nContent-Length: 0\r/),
    taken('Expect, and the body at once', post(`Expect: 100-continue\r\n${sized(SMUGGLED)}`, SMUGGLED)),
    taken('Expect on GET without a body', get('Expect: 100-continue'), /^(?![\s\S]*\nExpect)/),
    refused('Expect with a prefix', post(`Expect: y 100-continue\r\n${sized(SMUGGLED)}`, SMUGGLED)),
    refused('Expect folded', post(`Expect:\r\n 100-continue\r\n${sized(SMUGGLED)}`, SMUGGLED)),
    refused('two Expect', post(`Expect: 100-continue\r\nExpect: 100-continue\r\n${sized(SMUGGLED)}`, SMUGGLED)),
    refused('Expect: x', post(`Expect: x\r\n${sized(SMUGGLED)}`, SMUGGLED)),
  ]),
  ...group('chunks', [
    ...[
      '+5\r\nhello\r\n',
      '-5\r\nhello\r\n',
      '0x5\r\nhello\r\n',
      '5_0\r\nhello\r\n',
      ' 5\r\nhello\r\n',
      '5 \r\nhello\r\n',
      '5\t\r\nhello\r\n',
      '\r\nhello\r\n',
      'g\r\nhello\r\n',
      '00000000000000005\r\nhello\r\n',
      'fffffffffffffffb\r\nhello\r\n',
      '100000000000000005\r\nhello\r\n',
      '5\nhello\r\n',
      '5\rhello\r\n',
      '5\r\rhello\r\n',
      '5\r\nhello\n',
      '5\r\nhello\r',
      '5\r\nhello',
      '5\r\nhello!\r\n',
      '5\r\nhelloXX',
      '4\r\nhello\r\n',
      '5,5\r\nhello\r\n',
      '5\0\r\nhello\r\n',
    ].map((body) => refused(JSON.stringify(body), chunkedWith(body + END))),
    ...['0\n\r\n', '0\r\n\n', '0\n\n', '0\r\n\rX', '0 \r\n\r\n', '-0\r\n\r\n', '0\r\n', '0\r\r\n\r\n'].map((end) =>
      refused(`end ${JSON.stringify(end)}`, chunkedWith(chunk('hello') + end)),
    ),
    taken('leading zeros', post(CHUNKED, `0005\r\nhello\r\n000\r\n\r\n`), /\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/),
  ]),
  ...group('chunk extensions', [
    ...[
      ';\nxx',
      ';a=b\nxx',
      ';a\rX',
      ';',
      ';;',
      ';=b',
      ';a=',
      ';a="',
      ';a="b',
      ';a="b"c',
      ';a="\r\n"',
      '; a=b',
      ' ;a=b',
      ';a b',
      ';a=b;',
      ';a=b c',
      ';\0',
      ';(a)=b',
      `;a=${'b'.repeat(20_000)}`,
    ].map((extension) =>
      refused(JSON.stringify(extension.slice(0, 16)), chunkedWith(`5${extension}\r\nhello\r\n${END}`)),
    ),
    refused('on the last chunk', chunkedWith(`${chunk('hello')}0;\n\r\n\r\n`)),
    taken(
      'sound ones are not passed on',
      post(CHUNKED, `5;a=b;c="d;e"\r\nhello\r\n0;z\r\n\r\n`),
      /\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/,
    ),
  ]),
  ...group('trailers', [
    ...['X: y\n', 'X: y\n\n', ' X: y', 'X : y', 'X', ': y', 'X: \0', 'X: y\rZ: 1', 'X: y\r\n folded', '\n'].map(
      (lines) => refused(JSON.stringify(lines), trailerWith(lines)),
    ),
    refused('Host', trailerWith(`Host: ${HOST}`)),
    refused('a request line', post(CHUNKED, `0\r\n${SMUGGLED}`)),
    refused('more bytes than limits.trailerBytes', trailerWith(`X: ${'y'.repeat(9000)}`), '431'),
    refused('more fields than limits.headerCount', trailerWith(Array(300).fill('X: y').join('\r\n')), '431'),
    ...[
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      'Authorization: Basic x',
      'Cookie: a=b',
      'TE: x',
      'Content_Length: 5',
      'X-Forwarded-For: 10.0.0.1',
      'Connection: close',
    ].map((line) => taken(`${line} is dropped`, trailerWith(line), /0\r\n\r\n$/)),
    taken('a harmless one is kept', trailerWith('X-Sum: 1'), /0\r\nX-Sum: 1\r\n\r\n$/),
  ]),
  ...group('bare LF', [
    refused('behind the request line', `GET /meant HTTP/1.1\n${HOST_LINE}\r\n\r\n`),
    refused('behind a field', `GET /meant HTTP/1.1\r\n${HOST_LINE}\nX: y\r\n\r\n`),
    refused('all of them', `GET /meant HTTP/1.1\n${HOST_LINE}\n\n`),
    refused('as the empty line', `GET /meant HTTP/1.1\r\n${HOST_LINE}\r\n\n`),
    refused('before the empty line', `GET /meant HTTP/1.1\r\n${HOST_LINE}\n\r\n`),
    refused('in the target', head('GET /mea\nnt HTTP/1.1')),
    refused('in a value', get('X: a\nb')),
    refused('before the request', `\n${get()}`),
  ]),
  ...group('bare CR', [
    refused('behind the request line', `GET /meant HTTP/1.1\r${HOST_LINE}\r\n\r\n`),
    refused('CR CR LF behind a field', get('X: y\r')),
    refused('CR CR LF as the empty line', `GET /meant HTTP/1.1\r\n${HOST_LINE}\r\n\r\r\n`),
    refused('an X where LF is due in the empty line', `GET /meant HTTP/1.1\r\n${HOST_LINE}\r\n\rX${SMUGGLED}`),
    refused('all of them', `GET /meant HTTP/1.1\r${HOST_LINE}\r\r`),
    refused('in the name', get('X\rY: z')),
    refused('in the target', head('GET /mea\rnt HTTP/1.1')),
    refused('in the version', head('GET /meant HTTP/\r1.1')),
  ]),
  ...group('line folding', [
    refused('of any field', get('X: a\r\n b')),
    refused('with a tab', get('X: a\r\n\tb')),
    refused('before the first field', `GET /meant HTTP/1.1\r\n X: y\r\n${HOST_LINE}\r\n\r\n`),
    refused('of Host', `GET /meant HTTP/1.1\r\nHost:\r\n ${HOST}\r\n\r\n`),
    refused('of an empty line with a blank', `GET /meant HTTP/1.1\r\n${HOST_LINE}\r\n \r\n\r\n`),
  ]),
  ...group('header names', [
    ...[
      'X Y: z',
      'X : y',
      'X\t: y',
      ': y',
      'X',
      'X\0: y',
      'X\xe9: y',
      '(X): y',
      'X/Y: z',
      'X[0]: y',
      '{X}: y',
      'X@: y',
      'X\x7f: y',
      'X\x0b: y',
    ].map((line) => refused(JSON.stringify(line), get(line))),
    refused('Host with a blank before the colon', `GET /meant HTTP/1.1\r\nHost : ${HOST}\r\n\r\n`),
  ]),
  ...group('request line', [
    refused('two blanks before the version', head('GET /meant  HTTP/1.1')),
    refused('two blanks before the target', head('GET  /meant HTTP/1.1')),
    refused('a tab', head('GET\t/meant HTTP/1.1')),
    refused('a blank in the target', head('GET /meant /smuggled HTTP/1.1')),
    refused('a blank behind the version', head('GET /meant HTTP/1.1 ')),
    refused('a blank before the method', head(' GET /meant HTTP/1.1')),
    refused('a second version', head('GET /meant HTTP/1.1 HTTP/1.1')),
    refused('HTTP/0.9', `GET /meant\r\n\r\n`),
    refused('http/1.1', head('GET /meant http/1.1')),
    refused('HTTP/1.10', head('GET /meant HTTP/1.10')),
    refused('HTTP/01.1', head('GET /meant HTTP/01.1')),
    taken('HTTP/1.9', head('GET /meant HTTP/1.9'), /^GET \/meant HTTP\/1\.1\r/),
    refused('HTTP/2.0', head('GET /meant HTTP/2.0'), '505'),
    refused('the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '505'),
    refused('a method in small letters', head('get /meant HTTP/1.1'), '501'),
    refused('a method with a NUL', head('GE\0T /meant HTTP/1.1')),
    refused('CONNECT', head(`CONNECT ${HOST}:443 HTTP/1.1`), '501'),
    refused('CONNECT with a body', head(`CONNECT ${HOST}:443 HTTP/1.1`, sized(SMUGGLED)) + SMUGGLED, '501'),
    refused('two empty lines before', `\r\n\r\n${get()}`),
    taken('one empty line before', `\r\n${get()}`),
  ]),
  ...group('absolute form', [
    refused('against Host', head('GET http://evil.example/meant HTTP/1.1')),
    refused('another port than Host', head(`GET http://${HOST}:8080/meant HTTP/1.1`)),
    refused('the port of the other scheme', head(`GET http://${HOST}:443/meant HTTP/1.1`)),
    taken('with the port of its scheme', head(`GET http://${HOST}:80/meant HTTP/1.1`), /^GET \/meant HTTP/),
    taken('with an empty port', head(`GET http://${HOST}:/meant HTTP/1.1`), /^GET \/meant HTTP/),
    refused('with a user', head(`GET http://a@${HOST}/meant HTTP/1.1`)),
    refused('without a host', head('GET http:///meant HTTP/1.1')),
    refused('of another scheme', head(`GET ftp://${HOST}/meant HTTP/1.1`)),
    refused('with a backslash', head(`GET http://evil.example\\@${HOST}/meant HTTP/1.1`)),
    refused('without Host', `GET http://${HOST}/meant HTTP/1.1\r\n\r\n`),
    refused('with two Host', head(`GET http://${HOST}/meant HTTP/1.1`, HOST_LINE)),
    refused('authority form', head(`GET ${HOST}:443 HTTP/1.1`)),
    ['asterisk form of OPTIONS', head('OPTIONS * HTTP/1.1'), '200 200', 0],
    ['asterisk form of OPTIONS, by its host alone', head(`OPTIONS http://${HOST} HTTP/1.1`), '200 200', 0],
    taken('OPTIONS for a host and a path', head(`OPTIONS http://${HOST}/meant HTTP/1.1`), /^OPTIONS \/meant HTTP/),
    refused('asterisk form of GET', head('GET * HTTP/1.1')),
    refused('asterisk form of a method of its own', head('PROPFIND * HTTP/1.1')),
    refused('asterisk with a path', head('OPTIONS */a HTTP/1.1')),
    refused('asterisk form that names another host than Host', head('OPTIONS http://evil.example HTTP/1.1')),
    refused('a name in the place of the path', head('GET @evil.example/meant HTTP/1.1')),
    refused('a fragment', head('GET /meant#x HTTP/1.1')),
    taken('that agrees with Host', head(`GET http://${HOST}/meant HTTP/1.1`), /^GET \/meant HTTP/),
    taken('that agrees but for capitals', head(`GET HTTP://${HOST.toUpperCase()}/meant HTTP/1.1`), /^GET \/meant HTTP/),
  ]),
  ...group('Host', [
    refused('none', 'GET /meant HTTP/1.1\r\nX: y\r\n\r\n'),
    refused('two equal', get(HOST_LINE)),
    refused('two different', get('Host: evil.example')),
    refused('two in different letter case', get(`hOST: ${HOST}`)),
    ...[
      `${HOST}, evil.example`,
      `${HOST} evil.example`,
      `evil.example@${HOST}`,
      `${HOST}/x`,
      `${HOST}?x`,
      `${HOST}#x`,
      `${HOST}\\x`,
      `${HOST}:x`,
      `${HOST}:-1`,
      `${HOST}:99999`,
      `${HOST}:65536`,
      `${HOST}:443:443`,
      `"${HOST}"`,
      `${HOST}\0`,
      `${HOST}\x0b`,
      `${HOST}\xe9`,
      '[::1',
    ].map((value) => refused(JSON.stringify(value), `GET /meant HTTP/1.1\r\nHost: ${value}\r\n\r\n`)),
    ['empty', 'GET /meant HTTP/1.1\r\nHost:\r\n\r\n', '400 200', 0],
  ]),
  ...group('Connection', [
    taken(
      'names Content-Length',
      post(`Connection: content-length\r\n${sized(SMUGGLED)}`, SMUGGLED),
      /\nContent-Length: \d+\r[\s\S]*\/smuggled/,
    ),
    taken(
      'names Transfer-Encoding',
      post(`Connection: transfer-encoding\r\n${CHUNKED}`, chunk(SMUGGLED) + END),
      /\nTransfer-Encoding: chunked\r/,
    ),
    taken('names Host', get('Connection: host'), new RegExp(`\nHost: ${HOST}\r`)),
    taken(
      'names Authorization',
      get('Connection: authorization', 'Authorization: Basic x'),
      /\nAuthorization: Basic x\r/,
    ),
    taken('names Cookie', get('Connection: cookie', 'Cookie: a=b'), /\nCookie: a=b\r/),
    taken('names X-Forwarded-For', get('Connection: x-forwarded-for'), /\nX-Forwarded-For: 127\.0\.0\.1:\d+\r/),
    taken('names X-ARR-LOG-ID', get('Connection: x-arr-log-id'), /\nX-ARR-LOG-ID: [\da-f-]{36}\r/),
    taken('names X-Original-URL', get('Connection: x-original-url'), /\nX-Original-URL: \/meant\r/),
    taken('names a field of the client', get('Connection: x-mine', 'X-Mine: 1'), /^(?![\s\S]*X-Mine)/),
    taken(
      'Keep-Alive and Proxy-Connection stay here',
      get('Keep-Alive: 5', 'Proxy-Connection: keep-alive'),
      /^(?![\s\S]*Keep-Alive|[\s\S]*Proxy-Connection)/i,
    ),
  ]),
  ...group('upgrade', [
    taken(
      'to WebSocket, answered with 200',
      get('Connection: Upgrade', 'Upgrade: websocket'),
      /\nUpgrade: websocket\r/,
    ),
    refused('with Content-Length', get('Connection: Upgrade', 'Upgrade: websocket', sized(SMUGGLED)) + SMUGGLED),
    refused(
      'with Transfer-Encoding',
      get('Connection: Upgrade', 'Upgrade: websocket', CHUNKED) + chunk(SMUGGLED) + END,
    ),
    taken('not named in Connection', get('Upgrade: websocket'), /^(?![\s\S]*Upgrade)/),
    taken(
      'to h2c',
      get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'),
      /^(?![\s\S]*(Upgrade|HTTP2-Settings))/,
    ),
    taken('to TLS', get('Connection: Upgrade', 'Upgrade: TLS/1.0'), /^(?![\s\S]*Upgrade)/),
    taken(
      'to h2c, with a request as its body',
      post(`Connection: Upgrade\r\nUpgrade: h2c\r\n${sized(SMUGGLED)}`, SMUGGLED),
      /^(?![\s\S]*Upgrade)/,
    ),
    [
      'in HTTP/1.0',
      head('GET /meant HTTP/1.0', 'Connection: Upgrade', 'Upgrade: websocket') + SMUGGLED,
      '200',
      1,
      /^(?![\s\S]*Upgrade)/,
    ],
  ]),
  ...group('pipelining', [
    takenThenRefused('garbage behind', `${get()}\x16\x03\x01\x02`),
    takenThenRefused('a CR behind', `${get()}\r`),
    takenThenRefused('an LF behind', `${get()}\n`),
    takenThenRefused('CL.TE behind', get() + post(`${sized(END)}\r\n${CHUNKED}`, END)),
    takenThenRefused('two Host behind', get() + get(HOST_LINE)),
    takenThenRefused('a folded field behind a body', post(sized('hello'), 'hello') + get('X: a\r\n b')),
    takenThenRefused('a bad chunk size behind a body', post(CHUNKED, chunk('hello') + END) + post(CHUNKED, 'x\r\n')),
    ['a method that is not passed on, behind', get() + head('TRACE /smuggled HTTP/1.1'), '200 501', 1],
    ['Connection: close, and a request behind', get('Connection: close') + SMUGGLED, '200', 1],
    ['HTTP/1.0, and a request behind', head('GET /meant HTTP/1.0') + SMUGGLED, '200', 1],
    taken('an empty line behind', `${get()}\r\n`),
  ]),
];

export interface AnswerPayload {
  readonly technique: string;
  readonly name: string;
  /** What the server sends. */
  readonly bytes: string;
  /** The server then ends the connection. */
  readonly ends: boolean;
  readonly method: string;
  /** Statuses of what the client gets for its request; `cut`: no whole answer, and the end of the connection. */
  readonly answers: string;
}

/** What a server wants a client to take for the answer to its next request. */
const INJECTED = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nSMUGGLED';

type AnswerRow = readonly [name: string, bytes: string, answers: string, more?: { ends?: boolean; method?: string }];

const answers = (technique: string, rows: readonly AnswerRow[]): AnswerPayload[] =>
  rows.map(([name, bytes, told, { ends = false, method = 'GET' } = {}]) => ({
    ...{ technique, name, bytes, answers: told, ends, method },
  }));

const answer = (...fields: string[]) => `HTTP/1.1 200 OK\r\n${fields.map((each) => `${each}\r\n`).join('')}\r\n`;
const invalid = (name: string, bytes: string): AnswerRow => [name, bytes, '502'];
const cut = (name: string, body: string): AnswerRow => [name, answer(CHUNKED) + body + INJECTED, 'cut'];

export const ANSWER_PAYLOADS: readonly AnswerPayload[] = [
  ...answers('framing of an answer', [
    invalid('Content-Length and Transfer-Encoding', answer('Content-Length: 5', CHUNKED) + END + INJECTED),
    invalid('Transfer-Encoding and Content-Length', answer(CHUNKED, 'Content-Length: 5') + END + INJECTED),
    invalid('two Content-Length, different', `${answer('Content-Length: 0', 'Content-Length: 5')}hello`),
    invalid('two Content-Length, equal', `${answer('Content-Length: 5', 'Content-Length: 5')}hello`),
    ...['5, 5', '+5', '-5', '0x5', '05', '', '9007199254740992'].map((value) =>
      invalid(`Content-Length: ${value}`, `${answer(`Content-Length: ${value}`)}hello${INJECTED}`),
    ),
    ...['xchunked', 'identity', 'chunked, identity', ',chunked', 'chunked, chunked', '', '\x0bchunked'].map((value) =>
      invalid(`Transfer-Encoding: ${JSON.stringify(value)}`, answer(`Transfer-Encoding: ${value}`) + END + INJECTED),
    ),
    invalid('Transfer-Encoding in HTTP/1.0', `HTTP/1.0 200 OK\r\n${CHUNKED}\r\n\r\n${END}${INJECTED}`),
    invalid('Content-Length behind 2,100 fields', answer(...Array(2100).fill('a: b'), 'Content-Length: 5')),
  ]),
  ...answers('head of an answer', [
    invalid('bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'),
    invalid('bare LF behind a field', `HTTP/1.1 200 OK\r\nX: y\nContent-Length: 0\r\n\r\n${INJECTED}`),
    invalid('bare CR in a value', answer('X: y\rContent-Length: 0') + INJECTED),
    invalid('NUL in a value', answer('X: \0', 'Content-Length: 0')),
    invalid('a folded field', answer('X: y\r\n z', 'Content-Length: 0')),
    // RFC 9112 5.1: it is taken away, and the length counts.
    ['blank before the colon', answer('Content-Length : 0') + INJECTED, '200'],
    invalid('no colon', answer('Content-Length 0')),
    invalid('status 099', 'HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n'),
    invalid('status 1000', 'HTTP/1.1 1000 X\r\nContent-Length: 0\r\n\r\n'),
    invalid('status 600', 'HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n'),
    invalid('status 2OO', 'HTTP/1.1 2OO X\r\nContent-Length: 0\r\n\r\n'),
    invalid('HTTP/2.0', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'),
    invalid('http/1.1', 'http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    invalid('HTTP/0.9', '<html>hello</html>\r\n\r\n'),
    invalid('100,000 fields', answer(...Array(100_000).fill('a:'), 'Content-Length: 0')),
    invalid('a field of 1 MB', answer(`X: ${'y'.repeat(1024 * 1024)}`, 'Content-Length: 0')),
    ['no reason and no blank', 'HTTP/1.1 200\r\nContent-Length: 4\r\n\r\n/bad', '200'],
    ['HTTP/1.0, kept', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\n/bad', '200'],
    ['HTTP/1.0, to the end of the connection', 'HTTP/1.0 200 OK\r\n\r\n/bad', '200', { ends: true }],
    ['Connection that names Content-Length', `${answer('Connection: content-length', 'Content-Length: 4')}/bad`, '200'],
  ]),
  ...answers('bytes behind an answer', [
    ['another answer behind Content-Length', `${answer('Content-Length: 4')}/bad${INJECTED}`, '200'],
    ['another answer behind no body', answer('Content-Length: 0') + INJECTED, '200'],
    ['another answer behind chunks', answer(CHUNKED) + chunk('/bad') + END + INJECTED, '200'],
    ['an empty line', `${answer('Content-Length: 4')}/bad\r\n`, '200'],
    ['behind 204', `HTTP/1.1 204 No Content\r\n\r\n${INJECTED}`, '204'],
    [
      'behind 204 with Content-Length',
      `HTTP/1.1 204 No Content\r\nContent-Length: ${INJECTED.length}\r\n\r\n${INJECTED}`,
      '204',
    ],
    [
      'behind 304 with Content-Length',
      `HTTP/1.1 304 Not Modified\r\nContent-Length: ${INJECTED.length}\r\n\r\n${INJECTED}`,
      '304',
    ],
    ['behind the answer to HEAD', answer(`Content-Length: ${INJECTED.length}`) + INJECTED, '200', { method: 'HEAD' }],
    ['behind the chunked answer to HEAD', answer(CHUNKED) + chunk(INJECTED) + END, '200', { method: 'HEAD' }],
    ['205 with a body', `HTTP/1.1 205 Reset Content\r\nContent-Length: 4\r\n\r\n/bad${INJECTED}`, '205'],
  ]),
  ...answers('interim answers', [
    [
      '103, then the answer',
      `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${answer('Content-Length: 4')}/bad`,
      '103 200',
    ],
    ['100 with a body', `HTTP/1.1 100 Continue\r\nContent-Length: 8\r\n\r\nSMUGGLED${INJECTED}`, '100 502'],
    invalid(
      '101 that was not asked for',
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n${INJECTED}`,
    ),
    invalid('101 without Upgrade', `HTTP/1.1 101 Switching Protocols\r\n\r\n${INJECTED}`),
  ]),
  ...answers('chunks of an answer', [
    ...['+4\r\n/bad\r\n', '0x4\r\n/bad\r\n', '4\n/bad\r\n', '4\r\n/badX', '4;\n\r\n/bad\r\n', 'x\r\n', '\r\n'].map(
      (body) => cut(JSON.stringify(body), body + END),
    ),
    ['a blank behind a size', `${answer(CHUNKED)}4 \r\n/bad\r\n${END}`, '200'],
    cut('a trailer with a bare LF', `${chunk('/bad')}0\r\nX: y\n\r\n`),
    cut('a trailer that is folded', `${chunk('/bad')}0\r\nX: y\r\n z\r\n\r\n`),
    [
      'trailers that change the framing are dropped',
      `${answer(CHUNKED) + chunk('/bad')}0\r\nContent-Length: 9\r\nSet-Cookie: a\r\n\r\n`,
      '200',
    ],
    ['fewer bytes than Content-Length', `${answer('Content-Length: 9')}/bad`, 'cut', { ends: true }],
    ['no last chunk', answer(CHUNKED) + chunk('/bad'), 'cut', { ends: true }],
  ]),
];
