/** Every message of differential-messages.ts that Node's own parser and the codec read differently, with the reason. */
import { codes, nameOf, nameOfByte } from './differential-messages.ts';
import { breakages, requests } from './message-corpus.ts';

export interface Disagreement {
  /** `stricter`: the codec refuses what Node takes. `laxer`: the other way round. `other`: both take it, as something else. */
  readonly kind: 'stricter' | 'laxer' | 'other';
  readonly reason: string;
  readonly requests?: readonly string[];
  readonly answers?: readonly string[];
}

const named = (place: string, ...values: readonly string[]) => values.map((value) => nameOf(place, value));
const broken = (beginning: string) =>
  breakages.filter((text) => text.startsWith(beginning)).map((text) => nameOf('broken', text));
const sample = (beginning: string) =>
  requests.filter((text) => text.startsWith(beginning)).map((text) => nameOf('request', text));

const LENGTHS = named(
  'Content-Length',
  ...['00', '05', '9007199254740992', '9223372036854775808', '18446744073709551615'],
);
const SIZES = named('size', '00000000000000005', 'ffffffffffffffff');
const EXTENSIONS = named('size', '5;;a', '5;=a', '5;a=', '5;a=b"c"');

export const disagreements: readonly Disagreement[] = [
  {
    kind: 'laxer',
    reason: 'RFC 9110 2.5: a minor version that is not known yet is read as the highest that is',
    requests: ['line "GET / HTTP/1.2"'],
  },
  {
    kind: 'laxer',
    reason: 'RFC 9110 9.1 and 16.1.1: methods are an open set. Node has a list, without those of Outlook Anywhere',
    requests: [
      ...named(
        'method',
        'RPC_IN_DATA',
        'RPC_OUT_DATA',
        'RDG_OUT_DATA',
        'BCOPY',
        'BPROPPATCH',
        'POLL',
        'VERSION-CONTROL',
      ),
      ...named('method', 'GETX', 'M2_-X', 'M'.repeat(32), 'PRI'),
      ...sample('RPC_IN_DATA'),
      // A letter before GET makes another method of it.
      ...codes(0x41, 0x5a).map((code) => nameOfByte(code, 'before the request')),
    ],
  },
  {
    kind: 'laxer',
    reason:
      'RFC 9112 3 would have such a target answered with 400, as a SHOULD. IIS takes it from its clients; it goes on byte for byte, and no byte from 0x80 on ends anything',
    requests: [...codes(0x80, 0xff).map((code) => nameOfByte(code, 'in a target')), ...sample('HEAD /\xe4')],
  },
  {
    kind: 'laxer',
    reason: 'RFC 9112 5: blanks and tabs around a value are not part of it. Node leaves a tab at the end of chunked',
    requests: named('Transfer-Encoding', '\tchunked\t'),
  },
  {
    kind: 'other',
    reason: 'RFC 9112 5, as above: with a tab behind chunked, Node reads an answer until the connection ends',
    answers: named('Transfer-Encoding', '\tchunked\t'),
  },
  {
    kind: 'laxer',
    reason:
      'RFC 9112 7.1.2 and RFC 9110 6.5.1: a framing field behind the body frames nothing, and is dropped where trailers are passed on',
    requests: ['Content-Length as a trailer', 'Transfer-Encoding as a trailer'],
    answers: ['Content-Length as a trailer'],
  },
  {
    kind: 'laxer',
    reason: 'RFC 9112 5.1: a proxy takes blanks before a colon out of an answer; servers of many years have them',
    answers: [
      ...['a blank before the colon', 'a tab before the colon'],
      ...['a blank before the colon of Content-Length', 'a blank before the colon of Transfer-Encoding'],
    ],
  },
  {
    kind: 'other',
    reason: 'RFC 9112 6.3: 1xx, 204 and 304 have no body; their framing fields mean nothing, and go no further',
    answers: [
      ...['100 with Content-Length', '204 with Transfer-Encoding', '304 with Transfer-Encoding'],
      ...[
        'line "HTTP/1.1 199 x"',
        'answer "HTTP/1.1 304 Not Modified\\r\\nETag: \\"x\\"\\r\\nContent-Length: 5\\r\\n\\r\\n"',
      ],
    ],
  },
  {
    kind: 'other',
    reason: 'Host means nothing in an answer, and goes behind the other fields',
    answers: ['Host in an answer'],
  },
  {
    kind: 'stricter',
    reason:
      'Limits: fields and trailers by number and size, the target by size; Node was told of none but the size of a head',
    requests: [
      ...['201 fields', '201 trailers', '2,100 short fields, then Content-Length'],
      ...broken('GET / HTTP/1.1\r\nHost: a\r\na:'),
      ...broken('GET /aaa'),
      ...breakages
        .filter((text) => text.length > 9000 && text.startsWith('POST'))
        .map((text) => nameOf('broken', text)),
      ...named('target', `/${'a'.repeat(16_384)}`),
    ],
    answers: ['201 fields', '201 trailers'],
  },
  {
    kind: 'stricter',
    reason: 'One spelling for each length, which every reader can hold',
    requests: [...LENGTHS, ...SIZES],
    answers: [...LENGTHS, ...SIZES],
  },
  {
    kind: 'stricter',
    reason: 'RFC 9112 7.1.1: an extension has a name, what follows = is there, and a quoted value stands alone',
    requests: EXTENSIONS,
    answers: EXTENSIONS,
  },
  {
    kind: 'stricter',
    reason: 'RFC 9112 6.1 and 6.3: exactly one chunked, in HTTP/1.1',
    requests: [
      ...named('Transfer-Encoding', ',chunked', 'gzip, chunked', 'identity, chunked'),
      ...['Transfer-Encoding identity, then chunked', 'chunked in HTTP/1.0'],
    ],
    answers: [
      ...named('Transfer-Encoding', ',chunked', 'gzip, chunked', 'identity, chunked', 'identity', 'gzip', 'cow'),
      ...named('Transfer-Encoding', 'xchunked', 'chunkedx', 'x-chunked', '"chunked"', 'chunked, identity', 'chunked,'),
      ...named('Transfer-Encoding', 'chunked, chunked', 'chunked chunked', 'chunked;', 'chunked;q=1', ';chunked'),
      ...named('Transfer-Encoding', 'chunked\xa0', '\xa0chunked'),
      ...['two Transfer-Encoding chunked', 'Transfer-Encoding chunked, then identity'],
      ...['Transfer-Encoding identity, then chunked', 'chunked in HTTP/1.0'],
    ],
  },
  {
    kind: 'stricter',
    reason: 'RFC 9112 3.2: one Host',
    requests: ['two Host', 'two equal Host'],
  },
  {
    kind: 'stricter',
    reason: 'RFC 9110 6.5.1: what a request is for cannot be told behind its body',
    requests: ['Host as a trailer'],
    answers: ['Host as a trailer'],
  },
  {
    kind: 'stricter',
    reason: 'RFC 9112 2.2: one empty line before a message is a slip of old clients, two are something else',
    requests: [
      ...['two empty lines before it', ...broken('\r\n\r\n')],
      ...[0x0a, 0x0d].map((code) => nameOfByte(code, 'before the request')),
    ],
    answers: ['two empty lines before it'],
  },
  {
    kind: 'stricter',
    reason: 'RFC 9112 3: single blanks in the request line, and a version that is served',
    requests: [
      ...named(
        'line',
        'GET  / HTTP/1.1',
        'GET /  HTTP/1.1',
        'GET /',
        'GET / HTTP/0.9',
        'GET / HTTP/2.0',
        'GET / RTSP/1.0',
      ),
      ...broken('GET / HTTP/2.0'),
    ],
  },
  {
    kind: 'stricter',
    reason:
      'RFC 9112 3.2: each form of the target for its methods alone; no fragment, and a URL has a host and a scheme that is served',
    requests: [
      ...named('line', 'CONNECT / HTTP/1.1', 'CONNECT a HTTP/1.1', 'CONNECT a: HTTP/1.1', 'CONNECT a:443/ HTTP/1.1'),
      ...named(
        'line',
        'CONNECT http://a:80 HTTP/1.1',
        'CONNECT u@a:443 HTTP/1.1',
        'GET * HTTP/1.1',
        'OPTIONS *a HTTP/1.1',
      ),
      ...named('target', '*', '/a#b', 'ftp://a/', 'http://', 'http:///a'),
      nameOfByte(0x23, 'in a target'),
    ],
  },
  {
    kind: 'stricter',
    reason: 'RFC 9110 10.1.1: an expectation that nobody here can meet; Node asks its user',
    requests: ['another expectation'],
  },
  {
    kind: 'stricter',
    reason: 'RFC 9112 4: a version that is spoken here, a status from 100 to 599, no control characters in the reason',
    answers: [
      ...named(
        'line',
        'HTTP/0.9 200 OK',
        'HTTP/2.0 200 OK',
        'HTTP/1.1 000 x',
        'HTTP/1.1 099 x',
        'HTTP/1.1 600 x',
        'HTTP/1.1 999 x',
      ),
      ...[...codes(0, 8), 0x0b, 0x0c, ...codes(0x0e, 0x1f), 0x7f].map((code) => nameOfByte(code, 'in a reason')),
    ],
  },
];
