import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import { folder, openssl, put } from './material.ts';

const root = createAuthority('Test Root');
const issuing = createAuthority('Test Issuing', { parent: root });
const rsaRoot = createAuthority('RSA Root', { keyType: 'rsa' });

test.each(['ec', 'rsa'] as const)('openssl verifies an %s certificate below an intermediate', (keyType) => {
  const path = folder();
  const { certPem } = issueCertificate(issuing, { names: ['www.example.com', '*.example.com', '10.0.0.1'], keyType });
  const files = [
    put(path, 'root.pem', root.certPem),
    put(path, 'chain.pem', issuing.certPem),
    put(path, 'leaf.pem', certPem),
  ];
  const verify = (...args: string[]) =>
    openssl(
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-CAfile',
      files[0]!,
      '-untrusted',
      files[1]!,
      ...args,
      files[2]!,
    );
  expect(verify('-verify_hostname', 'meet.example.com').toString()).toBe(`${files[2]}: OK\n`);
  expect(verify('-verify_ip', '10.0.0.1').toString()).toBe(`${files[2]}: OK\n`);
  expect(() => verify('-verify_hostname', 'example.org')).toThrow();
});

test('an RSA authority signs with the digest asked for', () => {
  const path = folder();
  for (const [digest, text] of [
    ['sha1', 'sha1WithRSAEncryption'],
    ['sha256', 'sha256WithRSAEncryption'],
    ['sha512', 'sha512WithRSAEncryption'],
  ] as const) {
    const leaf = put(path, `${digest}.pem`, issueCertificate(rsaRoot, { names: ['a.example.com'], digest }).certPem);
    expect(openssl('x509', '-in', leaf, '-noout', '-text').toString()).toContain(`Signature Algorithm: ${text}`);
  }
});

test('the chain is leaf, then intermediates, without the root', () => {
  const deeper = createAuthority('Deeper', { parent: issuing });
  const { chainPem, certPem } = issueCertificate(deeper, { names: ['a.example.com'] });
  expect(chainPem).toBe(certPem + deeper.certPem + issuing.certPem);
});

test('dates on both sides of 2050, a subject of several parts, IPv6 and two certificates with different serials', () => {
  const path = folder();
  const request = {
    names: ['a.example.com', '2001:db8::1', '::'],
    notBefore: new Date('2020-01-02T03:04:05Z'),
    notAfter: new Date('2051-06-07T08:09:10Z'),
    subject: [
      ['C', 'NO'],
      ['O', 'Ørsta, Inc'],
      ['CN', 'a.example.com'],
    ],
  } as const;
  const [first, second] = [issueCertificate(root, request), issueCertificate(root, request)].map(
    ({ certPem }) => new X509Certificate(certPem),
  );
  expect(first!.validFromDate).toEqual(request.notBefore);
  expect(first!.validToDate).toEqual(request.notAfter);
  expect(first!.subjectAltName).toBe('DNS:a.example.com, IP Address:2001:DB8:0:0:0:0:0:1, IP Address:0:0:0:0:0:0:0:0');
  expect(first!.serialNumber).not.toBe(second!.serialNumber);
  const file = put(path, 'a.pem', first!.toString());
  expect(openssl('x509', '-in', join(file), '-noout', '-subject', '-nameopt', 'utf8,sep_comma_plus').toString()).toBe(
    'subject=C=NO,O=Ørsta, Inc,CN=a.example.com\n',
  );
});
