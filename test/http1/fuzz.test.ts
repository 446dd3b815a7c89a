/**
 * Valid messages changed by chance: nothing is thrown but a MessageFault, reading always comes to an end, and what is
 * taken and written again is read as the same.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { encodeChunk, encodeEnd } from '../../src/http1/chunked-encoder.ts';
import { fieldLines, requestHead, responseHead } from '../../src/http1/head-writer.ts';
import type { RequestMessage } from '../../src/http1/request-message.ts';
import type { ResponseMessage } from '../../src/http1/response-message.ts';
import { cpuTime } from '../cpu-time.ts';
import { numbers, outcome, runs, seed } from '../random.ts';
import { lastResponses, requests, responses } from './message-corpus.ts';
import { bytes, type ReadMessage, type ReadStream, readRequests, readResponses } from './stream-reader.ts';

const times = runs(40_000, 10_000_000);

type Choose = (limit: number) => number;
type Head = RequestMessage | ResponseMessage;

const REQUESTS = requests.map(bytes);
const RESPONSES = [...responses, ...lastResponses].map(bytes);
const PIECES = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '"',
    '\\',
    '=',
    '#',
    '/',
    '*',
    '@',
    '\0',
    '\x7f',
    '\x80',
  ],
  ...[
    '\xff',
    '\xa0',
    '0',
    '5',
    '9',
    'f',
    'A',
    'x',
    '-',
    '+',
    '_',
    '0\r\n\r\n',
    '5\r\nhello\r\n',
    '\r\n ',
    ' \r\n',
    ';a="b"',
  ],
  ...[
    'chunked',
    'close',
    'HTTP/1.0',
    'HTTP/1.1',
    'HTTP/1.1 ',
    'GET ',
    'CONNECT ',
    'http://a/',
    'ffffffffffffffff',
    'X: y\r\n',
  ],
  ...['Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: a\r\n', 'Host:\r\n'],
  ...[
    'Connection: close\r\n',
    'Connection: Upgrade\r\n',
    'Upgrade: b\r\n',
    'Expect: 100-continue\r\n',
    'Keep-Alive: timeout=1\r\n',
  ],
].map(bytes);

const scratch = Buffer.alloc(4096);

/** Puts `piece` into the first `length` bytes of the scratch memory. @returns the new length */
function insert(piece: Buffer, at: number, length: number): number {
  scratch.copyWithin(at + piece.length, at, length);
  piece.copy(scratch, at);
  return length + piece.length;
}

/** One message or two, or pieces of messages, with up to five changes. */
function input(choose: Choose, corpus: readonly Buffer[]): Buffer {
  let length = 0;
  if (choose(16) === 0) {
    for (let count = 1 + choose(24); count > 0; count--)
      length = insert(PIECES[choose(PIECES.length)]!, length, length);
  } else {
    for (let count = 1 + choose(2); count > 0; count--) length = insert(corpus[choose(corpus.length)]!, length, length);
  }
  for (let changes = choose(6); changes > 0 && length > 0; changes--) {
    const at = choose(length);
    const size = Math.min(1 + choose(16), length - at);
    switch (choose(7)) {
      case 0:
        scratch[at] = choose(256);
        break;
      case 1:
        scratch[at]! ^= 1 << choose(8);
        break;
      case 2:
      case 3:
        length = insert(PIECES[choose(PIECES.length)]!, at, length);
        break;
      case 4:
        length = insert(Buffer.from(scratch.subarray(at, at + size)), choose(length), length);
        break;
      case 5:
        scratch.copyWithin(at, at + size, length);
        length -= size;
        break;
      default:
        if (choose(4) === 0) length = at;
    }
  }
  return scratch.subarray(0, length);
}

/** As a proxy would send it on, but in the version that it came in. */
function written({ head, body, trailers, complete }: ReadMessage<Head>): string {
  const start =
    'method' in head
      ? requestHead(
          head.method,
          head.target,
          fieldLines(head.host === undefined ? head.headers : ['Host', head.host, ...head.headers]),
        )
      : responseHead(head.status, head.reason, head.headers);
  // A version is not told of an answer, but for whether its connection stays.
  const old = 'version' in head ? head.version === 'HTTP/1.0' : false;
  const text = old ? start.replace(' HTTP/1.1\r\n', ' HTTP/1.0\r\n') : start;
  if (head.body !== 'chunked') return text + body;
  return text + encodeChunk(bytes(body)).toString('latin1') + (complete ? encodeEnd(trailers) : '');
}

function told({ head, body, trailers, complete }: ReadMessage<Head>): string {
  const parts =
    'method' in head
      ? [head.method, head.target, head.version, head.host, head.keepAlive, head.upgrade, head.expectsContinue]
      : [head.status, head.reason, head.keepAliveTimeout, head.upgrade];
  return `${parts.join('\n')}\n${head.body}\n${complete}\n${head.headers.join('\n')}\n\n${trailers.join('\n')}\n\n${body}`;
}

const tellAll = ({ messages, fault, begun }: ReadStream<Head>) =>
  `${messages.map(told).join('\0')}${fault?.status}${fault?.reason}${begun}`;

/** What no reader behind us may be given. */
function suspicious({ head, trailers }: ReadMessage<Head>): boolean {
  const fields = head.headers.concat(trailers);
  let framing = 0;
  for (let i = 0; i < fields.length; i++) {
    if (/[\0-\x08\x0a-\x1f\x7f]/.test(fields[i]!)) return true;
    if (i % 2 === 0 && !/^[!#$%&'*+.^_`|~\w-]+$/.test(fields[i]!)) return true;
    if (i % 2 === 0 && i < head.headers.length && /^(?:content-length|transfer-encoding)$/i.test(fields[i]!)) framing++;
  }
  return framing > 1 || ('method' in head && !/^[A-Z][\w-]* [^\0-\x20\x7f#]+$/.test(`${head.method} ${head.target}`));
}

/** The reason to look at an input, or nothing. */
function fault(
  given: Buffer,
  read: (pieces: Iterable<Buffer>) => ReadStream<Head>,
  choose: Choose,
): string | undefined {
  const stream = read([given]);
  if (stream.messages.some(suspicious)) return 'taken, and must not be';
  if (stream.messages.length > 0) {
    const again = read([bytes(stream.messages.map(written).join(''))]);
    if (again.fault !== undefined) return `written again: ${again.fault.reason}`;
    const [first, second] = [stream.messages.map(told).join('\0'), again.messages.map(told).join('\0')];
    // A fault within a body ends it; what came of it before is not told.
    if (stream.fault === undefined ? first !== second : stream.messages.length !== again.messages.length)
      return 'written again, read as another';
  }
  if (stream.fault === undefined && choose(4) === 0) {
    const at = choose(given.length + 1);
    if (tellAll(read([given.subarray(0, at), given.subarray(at)])) !== tellAll(stream))
      return `another when cut at ${at}`;
  }
  return undefined;
}

test(`${times} inputs by chance`, { timeout: 3_600_000 }, () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heapUsed = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const choose = numbers(seed);
  const counts = { taken: 0, refused: 0, waiting: 0 };
  let slowest = 0;
  let warm = 0;
  for (let run = 0; run < times; run++) {
    // The cache of names is full by then.
    if (run === times >> 1) warm = heapUsed();
    const answers = choose(3) === 0;
    const given = input(choose, answers ? RESPONSES : REQUESTS);
    const read = (pieces: Iterable<Buffer>): ReadStream<Head> => {
      const stream = answers ? readResponses(pieces) : readRequests(pieces);
      if (stream.fault) counts.refused++;
      else if (stream.messages.length > 0) counts.taken++;
      else counts.waiting++;
      return stream;
    };
    const { value: reason, milliseconds } = cpuTime(() => outcome(() => fault(given, read, choose)));
    slowest = Math.max(slowest, milliseconds);
    if (reason !== undefined)
      expect.fail(`${reason} (seed ${seed}, run ${run}): ${JSON.stringify(given.toString('latin1'))}`);
  }
  expect(heapUsed() - warm).toBeLessThan(8 * 1024 * 1024);
  expect(slowest).toBeLessThan(2000);
  // The inputs are neither all good nor all bad.
  expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(times / 10);
});
