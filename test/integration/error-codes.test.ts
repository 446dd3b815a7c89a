/** Status, sub-status and Win32 code of everything that can go wrong, as the access log has them (arr.md section 8). */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openHttp2, openRaw, type Protocol } from './clients.ts';
import { applicationHost, authority, startProxy, webFarm } from './environment.ts';
import { askLane } from './lane-client.ts';
import { type Message, targetOf } from './messages.ts';
import { httpServer, publishFarm } from './one-farm.ts';
import { freePort } from './ports.ts';
import { ok, type RecordedConnection, startRecordingServer } from './recording-server.ts';

const host = 'app.contoso.com';
const HALF = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf';

/** What the server does with a request, by its path. */
const BEHAVIOUR: Readonly<Record<string, (connection: RecordedConnection) => string | undefined>> = {
  '/ok': () => ok('answer'),
  '/silent': () => undefined,
  '/resets': ({ socket }) => void socket.destroy(),
  '/garbage': () => 'hello there\r\n\r\n',
  '/stalls': () => HALF,
  '/cut': ({ socket }) => void socket.write(HALF, () => socket.destroy()),
  '/chunks': () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nno chunk\r\n',
  '/encoded': () => ok('zipped', 'Content-Type: text/html\r\nContent-Encoding: gzip\r\n'),
  '/held': () => undefined,
};

/** `sc-status sc-substatus sc-win32-status`; the path is that of one request. */
const EXPECTED: Readonly<Record<string, string>> = {
  '/fe/ok': '200 0 0',
  '/nowhere': '404 0 0',
  '/computed/192.0.2.1': '403 0 0',
  '/fe/%zz': '400 601 0',
  '/fe/ok?loop': '400 605 0',
  '/patient/silent?client-gone': '400 604 64',
  '/patient/silent?HEAD-client-gone': '400 604 64',
  '/patient/stalls?client-gone': '200 0 64',
  '/site-rule': '500 50 0',
  '/global-rule': '500 51 0',
  '/fe/encoded': '500 52 0',
  '/hasty/silent': '502 3 12002',
  '/hasty/stalls': '200 3 12002',
  '/unknown/ok': '502 3 12007',
  '/dead/ok': '502 3 12029',
  '/fe/resets': '502 3 12030',
  '/fe/cut': '200 3 12030',
  '/stopped/held': '502 3 12030',
  '/fe/garbage': '502 3 12152',
  '/fe/chunks': '200 3 12152',
  '/untrusted/ok': '502 3 12175',
  '/off/ok': '502 4 0',
  '/stopped/ok': '502 4 0',
  '/busy/held': '200 0 0',
  '/busy/ok': '503 0 0',
};

const rule = (name: string, scheme = 'http') =>
  `<rule name="${name}" stopProcessing="true"><match url="^${name}/(.*)" /><action type="Rewrite" url="${scheme}://${name}/{R:1}" /></rule>`;

/** A new URL of more than 65,536 characters. */
const TOO_LONG = `http://fe/${'{QUERY_STRING}'.repeat(5)}`;
const LONG_QUERY = `?${'x'.repeat(14_000)}`;

async function publish() {
  const answer = (request: Message, connection: RecordedConnection) =>
    BEHAVIOUR[targetOf(request).replace(/\?.*/, '')]?.(connection);
  const server = await startRecordingServer({ answer });
  const [httpsPort, dead] = [await freePort(), await freePort()];
  const { httpPort } = server;
  const at = (address: string, more: object = {}) => ({
    servers: [{ address: `${address}.contoso.local`, httpPort, ...more }],
  });
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`https *:${httpsPort}:${host}`],
      farms: [
        webFarm('fe', at('fe')),
        webFarm('hasty', { ...at('hasty'), protocol: 'timeout="00:00:01"' }),
        webFarm('patient', at('patient')),
        webFarm('dead', at('dead', { httpPort: dead })),
        webFarm('unknown', { servers: [{ address: 'nowhere.invalid' }] }),
        webFarm('untrusted', { servers: [{ address: 'untrusted.example', httpsPort: server.httpsPort }] }),
        webFarm('stopped', at('stopped')),
        webFarm('busy', at('busy')),
        '<webFarm name="off" enabled="false"><server address="10.0.0.1" enabled="true" /></webFarm>',
      ].join(''),
      rules: [
        `<rule name="global" stopProcessing="true"><match url="^global-rule" /><action type="Rewrite" url="${TOO_LONG}" /></rule>`,
        '<rule name="computed" stopProcessing="true"><match url="^computed/(.*)" /><action type="Rewrite" url="http://{R:1}/" /></rule>',
        ...['fe', 'hasty', 'patient', 'dead', 'unknown', 'stopped', 'busy', 'off'].map((name) => rule(name)),
        rule('untrusted', 'https'),
      ].join(''),
      more: `<rewrite>
        <rules><rule name="site" stopProcessing="true"><match url="^site-rule" /><action type="Rewrite" url="${TOO_LONG}" /></rule></rules>
        <outboundRules><rule name="links"><match filterByTags="A" pattern="x" /><action type="Rewrite" value="y" /></rule></outboundRules>
      </rewrite>`,
    }),
    certificates: { all: [host] },
    settings: {
      hosts: Object.fromEntries(
        [
          'fe.contoso.local',
          'hasty.contoso.local',
          'patient.contoso.local',
          'dead.contoso.local',
          'stopped.contoso.local',
          'busy.contoso.local',
          'untrusted.example',
        ].map((name) => [name, '127.0.0.1']),
      ),
      farms: { busy: { maxConnections: 1, queueLength: 0 } },
      log: { level: 'silent', access: { format: 'json', file: 'access.log' } },
    },
  });
  return { server, proxy, httpsPort };
}

test.each<Protocol>(['HTTP/1.1', 'HTTP/2'])('over %s', async (protocol) => {
  const { server, proxy, httpsPort: port } = await publish();
  const tls = { host, ca: authority.certPem };
  const send = (target: string, headers: readonly [string, string][] = []) =>
    askLane(protocol, { port, ...tls, method: 'GET', target, headers });
  const arrived = (target: string) =>
    server.until(({ requests }) => requests.some((request) => targetOf(request) === target));

  /** The client goes as soon as it has so much of its answer; 0: as soon as the server has the request. */
  const leave = async (target: string, bytes: number) => {
    const inner = target.replace('/patient', '');
    const method = target.includes('HEAD') ? 'HEAD' : 'GET';
    if (protocol === 'HTTP/2') {
      const session = openHttp2({ protocol, port, ...tls });
      const stream = session.request({ ':method': method, ':authority': host, ':path': target });
      stream.on('error', () => undefined);
      if (bytes > 0) await new Promise((resolve) => stream.once('data', resolve));
      await arrived(inner);
      stream.close(8);
      return;
    }
    const client = openRaw(port, tls);
    client.socket.write(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    if (bytes > 0) await client.until(/half/);
    await arrived(inner);
    client.socket.destroy();
  };

  const held = send('/busy/held');
  await arrived('/held');
  await send('/busy/ok');
  server.connections.at(-1)?.socket.write(ok('released'));
  await held;

  const special: readonly string[] = ['/busy/held', '/busy/ok', '/stopped/held', '/stopped/ok'];
  const stopped = send('/stopped/held');
  await server.until(({ requests }) => requests.filter((request) => targetOf(request) === '/held').length === 2);
  const place = { farm: 'stopped', server: 'stopped.contoso.local' };
  proxy.serving.heard({ type: 'conditions', conditions: [{ ...place, state: 'Inactive', healthy: true }] });
  proxy.serving.heard({ type: 'terminate', ...place });
  await stopped;
  await send('/stopped/ok');

  await Promise.all(
    Object.keys(EXPECTED).map((target) => {
      if (special.includes(target)) return undefined;
      if (target.endsWith('client-gone')) return leave(target, target.includes('stalls') ? 4 : 0);
      return send(
        target.endsWith('-rule') ? target + LONG_QUERY : target,
        target.endsWith('?loop') ? [['Max-Forwards', '0']] : [],
      );
    }),
  );
  await proxy.serving.stop(10);
  const told: Record<string, string> = {};
  for (const line of readFileSync(join(proxy.configDir, 'access.log'), 'utf8').trim().split('\n')) {
    const entry: Record<string, string | number> = JSON.parse(line);
    const query = `?${entry['cs-uri-query']}`;
    told[`${entry['cs-uri-stem']}${query.length > 1 && query.length < 100 ? query : ''}`] =
      `${entry['sc-status']} ${entry['sc-substatus']} ${entry['sc-win32-status']}`;
  }
  expect(told).toEqual(EXPECTED);
});

test('what ends an answer that has begun: its status with 1236; before that, the status of the fault alone', async () => {
  const host = 'www.contoso.com';
  const { port } = await httpServer((request, response) => {
    response.writeHead(200, { 'Content-Length': 100 }).write('begun');
    request.on('error', () => undefined);
  });
  const access = { format: 'json', file: 'access.log' };
  const settings = { limits: { bodyBytes: 20 }, log: { level: 'silent', access } };
  const farm = await publishFarm({ host, servers: [{ httpPort: port }], settings, scheme: 'http' });
  const chunked = (path: string) => `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const whole = async (transport: 'plain' | 'TLS', pieces: readonly string[]) => {
    const client = transport === 'plain' ? openRaw(farm.httpPort) : openRaw(farm.httpsPort, farm.tls);
    for (const [index, piece] of pieces.entries()) {
      client.socket.write(piece);
      if (index + 1 < pieces.length) await client.until(/begun$/);
    }
    return (await client.closed()).slice(0, 'HTTP/1.1 400'.length);
  };
  expect(await whole('plain', [`${chunked('/one-piece')}xyz\r\n`])).toBe('HTTP/1.1 400');
  expect(await whole('TLS', [`${chunked('/second')}5\r\nhello\r\nxyz\r\n`])).toBe('HTTP/1.1 400');
  for (const transport of ['plain', 'TLS'] as const) {
    expect(await whole(transport, [`${chunked(`/${transport}`)}5\r\nhello\r\n`, 'xyz\r\n'])).toBe('HTTP/1.1 200');
    const large = [`${chunked(`/large-${transport}`)}5\r\nhello\r\n`, `20\r\n${'x'.repeat(32)}\r\n`];
    expect(await whole(transport, large)).toBe('HTTP/1.1 200');
  }
  const session = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, ...farm.tls });
  const stream = session.request({ ':method': 'POST', ':authority': host, ':path': '/large-h2' });
  stream.on('error', () => undefined).write('hello');
  await once(stream, 'data');
  stream.write('x'.repeat(32));
  await new Promise((closed) => stream.once('close', closed));
  await farm.proxy.serving.stop(0);
  const lines = readFileSync(join(farm.proxy.configDir, 'access.log'), 'utf8').trim().split('\n');
  const told = lines.map((line) => {
    const entry = JSON.parse(line);
    return [entry['cs-uri-stem'], entry['sc-status'], entry['sc-substatus'], entry['sc-win32-status']].join(' ');
  });
  expect(told.toSorted()).toEqual([
    '/TLS 200 601 1236',
    '/large-TLS 200 0 1236',
    '/large-h2 200 0 1236',
    '/large-plain 200 0 1236',
    '/one-piece 400 601 0',
    '/plain 200 601 1236',
    '/second 400 601 0',
  ]);
});
