/** Access logs that are no ordinary files, or cannot be written: neither the start, nor a request, nor the end waits for one. */
import { execFile, execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { type PublishedService, publish } from './published.ts';

const run = promisify(execFile);
const LOST = 'the last lines of the access log are lost: nobody took them';
const KILLED = 'a worker did not end by itself and was killed';

const accessTo = (file: string) => ({
  log: { level: 'info', access: { format: 'json', file, fields: ['cs-uri-stem'] } },
});

async function stop({ service, logged }: PublishedService): Promise<unknown[]> {
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
  expect(service.family()).toEqual([]);
  return logged().map(({ msg }) => msg);
}

test('a pipe with a name: without a reader, with one that goes, with one that stalls', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-fifo-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pipe = join(folder, 'access');
  execFileSync('mkfifo', [pipe]);
  const published = await publish({ workers: 2, ...accessTo(pipe) });
  const { get } = published;
  const line = (stem: string) => `${JSON.stringify({ 'cs-uri-stem': stem })}\n`;
  const next = async () => (await run('head', ['-n', '1', pipe])).stdout;
  // Nobody has it open, and what is written waits for somebody.
  expect((await get('/first')).status).toBe(200);
  expect(await next()).toBe(line('/first'));
  // That one has gone, and another comes.
  expect((await get('/second')).status).toBe(200);
  expect(await next()).toBe(line('/second'));
  // This one holds it and takes nothing.
  const stalled = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(stalled));
  for (const bytes of ['x'.repeat(4096), 'x']) fill(stalled, bytes);
  expect((await get('/third')).status).toBe(200);
  const told = await stop(published);
  expect(told).toContain(LOST);
  expect(told).not.toContain(KILLED);
});

/** Up to the last byte that it takes. */
function fill(descriptor: number, bytes: string): void {
  try {
    for (;;) writeSync(descriptor, bytes);
  } catch {
    // It is full.
  }
}

test('a disk that is full: told once, requests go on, and the end does not wait', async () => {
  const published = await publish(accessTo('/dev/full'));
  for (let i = 0; i < 5; i++) {
    expect((await published.get()).status).toBe(200);
    await published.service.prints(/"access log: the disk is full"/);
  }
  const told = await stop(published);
  expect(told.filter((msg) => msg === 'access log: the disk is full')).toHaveLength(1);
  expect(told).toContain('the last lines of the access log are lost: the disk is full');
  expect(told).not.toContain(LOST);
  expect(told).not.toContain(KILLED);
});

test('rotation: a file that is truncated begins anew, one that is renamed is written on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-rotated-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'access.log');
  const { get } = await publish({ workers: 2, ...accessTo(file) });
  const stems = (path: string) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)['cs-uri-stem']);
  const ask = async (stem: string, times: number, path: string) => {
    for (let i = 0; i < times; i++) await get(stem);
    await expect.poll(() => stems(path).filter((each) => each === stem).length).toBe(times);
  };
  // Enough for both workers.
  await ask('/first', 12, file);
  truncateSync(file);
  await ask('/second', 12, file);
  expect(new Set(stems(file))).toEqual(new Set(['/second']));
  renameSync(file, `${file}.1`);
  await ask('/third', 12, `${file}.1`);
  expect(existsSync(file)).toBe(false);
});
