import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { StartError } from '../../src/errors.ts';
import { createCertificateStore } from '../../src/tls/certificate-store.ts';
import { createAuthority } from '../../src/tls/issue.ts';
import { fc } from '../properties.ts';
import { certificate, plainTls } from './material.ts';

const root = createAuthority('Test Root');
const make = (...names: string[]) => certificate(root, { names });
const exact = make('www.example.com', 'mail.example.com');
const wildcard = make('*.example.com', '*.lab.example.com');
const first = make('default.example.org');
const options = { listener: '*:443', hosts: [] as string[], tls: plainTls };

test.each([
  ['www.example.com', exact],
  ['WWW.Example.COM', exact],
  ['www.example.com.', exact],
  ['mail.example.com', exact],
  ['meet.example.com', wildcard],
  ['x.lab.example.com', wildcard],
  ['lab.example.com', wildcard],
  ['a.b.example.com', first],
  ['example.com', first],
  ['.example.com', first],
  ['unknown.example.net', first],
  ['10.0.0.1', first],
  ['__proto__', first],
  ['constructor', first],
  ['', first],
  ['.', first],
  ['www.example.com\0', first],
  ['../www.example.com', first],
  ['www.exam\u212Ale.com', first],
  ['wwẃ.example.com', first],
  [`${'a'.repeat(300)}.example.com`, first],
  [undefined, first],
])('the name %j', (name, expected) => {
  const store = createCertificateStore([first, exact, wildcard], options);
  expect(store.certificateFor(name)).toBe(expected);
});

test('the SNI callback never throws, whatever it is asked', () => {
  const store = createCertificateStore([exact, wildcard], options);
  const ask = (name: string) => {
    const answers: [Error | null, SecureContext | undefined][] = [];
    store.sniCallback(name, (error, context) => answers.push([error, context]));
    return answers;
  };
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.domain(), fc.ipV6()), (name) => {
      expect(ask(name)).toEqual([[null, store.secureContextFor(name)]]);
    }),
  );
});

test('a certificate that OpenSSL refuses leaves its names with the default', () => {
  const broken = { ...exact, keyPem: wildcard.keyPem };
  const store = createCertificateStore([wildcard, broken], options);
  expect(() => createSecureContext({ cert: broken.certPem, key: broken.keyPem })).toThrow();
  expect(store.secureContextFor('www.example.com')).toBe(store.secureContextFor());
});

test('one context for each certificate, however many names it has', () => {
  const many = make(...Array.from({ length: 150 }, (_, index) => `h${index}.example.com`), 'WWW.example.com');
  const store = createCertificateStore([first, many, wildcard], options);
  const contexts = new Set(Array.from({ length: 150 }, (_, index) => store.secureContextFor(`H${index}.example.com`)));
  expect(contexts.size).toBe(1);
  expect(store.secureContextFor('www.example.com')).toBe([...contexts][0]);
  expect(store.secureContextFor('h150.example.com')).not.toBe([...contexts][0]);
});

test('certificates tied to a listener win there and are not used elsewhere', () => {
  const inside = certificate(root, { names: ['*.example.com'] }, { listeners: ['10.0.0.1:443', '[2001:DB8::1]:443'] });
  const store = (listener: string) => createCertificateStore([exact, inside], { ...options, listener });
  expect(store('10.0.0.1:443').certificateFor('www.example.com')).toBe(inside);
  expect(store('10.0.0.1:443').certificateFor()).toBe(inside);
  expect(store('2001:db8::1:443').certificateFor('www.example.com')).toBe(inside);
  expect(store('10.0.0.1:444').certificateFor('www.example.com')).toBe(exact);
  expect(store('*:443').certificateFor('meet.example.com')).toBe(exact);
});

test('the default: setting by name or thumbprint, then a binding host in their order, then the first', () => {
  const all = [first, exact, wildcard];
  const span = { file: 's', start: 0, end: 1 };
  const defaultOf = (more: Partial<Parameters<typeof createCertificateStore>[1]>) =>
    createCertificateStore(all, { ...options, ...more }).certificateFor();
  expect(defaultOf({})).toBe(first);
  expect(defaultOf({ hosts: ['nobody.example.net', '*.example.com', 'www.example.com'] })).toBe(wildcard);
  expect(defaultOf({ hosts: ['www.example.com'] })).toBe(exact);
  const named = (name: string) => defaultOf({ hosts: ['www.example.com'], defaultCertificate: { name, span } });
  expect(named('*.EXAMPLE.com')).toBe(wildcard);
  expect(named('x.example.com')).toBe(wildcard);
  expect(named(wildcard.thumbprint.toLowerCase())).toBe(wildcard);
  expect(named(`\u200e${wildcard.thumbprint.toLowerCase().replace(/../g, '$& ')}`)).toBe(wildcard);
  expect(named(wildcard.sha256)).toBe(wildcard);
  expect(named('nothing.example.net')).toBe(exact);
  const byListener = { '0.0.0.0:443': { name: 'x.example.com', span }, '*:444': { name: 'mail.example.com', span } };
  expect(defaultOf({ defaultCertificate: { byListener } })).toBe(wildcard);
});

test('a renewed certificate beside the old one, and one that is not valid yet', () => {
  const at = (from: string, to: string) =>
    certificate(root, { names: ['www.example.com'], notBefore: new Date(from), notAfter: new Date(to) });
  const [old, current, longer, future] = [
    at('2020-01-01', '2021-01-01'),
    at('2026-01-01', '2026-06-01'),
    at('2026-01-01', '2026-12-01'),
    at('2027-01-01', '2029-01-01'),
  ];
  const chosen = (now: string) =>
    createCertificateStore([old, current, longer, future], { ...options, now: Date.parse(now) });
  expect(chosen('2026-03-01').certificateFor('www.example.com')).toBe(longer);
  expect(chosen('2020-03-01').certificateFor('www.example.com')).toBe(old);
  expect(chosen('2020-03-01').certificateFor()).toBe(old);
  expect(chosen('2028-03-01').certificateFor()).toBe(future);
});

test('file names of a Central Certificate Store: decide between equals, and serve where no certificate covers the name', () => {
  const named = certificate(root, { names: ['www.example.com'] }, { file: '/c/www.example.com.pfx' });
  const other = certificate(root, { names: ['cn.example.net'] }, { file: '/c/old.example.com.pfx' });
  const wild = certificate(root, { names: ['cn.example.net'] }, { file: '/c/_.example.com.pfx' });
  const store = createCertificateStore([exact, named, other, wild], options);
  expect(store.certificateFor('www.example.com')).toBe(named);
  expect(store.certificateFor('mail.example.com')).toBe(exact);
  expect(store.certificateFor('old.example.com')).toBe(other);
  expect(store.certificateFor('x.example.com')).toBe(wild);
});

test('RSA and EC for one name share a context, an expired one of them does not', () => {
  const rsa = certificate(root, { names: ['www.example.com'], keyType: 'rsa' });
  const both = createCertificateStore([exact, rsa], options);
  expect(both.defaultOptions.cert).toEqual([exact.certPem]);
  const byHost = createCertificateStore([exact, rsa], { ...options, hosts: ['www.example.com'] });
  expect(byHost.defaultOptions.cert.map((pem) => new X509Certificate(pem).publicKey.asymmetricKeyType).sort()).toEqual([
    'ec',
    'rsa',
  ]);
  const expired = { ...rsa, notAfter: Date.now() - 1 };
  const one = createCertificateStore([exact, expired], { ...options, hosts: ['www.example.com'] });
  expect(one.defaultOptions.cert).toEqual([exact.certPem]);
});

test('a listener without any certificate cannot start', () => {
  expect(() => createCertificateStore([], options)).toThrow(StartError);
});
