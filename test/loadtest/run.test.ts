/** The command itself: wrong use, and that nothing of a run is left behind when it is interrupted. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const COMMAND = join(import.meta.dirname, '../../loadtest/run.ts');

test('the help fits 100 columns and names every scenario', () => {
  const { status, stdout } = spawnSync(process.execPath, [COMMAND, '--help'], { encoding: 'utf8' });
  expect(status).toBe(0);
  expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(100);
  for (const name of ['mixed', 'rate', 'polls', 'relay', 'pooled', 'http-proxy']) expect(stdout).toContain(name);
});

/** Processes with the run's folder in their environment or arguments. */
function startedIn(folder: string): string[] {
  const mentions = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(folder);
    } catch {
      return false;
    }
  };
  return readdirSync('/proc').filter(
    (pid) => /^\d+$/.test(pid) && (mentions(pid, 'environ') || mentions(pid, 'cmdline')),
  );
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s, and once more as npm passes it on: all that was started is ended, its folder is removed',
  async (signal) => {
    const folder = mkdtempSync(join(tmpdir(), 'lychgate-test-'));
    const args = [COMMAND, '--only', 'small', '--against', 'relay', '--out', join(folder, 'results')];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const exit = once(child, 'exit');
    // The run, the load generator, the origin, and the first competitor.
    await expect.poll(() => startedIn(folder).length).toBeGreaterThanOrEqual(4);
    // As a terminal that is closed: what is written from now on fails.
    if (signal === 'SIGHUP') child.stderr.destroy();
    else child.stderr.resume();
    child.kill(signal);
    child.kill(signal);
    expect(await exit).toEqual([130, null]);
    expect(startedIn(folder)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  },
);
