/** Supervisor and workers as real processes: they share the ports, are replaced when they die, and never outlive it. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ask, openRaw } from '../integration/clients.ts';
import { freePort } from '../integration/ports.ts';
import { isListening, openFiles } from './processes.ts';
import { HOST, publish } from './published.ts';

test.each([1, 3])('%d workers: as many processes, and both ports are served', async (workers) => {
  const { service, get, httpPort } = await publish({ workers });
  expect(service.workers()).toHaveLength(workers);
  for (let i = 0; i < 12; i++) expect((await get()).status).toBe(200);
  expect((await get('/', { port: httpPort, plain: true })).status).toBe(200);
});

test('each of three workers takes connections', async () => {
  const { service, httpPort } = await publish({ workers: 3 });
  const before = service.workers().map(openFiles);
  // The kernel spreads them over the sockets; each stays open, so that it shows in the worker that has it.
  const clients = Array.from({ length: 60 }, () => openRaw(httpPort));
  for (const { socket } of clients) socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  await Promise.all(clients.map((client) => client.until(/answer$/)));
  const after = service.workers().map(openFiles);
  for (const [index, count] of after.entries()) expect(count).toBeGreaterThan(before[index] ?? 0);
});

test('limits.connectionsPerAddress counts over all workers, as soon as they have told each other', async () => {
  const { httpPort } = await publish({ workers: 2, limits: { connectionsPerAddress: 20 } });
  const open = async () => {
    const client = openRaw(httpPort);
    client.socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    return await client.until(/answer$/).then(
      () => client.socket,
      () => undefined,
    );
  };
  for (let i = 0; i < 20; i++) await open();
  // Whoever is taken all the same, by a worker that has not heard yet, makes room again.
  const takes = async () => {
    const sockets = await Promise.all(Array.from({ length: 12 }, open));
    for (const socket of sockets) socket?.destroy();
    return sockets.filter((each) => each !== undefined).length;
  };
  await expect.poll(takes).toBe(0);
});

test.each([1, 3])('of %d workers a killed one is replaced, and the service goes on', async (workers) => {
  const { service, get, logged } = await publish({ workers });
  const [victim = 0] = service.workers();
  process.kill(victim, 'SIGKILL');
  await service.prints(/a worker died \(SIGKILL\)/);
  await service.prints(/a worker took its place/);
  const pids = service.workers();
  expect(pids).toHaveLength(workers);
  expect(pids).not.toContain(victim);
  for (let i = 0; i < 6; i++) expect((await get()).status).toBe(200);
  expect(logged().find(({ msg }) => String(msg).startsWith('a worker died'))).toMatchObject({ level: 50, worker: 1 });
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
});

test('while nobody serves, a worker that died has another in its place within a second, however often', async () => {
  const { service, logged } = await publish({ workers: 1 });
  for (const times of [1, 2, 3]) {
    process.kill(service.workers()[0] ?? 0, 'SIGKILL');
    await service.prints(new RegExp(`(?:a worker took its place.*){${times}}`, 's'));
  }
  const pauses = logged().flatMap(({ restartInMs }) => (typeof restartInMs === 'number' ? [restartInMs] : []));
  expect(pauses).toEqual([1000, 1000, 1000]);
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
});

test('while no worker can be started, the others serve; one takes the place as soon as it can', async () => {
  const { service, get } = await publish({ workers: 2 });
  const pid = service.child.pid ?? 0;
  const limit = (...args: string[]) => execFileSync('prlimit', ['--pid', `${pid}`, ...args], { encoding: 'utf8' });
  const before = limit('--nofile', '--output', 'SOFT', '--noheadings', '--raw').trim();
  let free = 0;
  while (existsSync(`/proc/${pid}/fd/${free}`)) free++;
  // All that the supervisor has is the descriptor that the worker leaves; the hard limit stays.
  limit(`--nofile=${free}:`);
  process.kill(service.workers()[0] ?? 0, 'SIGKILL');
  await service.prints(/a worker could not be replaced: a worker cannot be started: .*EMFILE/);
  for (let i = 0; i < 6; i++) expect((await get()).status).toBe(200);
  limit(`--nofile=${before}:`);
  await service.prints(/a worker took its place/);
  expect(service.workers()).toHaveLength(2);
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
});

test('a stop does not wait for a restart still to come', async () => {
  const { service } = await publish();
  process.kill(service.workers()[0] ?? 0, 'SIGKILL');
  await service.prints(/a worker died/);
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
  expect(service.stderr()).not.toContain('took its place');
});

test.each([1, 3])('a supervisor that is killed leaves none of its %d workers behind', async (workers) => {
  const { service, httpsPort } = await publish({ workers });
  expect(service.family()).toHaveLength(workers + 1);
  service.child.kill('SIGKILL');
  // The streams close with the last process that holds them.
  expect(await service.exit()).toBe('SIGKILL');
  expect(service.family()).toEqual([]);
  expect(await isListening(httpsPort)).toBe(false);
});

test('health and readiness on the admin listener, readiness ending with the stop', async () => {
  const admin = await freePort();
  const { service, server, get } = await publish({ admin: { address: `127.0.0.1:${admin}` } });
  const look = async (path: string) => {
    const told = await ask({ protocol: 'HTTP/1.1', port: admin, host: 'localhost', plain: true, path });
    return [told.status, JSON.parse(told.body.toString())];
  };
  expect(await look('/healthz')).toEqual([200, { status: 'ok' }]);
  expect(await look('/readyz')).toEqual([200, { status: 'ok' }]);
  const held = get('/held');
  const response = await server.held();
  service.child.kill('SIGTERM');
  await service.prints(/SIGTERM: no new connections/);
  expect(await look('/healthz')).toEqual([200, { status: 'ok' }]);
  expect(await look('/readyz')).toEqual([503, { status: 'not ready' }]);
  response.end('late');
  expect((await held).body.toString()).toBe('late');
  expect(await service.exit()).toBe(0);
  expect(await isListening(admin)).toBe(false);
});
