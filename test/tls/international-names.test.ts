/** International names of certificates, their files and those who ask for them. */
import { expect, test } from 'vitest';
import { createCertificateStore } from '../../src/tls/certificate-store.ts';
import { createAuthority } from '../../src/tls/issue.ts';
import { certificate, plainTls } from './material.ts';

const root = createAuthority('Test Root');
const first = certificate(root, { names: ['default.test'] });
const exact = certificate(root, { names: ['xn--bcher-kva.test'] });
const wildcard = certificate(root, { names: ['*.xn--gre-6ka8i.test'] });

/** As Node hands on an SNI name: each character one byte. */
const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const store = (more: object = {}) =>
  createCertificateStore([first, exact, wildcard], { listener: '*:443', hosts: [], tls: plainTls, ...more });

test.each([
  ['xn--bcher-kva.test', exact],
  ['XN--BCHER-KVA.TEST.', exact],
  [bytes('bücher.test'), exact],
  [bytes('BÜCHER.test'), exact],
  [bytes('bu\u0308cher.test'), exact],
  [bytes('bücher．test'), exact],
  ['xn--4ca.xn--gre-6ka8i.test', wildcard],
  [bytes('ä.größe.test'), wildcard],
  [bytes('größe.test'), first],
  ['b\xfccher.test', first],
  [bytes('bücher.test\0'), first],
  [bytes('bücher.test/'), first],
  [bytes('１２７.0.0.1'), first],
])('SNI %j', (name, expected) => {
  expect(store().certificateFor(name)).toBe(expected);
});

test.each(['bücher.test', 'Bücher.Test', 'xn--bcher-kva.test'])('defaultCertificate %s', (name) => {
  const defaultCertificate = { name, span: { file: 's', start: 0, end: 0 } };
  expect(store({ defaultCertificate }).certificateFor()).toBe(exact);
});

test.each([
  ['bücher.contoso.com.pfx', 'xn--bcher-kva.contoso.com'],
  ['BÜCHER.contoso.com.PFX', 'xn--bcher-kva.contoso.com'],
  // As file systems of macOS write it.
  ['bu\u0308cher.contoso.com.pfx', 'xn--bcher-kva.contoso.com'],
  ['_.größe.contoso.com.pfx', '*.xn--gre-6ka8i.contoso.com'],
  ['xn--bcher-kva.contoso.com.pfx', 'xn--bcher-kva.contoso.com'],
  ['bü cher.contoso.com.pfx', undefined],
  ['bücher.pfx', undefined],
])('the file name %s stands for %s', (file, storeName) => {
  expect(certificate(root, { names: ['x.test'] }, { file: `/certs/${file}` }).storeName).toBe(storeName);
});

test.each([
  ['bücher.test', ['xn--bcher-kva.test']],
  ['*.Größe.test', ['*.xn--gre-6ka8i.test']],
  ['xn--bcher-kva.test', ['xn--bcher-kva.test']],
  ['Bücher GmbH', []],
])('a certificate without alternative names, with the subject %s', (commonName, names) => {
  expect(certificate(root, { names: [], subject: [['CN', commonName]] }).names).toEqual(names);
});
