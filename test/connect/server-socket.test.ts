/** For how long a server need not show its certificate again. What else a socket does: test/integration. */
import { createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Endpoint } from '../../src/connect/endpoint.ts';
import type { ServerRoute } from '../../src/connect/server-route.ts';
import { socketOpener } from '../../src/connect/server-socket.ts';
import { authority, certificateFor } from '../integration/environment.ts';

const NAME = 'fe01.contoso.local';

/** Whether the server resumed the session of each connection that is made. */
async function publish(maxVersion: 'TLSv1.2' | 'TLSv1.3') {
  const server = createServer({ ...certificateFor(NAME), maxVersion });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as { port: number };
  const route: ServerRoute = {
    lookup: (_name, _options, callback) => callback(null, '127.0.0.1', 4),
    refusal: () => undefined,
  };
  const endpoint: Endpoint = {
    routes: { key: '', name: () => expect.unreachable(), to: () => route, close: () => undefined },
    ...{ address: '127.0.0.1', port, computedHost: false, localAddress: undefined },
    tls: { verify: 'full', names: [NAME], serverName: NAME, pins: [], publicKeys: [], ca: [authority.certPem] },
    ...{ connectTimeout: 10, timeout: 30, maxResponseHeaderSize: 65_536 },
    ...{ maxConnections: undefined, queueLength: 0, queueTimeout: 10 },
  };
  const open = socketOpener(endpoint, route);
  return async () => {
    const resumed = new Promise<boolean>((resolve) => {
      server.once('secureConnection', (socket) => {
        resolve(socket.isSessionReused());
        // Behind the session ticket, which the client then has.
        socket.on('error', () => undefined).end('ticket');
      });
    });
    await new Promise<void>((resolve, reject) => {
      const socket = open({
        ready: () => undefined,
        read: () => true,
        ended: () => socket.destroy(),
        drained: () => undefined,
        closed: (error) => (error ? reject(error) : resolve()),
      });
    });
    return resumed;
  };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  test('a session goes on for an hour after the certificate was shown, however often it is resumed', async () => {
    const connect = await publish(version);
    expect(await connect()).toBe(false);
    for (const minutes of [20, 20, 19]) {
      vi.advanceTimersByTime(minutes * 60_000);
      expect(await connect()).toBe(true);
    }
    vi.advanceTimersByTime(60_000);
    expect(await connect()).toBe(false);
    vi.advanceTimersByTime(59 * 60_000);
    expect(await connect()).toBe(true);
  });
});
