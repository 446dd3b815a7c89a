/** The clock on the wall jumps, as with a wrong NTP server or a VM that was restored: time-outs do not go by it (F11). */
import { afterEach, expect, test, vi } from 'vitest';
import { HOST, publishRecorded } from './recorded-farm.ts';

afterEach(() => {
  vi.useRealTimers();
});

const HOUR = 3_600_000;
const YEAR = 365.25 * 24 * HOUR;
const ASKED = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;

test.each([
  ['an hour on', HOUR],
  ['an hour back', -HOUR],
  ['ten years on', 10 * YEAR],
  ['ten years back', -10 * YEAR],
])('%s: what is under way, idle or bound to a login goes on, and what is silent ends in its time', async (_, jump) => {
  const { server, open } = await publishRecorded({
    answer: ({ startLine }) =>
      startLine.includes('/slow') ? undefined : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    settings: { timeouts: { header: 1, body: 30, idle: 30 } },
  });
  const idle = open('TLS');
  idle.socket.write(ASKED);
  await idle.until(/ok$/);
  const login = open('plain');
  login.socket.write(ASKED.replace('\r\n\r\n', '\r\nAuthorization: NTLM TlRMTVNTUAAB\r\n\r\n'));
  await login.until(/ok$/);
  const pinned = server.connections.length;
  const waiting = open('plain');
  waiting.socket.write(ASKED.replace('/', '/slow'));
  await server.until(({ requests }) => requests.length === 3);

  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + jump });
  // When one that says nothing has had its time, all the others were looked at as well.
  await open('TLS').closed();
  server.connections.at(-1)?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow');
  expect(await waiting.until(/slow$/)).toContain(`Date: ${new Date().toUTCString().slice(0, 16)}`);
  for (const client of [idle, login]) {
    client.socket.write(ASKED);
    await client.until(/ok[\s\S]*ok$/);
  }
  // Neither needed a new connection to the server.
  expect(server.connections).toHaveLength(pinned + 1);
});
