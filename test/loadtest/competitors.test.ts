/** How competitors are set up: equal duties in their configurations, and what the bare programs do with a connection. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import { ask, createChildProcesses } from '../../loadtest/child-processes.ts';
import * as caddy from '../../loadtest/competitors/caddy.ts';
import type { Setup } from '../../loadtest/competitors/competitor.ts';
import * as haproxy from '../../loadtest/competitors/haproxy.ts';
import * as lychgate from '../../loadtest/competitors/lychgate.ts';
import * as nginx from '../../loadtest/competitors/nginx.ts';
import { pooled, relay } from '../../loadtest/competitors/yardsticks.ts';
import { COMPETITORS } from '../../loadtest/competitors.ts';
import { createRunFolder, freePort, ORIGIN_ADDRESS, ORIGIN_NAME, PROXY_ADDRESS } from '../../loadtest/run-folder.ts';
import { SCENARIOS } from '../../loadtest/scenarios.ts';
import type { Endpoint } from '../../loadtest/wait-ready.ts';
import { canStart, checkConfig } from '../../src/service/check-config.ts';

const folder = createRunFolder();
const processes = createChildProcesses(folder.path);
afterAll(async () => {
  await processes.stopAll();
  folder.remove();
});

const HOSTS = ['meet.loadtest.test', 'dialin.loadtest.test'];
const SETUP: Setup = {
  workers: 2,
  hosts: HOSTS,
  origin: { address: ORIGIN_ADDRESS, port: 8443, host: ORIGIN_NAME },
};

test('each scenario has the yardstick that does the same work', () => {
  const yardsticks = SCENARIOS.map(({ name, duty }) => [
    name,
    COMPETITORS.filter((each) => each.yardstick !== undefined && each.duties.includes(duty)).map((each) => each.name),
  ]);
  expect(Object.fromEntries(yardsticks)).toEqual({
    ...{ small: ['relay'], mixed: ['relay'], rate: ['relay'], handshake: ['relay', 'pooled'] },
    ...{ '64k': ['relay'], '1m': ['relay'], '100m': ['relay'], upload: ['relay'], rules: ['relay'] },
    ...{ 'h2-small': [], 'h2-1m': [], idle: ['relay', 'bare-tls'], polls: ['relay'] },
  });
});

test('Lychgate serves what the load test configures, with its access log', () => {
  const own = folder.subfolder('lychgate');
  writeFileSync(join(own, 'applicationHost.config'), lychgate.applicationHost(SETUP, 18_443));
  writeFileSync(join(own, 'settings.json'), lychgate.settings(SETUP, folder, own, 19_443));
  const checked = checkConfig(own);
  expect(canStart(checked)).toBe(true);
  expect(JSON.parse(readFileSync(join(own, 'settings.json'), 'utf8'))).toMatchObject({
    workers: 2,
    log: { access: { file: join(own, 'access.log') } },
  });
});

test('the others have the same duties: access log, X-Forwarded-For, a verified origin, each host, as many workers', () => {
  const nginxText = nginx.configuration(SETUP, folder, '/own', 18_443);
  expect(nginxText.match(/(?<= )server_name [^;]+/g)).toEqual(HOSTS.map((host) => `server_name ${host}`));
  for (const line of [
    ...['worker_processes 2;', 'access_log /own/access.log combined', `proxy_ssl_name ${ORIGIN_NAME};`],
    ...['proxy_ssl_verify on;', `proxy_ssl_trusted_certificate ${folder.authority};`, '$proxy_add_x_forwarded_for;'],
  ]) {
    expect(nginxText).toContain(line);
  }
  const haproxyText = haproxy.configuration(SETUP, folder, '/own', 18_443);
  for (const line of [
    ...['nbthread 2', 'log stdout', 'option httplog', 'option forwardfor', 'map_str(/own/hosts.map)'],
    `ssl verify required ca-file ${folder.authority} sni str(${ORIGIN_NAME}) verifyhost ${ORIGIN_NAME}`,
  ]) {
    expect(haproxyText).toContain(line);
  }
  // Caddy sends X-Forwarded-For unasked.
  const caddyText = caddy.configuration(SETUP, folder, '/own', 18_443);
  expect(caddyText.match(/@host\d+ host .+/g)).toEqual(HOSTS.map((host, index) => `@host${index} host ${host}`));
  for (const line of [
    'output file /own/access.log',
    `tls_server_name ${ORIGIN_NAME}`,
    `tls_trusted_ca_certs ${folder.authority}`,
  ]) {
    expect(caddyText).toContain(line);
  }
});

/** An origin that answers with the path it was asked for, in two pieces, and knows its connections. */
async function startOrigin() {
  const connections: TLSSocket[] = [];
  const key = { cert: readFileSync(folder.origin.cert), key: readFileSync(folder.origin.key) };
  const server = createServer({ ...key, noDelay: true }, (socket) => {
    connections.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const path = bytes.toString('latin1').split(' ')[1] ?? '';
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path.slice(0, 1)}`);
      setImmediate(() => socket.write(path.slice(1)));
    });
  }).listen(0, ORIGIN_ADDRESS);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const close = () => {
    for (const each of connections) each.destroy();
    server.close();
  };
  return { setup: { ...SETUP, workers: 1, origin: { ...SETUP.origin, port } }, connections, close };
}

/** Sends a request, and gives back what comes until `end` is there or the connection is closed. */
function request({ address, port, host }: Endpoint, path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, servername: host, ca: readFileSync(folder.authority) });
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (text.endsWith(`\r\n\r\n${path}`)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  });
}

test.each([
  [relay, 3],
  [pooled, 0],
])('$name: each client has its own answer', async ({ name, start }, newConnections) => {
  const origin = await startOrigin();
  const running = await start({ setup: origin.setup, folder, processes });
  const before = origin.connections.length;
  const paths = ['/first', '/second-one', '/3'];
  const answers = await Promise.all(paths.map((path) => request(running.endpoint, path)));
  expect(answers).toEqual(paths.map((path) => `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`));
  expect([name, origin.connections.length - before]).toEqual([name, newConnections]);
  await Promise.all(running.processes.map((each) => each.stop()));
  expect(running.processes.every((each) => each.hasEnded())).toBe(true);
  origin.close();
});

test('the bare programs verify the origin, as the others do', async () => {
  const origin = await startOrigin();
  const { port, address, host } = origin.setup.origin;
  const at = await freePort(PROXY_ADDRESS);
  const args = [PROXY_ADDRESS, String(at), folder.front.cert, folder.front.key, address, String(port), host];
  // An authority that has not signed the origin's certificate.
  const program = processes.startProgram('relay', [...args, folder.front.cert]);
  await ask(program, {});
  expect(await request({ address: PROXY_ADDRESS, port: at, host: 'meet.loadtest.test' }, '/first')).toBe('');
  await program.stop();
  origin.close();
});
