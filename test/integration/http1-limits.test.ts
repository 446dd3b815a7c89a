/** Rows H04, H21 and H23 of the list of threats: large and hostile heads cost little, whether they are refused or taken. */
import { expect, test } from 'vitest';
import { ChunkedDecoder } from '../../src/http1/chunked-decoder.ts';
import { HeadReader } from '../../src/http1/head-reader.ts';
import { parseRequest } from '../../src/http1/request-message.ts';
import { parseResponse } from '../../src/http1/response-message.ts';
import { nominatedNames } from '../../src/proxy/hop-by-hop.ts';
import { cpuTime } from '../cpu-time.ts';
import { readAnswers, statusOf } from './messages.ts';
import { HOST, publishRecorded } from './recorded-farm.ts';

const LIMITS = { headerBytes: 65_536, headerCount: 200, targetBytes: 16_384, trailerBytes: 8192 };
const head = (...fields: string[]) => `${['GET / HTTP/1.1', `Host: ${HOST}`, ...fields].join('\r\n')}\r\n\r\n`;

/** What the codec makes of the bytes: a status, or the number of fields. */
function readHead(pieces: readonly Buffer[]): number {
  const reader = new HeadReader({ limit: LIMITS.headerBytes, startLine: true });
  try {
    for (const piece of pieces)
      if (reader.push(piece, 0) >= 0) return parseRequest(reader.text, LIMITS).headers.length / 2;
    return -1;
  } catch (error) {
    return (error as { status: number }).status;
  }
}

const inOne = (text: string) => [Buffer.from(text, 'latin1')];
const inBytes = (text: string) => Array.from(text, (each) => Buffer.from(each, 'latin1'));

/** The least of some runs: what else happens in the process counts against no row. */
function leastCpu(work: () => unknown): number {
  return Math.min(...Array.from({ length: 3 }, () => cpuTime(work).milliseconds));
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i * 16_384));

const HEADS: readonly [string, string, number][] = [
  ['64 KB in 190 fields', head(...Array.from({ length: 190 }, (_, i) => `X-${i}: ${'y'.repeat(330)}`)), 190],
  ['one field of 100 KB', head(`X: ${'y'.repeat(100_000)}`), 431],
  ['5,000 fields', head(...Array(5000).fill('a: b')), 431],
  ['2,100 empty fields, then a length', head(...Array(2100).fill('a:'), 'Content-Length: 5'), 431],
  ['10,000 cookies in one field', head(`Cookie: ${'a=b; '.repeat(10_000)}`), 1],
  ['100 Content-Length', head(...Array(100).fill('Content-Length: 5')), 400],
  ['a target of 16 KB', head().replace('/', `/${'x'.repeat(16_383)}`), 0],
  ['a target of 60 KB', head().replace('/', `/${'x'.repeat(60_000)}`), 414],
  ['a request line without end', `GET /${'x'.repeat(100_000)}`, 414],
  ['blanks without end around a value', head(`X:${' '.repeat(60_000)}y${' '.repeat(4000)}`), 1],
  ['tabs and blanks as a value', head(`X:${' \t'.repeat(30_000)}`), 1],
  ['a Connection list of 30,000 names', head(`Connection: ${'a,'.repeat(30_000)}`), 1],
  ['a long Upgrade list', head('Connection: upgrade', `Upgrade: ${'a,'.repeat(30_000)}`), 2],
  ['names that are numbers', head(...numbers(190).map((name) => `${name}: x`)), 190],
];

test.each(HEADS)('%s: little CPU, in one piece and in single bytes (H21)', (_name, text, told) => {
  const pieces = { one: inOne(text), bytes: inBytes(text) };
  expect(readHead(pieces.one)).toBe(told);
  expect(readHead(pieces.bytes)).toBe(told);
  expect(leastCpu(() => readHead(pieces.one))).toBeLessThan(50);
  expect(leastCpu(() => readHead(pieces.bytes))).toBeLessThan(50);
});

test('limits over a connection: each is told with its status, and the connection ends (H21)', async () => {
  const farm = await publishRecorded();
  for (const [name, text, told] of HEADS.filter((each) => each[2] >= 400)) {
    const client = farm.open('plain');
    client.socket.write(Buffer.from(text, 'latin1'));
    expect(readAnswers(await client.closed(), true).messages.map(statusOf), name).toEqual([String(told)]);
  }
  expect(farm.server.connections).toEqual([]);
});

test('a length behind more lines than are counted, in requests and in answers (H04)', () => {
  const lines = 'a:\r\n'.repeat(2100);
  expect(readHead(inOne(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n${lines}Content-Length: 5\r\n\r\n`))).toBe(431);
  const answer = `HTTP/1.1 200 OK\r\n${lines}Content-Length: 5\r\n\r\n`;
  expect(() => parseResponse(answer, 'GET', 1000)).toThrow('more than 1000 header fields');
});

test('names that hash alike cost no more than others: lists of Connection (H23)', () => {
  // Numbers as strings are hashed by their value, so that multiples of a power of two could all meet in one place.
  const list = (names: readonly string[]) => ['Connection', names.join(',')];
  const alike = list(numbers(8000));
  const others = list(Array.from({ length: 8000 }, (_, i) => `x${i * 7919}y`));
  expect(nominatedNames(alike)?.size).toBe(8000);
  expect(leastCpu(() => nominatedNames(alike))).toBeLessThan(Math.max(50, 5 * leastCpu(() => nominatedNames(others))));
});

test('extensions and trailers of chunks cost little, in single bytes (H07, H16)', () => {
  const decode = (text: string) => {
    const decoder = new ChunkedDecoder(LIMITS);
    try {
      for (const piece of inBytes(text)) decoder.read(piece, 0);
    } catch (error) {
      return (error as Error).message;
    }
    return decoder.done;
  };
  const many = `5${';a'.repeat(8000)}\r\nhello\r\n0\r\n\r\n`;
  expect(decode(many)).toBe(true);
  expect(leastCpu(() => decode(many))).toBeLessThan(50);
  expect(decode(`5;${'a'.repeat(1024 * 1024)}`)).toBe('too many chunk extensions');
  expect(decode(`5;a="${'\\"'.repeat(8000)}`.repeat(2))).toBe('too many chunk extensions');
  const each = '1;a=b\r\nx\r\n'.repeat(6000);
  expect(decode(each)).toBe('too many chunk extensions');
  expect(decode(`0\r\n${'a: b\r\n'.repeat(10_000)}\r\n`)).toMatch(/more than/);
});
