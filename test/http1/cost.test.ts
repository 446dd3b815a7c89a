/** Hostile input costs little time and keeps no memory (H21, H23, H04, H07). */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { BodyReader } from '../../src/http1/body-reader.ts';
import { HeadReader } from '../../src/http1/head-reader.ts';
import { parseRequest } from '../../src/http1/request-message.ts';
import { leastCpuTime } from '../cpu-time.ts';
import { bytes, limits } from './stream-reader.ts';

const most = { headerCount: 100_000, targetBytes: 1_000_000 };
const head = (fields: string) => bytes(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);

function readHead(pieces: Iterable<Buffer>): unknown {
  const reader = new HeadReader({ limit: 1_000_000, startLine: true });
  try {
    for (const piece of pieces) if (reader.push(piece, 0) >= 0) return parseRequest(reader.text, most);
    return 'more is needed';
  } catch (error) {
    return (error as Error).message;
  }
}

function readChunked(pieces: Iterable<Buffer>): unknown {
  const reader = new BodyReader(limits);
  reader.start('chunked');
  let length = 0;
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length && !reader.done; ) {
        at = reader.read(piece, at);
        length += reader.data?.length ?? 0;
      }
    }
    return length;
  } catch (error) {
    return (error as Error).message;
  }
}

const single = (text: Buffer) => Array.from(text, (byte) => Buffer.of(byte));
const pieces = (text: string, size: number) => {
  const all = bytes(text);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
};

// The first test, while there is still room for names.
test('names that clients make up keep none of the heads they came in', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const filler = 'y'.repeat(60_000);
  const heapUsed = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heapUsed();
  for (let i = 0; i < 1000; i++) readHead([head(`x-made-up-by-a-client-${i}: ${filler}\r\n`)]);
  // 1,000 heads would be 60 MB.
  expect(heapUsed() - before).toBeLessThan(4 * 1024 * 1024);
});

const longNames = Array.from({ length: 5000 }, (_, i) => `x-${i}: y\r\n`).join('');

describe.each<[string, () => Buffer[], (input: Iterable<Buffer>) => unknown, unknown]>([
  ['a head of 64 KB byte by byte', () => single(head(`X: ${'x'.repeat(65_000)}\r\n`)), readHead, { host: 'a' }],
  ['a head of 64 KB of short fields', () => [head('a:b\r\n'.repeat(13_000))], readHead, { host: 'a' }],
  ['5,000 fields byte by byte', () => single(head('a:b\r\n'.repeat(5000))), readHead, { host: 'a' }],
  ['5,000 fields of different names', () => [head(longNames)], readHead, { host: 'a' }],
  ['5,000 Host fields', () => [head('Host: a\r\n'.repeat(5000))], readHead, '5001 Host fields'],
  [
    '20,000 Content-Length',
    () => [head('Content-Length: 5\r\n'.repeat(20_000))],
    readHead,
    expect.stringMatching(/^Content-Length/),
  ],
  ['5,000 Connection', () => [head('Connection: a, b\r\n'.repeat(5000))], readHead, { keepAlive: true }],
  [
    'a Connection of 64 KB of commas',
    () => [head(`Connection: ${','.repeat(65_000)}\r\n`)],
    readHead,
    { keepAlive: true },
  ],
  ['5,000 Upgrade', () => [head(`Connection: upgrade\r\n${'Upgrade: a\r\n'.repeat(5000)}`)], readHead, { host: 'a' }],
  ['a value of 100 KB of blanks', () => [head(`X: a${' '.repeat(100_000)}b\r\n`)], readHead, { host: 'a' }],
  [
    'a name of 64 KB that is none',
    () => [head(`${'x'.repeat(65_000)}(: y\r\n`)],
    readHead,
    expect.stringMatching(/^header name/),
  ],
  [
    'a request line of blanks',
    () => [bytes(`GET${' '.repeat(65_000)}\r\n\r\n`)],
    readHead,
    expect.stringMatching(/HTTP version/),
  ],
  [
    '1 MB of extensions',
    () => pieces(`1;${'a'.repeat(1_000_000)}\r\n`, 65_536),
    readChunked,
    'too many chunk extensions',
  ],
  ['extensions of one letter', () => [bytes(`1${';a'.repeat(8192)}\r\nx`)], readChunked, 1],
  [
    'extensions of one letter, the last one bad',
    () => [bytes(`1${';a'.repeat(8191)};\r\nx`)],
    readChunked,
    'a chunk extension',
  ],
  [
    'a quoted extension of backslashes',
    () => [bytes(`1;a="${'\\'.repeat(16_000)}\r\n`)],
    readChunked,
    'a chunk extension',
  ],
  [
    '65,536 chunks of one byte in pieces of 64 KB',
    () => pieces(`${'1\r\nx\r\n'.repeat(65_536)}0\r\n\r\n`, 65_536),
    readChunked,
    65_536,
  ],
  ['10,000 chunks of one byte, byte by byte', () => single(bytes('1\r\nx\r\n'.repeat(10_000))), readChunked, 10_000],
  [
    '10,000 trailers',
    () => [bytes(`0\r\n${'a:\r\n'.repeat(10_000)}\r\n`)],
    readChunked,
    'a head of more than 8192 bytes',
  ],
])('%s', (_name, input, read, expected) => {
  test('takes less than 50 ms', async () => {
    const prepared = input();
    const value = read(prepared);
    if (typeof expected === 'object' && expected !== null && !('asymmetricMatch' in expected))
      expect(value).toMatchObject(expected);
    else expect(value).toEqual(expected);
    expect(await leastCpuTime(() => read(prepared))).toBeLessThan(50);
  });
});
