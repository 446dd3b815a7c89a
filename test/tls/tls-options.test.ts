import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { expect, test } from 'vitest';
import type { CertificateData } from '../../src/tls/certificate.ts';
import { type CertificateStore, createCertificateStore } from '../../src/tls/certificate-store.ts';
import { createAuthority } from '../../src/tls/issue.ts';
import { tlsServerOptions } from '../../src/tls/tls-options.ts';
import { certificate, connect, folder, listen, plainTls } from './material.ts';

const root = createAuthority('Test Root');
const upper = createAuthority('Upper', { parent: root });
const issuing = createAuthority('Issuing', { parent: upper });
const exact = certificate(issuing, { names: ['www.example.com'] });
const wildcard = certificate(root, { names: ['*.example.com'] });
const first = certificate(root, { names: ['default.example.org'] });
const timeouts = {
  handshake: 10,
  header: 20,
  idle: 120,
  body: 60,
  connect: 10,
  upgradeIdle: 3600,
  drain: 30,
  hang: 30,
};
const listener = '127.0.0.1:443';

interface Choice {
  certificates?: CertificateData[];
  tls?: typeof plainTls;
  http2?: boolean;
  ticketKeys?: Buffer;
  hosts?: string[];
}

function storeOf({ certificates = [first, exact, wildcard], tls = plainTls, hosts = [] }: Choice): CertificateStore {
  return createCertificateStore(certificates, { listener, hosts, tls });
}

function optionsOf(choice: Choice): TlsOptions {
  const store = storeOf(choice);
  const { http2 = true, ticketKeys } = choice;
  return tlsServerOptions({ http2, timeouts }, { listener, store: () => store, ...(ticketKeys && { ticketKeys }) });
}

const sni = (name: string) => ['-servername', name];

test('SNI: exact, wildcard, unknown and none', async () => {
  const { port } = await listen(optionsOf({}));
  const seen = async (...args: string[]) => (await connect(port, args)).chain[0];
  expect(await seen(...sni('www.example.com'))).toBe('CN = www.example.com');
  expect(await seen(...sni('WWW.EXAMPLE.COM'))).toBe('CN = www.example.com');
  expect(await seen(...sni('www.example.com.'))).toBe('CN = www.example.com');
  expect(await seen(...sni('meet.example.com'))).toBe('CN = *.example.com');
  expect(await seen(...sni('a.meet.example.com'))).toBe('CN = default.example.org');
  expect(await seen(...sni('nobody.example.net'))).toBe('CN = default.example.org');
  expect(await seen('-noservername')).toBe('CN = default.example.org');
});

test('odd SNI never brings the listener down', async () => {
  const { port } = await listen(optionsOf({}));
  const odd = ['10.0.0.1', '::1', '../../etc/passwd', 'w ẃ.example.com', '__proto__', 'a_b', ' ', 'x'.repeat(255)];
  for (const name of odd) {
    expect((await connect(port, sni(name))).chain).toEqual(['CN = default.example.org']);
  }
  // Letters as bytes of UTF-8, which no browser sends: the name is that of its ASCII form.
  expect((await connect(port, sni('wwẃ.example.com'))).chain[0]).toBe('CN = *.example.com');
  // Longer than a host name may be: OpenSSL refuses it before we are asked.
  expect((await connect(port, sni('x'.repeat(256)))).chain).toEqual([]);
  expect((await connect(port, sni('www.example.com'))).chain[0]).toBe('CN = www.example.com');
});

test('the chain is sent leaf first, without the root, in both versions of TLS', async () => {
  const { port } = await listen(optionsOf({}));
  for (const version of ['-tls1_2', '-tls1_3']) {
    expect((await connect(port, [version, ...sni('www.example.com')])).chain).toEqual([
      'CN = www.example.com',
      'CN = Issuing',
      'CN = Upper',
    ]);
  }
});

test('two listeners with different certificates for one name', async () => {
  const outside = certificate(
    root,
    { names: ['www.example.com'], subject: [['CN', 'outside']] },
    { listeners: ['a:1'] },
  );
  const inside = certificate(root, { names: ['www.example.com'], subject: [['CN', 'inside']] }, { listeners: ['b:1'] });
  const subjectAt = async (name: string) => {
    const store = createCertificateStore([outside, inside], { listener: name, hosts: [], tls: plainTls });
    const { port } = await listen(tlsServerOptions({ http2: true, timeouts }, { listener: name, store: () => store }));
    return (await connect(port, sni('www.example.com'))).chain;
  };
  expect(await subjectAt('a:1')).toEqual(['CN = outside']);
  expect(await subjectAt('b:1')).toEqual(['CN = inside']);
});

test('RSA and EC for one name: by SNI RSA up to TLS 1.2 and what the client can do from 1.3 on', async () => {
  const rsa = certificate(root, { names: ['www.example.com'], keyType: 'rsa', subject: [['CN', 'rsa']] });
  const { port } = await listen(optionsOf({ certificates: [first, rsa, exact] }));
  const seen = async (...args: string[]) => (await connect(port, [...sni('www.example.com'), ...args])).chain[0];
  expect(await seen('-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256')).toBe('CN = rsa');
  expect(await seen('-tls1_2')).toBe('CN = rsa');
  expect(await seen('-tls1_3')).toBe('CN = www.example.com');
  expect(await seen('-tls1_3', '-sigalgs', 'rsa_pss_rsae_sha256')).toBe('CN = rsa');
  expect(await seen('-tls1_3', '-sigalgs', 'ecdsa_secp384r1_sha384:rsa_pss_rsae_sha256')).toBe('CN = rsa');
});

test('RSA and EC as the default: both are there for clients without SNI', async () => {
  const rsa = certificate(root, { names: ['www.example.com'], keyType: 'rsa', subject: [['CN', 'rsa']] });
  const { port } = await listen(optionsOf({ certificates: [rsa, exact], hosts: ['www.example.com'] }));
  const seen = async (cipher: string) =>
    (await connect(port, ['-noservername', '-tls1_2', '-cipher', cipher])).chain[0];
  expect(await seen('ECDHE-RSA-AES128-GCM-SHA256')).toBe('CN = rsa');
  expect(await seen('ECDHE-ECDSA-AES128-GCM-SHA256')).toBe('CN = www.example.com');
});

test.each(['-tls1_2', '-tls1_3'])(
  '%s: a certificate chosen by SNI is not mixed with a default of the other kind',
  async (version) => {
    const rsa = certificate(root, { names: ['rsa.example.com'], keyType: 'rsa' });
    for (const certificates of [
      [rsa, exact],
      [exact, rsa],
    ]) {
      const { port } = await listen(optionsOf({ certificates }));
      for (const name of ['rsa.example.com', 'www.example.com']) {
        expect((await connect(port, [version, ...sni(name)])).chain[0]).toBe(`CN = ${name}`);
      }
    }
  },
);

const old = ['-cipher', 'ALL@SECLEVEL=0'];

test.each(['-tls1', '-tls1_1'])(
  '%s is refused, and taken by a legacy listener with both kinds of key',
  async (version) => {
    const rsa = certificate(root, { names: ['rsa.example.com'], keyType: 'rsa' });
    const certificates = [rsa, exact];
    const modern = await listen(optionsOf({ certificates }));
    const refused = await connect(modern.port, [version, ...old]);
    expect(refused.chain).toEqual([]);
    expect(refused.text).toMatch(/alert protocol version|unsupported protocol/);

    const tls = { ...plainTls, legacyListeners: [listener] };
    const legacy = await listen(optionsOf({ certificates, tls }));
    for (const [name, subject] of [
      ['rsa.example.com', 'CN = rsa.example.com'],
      ['www.example.com', 'CN = www.example.com'],
    ] as const) {
      const seen = await connect(legacy.port, [version, ...old, ...sni(name)]);
      expect([seen.chain[0], /Protocol *: (\S+)/.exec(seen.text)?.[1]]).toEqual([
        subject,
        version === '-tls1' ? 'TLSv1' : 'TLSv1.1',
      ]);
    }
    expect((await connect(legacy.port, ['-tls1_3'])).chain[0]).toBe('CN = rsa.example.com');
  },
);

test('TLS 1.3 only', async () => {
  const { port } = await listen(optionsOf({ tls: { ...plainTls, minVersion: 'TLSv1.3' } }));
  expect((await connect(port, ['-tls1_2'])).chain).toEqual([]);
  expect((await connect(port, ['-tls1_3'])).chain).toHaveLength(1);
});

test('ciphers of the settings, and none of the old ones without them', async () => {
  const tls = { ...plainTls, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' };
  const chosen = await listen(optionsOf({ tls }));
  expect((await connect(chosen.port, ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'])).chain).toEqual([]);
  expect((await connect(chosen.port, ['-tls1_2'])).text).toContain('Cipher is ECDHE-ECDSA-AES256-GCM-SHA384');
  const rsa = certificate(root, { names: ['rsa.example.com'], keyType: 'rsa' });
  const stock = await listen(optionsOf({ certificates: [rsa] }));
  for (const cipher of ['eNULL:aNULL', '3DES:RC4:DES:EXPORT:SEED:IDEA:CAMELLIA']) {
    expect((await connect(stock.port, ['-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`])).chain).toEqual([]);
  }
});

test('weak certificates are served, by SNI and as the default', async () => {
  const rsaRoot = createAuthority('RSA Root', { keyType: 'rsa' });
  const short = certificate(rsaRoot, { names: ['short.example.com'], keyType: 'rsa', keyBits: 1024 });
  const sha1 = certificate(rsaRoot, { names: ['sha1.example.com'], keyType: 'rsa', digest: 'sha1' });
  for (const certificates of [
    [short, sha1, first],
    [first, short, sha1],
  ]) {
    const { port } = await listen(optionsOf({ certificates }));
    for (const name of ['short', 'sha1']) {
      const seen = await connect(port, [...old, ...sni(`${name}.example.com`)]);
      expect(seen.chain).toEqual([`CN = ${name}.example.com`]);
      expect(seen.protocol).toBe('TLSv1.3');
    }
    expect((await connect(port, [...old, '-noservername'])).chain).toEqual([
      certificates[0]!.subject.replace('=', ' = '),
    ]);
  }
});

test('ALPN', async () => {
  const { port } = await listen(optionsOf({}));
  expect((await connect(port, ['-alpn', 'http/1.1,h2'])).alpn).toContain('h2');
  expect((await connect(port, ['-alpn', 'http/1.1'])).alpn).toContain('http/1.1');
  const none = await connect(port, []);
  expect([none.chain.length, none.text.includes('No ALPN negotiated')]).toEqual([1, true]);
  expect((await connect(port, ['-alpn', 'http/0.9'])).text).toContain('no application protocol');
  const without = await listen(optionsOf({ http2: false }));
  expect((await connect(without.port, ['-alpn', 'h2,http/1.1'])).alpn).toContain('http/1.1');
  expect((await connect(without.port, ['-alpn', 'h2'])).text).toContain('no application protocol');
});

test('a client that asks for renegotiation does not get it', async () => {
  const { port } = await listen(optionsOf({}));
  const { text } = await connect(port, ['-tls1_2', '-legacy_renegotiation'], 'R\n');
  expect(text).toContain('RENEGOTIATING');
  expect(text).toMatch(/no renegotiation|handshake failure/);
});

test.each(['-tls1_2', '-tls1_3'])(
  '%s: a ticket of one worker is good at another, and only with the same keys',
  async (version) => {
    const ticketKeys = randomBytes(48);
    const [one, two, stranger] = [
      await listen(optionsOf({ ticketKeys })),
      await listen(optionsOf({ ticketKeys })),
      await listen(optionsOf({ ticketKeys: randomBytes(48) })),
    ];
    const session = join(folder(), 'session');
    const args = [version, ...sni('www.example.com')];
    // The ticket of TLS 1.3 comes after the handshake: wait for the answer.
    const began = await connect(one.port, [...args, '-sess_out', session, '-ign_eof'], 'hello\n');
    expect(began.text).toContain('New, TLSv1');
    const resumed = async (port: number) =>
      (await connect(port, [...args, '-sess_in', session, '-ign_eof'], 'hello\n')).text.includes('\nReused, TLSv1');
    expect(await resumed(stranger.port)).toBe(false);
    expect(await resumed(two.port)).toBe(true);
  },
);

test('a reload takes effect for clients with and without SNI', async () => {
  let store = storeOf({ certificates: [first, exact] });
  const options = tlsServerOptions({ http2: true, timeouts }, { listener, store: () => store });
  const { port, listener: opened } = await listen(options);
  const seen = async () => [
    (await connect(port, ['-noservername'])).chain[0],
    (await connect(port, sni('www.example.com'))).chain[0],
  ];
  expect(await seen()).toEqual(['CN = default.example.org', 'CN = www.example.com']);
  store = storeOf({ certificates: [wildcard] });
  opened.setSecureContext(tlsServerOptions({ http2: true, timeouts }, { listener, store: () => store }));
  expect(await seen()).toEqual(['CN = *.example.com', 'CN = *.example.com']);
});

test('the handshake time-out is that of the settings', () => {
  expect(optionsOf({})).toMatchObject({ handshakeTimeout: 10_000, honorCipherOrder: true });
});
