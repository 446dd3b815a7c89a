/** Clients that want to keep the admin listener busy: many, silent, slow, endless. */
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { RawClient } from '../integration/clients.ts';
import { json, reportedFarm, reportedServer, startListener, TOKEN } from './listener.ts';

/** Short, but not so short that a good request on a busy machine comes too late. */
const limits = {
  head: 3000,
  request: 4000,
  silence: 3000,
  keepAlive: 500,
  headSize: 8192,
  bodySize: 4096,
  connections: 500,
};
const farms = [reportedFarm('fe', [reportedServer('fe01')])];

/** Sends a byte again and again until the connection ends. */
async function trickle(client: RawClient, begin: string): Promise<string> {
  client.socket.write(begin);
  const timer = setInterval(() => client.socket.write('x'), 50);
  onTestFinished(() => clearInterval(timer));
  const received = await client.closed();
  clearInterval(timer);
  return received;
}

test('1,000 connections that say nothing keep nobody out, and end by themselves', async () => {
  const { open, ask } = await startListener({ farms, limits });
  const silent: RawClient[] = [];
  for (let i = 0; i < 1000; i++) {
    const client = open();
    silent.push(client);
    if (i % 100 === 99) {
      await once(client.socket, 'connect');
      expect((await ask('/healthz')).status).toBe(200);
      expect((await ask('/api/v1/farms')).status).toBe(200);
    }
  }
  await Promise.all(silent.map((client) => client.closed()));
  expect((await ask('/api/v1/farms')).status).toBe(200);
});

test('heads that come byte by byte end with 408, whatever they ask', async () => {
  const { open, ask } = await startListener({ farms, limits, token: TOKEN });
  const slow = Array.from({ length: 50 }, () => trickle(open(), 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: '));
  expect((await ask('/healthz')).status).toBe(200);
  for (const received of await Promise.all(slow)) expect(received).toMatch(/^HTTP\/1\.1 408 .*problem\+json/s);
});

test('bodies that come byte by byte end with 408, and nothing is done', async () => {
  const { open, acted } = await startListener({ farms, limits });
  const head =
    'POST /api/v1/farms/fe/servers/fe01/state HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  const slow = Array.from({ length: 50 }, () => trickle(open(), `${head}Content-Length: 1000\r\n\r\n{`));
  for (const received of await Promise.all(slow)) expect(received).toMatch(/^HTTP\/1\.1 408 /);
  expect(acted).toEqual([]);
});

test('large bodies are refused by their length, and endless ones at the limit', async () => {
  const { open, acted } = await startListener({ farms });
  const head =
    'POST /api/v1/farms/fe/servers/fe01/state HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  const told = open();
  told.socket.write(`${head}Content-Length: 10000000000\r\n\r\n`);
  expect(await told.until(/\r\n\r\n.*\}$/s)).toMatch(/^HTTP\/1\.1 413 /);
  const endless = open();
  endless.socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
  const piece = `10000\r\n${' '.repeat(0x10000)}\r\n`;
  const more = () => {
    while (endless.socket.writable && endless.socket.write(piece));
  };
  endless.socket.on('drain', more);
  more();
  expect(await endless.closed()).toMatch(/^(HTTP\/1\.1 413 .*)?$/s);
  expect(acted).toEqual([]);
});

test('a body is not waited for where the request is refused anyway', async () => {
  const { open } = await startListener({ farms, token: TOKEN });
  const client = open();
  client.socket.write('POST /api/v1/farms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n');
  expect(await client.until(/\r\n\r\n.*\}$/s)).toMatch(/^HTTP\/1\.1 401 /);
});

test('large heads are refused with 431', async () => {
  const { ask, open } = await startListener({ farms });
  const client = open();
  client.socket.write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9000)}\r\n\r\n`);
  expect(await client.closed()).toMatch(/^HTTP\/1\.1 431 .*problem\+json/s);
  expect((await ask('/healthz', { headers: json })).status).toBe(200);
});

test('a client that does not read its answers is cut', async () => {
  const many = [
    reportedFarm(
      'fe',
      Array.from({ length: 2000 }, (_, i) => reportedServer(`fe${i}.contoso.local`)),
    ),
  ];
  const opened = channel('net.server.socket');
  const accepted = Promise.withResolvers<Socket>();
  const { open } = await startListener({ farms: many, limits });
  const hear = (message: unknown) => accepted.resolve((message as { socket: Socket }).socket);
  opened.subscribe(hear);
  const client = open();
  client.socket.pause();
  client.socket.write('GET /api/v1/farms HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50));
  const socket = await accepted.promise;
  opened.unsubscribe(hear);
  await once(socket, 'close');
  expect(socket.bytesWritten).toBeGreaterThan(100_000);
});

test('what is no request at all is answered with the reason that the status has', async () => {
  const { open } = await startListener();
  const client = open();
  client.socket.write('nonsense\r\n\r\n');
  const told = await client.until(/\r\n\r\n.*\}$/s);
  expect(told).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(JSON.parse(told.split('\r\n\r\n')[1] ?? '')).toMatchObject({
    status: 400,
    detail: 'This is no HTTP request.',
  });
});
