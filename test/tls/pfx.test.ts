import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import forge from 'node-forge';
import { expect, test } from 'vitest';
import { at, childrenOf, der, octetsOf, readElement, TAG } from '../../src/tls/der.ts';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import { readPfx } from '../../src/tls/pfx.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { codes, exportPfx, folder, put, read } from './material.ts';

const root = createAuthority('Test Root');
const authority = createAuthority('Test Issuing', { parent: root });
const rsa = issueCertificate(authority, { names: ['www.example.com'], keyType: 'rsa' });
const ec = issueCertificate(authority, { names: ['www.example.com'] });
const morePem = authority.intermediatesPem + root.certPem;

const protections: [string, string[]][] = [
  [
    'old Windows, 3DES and RC2-40',
    ['-legacy', '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-RC2-40', '-macalg', 'sha1'],
  ],
  ['3DES for both', ['-legacy', '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
  ['two-key 3DES and RC2-128', ['-legacy', '-keypbe', 'PBE-SHA1-2DES', '-certpbe', 'PBE-SHA1-RC2-128']],
  ['today: AES-256 with SHA-256', []],
  ['AES-128 with a SHA-512 MAC', ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC', '-macalg', 'sha512']],
  ['AES-192 with a SHA-384 MAC', ['-keypbe', 'AES-192-CBC', '-certpbe', 'AES-192-CBC', '-macalg', 'sha384']],
  ['certificates in the clear', ['-certpbe', 'NONE']],
  ['nothing encrypted', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
  ['no MAC', ['-nomac']],
  ['old Windows, no MAC', ['-legacy', '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-RC2-40', '-nomac']],
  ['many rounds', ['-iter', '20000']],
  ['one round', ['-noiter', '-nomaciter']],
];

for (const [name, args] of protections) {
  for (const [kind, issued] of [
    ['RSA', rsa],
    ['EC', ec],
  ] as const) {
    test(`${name}, ${kind} key`, () => {
      const certs = folder();
      exportPfx(join(certs, 'a.pfx'), { ...issued, morePem }, '-passout', 'pass:secret', ...args);
      put(certs, 'a.pfx.pass', 'secret\n');
      const { certificates, diagnostics } = read(certs);
      expect(codes(diagnostics)).toEqual([]);
      expect(certificates.map(({ keyPem, certPem, names }) => [keyPem, certPem, names])).toEqual([
        [issued.keyPem, issued.chainPem, ['www.example.com']],
      ]);
    });
  }
}

test.each([
  ['modern', []],
  ['old Windows', ['-legacy', '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-RC2-40']],
])('empty password without a .pass file, %s', (_, args) => {
  const certs = folder();
  exportPfx(join(certs, 'a.p12'), ec, '-passout', 'pass:', ...args);
  put(certs, 'issuing.cer', authority.certPem);
  const { certificates, diagnostics } = read(certs);
  expect(codes(diagnostics)).toEqual([]);
  expect(certificates.map(({ keyPem }) => keyPem)).toEqual([ec.keyPem]);
});

test('absent password, which is another one than the empty', () => {
  const asn1 = forge.pkcs12.toPkcs12Asn1(
    forge.pki.privateKeyFromPem(rsa.keyPem),
    [forge.pki.certificateFromPem(issueRsaSigned())],
    null,
  );
  const bytes = Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
  expect(readPfx(bytes, [''])).toBe('password');
  const contents = readPfx(bytes, ['', null]);
  expect(contents).toMatchObject({ keys: [{ asymmetricKeyType: 'rsa' }], certificates: [expect.anything()] });
});

/** node-forge reads certificates signed with RSA only. */
function issueRsaSigned(): string {
  return issueCertificate(createAuthority('RSA Root', { keyType: 'rsa' }), { names: ['a.example.com'], keyType: 'rsa' })
    .certPem;
}

test.each(['Grüße €', 'a b"c\\d', 'x'.repeat(64)])('password %j', (password) => {
  for (const args of [[], ['-legacy', '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-RC2-40']]) {
    const certs = folder();
    put(certs, 'a.pfx.pass', `${password}\r\n`);
    const path = exportPfx(join(certs, 'a.pfx'), { ...ec, morePem }, '-passout', `pass:${password}`, ...args);
    expect(codes(read(path).diagnostics)).toEqual([]);
    expect(read(certs).certificates).toHaveLength(1);
  }
});

test('a wrong password is LG4003 at the file, which names the .pass file', () => {
  const certs = folder();
  const path = exportPfx(join(certs, 'a.pfx'), ec, '-passout', 'pass:right');
  put(certs, 'a.pfx.pass', 'wrong');
  const { certificates, diagnostics } = read(certs);
  expect(certificates).toEqual([]);
  expect(diagnostics).toMatchObject([{ code: 'LG4003', severity: 'error', span: { file: path, start: 0, end: 0 } }]);
  expect(diagnostics[0]?.message).toContain(`${path}.pass`);
  expect(JSON.stringify(diagnostics)).not.toContain('wrong"');
});

test('a missing password is LG4003 too', () => {
  const certs = folder();
  for (const [name, args] of [
    ['a', []],
    ['b', ['-nomac']],
  ] as const) {
    exportPfx(join(certs, `${name}.pfx`), rsa, '-passout', 'pass:right', ...args);
  }
  expect(codes(read(certs).diagnostics)).toEqual(['LG4003', 'LG4003']);
});

test('an export without the key is LG4004, one without a certificate LG4009', () => {
  const [keyless, bare] = [folder(), folder()];
  const first = exportPfx(join(keyless, 'a.pfx'), ec, '-nokeys', '-passout', 'pass:');
  const second = exportPfx(join(bare, 'b.pfx'), ec, '-nocerts', '-passout', 'pass:');
  const { diagnostics } = read(keyless, bare);
  expect(diagnostics.map(({ code, span }) => [code, span.file])).toEqual([
    ['LG4009', second],
    ['LG4004', first],
  ]);
});

test('BER as Windows writes it: lengths left open, the content in pieces', () => {
  const certs = folder();
  const whole = readFileSync(exportPfx(join(certs, 'a.pfx'), ec, '-passout', 'pass:x'));
  const [version, authSafe, mac] = childrenOf(readElement(whole));
  const content = octetsOf(at(authSafe, 1, 0));
  const open = (tag: number, ...parts: Buffer[]) =>
    Buffer.concat([Buffer.from([tag, 0x80]), ...parts, Buffer.alloc(2)]);
  const pieces = [content.subarray(0, 100), content.subarray(100)].map((piece) => der(TAG.octetString, piece));
  const type = at(authSafe, 0)!.bytes;
  const bytes = open(0x30, version!.bytes, open(0x30, type, open(0xa0, open(0x24, ...pieces))), mac!.bytes);
  expect(readPfx(bytes, ['x'])).toMatchObject({ keys: [{ asymmetricKeyType: 'ec' }] });
  expect(readPfx(bytes.subarray(0, -1), ['x'])).toBe('damaged');
});

test('a key of another certificate is LG4005', () => {
  const certs = folder();
  const other = issueCertificate(authority, { names: ['other.example.com'] });
  const text = exportPfx(
    join(certs, 'x.pfx'),
    ec,
    '-passout',
    'pass:',
    '-keypbe',
    'NONE',
    '-certpbe',
    'NONE',
    '-nomac',
  );
  const swapped = readFileSync(text);
  const [ours, theirs] = [ec, other].map(({ keyPem }) =>
    Buffer.from(keyPem.split('\n').slice(1, -2).join(''), 'base64'),
  );
  const at = swapped.indexOf(ours!);
  expect(at).toBeGreaterThan(0);
  theirs!.copy(swapped, at);
  const folder2 = folder();
  const path = put(folder2, 'x.pfx', swapped);
  const { diagnostics } = read(folder2);
  expect(diagnostics).toMatchObject([{ code: 'LG4005', span: { file: path } }]);
});

test('damaged files are LG4002 and never throw', () => {
  const certs = folder();
  const whole = readFileSync(exportPfx(join(certs, 'a.pfx'), ec, '-passout', 'pass:'));
  const broken = folder();
  put(broken, 'cut.pfx', whole.subarray(0, whole.length - 1));
  put(broken, 'empty.pfx', '');
  put(broken, 'pem.pfx', ec.certPem);
  put(broken, 'zero.pfx', Buffer.alloc(200));
  expect(codes(read(broken).diagnostics)).toEqual(['LG4002', 'LG4002', 'LG4002', 'LG4002']);
});

test('a PFX with any byte changed is read or refused, never thrown at', () => {
  const certs = folder();
  const whole = readFileSync(exportPfx(join(certs, 'a.pfx'), ec, '-passout', 'pass:', '-iter', '1'));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (position, octet, length) => {
      const bytes = Buffer.from(whole);
      bytes[position] = octet;
      for (const candidate of [bytes, bytes.subarray(0, length)]) {
        const result = readPfx(candidate, ['', null]);
        expect(typeof result === 'string' ? ['damaged', 'password', 'unsupported'] : ['read']).toContain(
          typeof result === 'string' ? result : 'read',
        );
      }
    }),
    { numRuns: runs(300) },
  );
});
