/** Workers that the service itself ends, or whose channel fails: each end is told with its reason. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { publish } from './published.ts';

/** Whoever is sent SIGURG can write no more: a worker to the supervisor, the supervisor to its latest worker. */
const failingChannels = () =>
  preload(`const cluster = require('node:cluster');
     process.on('SIGURG', () => {
       const owner = cluster.isPrimary ? Object.values(cluster.workers).at(-1).process : process;
       const key = Object.getOwnPropertySymbols(owner).find(({ description }) => description === 'kChannelHandle');
       owner[key].writeBuffer = () => -5; // EIO
       process._rawDebug('broken in ' + process.pid);
     });`);

/** @returns NODE_OPTIONS with which each process runs this first */
function preload(source: string): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-preload-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'preload.cjs');
  writeFileSync(file, source);
  return { NODE_OPTIONS: `--require=${file}` };
}

test('signals to a worker alone name the supervisor; a channel that fails on either side is told with the error', async () => {
  const { service, logged } = await publish({ workers: 2 }, {}, failingChannels());
  const [first = 0, second = 0] = service.workers();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.kill(second, signal);
    await service.prints(new RegExp(`${signal} is ignored`));
    expect(logged().find(({ msg }) => String(msg).startsWith(signal))).toMatchObject({
      level: 40,
      pid: second,
      msg: `${signal} is ignored: a worker ends with its supervisor, process ${service.child.pid}; signal that`,
    });
  }
  process.kill(first, 'SIGURG');
  await service.prints(/a worker took its place/);
  const own = logged().find(({ pid }) => pid === first);
  expect(own).toMatchObject({
    level: 50,
    msg: 'this worker ends itself: the channel to the supervisor has failed: write EIO',
  });
  process.kill(service.child.pid ?? 0, 'SIGURG');
  await service.prints(new RegExp(`broken in ${service.child.pid}`));
  // What is said at the end, if nothing is before.
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
  expect(service.stderr()).toMatch(
    /a worker died \(SIGKILL, after a message to it failed: write EIO\) while the service stops/,
  );
});

test('a system that has no memory for another process: told without a stack, with exit code 3', async () => {
  const env = preload(`require('node:child_process').fork = () => { throw new Error('spawn ENOMEM'); };`);
  const ended = await publish({}, {}, env).then(
    () => 'it serves',
    (error: unknown) => String(error),
  );
  expect(ended).toMatch(/ended with 3: .*a worker cannot be started: spawn ENOMEM/s);
  expect(ended).not.toMatch(/^\s+at .*team\.ts/m);
});
