import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { boundedLines } from '../src/bounded-lines.ts';

/** A stream whose reader takes a line only when it is told to. */
function stalling() {
  const taken: string[] = [];
  const pending: (() => void)[] = [];
  let stalled = true;
  const stream = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      const take = () => {
        taken.push(line);
        done();
      };
      if (stalled) pending.push(take);
      else take();
    },
  });
  return {
    stream,
    taken,
    waiting: () => stream.writableLength,
    async takes(times: number) {
      for (let i = 0; i < times; i++) {
        pending.shift()?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async goesOn() {
      stalled = false;
      while (pending.length > 0) await this.takes(1);
    },
    stalls() {
      stalled = true;
    },
  };
}

const line = (i: number) => `${i}`.padStart(9, '0').concat('\n');

test('what waits is bounded; the rest is counted, and told where it is missing', async () => {
  const reader = stalling();
  const lines = boundedLines(reader.stream, (leftOut) => lines.write(`left out: ${leftOut}\n`), 100);
  for (let i = 0; i < 1000; i++) lines.write(line(i));
  // One is being written, ten wait.
  expect(reader.waiting()).toBe(10);
  await reader.takes(5);
  // There is room, but what came now would stand before the number of those that are missing.
  lines.write(line(1000));
  await reader.goesOn();
  lines.write(line(1001));
  const kept = Array.from({ length: 11 }, (_, i) => line(i));
  expect(reader.taken).toEqual([...kept, 'left out: 990\n', line(1001)]);
});

test('a reader that stalls again is told of each time by itself', async () => {
  const reader = stalling();
  const lines = boundedLines(reader.stream, (leftOut) => lines.write(`left out: ${leftOut}\n`), 20);
  for (const _ of [1, 2]) {
    reader.stalls();
    for (let i = 0; i < 6; i++) lines.write(line(i));
    await reader.goesOn();
  }
  const told = [line(0), line(1), line(2), 'left out: 3\n'];
  expect(reader.taken).toEqual([...told, ...told]);
});

test('a reader that keeps up gets each line at once', async () => {
  const reader = stalling();
  await reader.goesOn();
  const lines = boundedLines(reader.stream, () => expect.unreachable(), 100);
  for (let i = 0; i < 1000; i++) {
    lines.write(line(i));
    expect(reader.taken.at(-1)).toBe(line(i));
  }
});

test('one line at a time is with the stream, so that those of two processes do not mix', () => {
  const writes: string[] = [];
  const stream = {
    writableLength: 1,
    write: (text: string) => writes.push(text) > 0,
  };
  const lines = boundedLines(stream, () => undefined);
  stream.writableLength = 0;
  lines.write('a\n');
  stream.writableLength = 2;
  lines.write('b\n');
  lines.write('c\n');
  expect(writes).toEqual(['a\n']);
});

test('flush calls back when all is taken, the number of what was left out too', async () => {
  const reader = stalling();
  const lines = boundedLines(reader.stream, (leftOut) => lines.write(`left out: ${leftOut}\n`), 10);
  for (let i = 0; i < 4; i++) lines.write(line(i));
  let taken: readonly string[] | undefined;
  lines.flush(() => (taken = [...reader.taken]));
  await reader.takes(2);
  expect(taken).toBeUndefined();
  await reader.goesOn();
  expect(taken).toEqual([line(0), line(1), 'left out: 2\n']);
});

test('flush calls back where nobody tells of what was left out, its level being too low for the log', async () => {
  const reader = stalling();
  const lines = boundedLines(reader.stream, () => undefined, 10);
  for (let i = 0; i < 4; i++) lines.write(line(i));
  const flushed = new Promise<void>((resolve) => lines.flush(resolve));
  await reader.goesOn();
  await flushed;
});
