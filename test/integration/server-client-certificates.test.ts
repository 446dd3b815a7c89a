/** Certificates that we show to servers (`clientCertificate`, `clientCertHash`, `clientCertFileName`), over real TLS. */
import { constants, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, type SecureVersion, type TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority, type Issued, issueCertificate } from '../../src/tls/issue.ts';
import { exportPfx, folder } from '../tls/material.ts';
import { ask, type Protocol } from './clients.ts';
import {
  applicationHost,
  authority,
  certificateFor,
  farmRules,
  type Published,
  startProxy,
  webFarm,
} from './environment.ts';
import { freePort } from './ports.ts';

const HOST = 'meet.contoso.com';
const SERVER = 'fe01.contoso.local';
const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];
const VERSIONS: readonly SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];

const partners = createAuthority('Partners');
const shown = (name: string, from = partners, names = [name]) =>
  issueCertificate(from, { names, usage: 'client', subject: [['CN', name]] });
const PROXY = shown('proxy');

interface Demanding {
  readonly port: number;
  /** Subjects of the connections that were opened, in order. */
  readonly connections: readonly string[];
}

/** Answers with the subject of the certificate that it was shown, and demands one of the partners. */
async function demandingServer(options: { version?: SecureVersion; optional?: boolean } = {}): Promise<Demanding> {
  const { version = 'TLSv1.3', optional = false } = options;
  const connections: string[] = [];
  const subject = (socket: TLSSocket) => String(socket.getPeerCertificate().subject?.CN ?? 'nobody');
  const server = createHttpsServer(
    {
      ...certificateFor(SERVER),
      ca: partners.certPem,
      requestCert: true,
      rejectUnauthorized: !optional,
      minVersion: version,
      maxVersion: version,
    },
    (request, response) => response.end(subject(request.socket as TLSSocket)),
  );
  server.on('secureConnection', (socket: TLSSocket) => connections.push(subject(socket)));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, connections };
}

interface Options {
  /** Attributes of `protocol`. */
  readonly protocol?: string;
  readonly farm?: Record<string, unknown>;
  readonly files?: Record<string, string | Buffer>;
}

async function publish(port: number, { protocol = '', farm, files = {} }: Options) {
  const own = await freePort();
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`https *:${own}:${HOST}`],
      farms: webFarm('FE', {
        servers: [{ address: SERVER, httpsPort: port }],
        protocol: `timeout="00:00:30" ${protocol}`,
      }),
      rules: farmRules('FE', HOST),
    }),
    certificates: { all: [HOST] },
    files,
    settings: { hosts: { [SERVER]: '127.0.0.1' }, ...(farm && { farms: { fe: farm } }) },
  });
  const get = (protocol: Protocol = 'HTTP/1.1') => ask({ protocol, port: own, host: HOST, ca: authority.certPem });
  return { proxy, own, get };
}

const asFiles = ({ certPem, keyPem }: Issued, name = '../own') => ({
  [`${name}.pem`]: certPem,
  [`${name}.key`]: keyPem,
});
const OWN = { clientCertificate: { cert: '../own.pem', key: '../own.key' } };
const codes = ({ logged }: Published) => logged.map(({ code, win32 }) => `${code} ${win32}`);
const printOf = ({ certPem }: Issued) => new X509Certificate(certPem).fingerprint.replaceAll(':', ' ').toLowerCase();

function pfxOf(issued: Issued, password: string): Buffer {
  return readFileSync(exportPfx(join(folder(), 'own.pfx'), issued, '-passout', `pass:${password}`));
}

describe.each(VERSIONS)('a server that demands a certificate, over %s', (version) => {
  test.each(PROTOCOLS)('is shown the one of its farm, for clients of %s', async (protocol) => {
    const server = await demandingServer({ version });
    const { get } = await publish(server.port, { farm: OWN, files: asFiles(PROXY) });
    for (let i = 0; i < 3; i++) expect((await get(protocol)).body.toString()).toBe('proxy');
    expect(server.connections).toEqual(['proxy']);
  });

  test.each<[string, Options]>([
    ['no certificate', {}],
    ['one of another authority', { farm: OWN, files: asFiles(shown('stranger', createAuthority('Strangers'))) }],
  ])('refuses a farm that has %s: 502.3', async (_name, options) => {
    const { proxy, get } = await publish((await demandingServer({ version })).port, options);
    for (const protocol of PROTOCOLS) expect((await get(protocol)).status).toBe(502);
    // The server may send an alert, or just end; and in TLS 1.3 a reset may overtake the alert.
    const code = expect.stringMatching(/^502\.3 (12175|12030)$/);
    expect(codes(proxy)).toEqual([code, code]);
  });
});

test('one that asks behind the request, as IIS does in TLS 1.2, is shown it then', async () => {
  const server = createTlsServer(
    {
      ...certificateFor(SERVER),
      ca: partners.certPem,
      maxVersion: 'TLSv1.2',
      secureOptions: constants.SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION,
    },
    (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.renegotiate({ requestCert: true, rejectUnauthorized: true }, () => {
          const body = String(socket.getPeerCertificate().subject?.CN);
          socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
        });
      });
    },
  );
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { get } = await publish((server.address() as AddressInfo).port, { farm: OWN, files: asFiles(PROXY) });
  expect((await get()).body.toString()).toBe('proxy');
});

describe('where it comes from', () => {
  const works = async (options: Options) => {
    const server = await demandingServer();
    const { get } = await publish(server.port, options);
    expect((await get()).body.toString()).toBe('proxy');
  };

  test('a PFX file in settings.json, with its password in a file', () =>
    works({
      farm: { clientCertificate: { pfx: '../own.pfx', passphraseFile: '../secret' } },
      files: { '../own.pfx': pfxOf(PROXY, 'geheim'), '../secret': 'geheim\r\n' },
    }));

  test('clientCertHash, as it is pasted: one of those that were read for the listeners', () =>
    works({ protocol: `clientCertHash="\u200e${printOf(PROXY)} "`, files: asFiles(PROXY, '../certs/own') }));

  test('clientCertFileName of the Windows machine, beside applicationHost.config, its password in plain text', () =>
    works({
      protocol: 'clientCertFileName="C:\\certs\\own.pfx" clientCertPassword="geheim"',
      files: { 'own.pfx': pfxOf(PROXY, 'geheim') },
    }));

  test('the same in a folder of certificates, its password in a file beside it', () =>
    works({
      protocol: 'clientCertFileName="\\\\dc01\\share\\own.pfx"',
      files: { '../certs/own.pfx': pfxOf(PROXY, 'geheim'), '../certs/own.pfx.pass': 'geheim' },
    }));

  test('settings.json goes before an encrypted password and a file that is not there', () =>
    works({
      protocol: 'clientCertFileName="C:\\gone.pfx" clientCertPassword="[enc:AesProvider:abc=:enc]"',
      farm: OWN,
      files: asFiles(PROXY),
    }));
});

test('direct proxying shows that of system.webServer/proxy', async () => {
  const server = await demandingServer();
  const port = await freePort();
  await startProxy({
    iis: applicationHost({
      bindings: [`https *:${port}:${HOST}`],
      rules: `<rule name="r" stopProcessing="true"><match url="(.*)" /><action type="Rewrite" url="https://${SERVER}:${server.port}/{R:1}" /></rule>`,
      more: `<proxy enabled="true" clientCertHash="${printOf(PROXY)}" />`,
    }),
    certificates: { all: [HOST] },
    files: asFiles(PROXY, '../certs/own'),
    settings: { hosts: { [SERVER]: '127.0.0.1' } },
  });
  for (const protocol of PROTOCOLS) {
    const told = await ask({ protocol, port, host: HOST, ca: authority.certPem });
    expect([told.status, told.body.toString()]).toEqual([200, 'proxy']);
  }
  expect(server.connections).toEqual(['proxy']);
});

test('farms with different certificates never share a connection to one address', async () => {
  const server = await demandingServer({ optional: true });
  const port = await freePort();
  const farms = ['one', 'two', 'none'];
  await startProxy({
    iis: applicationHost({
      bindings: [`https *:${port}:`],
      farms: farms.map((name) => webFarm(name, { servers: [{ address: SERVER, httpsPort: server.port }] })).join(''),
      rules: farms.map((name) => farmRules(name, `${name}.contoso.com`)).join(''),
    }),
    certificates: { all: ['*.contoso.com'] },
    files: { ...asFiles(shown('one'), '../one'), ...asFiles(shown('two'), '../two') },
    settings: {
      hosts: { [SERVER]: '127.0.0.1' },
      farms: {
        one: { clientCertificate: { cert: '../one.pem', key: '../one.key' } },
        two: { clientCertificate: { cert: '../two.pem', key: '../two.key' } },
      },
    },
  });
  for (let i = 0; i < 3; i++) {
    for (const name of farms) {
      const told = await ask({ protocol: 'HTTP/1.1', port, host: `${name}.contoso.com`, ca: authority.certPem });
      expect(told.body.toString()).toBe(name === 'none' ? 'nobody' : name);
    }
  }
  expect(server.connections).toEqual(['one', 'two', 'nobody']);
});

test('a certificate for client authentication alone is never shown to clients, whatever name it has', async () => {
  const own = shown('aaa', authority, [HOST, 'only.contoso.com']);
  const { own: port } = await publish((await demandingServer()).port, {
    protocol: `clientCertHash="${printOf(own)}"`,
    // By its file name too it would come first.
    files: asFiles(own, `../certs/${HOST}`),
  });
  for (const servername of [HOST, 'only.contoso.com', 'nobody.contoso.com', '']) {
    const tls = { checkServerIdentity: () => undefined };
    const told = await ask({ protocol: 'HTTP/1.1', port, host: HOST, servername, ca: authority.certPem, tls });
    expect(told.certificate).toBe(`DNS:${HOST}`);
  }
});
