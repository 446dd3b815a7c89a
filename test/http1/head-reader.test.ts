/** Where a head ends, what it may weigh, and that every way to cut it says the same. */
import { describe, expect, test } from 'vitest';
import { HeadReader } from '../../src/http1/head-reader.ts';
import { MessageFault } from '../../src/http1/message-fault.ts';
import { bytes } from './stream-reader.ts';

const request = (limit: number) => new HeadReader({ limit, startLine: true });

function status(work: () => unknown): number | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof MessageFault) return error.status;
    throw error;
  }
}

test('the offset behind the head, and the head alone', () => {
  const reader = request(100);
  const piece = bytes('xxA B\r\nC: \xff\r\n\r\nrest');
  expect(reader.push(piece, 2)).toBe(piece.length - 4);
  expect(reader.text).toBe('A B\r\nC: \xff\r\n\r\n');
  expect(reader.begun).toBe(false);
});

test('a head over three pieces keeps its bytes when the pieces are written over', () => {
  const reader = request(100);
  for (const part of ['A B', '\r\nC: d\r', '\n\r']) {
    const piece = bytes(part);
    expect(reader.push(piece, 0)).toBe(-1);
    piece.fill(0);
  }
  expect(reader.push(bytes('\nrest'), 0)).toBe(1);
  expect(reader.text).toBe('A B\r\nC: d\r\n\r\n');
});

test('a head larger than what is held at first', () => {
  const reader = request(10_000);
  const text = `A\r\nB: ${'c'.repeat(5000)}\r\n\r\n`;
  for (const byte of bytes(text.slice(0, -1))) expect(reader.push(Buffer.of(byte), 0)).toBe(-1);
  expect(reader.push(bytes('\n'), 0)).toBe(1);
  expect(reader.text).toBe(text);
});

test('begun from the first byte on; the empty line before a head is none of it', () => {
  const reader = request(100);
  const begun = [...bytes('\r\nA\r\n\r\n')].map((byte) => {
    reader.push(Buffer.of(byte), 0);
    return reader.begun;
  });
  expect(begun).toEqual([true, false, true, true, true, true, false]);
  expect(reader.text).toBe('A\r\n\r\n');
  expect(reader.push(bytes('\r\nB\r\n\r\n'), 0)).toBe(7);
  expect(reader.text).toBe('B\r\n\r\n');
});

test('an empty piece changes nothing', () => {
  const reader = request(4);
  expect(reader.push(Buffer.alloc(0), 0)).toBe(-1);
  expect(reader.begun).toBe(false);
  reader.push(bytes('ABCD'), 0);
  expect(reader.push(bytes('x'), 1)).toBe(-1);
});

test('fields without a line before them', () => {
  const reader = new HeadReader({ limit: 100, startLine: false });
  expect(reader.push(bytes('\r\nGET'), 0)).toBe(2);
  expect(reader.text).toBe('\r\n');
  expect(reader.push(bytes('A: b\r\n\r\n'), 0)).toBe(8);
  expect(reader.text).toBe('A: b\r\n\r\n');
});

describe('the limit', () => {
  const head = 'AB\r\nC: d\r\n\r\n';
  test.each([
    ['in one piece', [head]],
    ['in two', [head.slice(0, 5), head.slice(5)]],
    ['byte by byte', [...head]],
    ['behind an empty line', [`\r\n${head}`]],
    ['behind an empty line, byte by byte', ['\r', '\n', ...head]],
  ])('%s', (_name, pieces) => {
    const fits = request(head.length);
    expect(pieces.map((piece) => fits.push(bytes(piece), 0)).at(-1)).toBeGreaterThan(0);
    const small = request(head.length - 1);
    expect(status(() => pieces.map((piece) => small.push(bytes(piece), 0)))).toBe(431);
  });

  test.each<[string, number]>([
    // What comes first in the stream is told: the limit, or the byte that no head may hold.
    ['ABCDEFGHIJK', 414],
    ['ABCDEFGHI\r\nC: d', 414],
    ['ABCDEFGH\r\nC: d', 431],
    ['ABCDEFGHIJ\0', 414],
    ['ABCDEFGHI\0', 400],
    ['A\r\nBCDEFGH\n', 431],
    ['A\r\nBCDEFG\n', 400],
    ['\r\nABCDEFGHIJ\0', 414],
    ['\r\nABCDEFGHI\0', 400],
  ])('%j of 10 bytes: %i, however it is cut', (text, expected) => {
    expect(status(() => request(10).push(bytes(text), 0))).toBe(expected);
    for (let cut = 1; cut < text.length; cut++) {
      const reader = request(10);
      const both = [text.slice(0, cut), text.slice(cut)];
      expect(
        status(() => both.map((piece) => reader.push(bytes(piece), 0))),
        `cut at ${cut}`,
      ).toBe(expected);
    }
    const single = request(10);
    expect(status(() => [...bytes(text)].map((byte) => single.push(Buffer.of(byte), 0)))).toBe(expected);
  });
});
