/** `publicKeys` of a farm over real TLS: the key of a server is one of them, or there is no answer. */
import { createHash, X509Certificate } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { issueCertificate } from '../../src/tls/issue.ts';
import { ask, type Protocol } from './clients.ts';
import { applicationHost, authority, farmRules, startProxy, webFarm } from './environment.ts';
import { freePort } from './ports.ts';

const HOST = 'meet.contoso.com';
const SERVER = 'fe01.contoso.local';
const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];

const old = issueCertificate(authority, { names: [SERVER], keyType: 'rsa' });
const renewed = issueCertificate(authority, { names: [SERVER] });
const keyOf = ({ certPem }: typeof old) =>
  new X509Certificate(certPem).publicKey.export({ type: 'spki', format: 'der' });
const hex = (key: Buffer) => key.toString('hex').replace(/(..)/g, '$1 ');
const RSA = '1.2.840.113549.1.1.1';

async function publish(routing: string, farm: object = {}, tls: TlsOptions = {}) {
  const server = createServer({ cert: old.certPem, key: old.keyPem, ...tls }, (request, response) => {
    if (request.url === '/close') response.setHeader('Connection', 'close');
    response.end('answer');
  });
  let resumed = 0;
  server.on('secureConnection', (socket) => (resumed += socket.isSessionReused() ? 1 : 0));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: httpsPort } = server.address() as AddressInfo;
  const port = await freePort();
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`https *:${port}:${HOST}`],
      farms: webFarm('fe', {
        servers: [{ address: SERVER, httpsPort }],
        routing: routing === '' ? '' : `<publicKeys>${routing}</publicKeys>`,
      }),
      rules: farmRules('fe', HOST),
    }),
    certificates: { all: [HOST] },
    settings: { hosts: { [SERVER]: '127.0.0.1' }, farms: { fe: farm } },
  });
  return {
    get: (protocol: Protocol, path = '/') => ask({ protocol, port, host: HOST, ca: authority.certPem, path }),
    resumed: () => resumed,
    codes: () => proxy.logged.map(({ code, win32, msg }) => `${code} ${win32} ${msg}`),
  };
}

const listed = (key: Buffer, oid?: string) =>
  `<publicKey bytes="${hex(key)}"${oid === undefined ? '' : ` algorithmOid="${oid}"`} />`;

describe.each(PROTOCOLS)('%s', (protocol) => {
  test.each<[string, string]>([
    ['the key', listed(keyOf(old))],
    ['its algorithm too', listed(keyOf(old), RSA)],
    ['the one to come first', listed(keyOf(renewed)) + listed(keyOf(old))],
  ])('a server is asked where the list has %s', async (_name, routing) => {
    const { get, codes } = await publish(routing);
    const { status, body } = await get(protocol);
    expect([status, body.toString(), codes()]).toEqual([200, 'answer', []]);
  });

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a server that would resume a session of %s', (maxVersion) => {
    const pin = (key: Buffer) => createHash('sha256').update(key).digest('base64');

    test.each<[string, string, object]>([
      ['publicKeys', listed(keyOf(old)), {}],
      ['pins', '', { pins: [pin(keyOf(old))] }],
      ['pins without other verification', '', { pins: [pin(keyOf(old))], verify: 'none' }],
    ])('shows its key with each connection (%s)', async (_name, routing, farm) => {
      const { get, codes, resumed } = await publish(routing, farm, { maxVersion });
      for (let i = 0; i < 6; i++) expect((await get(protocol, '/close')).status).toBe(200);
      expect([resumed(), codes()]).toEqual([0, []]);
    });

    test.each<[string, string, object]>([
      ['publicKeys', listed(keyOf(renewed)), {}],
      ['pins without other verification', '', { pins: [pin(keyOf(renewed))], verify: 'none' }],
    ])('gets nobody past the list of keys (%s)', async (_name, routing, farm) => {
      const { get, resumed } = await publish(routing, { ...farm, circuit: false }, { maxVersion });
      for (let i = 0; i < 3; i++) {
        const all = await Promise.all(Array.from({ length: 10 }, () => get(protocol)));
        expect(new Set(all.map(({ status }) => status))).toEqual(new Set([502]));
      }
      expect(resumed()).toBe(0);
    });
  });

  test.each<[string, string, object]>([
    ['another key', listed(keyOf(renewed)), {}],
    ['the key for another algorithm', listed(keyOf(old), '1.2.840.10045.2.1'), {}],
    ['another key, and nothing else is verified', listed(keyOf(renewed)), { verify: 'none' }],
  ])('it is not where the list has %s: 502.3 with 12175', async (_name, routing, farm) => {
    const { get, codes } = await publish(routing, farm);
    expect((await get(protocol)).status).toBe(502);
    expect(codes()).toEqual([expect.stringMatching(/^502\.3 12175 .* is none of publicKeys/)]);
  });
});
