/** Workers that hang, stopped or held up by JavaScript: found out, told, killed and replaced; and none of them outlives the service. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask } from '../integration/clients.ts';
import { freePort } from '../integration/ports.ts';
import { isListening } from './processes.ts';
import { type PublishedService, publish } from './published.ts';

/** @returns NODE_OPTIONS with which each process runs this first */
function preload(source: string): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-preload-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'preload.cjs');
  writeFileSync(file, source);
  return { NODE_OPTIONS: `--require=${file}` };
}

/** A worker that is sent SIGURG never leaves a function again. */
const HOG = preload.bind(
  undefined,
  `function hog() { for (;;); }
   process.on('SIGURG', function urgent() { hog(); });`,
);

/** Names of the threads of a process. */
function threadsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).map((thread) => readFileSync(join(folder, thread, 'comm'), 'utf8').trim());
}

const messages = ({ logged }: PublishedService, pattern: RegExp) =>
  logged().filter(({ msg }) => pattern.test(String(msg)));

test('one that is stopped and one that runs in circles: not ready, told, killed and replaced; then all is well', async () => {
  const admin = await freePort();
  const settings = { workers: 2, admin: { address: `127.0.0.1:${admin}` }, timeouts: { hang: 12 } };
  const published = await publish(settings, {}, HOG());
  const { service, get } = published;
  const ready = async () =>
    (await ask({ protocol: 'HTTP/1.1', port: admin, host: 'localhost', plain: true, path: '/readyz' })).status;
  const [stopped = 0, circling = 0] = service.workers();
  expect(await ready()).toBe(200);
  // The thread that tells where it stands begins a moment after it.
  await expect.poll(() => threadsOf(circling)).toContain('stalls');

  // Of two, one is enough: its share of the clients waits.
  process.kill(stopped, 'SIGSTOP');
  await expect.poll(ready, { timeout: 60_000 }).toBe(503);
  process.kill(circling, 'SIGURG');
  await service.prints(/a worker took its place.*a worker took its place/s);
  await expect.poll(ready, { timeout: 60_000 }).toBe(200);
  const pids = service.workers();
  expect([pids.length, pids.includes(stopped), pids.includes(circling)]).toEqual([2, false, false]);
  for (let i = 0; i < 12; i++) expect((await get()).status).toBe(200);

  const numbers = (pattern: RegExp) =>
    messages(published, pattern)
      .map(({ level, workerPid }) => [level, workerPid])
      // Where the machine is that busy, one that took a place may have hung, too.
      .filter(([, pid]) => pid === stopped || pid === circling)
      .toSorted();
  const both = [
    [50, stopped],
    [50, circling],
  ].toSorted();
  expect(
    numbers(/^a worker has not answered for \d+ s, and its clients wait: after timeouts.hang \(12 s\) it is killed$/),
  ).toEqual(both);
  expect(numbers(/^a worker has not answered for \d+ s, and timeouts.hang is 12 s: it is killed$/)).toEqual(both);
  // Neither has died of its start: nobody waits for the second one, as for one that crashes again and again.
  const pauses = messages(published, /^a worker died \(SIGKILL, after it did not answer\)/).map(
    ({ restartInMs }) => restartInMs,
  );
  expect([pauses.length >= 2, new Set(pauses)]).toEqual([true, new Set([500])]);
  // The one could still say where it was.
  const stacks = messages(published, /^the event loop has stood still/);
  expect(stacks).toMatchObject([
    {
      level: 50,
      pid: circling,
      msg: expect.stringMatching(/^the event loop has stood still for \d+ s: hog \(file:.*preload\.cjs:1:\d+\)$/),
      stack: [
        expect.stringMatching(/^hog /),
        expect.stringMatching(/^urgent \(.*preload\.cjs:2:\d+\)$/),
        ...anything(stacks),
      ],
    },
  ]);
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
  expect(service.family()).toEqual([]);
});

/** What stands behind the first two frames is Node's. */
function anything([first]: readonly Record<string, unknown>[]): unknown[] {
  const stack = first?.stack;
  return Array.isArray(stack) ? stack.slice(2) : [];
}

test('a service that stops ends a stopped worker too, and does not wait for timeouts.drain', async () => {
  const published = await publish({ workers: 2, timeouts: { hang: 3, drain: 600 } });
  const { service, httpPort } = published;
  const [stopped = 0] = service.workers();
  process.kill(stopped, 'SIGSTOP');
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
  const killed = messages(published, /^a worker has not answered for \d+ s, and the service stops: it is killed$/);
  expect(killed.map(({ workerPid }) => workerPid)).toContain(stopped);
  expect([service.family(), await isListening(httpPort)]).toEqual([[], false]);
});

test('a supervisor that is killed leaves no stopped worker behind, which would keep the ports', async () => {
  const { service, httpPort } = await publish({ workers: 2 });
  for (const pid of service.workers()) process.kill(pid, 'SIGSTOP');
  service.child.kill('SIGKILL');
  // The streams close with the last process that holds them.
  expect(await service.exit()).toBe('SIGKILL');
  expect([service.family(), await isListening(httpPort)]).toEqual([[], false]);
});

test('where the system cannot end it, a stopped worker ends as soon as it goes on', async () => {
  // As a Node that has no FFI.
  const env = preload(`process.getBuiltinModule = () => undefined;`);
  const { service, httpPort } = await publish({ workers: 2 }, {}, env);
  const pids = service.workers();
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  service.child.kill('SIGKILL');
  await expect.poll(() => pids.map(parentOf)).not.toContain(service.child.pid);
  expect(await isListening(httpPort)).toBe(true);
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  expect(await service.exit()).toBe('SIGKILL');
  expect([service.family(), await isListening(httpPort)]).toEqual([[], false]);
});

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
