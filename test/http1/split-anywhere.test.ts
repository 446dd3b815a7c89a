/** However a stream is cut into pieces, the same messages come out of it, the same bytes, and the same fault. */
import { describe, expect, test } from 'vitest';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { breakages, lastResponses, requests, responses } from './message-corpus.ts';
import { bytes, type ReadStream, readRequests, readResponses } from './stream-reader.ts';

type Read = (pieces: Iterable<Buffer>) => ReadStream<unknown>;

function cut(stream: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (stream.length + 1)))].sort((a, b) => a - b);
  return [...ends, stream.length].map((end, i) => stream.subarray(ends[i - 1] ?? 0, end));
}

function check(read: Read, stream: Buffer, pieces: Iterable<Buffer>): void {
  const whole = read([stream]);
  const split = read(pieces);
  const [broken, last] = [whole.messages.at(-1), split.messages.at(-1)];
  if (whole.fault !== undefined && broken !== undefined && last !== undefined) {
    // What a piece held before the fault is not given out; with smaller pieces more of it has been.
    expect(last.body.startsWith(broken.body)).toBe(true);
    last.body = broken.body;
  }
  expect(split).toEqual(whole);
}

const single = (stream: Buffer) => Array.from(stream, (byte) => Buffer.of(byte));

/** Valid messages, then perhaps something that is none, perhaps not to its end. */
const streamOf = (messages: readonly string[], ends: readonly string[]) =>
  fc
    .tuple(
      fc.array(fc.constantFrom(...messages), { minLength: 1, maxLength: 6 }),
      fc.constantFrom('', ...ends, ...breakages),
      fc.nat(3),
      fc.nat(40),
    )
    .map(([good, end, shorten, less]) => {
      const text = good.join('') + end;
      return bytes(shorten === 0 ? text.slice(0, Math.max(1, text.length - less)) : text);
    });
const places = fc.array(fc.nat(1_000_000), { maxLength: 24 });
const size = fc.integer({ min: 1, max: 40 });

describe.each<[string, Read, readonly string[], readonly string[]]>([
  ['requests', readRequests, requests, []],
  ['answers', readResponses, responses, lastResponses],
])('%s', (_name, read, messages, ends) => {
  test('the valid ones are read to their last byte, alone and together', () => {
    for (const text of [...messages, messages.join(''), ...ends]) {
      const whole = read([bytes(text)]);
      expect(whole.fault).toBeUndefined();
      expect(whole.begun).toBe(false);
      expect(whole.messages.map(({ complete }) => complete)).toEqual(whole.messages.map(() => true));
      check(read, bytes(text), single(bytes(text)));
    }
  });

  test('cut once, at every place', () => {
    const stream = bytes(messages.join(''));
    for (let at = 0; at <= stream.length; at++) check(read, stream, cut(stream, [at]));
  });

  test('cut at any places', () => {
    const cuts = fc.property(streamOf(messages, ends), places, (stream, at) => check(read, stream, cut(stream, at)));
    fc.assert(cuts, { numRuns: runs(1500) });
  });

  test('cut into pieces of one size, one byte as well', () => {
    const cuts = fc.property(streamOf(messages, ends), size, (stream, length) => {
      const count = Math.ceil(stream.length / length);
      check(
        read,
        stream,
        Array.from({ length: count }, (_, i) => stream.subarray(i * length, (i + 1) * length)),
      );
    });
    fc.assert(cuts, { numRuns: runs(300) });
  });

  test.each(breakages.map((end) => [end.slice(0, 60), end]))('what ends with %j, byte by byte', (_name, end) => {
    for (const text of [end, messages[0] + end]) check(read, bytes(text), single(bytes(text)));
  });
});
