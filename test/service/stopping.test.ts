/** The end of a service: requests under way finish, what hangs is cut at the deadline, a second signal ends at once. */
import { expect, test } from 'vitest';
import { openRaw } from '../integration/clients.ts';
import { authority } from '../integration/environment.ts';
import { isListening } from './processes.ts';
import { HOST, publish } from './published.ts';

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s: a request under way finishes, new connections are refused',
  async (signal) => {
    const { service, get, server, httpsPort, httpPort } = await publish({ workers: 2 });
    const held = get('/held');
    const response = await server.held();
    const idle = openRaw(httpsPort, { host: HOST, ca: authority.certPem });
    idle.socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    await idle.until(/answer$/);
    service.child.kill(signal);
    await idle.closed();
    await expect.poll(() => isListening(httpsPort)).toBe(false);
    await expect.poll(() => isListening(httpPort)).toBe(false);
    response.end('finished');
    const told = await held;
    expect([told.status, told.body.toString(), told.headers.connection]).toEqual([200, 'finished', 'close']);
    expect(await service.exit()).toBe(0);
    expect(service.stderr()).toContain('"stopped"');
    expect(service.stderr()).not.toContain('connections were cut');
    expect(service.family()).toEqual([]);
  },
);

test('the deadline cuts what hangs, and the log says how many', async () => {
  const { service, get, server, logged } = await publish({ timeouts: { drain: 1 } });
  const held = get('/held').catch((error: Error) => error);
  await server.held();
  const started = performance.now();
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
  expect(performance.now() - started).toBeGreaterThan(950);
  expect(await held).toBeInstanceOf(Error);
  expect(logged().find(({ msg }) => msg === 'connections were cut at the drain deadline')).toMatchObject({
    level: 40,
    connections: 1,
  });
});

test('the deadline also ends a connection that never began its TLS handshake', async () => {
  const { service, httpsPort, logged } = await publish({ timeouts: { drain: 1, handshake: 600 } });
  const silent = openRaw(httpsPort);
  await new Promise((resolve) => silent.socket.once('connect', resolve));
  service.child.kill('SIGTERM');
  await service.exit();
  // The supervisor would have to kill a worker that hangs; it must not come to that.
  expect(logged().map(({ msg }) => msg)).not.toContain('a worker did not end by itself and was killed');
  await silent.closed();
  expect(service.family()).toEqual([]);
});

test('a second signal ends at once', async () => {
  const { service, get, server } = await publish({ timeouts: { drain: 600 } });
  const held = get('/held').catch((error: Error) => error);
  await server.held();
  service.child.kill('SIGTERM');
  await service.prints(/Again to end at once/);
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(1);
  expect(await held).toBeInstanceOf(Error);
  expect(service.stderr()).toContain('ended without waiting for requests under way');
  expect(service.family()).toEqual([]);
});
