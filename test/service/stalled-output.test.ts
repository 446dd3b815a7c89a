/** Readers of a service's output that take nothing any more: it ends on SIGTERM all the same, and says what was lost where it can. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isListening } from './processes.ts';
import { publish } from './published.ts';

/** A supervisor that is sent SIGURG keeps this descriptor full, up to the last byte. */
function filling(descriptor: number): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-preload-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'preload.cjs');
  writeFileSync(
    file,
    `const { isPrimary } = require('node:cluster');
     const { writeSync } = require('node:fs');
     const fill = (bytes) => { try { for (;;) writeSync(${descriptor}, bytes); } catch {} };
     const fillAll = () => { for (const bytes of ['x'.repeat(65536), 'x'.repeat(1024), 'x']) fill(bytes); };
     // The reader takes some more before it stalls.
     if (isPrimary) process.on('SIGURG', () => setInterval(fillAll, 1).unref());`,
  );
  return { NODE_OPTIONS: `--require=${file}` };
}

test('standard error: nothing more can be said, and nobody waits for it', async () => {
  const { service, get, httpPort } = await publish({ workers: 2 }, {}, filling(2));
  service.child.stderr?.pause();
  service.child.kill('SIGURG');
  await expect.poll(() => service.child.stderr?.readableLength).toBeGreaterThan(0);
  // Each of these has a line that nobody takes.
  for (let i = 0; i < 12; i++) await get('/', { host: 'www.example.com', servername: 'meet.contoso.com' });
  expect((await get()).status).toBe(200);
  service.child.kill('SIGTERM');
  await new Promise((resolve) => service.child.once('exit', resolve));
  service.child.stderr?.resume();
  expect(await service.exit()).toBe(0);
  expect([service.family(), await isListening(httpPort)]).toEqual([[], false]);
});

test('standard output, which has the access log: told at the end', async () => {
  const { service, get, logged } = await publish(
    { log: { level: 'info', access: { format: 'json' } } },
    {},
    filling(1),
  );
  service.child.stdout?.pause();
  service.child.kill('SIGURG');
  await expect.poll(() => service.child.stdout?.readableLength).toBeGreaterThan(0);
  for (let i = 0; i < 12; i++) expect((await get()).status).toBe(200);
  service.child.kill('SIGTERM');
  await new Promise((resolve) => service.child.once('exit', resolve));
  service.child.stdout?.resume();
  expect(await service.exit()).toBe(0);
  const told = logged().map(({ msg }) => msg);
  expect(told).toContain('the last lines of the access log are lost: nobody took them');
  expect(told).not.toContain('a worker did not end by itself and was killed');
});
