import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stoppableTerminal } from '../src/stoppable-terminal.ts';

test('what it does not take waits, nobody is held up, and it comes whole when it goes on', async () => {
  // A pipe that is full behaves like a terminal that is stopped.
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-terminal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const descriptor = openSync(pipe, 'r+');
  onTestFinished(() => closeSync(descriptor));
  const terminal = stoppableTerminal(descriptor);
  const line = 'x'.repeat(100_000);
  let taken = 0;
  const all = new Promise<void>((resolve) => {
    for (let i = 0; i < 3; i++) {
      terminal?.write(line, () => {
        if (++taken === 3) resolve();
      });
    }
  });
  expect([terminal?.writableLength, taken]).toEqual([expect.any(Number), 0]);
  expect(terminal?.writableLength).toBeGreaterThan(200_000);
  let read = 0;
  const buffer = Buffer.alloc(65_536);
  while (read < 300_000) {
    read += readSync(descriptor, buffer, 0, Math.min(buffer.length, 300_000 - read), null);
    await new Promise((resolve) => setTimeout(resolve, 110));
  }
  await all;
  expect([read, terminal?.writableLength]).toEqual([300_000, 0]);
});

test('a descriptor that cannot be opened again has none', () => {
  expect(stoppableTerminal(99_999)).toBeUndefined();
});
