/** What servers speak and show over TLS: the versions and ciphers of a farm, and what the log says of those that do not fit. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { type Authority, createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import type { Protocol } from './clients.ts';
import { applicationHost, authority, certificateFor, startProxy, webFarm } from './environment.ts';
import { askLane } from './lane-client.ts';
import { freePort } from './ports.ts';

const HOST = 'app.contoso.com';
const NAME = 'fe01.contoso.local';
const LOWEST = 'DEFAULT:@SECLEVEL=0';

function certificates() {
  const root = createAuthority('Other Root');
  const listed = createAuthority('Listed Issuing CA', { parent: root });
  const unsent = createAuthority('Unsent Issuing CA', { parent: authority });
  const weakRoot = createAuthority('Weak Root', { keyType: 'rsa', keyBits: 1024 });
  const rsaRoot = createAuthority('RSA Root', { keyType: 'rsa' });
  const sha1Issuer = createAuthority('SHA-1 Issuing CA', { parent: rsaRoot, digest: 'sha1' });
  const narrow = narrowAuthority();
  const issue = (from: Authority, more: object = {}, chain: 'alone' | 'sent' | 'with root' = 'sent') => {
    const { certPem, chainPem, keyPem } = issueCertificate(from, { names: [NAME], ...more });
    const cert = { alone: certPem, sent: chainPem, 'with root': chainPem + root.certPem }[chain];
    return { cert, key: keyPem, ciphers: LOWEST };
  };
  return {
    ca: [authority, listed, weakRoot, rsaRoot, narrow].map(({ certPem }) => certPem).join(''),
    unsent: issue(unsent, {}, 'alone'),
    sent: issue(unsent),
    listed: issue(listed, {}, 'alone'),
    listedAndSent: issue(listed),
    unknown: issue(createAuthority('Unknown Issuing CA', { parent: root })),
    unknownRoot: issue(createAuthority('Unknown Issuing CA', { parent: root }), {}, 'with root'),
    shortKey: issue(authority, { keyType: 'rsa', keyBits: 1024 }),
    sha1: issue(authority, { digest: 'sha1' }),
    underSha1: issue(sha1Issuer),
    underWeak: issue(weakRoot),
    narrow: issue(narrow),
    tooLong: issue(createAuthority('Below Narrow', { parent: narrow }), { names: ['fe01.contoso.net'] }),
    forClients: issue(authority, { usage: 'client' }),
  };
}

/** For names below contoso.net, and with no authority below it. */
function narrowAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=Narrow Root'],
      ...['-addext', 'basicConstraints=critical,CA:true,pathlen:0', '-keyout', key, '-out', cert],
      ...['-addext', 'nameConstraints=critical,permitted;DNS:contoso.net'],
    ],
    { stdio: 'ignore' },
  );
  const subject = [['CN', 'Narrow Root']] as const;
  return { certPem: readFileSync(cert, 'utf8'), keyPem: readFileSync(key, 'utf8'), intermediatesPem: '', subject };
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

/** Answers each request with what was agreed upon. */
function tlsServer(options: TlsOptions): Promise<number> {
  const server = createServer(options, (socket) => {
    socket.on('error', () => undefined);
    const body = `${socket.getProtocol()} ${socket.getCipher().name}`;
    socket.once('data', () =>
      socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    );
  });
  server.on('tlsClientError', () => undefined);
  onTestFinished(() => {
    server.close();
  });
  return portOf(server);
}

/** A ServerHello of TLS 1.2 (ECDHE-ECDSA-AES128-GCM-SHA256) without RFC 5746, and an alert: internal error. */
const UNSAFE = Buffer.from(
  `16 0303 002a 02 000026 0303 ${'11'.repeat(32)} 00 c02b 00 15 0303 0002 02 50`.replaceAll(' ', ''),
  'hex',
);

/** Answers what a client says first with these bytes, or by closing. */
function rawServer(answer?: Buffer): Promise<number> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => (answer ? socket.write(answer) : socket.end()));
  });
  onTestFinished(() => {
    server.close();
  });
  return portOf(server);
}

interface Case {
  /** Of the farm. */
  readonly settings?: object;
  readonly port: number;
  /** The answer's body, or what the log says of a 502.3 with 12175. */
  readonly told: string | RegExp;
  /** In place of 12175. */
  readonly win32?: number;
}

async function cases(ca: ReturnType<typeof certificates>): Promise<Record<string, Case>> {
  const plain = { ...certificateFor(NAME), ciphers: LOWEST };
  const upTo = (maxVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2') =>
    tlsServer({ ...plain, minVersion: 'TLSv1', maxVersion });
  const [tls10, tls11, tls12] = [await upTo('TLSv1'), await upTo('TLSv1.1'), await upTo('TLSv1.2')];
  const aes128 = 'ECDHE-ECDSA-AES128-GCM-SHA256';
  const oneCipher = await tlsServer({ ...plain, ciphers: aes128, maxVersion: 'TLSv1.2' });
  const asking = await tlsServer({ ...plain, requestCert: true, ca: authority.certPem, maxVersion: 'TLSv1.2' });
  const unsafe = await rawServer(UNSAFE);
  const [listed, shortKey, sha1] = [await tlsServer(ca.listed), await tlsServer(ca.shortKey), await tlsServer(ca.sha1)];
  const noVersion =
    /TLS: .*protocol.*, as from a server that speaks none of the versions from "minVersion" of the farm on/;
  const noCipher =
    /TLS: .*handshake failure, as from a server that takes none of "ciphers" of the farm, .*"clientCertificate"/;
  const weak = (what: string) => new RegExp(`${what}\\. Have it issued again, or let "ciphers" of the farm end with ":@SECLEVEL=0"`); // biome-ignore format: one line
  return {
    old: { port: tls10, told: noVersion },
    oldTaken: { port: tls10, settings: { minVersion: 'TLSv1' }, told: /^TLSv1 / },
    olderThanTaken: { port: tls10, settings: { minVersion: 'TLSv1.1' }, told: noVersion },
    oldEleven: { port: tls11, settings: { minVersion: 'TLSv1.1' }, told: /^TLSv1\.1 / },
    oldWithCiphers: { port: tls10, settings: { minVersion: 'TLSv1', ciphers: 'ECDHE-ECDSA-AES128-SHA' }, told: 'TLSv1 ECDHE-ECDSA-AES128-SHA' }, // biome-ignore format: one line
    newest: { port: tls12, settings: { minVersion: 'TLSv1.3' }, told: noVersion },
    usual: { port: tls12, told: /^TLSv1\.2 / },
    cipher: { port: oneCipher, settings: { ciphers: `${aes128}:AES128-SHA` }, told: `TLSv1.2 ${aes128}` },
    noCipher: { port: oneCipher, settings: { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }, told: noCipher },
    asking: { port: asking, told: noCipher },
    unsafe: {
      port: unsafe,
      told: /unsafe legacy renegotiation disabled, which "minVersion": "TLSv1" of the farm takes/,
    },
    unsafeTaken: { port: unsafe, settings: { minVersion: 'TLSv1' }, told: /TLS: .*internal error/ },
    unsent: { port: await tlsServer(ca.unsent), told: /unable to get local issuer certificate: that of "Unsent Issuing CA", which issued "fe01\.contoso\.local", is missing: an intermediate that the server should send, or an authority/ }, // biome-ignore format: one line
    sent: { port: await tlsServer(ca.sent), told: /^TLSv1\.3 / },
    unknown: { port: await tlsServer(ca.unknown), told: /unable to get local issuer certificate: that of "Other Root", which issued "Unknown Issuing CA", is missing/ }, // biome-ignore format: one line
    unknownRoot: { port: await tlsServer(ca.unknownRoot), told: /its authority, "Other Root", is none of "upstream": \{ "ca" \}/ }, // biome-ignore format: one line
    listed: { port: listed, settings: { allowPartialTrustChain: false }, told: /the issuing authority "Listed Issuing CA" is trusted without its root, as "Other Root", which issued it, is none of "upstream": \{ "ca" \} of settings\.json: add that, or set "allowPartialTrustChain"/ }, // biome-ignore format: one line
    listedAndSent: { port: await tlsServer(ca.listedAndSent), settings: { allowPartialTrustChain: false }, told: /"Listed Issuing CA" is trusted without its root/ }, // biome-ignore format: one line
    listedAlone: { port: listed, told: /^TLSv1\.3 / },
    shortKey: { port: shortKey, told: weak('"fe01\\.contoso\\.local" has a key of 1024 bits, and is signed with ecdsa-with-SHA256') }, // biome-ignore format: one line
    shortKeyTaken: { port: shortKey, settings: { ciphers: LOWEST }, told: /^TLSv1\.3 / },
    shortKeyOld: { port: shortKey, settings: { minVersion: 'TLSv1' }, told: /^TLSv1\.3 / },
    sha1: {
      port: sha1,
      told: weak('"fe01\\.contoso\\.local" has a key of 256 bits, and is signed with ecdsa-with-SHA1'),
    },
    sha1Taken: { port: sha1, settings: { ciphers: LOWEST }, told: /^TLSv1\.3 / },
    underSha1: { port: await tlsServer(ca.underSha1), told: weak('"SHA-1 Issuing CA" has a key of 256 bits, and is signed with sha1WithRSAEncryption') }, // biome-ignore format: one line
    underWeak: { port: await tlsServer(ca.underWeak), told: weak('"Weak Root" has a key of 1024 bits, .*') },
    narrow: { port: await tlsServer(ca.narrow), told: /certificate refused: permitted subtree violation/ },
    tooLong: { port: await tlsServer(ca.tooLong), told: /path length constraint exceeded/ },
    closing: {
      port: await rawServer(),
      told: /: the server closed the connection within the TLS handshake, as those do that take none of "minVersion" and "ciphers"/,
      win32: 12030,
    },
    forClients: { port: await tlsServer(ca.forClients), told: /unsuitable certificate purpose/ },
  };
}

test.each<Protocol>(['HTTP/1.1', 'HTTP/2'])(
  'what is spoken, and what is refused with 12175 and a cure, over %s',
  async (protocol) => {
    const ca = certificates();
    const table = await cases(ca);
    const port = await freePort();
    const names = Object.keys(table);
    const of = (name: string) => `${name}.contoso.local`;
    const proxy = await startProxy({
      iis: applicationHost({
        bindings: [`https *:${port}:${HOST}`],
        farms: names
          .map((name) => webFarm(name, { servers: [{ address: of(name), httpsPort: table[name]!.port }] }))
          .join(''),
        rules: names
          .map(
            (name) =>
              `<rule name="${name}" stopProcessing="true"><match url="^${name}$" /><action type="Rewrite" url="https://${name}/" /></rule>`,
          )
          .join(''),
      }),
      certificates: { all: [HOST] },
      settings: {
        hosts: Object.fromEntries(names.map((name) => [of(name), '127.0.0.1'])),
        upstream: { ca: 'ca.pem', allowPartialTrustChain: true },
        farms: Object.fromEntries(names.map((name) => [name, { serverName: NAME, ...table[name]!.settings }])),
      },
      files: { 'ca.pem': ca.ca },
    });
    const told = await Promise.all(
      names.map(async (name) => {
        const { status, body } = await askLane(protocol, {
          port,
          host: HOST,
          ca: authority.certPem,
          method: 'GET',
          target: `/${name}`,
          headers: [],
        });
        if (status === 200) return [name, '200', body];
        const line = proxy.logged.find(({ rule, win32 }) => rule === name && win32 !== undefined);
        return [name, `${status} ${line?.win32}`, String(line?.msg)];
      }),
    );
    expect(told).toEqual(
      names.map((name) => {
        const { told: wanted, win32 = 12175 } = table[name]!;
        const served = typeof wanted === 'string' || wanted.source.startsWith('^');
        return [name, served ? '200' : `502 ${win32}`, expect.stringMatching(wanted)];
      }),
    );
  },
);
