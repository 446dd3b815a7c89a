/** SIGHUP and SIGUSR2 are told and ignored, SIGUSR1 opens no inspector: in every process, and from its first moment on. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { publish } from './published.ts';

const IGNORED = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** A module for every process of the service to load first. */
function preload(source: string): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` };
}

/** The process sends itself all of them where it is about to load a file. */
const whileLoading = (file: string) =>
  preload(`import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) {
      if (url.endsWith('/src/${file}')) for (const each of ${JSON.stringify(IGNORED)}) process.kill(process.pid, each);
      return next(url, context);
    } });`);

/** How often each was told, in the service log. */
async function told({ logged }: Awaited<ReturnType<typeof publish>>, times: Record<(typeof IGNORED)[number], number>) {
  const counted = () => {
    const lines = logged().filter(({ level, msg }) => level === 40 && / is ignored: /.test(String(msg)));
    return Object.fromEntries(
      IGNORED.map((signal) => [signal, lines.filter(({ msg }) => String(msg).startsWith(signal)).length]),
    );
  };
  await expect.poll(counted).toEqual(times);
}

async function goesOn({ service, get }: Awaited<ReturnType<typeof publish>>) {
  expect((await get()).status).toBe(200);
  expect(service.stderr()).not.toMatch(/Debugger listening|a worker died/);
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
}

test('supervisor and workers while they serve', async () => {
  const published = await publish({ workers: 2 });
  const { service } = published;
  const pids = service.workers();
  for (const pid of [service.child.pid ?? 0, ...pids]) for (const signal of IGNORED) process.kill(pid, signal);
  // Workers are closed to SIGUSR1 before they run: it never comes to them.
  await told(published, { SIGHUP: 3, SIGUSR1: 1, SIGUSR2: 3 });
  expect(service.workers()).toEqual(pids);
  await goesOn(published);
});

describe('while it starts', () => {
  test.each([
    ['cli/cli.ts', 1],
    ['service/check-config.ts', 1],
    ['service/worker.ts', 0],
    ['service/serve.ts', 0],
  ])('where %s is loaded', async (file, inspector) => {
    const published = await publish({}, {}, whileLoading(file));
    await told(published, { SIGHUP: 1, SIGUSR1: inspector, SIGUSR2: 1 });
    await goesOn(published);
  });

  test.each(IGNORED)('%s to a worker in which nothing of ours runs yet', async (signal) => {
    const folder = mkdtempSync(join(tmpdir(), 'lychgate-signals-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'ahead.cjs');
    // Ahead of what is ours, which is required too. The second worker is left in peace.
    writeFileSync(
      file,
      `const { worker } = require('node:cluster');
       if (worker?.id === 1) process.kill(process.pid, '${signal}');
       if (worker) require('node:fs').writeFileSync(require('node:path').join(__dirname, String(worker.id)), '');`,
    );
    const published = await publish({}, {}, { NODE_OPTIONS: `--require=${file}` });
    // One is closed to SIGUSR1 from its start, and lives.
    expect(existsSync(join(folder, '2'))).toBe(signal !== 'SIGUSR1');
    expect(published.service.workers()).toHaveLength(1);
    await goesOn(published);
  });
});
