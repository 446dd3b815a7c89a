import { expect, test } from 'vitest';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import { certificate, folder, openssl, put, read } from './material.ts';

const root = createAuthority('Test Root', {
  subject: [
    ['DC', 'no'],
    ['DC', 'corp'],
    ['CN', 'Some-CA'],
  ],
});

test('everything about a certificate, and nothing that structured clone would lose', () => {
  const notBefore = new Date('2026-01-02T03:04:05Z');
  const notAfter = new Date('2027-01-02T03:04:05Z');
  const request = { names: ['WWW.Example.com', '*.example.com', '10.0.0.1', '2001:db8::1', 'www.example.com'] };
  const data = certificate(
    root,
    { ...request, notBefore, notAfter, keyType: 'rsa', digest: 'sha384' },
    { file: '/x.pfx' },
  );
  const pem = put(folder(), 'a.pem', data.certPem);
  const print = (kind: string) =>
    openssl('x509', '-in', pem, '-noout', '-fingerprint', kind).toString().trim().split('=')[1]!.replaceAll(':', '');
  expect(data).toMatchObject({
    thumbprint: print('-sha1'),
    sha256: print('-sha256'),
    names: ['www.example.com', '*.example.com', '10.0.0.1', '2001:db8::1'],
    notBefore: notBefore.getTime(),
    notAfter: notAfter.getTime(),
    keyType: 'rsa',
    keyBits: 2048,
    signatureDigest: 'sha384',
    subject: 'CN=WWW.Example.com',
    issuer: 'DC=no, DC=corp, CN=Some-CA',
    file: '/x.pfx',
  });
  expect(structuredClone(data)).toEqual(data);
  expect(JSON.parse(JSON.stringify(data))).toEqual(data);
});

test('an EC key and its bits', () => {
  expect(certificate(root, { names: ['a.example.com'] })).toMatchObject({
    keyType: 'ec',
    keyBits: 256,
    signatureDigest: 'sha256',
  });
});

test.each([
  [['CN', 'Plain.Example.com'], ['plain.example.com']],
  [['CN', '*.example.com'], ['*.example.com']],
  [['CN', 'Contoso Web Server'], []],
  [['O', 'only'], []],
] as const)('without alternative names, %j gives %j', (attribute, names) => {
  expect(certificate(root, { names: [], subject: [attribute] }).names).toEqual(names);
});

test('with alternative names the common name does not count', () => {
  const subject = [['CN', 'cn.example.com']] as const;
  expect(certificate(root, { names: ['san.example.com'], subject }).names).toEqual(['san.example.com']);
});

test.each([
  ['a.example.com, DNS:evil.example.com', []],
  ['a b', []],
  ['__proto__', ['__proto__']],
])('an odd alternative name %j gives %j', (name, names) => {
  expect(certificate(root, { names: [name], subject: [['O', 'x']] }).names).toEqual(names);
});

test.each([
  [
    [
      ['C', 'NO'],
      ['L', 'Town'],
      ['O', 'Org'],
      ['OU', 'Unit'],
      ['CN', 'abc.xyz.com'],
    ],
    'C=NO, L=Town, O=Org, OU=Unit, CN=abc.xyz.com',
  ],
  [
    [
      ['S', 'Washington'],
      ['E', 'a@b.c'],
      ['CN', 'x'],
    ],
    'S=Washington, E=a@b.c, CN=x',
  ],
  [
    [
      ['O', 'Contoso, Inc. "B"'],
      ['CN', 'x'],
    ],
    'O="Contoso, Inc. ""B""", CN=x',
  ],
  [
    [
      ['L', 'Ørsta'],
      ['CN', 'x'],
    ],
    'L=\\C3\\98rsta, CN=x',
  ],
  [
    [
      ['O', 'a|b\r\nX: y'],
      ['CN', 'x'],
    ],
    'O=a\\7Cb\\0D\\0AX: y, CN=x',
  ],
  [
    [
      ['1.3.6.1.4.1.311.60.2.1.3', 'NO'],
      ['CN', 'x'],
    ],
    'OID.1.3.6.1.4.1.311.60.2.1.3=NO, CN=x',
  ],
] as [[string, string][], string][])('subject %j is %j', (subject, expected) => {
  expect(certificate(root, { names: ['x'], subject }).subject).toBe(expected);
});

test('a BMPString, as old authorities wrote it', () => {
  const path = folder();
  const config = put(
    path,
    'c.cnf',
    '[req]\nstring_mask=pkix\ndistinguished_name=d\nprompt=no\nutf8=yes\n[d]\nO=Łódź\nCN=bmp.example.com\n',
  );
  const args = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${path}/a.key`];
  openssl('req', '-x509', '-config', config, ...args, '-out', `${path}/a.crt`);
  expect(openssl('asn1parse', '-in', `${path}/a.crt`).toString()).toContain('BMPSTRING');
  expect(read(path).certificates).toMatchObject([
    { subject: 'O=\\C5\\81\\C3\\B3d\\C5\\BA, CN=bmp.example.com', names: ['bmp.example.com'] },
  ]);
});

test('issued certificates come in any order of the attributes given', () => {
  const { certPem } = issueCertificate(root, {
    names: ['x'],
    subject: [
      ['CN', 'x'],
      ['C', 'NO'],
    ],
  });
  const path = folder();
  put(path, 'a.crt', certPem);
  expect(read(path).diagnostics[0]?.message).toContain('CN=x, C=NO');
});
