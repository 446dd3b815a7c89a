import { describe, expect, test } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import type { BindingConfig } from '../../src/config/model.ts';
import type { SettingsConfig } from '../../src/config/settings-model.ts';
import { openEntrances } from '../../src/decide/open-entrances.ts';
import type { CertificateData } from '../../src/tls/certificate.ts';
import { checkCertificates } from '../../src/tls/check.ts';
import type { AskedHost } from '../../src/tls/check-asked-hosts.ts';
import { createAuthority } from '../../src/tls/issue.ts';
import { certificate, codes, plainTls, settingSpan } from './material.ts';

const root = createAuthority('Test Root', { keyType: 'rsa' });
const now = Date.parse('2026-06-01T00:00:00Z');
const wide = { notBefore: new Date('2026-01-01'), notAfter: new Date('2027-01-01') };
const www = certificate(root, { names: ['www.example.com'], ...wide });
const wildcard = certificate(root, { names: ['*.example.com'], ...wide });

function binding(host: string, more: Partial<BindingConfig> = {}): BindingConfig {
  const span = { file: 'applicationHost.config', start: 100, end: 100 + host.length };
  return { span, protocol: 'https', address: '*', port: 443, host, sslFlags: 1, ...more };
}

function check(
  certificates: CertificateData[],
  bindings: BindingConfig[],
  settings: Partial<Pick<SettingsConfig, 'tls' | 'defaultCertificate'>> = {},
  asked: readonly (Omit<AskedHost, 'entrances'> & { readonly site?: string | undefined })[] = [],
): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const all = { file: settingSpan.file, tls: plainTls, defaultCertificate: undefined, ...settings };
  const sites = [{ name: 'S', bindings }];
  const entrances = openEntrances({ sites, settings: { addresses: [] } });
  const awaited = asked.map(({ site, ...each }) => ({
    ...each,
    entrances: (host?: string) => entrances(host ?? each.accepts, site),
  }));
  checkCertificates(certificates, { sites, asked: awaited }, all, reportInto(diagnostics), now);
  return diagnostics;
}

test('nothing to say', () => {
  expect(check([www, wildcard], [binding('www.example.com'), binding('*.example.com'), binding('')])).toEqual([]);
  expect(check([], [binding('www.example.com', { protocol: 'http', port: 80 })])).toEqual([]);
  expect(check([], [])).toEqual([]);
});

test.each([
  ['2026-01-01', '2026-05-31T23:59:59Z', 'LG4020', '2026-05-31'],
  ['2026-01-01', '2026-06-11', 'LG4021', 'in 10 days'],
  ['2026-01-01', '2026-06-02', 'LG4021', 'in 1 day'],
  ['2026-01-01', '2026-07-01', 'LG4021', 'in 30 days'],
  ['2026-06-02', '2027-01-01', 'LG4022', '2026-06-02'],
])('valid from %s to %s is %s', (from, to, code, text) => {
  const dated = certificate(root, { names: ['a.example.com'], notBefore: new Date(from), notAfter: new Date(to) });
  const [found, ...more] = check([dated], [binding('')]);
  expect(found).toMatchObject({ code, severity: 'warning', span: { file: dated.file, start: 0, end: 0 } });
  expect(found?.message).toContain(text);
  expect(more).toEqual([]);
});

test('31 days are enough', () => {
  const dated = certificate(root, {
    names: ['a'],
    notBefore: new Date('2026-01-01'),
    notAfter: new Date('2026-07-02'),
  });
  expect(check([dated], [])).toEqual([]);
});

test('weak keys and signatures are warnings, and OpenSSL takes them', () => {
  const short = certificate(root, { names: ['a'], ...wide, keyType: 'rsa', keyBits: 1024 });
  const sha1 = certificate(root, { names: ['a'], ...wide, digest: 'sha1' });
  expect(check([short, sha1], []).map(({ code, severity }) => [code, severity])).toEqual([
    ['LG4027', 'warning'],
    ['LG4026', 'warning'],
  ]);
});

test('a certificate that OpenSSL refuses', () => {
  const [found, ...more] = check([{ ...www, keyPem: wildcard.keyPem }], []);
  expect(found).toMatchObject({ code: 'LG4031', severity: 'error', span: { file: www.file } });
  expect(JSON.stringify(found)).not.toContain('PRIVATE');
  expect(more).toEqual([]);
});

test('ciphers that OpenSSL refuses are told once', () => {
  expect(check([www, wildcard], [], { tls: { ...plainTls, ciphers: 'NONSENSE' } })).toMatchObject([
    { code: 'LG4030', severity: 'error', span: { file: settingSpan.file } },
  ]);
});

test('a host that nobody covers is LG4023 at its binding, a wildcard LG4024', () => {
  const bindings = [binding('www.example.com'), binding('a.b.example.com'), binding('*.example.net'), binding('')];
  expect(check([www, wildcard], bindings)).toMatchObject([
    { code: 'LG4023', severity: 'error', span: bindings[1]!.span },
    { code: 'LG4024', severity: 'warning', span: bindings[2]!.span },
  ]);
});

test('a host covered by a file name only', () => {
  const named = certificate(root, { names: ['x.example.com'], ...wide }, { file: '/c/www.example.com.pfx' });
  const at = binding('www.example.com');
  expect(check([named], [at])).toMatchObject([{ code: 'LG4032', severity: 'warning', span: at.span }]);
});

test('https without any certificate is one LG4025 for all listeners of a file', () => {
  const bindings = [binding('a'), binding('b'), binding('ccc', { port: 444 }), binding('', { address: '10.0.0.1' })];
  expect(check([], bindings).map(({ code, span, message }) => [code, span, message])).toEqual([
    ['LG4025', bindings[0]!.span, 'the https binding *:443 has no certificate (and at 2 more places).'],
  ]);
});

test('certificates tied to another listener leave this one bare, and a tie to nowhere is LG4029', () => {
  const tied = { ...www, listeners: ['10.0.0.1:443', '10.0.0.2:443'] };
  const bindings = [binding('www.example.com'), binding('www.example.com', { address: '10.0.0.1' })];
  const found = check([tied], bindings);
  expect(codes(found)).toEqual(['LG4029', 'LG4025']);
  expect(found[0]?.message).toContain('10.0.0.2:443');
  expect(found[1]?.span).toEqual(bindings[0]!.span);
  const more = [...bindings, binding('www.example.com', { port: 444 })];
  expect(codes(check([tied], more))).toEqual(['LG4029', 'LG4025', 'LG4025']);
});

test('defaultCertificate', () => {
  const span = { ...settingSpan, start: 30 };
  const named = (name: string, certificates = [www, wildcard]) =>
    codes(check(certificates, [binding('')], { defaultCertificate: { name, span } }));
  expect(named('www.example.com')).toEqual([]);
  expect(named('meet.example.com')).toEqual([]);
  expect(named(wildcard.thumbprint)).toEqual([]);
  expect(named('www.example.net')).toEqual(['LG4028']);
  expect(named('www.example.com', [{ ...www, listeners: ['*:443'] }])).toEqual([]);
  const byListener = { '*:443': { name: 'www.example.com', span: settingSpan }, '*:444': { name: 'nobody', span } };
  expect(check([www], [binding('')], { defaultCertificate: { byListener } })).toMatchObject([
    { code: 'LG4028', severity: 'error', span },
  ]);
});

test('a file that was not copied is told at defaultCertificate, with all the hosts that lack it', () => {
  const defaultCertificate = { name: 'mail.example.net', span: settingSpan };
  const bindings = [binding('mail.example.net'), binding('www.example.com'), binding('owa.example.net')];
  const found = check([www], bindings, { defaultCertificate });
  expect(codes(found)).toEqual(['LG4028']);
  expect(found[0]?.message).toContain('and none covers mail.example.net, owa.example.net');
  expect(found[0]?.advice).toContain('into the certificate folder');
  // A listener that has its default is judged as ever.
  const byListener = { '*:444': defaultCertificate };
  const elsewhere = [binding('mail.example.net', { port: 444 }), binding('owa.example.net')];
  expect(codes(check([www], elsewhere, { defaultCertificate: { byListener } })).sort()).toEqual(['LG4023', 'LG4028']);
});

describe('LG4033: hosts that rules wait for behind a binding without a host', () => {
  const span = { file: 'applicationHost.config', start: 7, end: 9 };
  const asked = (pattern: string, hosts: readonly string[] | undefined, site?: string) => {
    const accepts = (host: string) => new RegExp(`^${pattern.replace('*', '.*')}$`).test(host);
    return { site, rule: 'r', pattern, span, hosts, accepts };
  };
  const found = (each: ReturnType<typeof asked>, bindings: BindingConfig[], certificates = [www]) =>
    check(certificates, bindings, {}, [each]).map(({ code, span: at }) => [code, at.start]);

  test('a name that no certificate has', () => {
    const meet = asked('meet.example.com', ['meet.example.com']);
    expect(found(meet, [binding('')])).toEqual([['LG4033', 7]]);
    expect(found(meet, [binding(''), binding('', { port: 444 })])).toEqual([['LG4033', 7]]);
    expect(found(meet, [binding('')], [wildcard])).toEqual([]);
    expect(found(meet, [binding('www.example.com')])).toEqual([]);
    expect(found(meet, [binding('', { protocol: 'http', port: 80 })])).toEqual([]);
    expect(found(asked('www.example.com', ['www.example.com', 'localhost', '10.0.0.1']), [binding('')])).toEqual([]);
  });

  test('a pattern that no certificate can fit', () => {
    expect(found(asked('meet.*', undefined), [binding('')])).toEqual([['LG4033', 7]]);
    expect(found(asked('www.*', undefined), [binding('')])).toEqual([]);
    expect(found(asked('meet.*', undefined), [binding('')], [wildcard])).toEqual([]);
  });

  test('certificates that are tied to one address each, as where each has a name of its own', () => {
    const at = (address: string, ...hosts: string[]) => hosts.map((host) => binding(host, { address }));
    const mail = certificate(root, { names: ['mail.example.com'], ...wide });
    const tied = [
      { ...www, listeners: ['10.0.0.1:443'] },
      { ...mail, listeners: ['10.0.0.2:443'] },
    ];
    const forMail = asked('mail.example.com', ['mail.example.com']);
    const forAll = asked('mail.*', undefined);
    const named = [...at('10.0.0.1', ''), ...at('10.0.0.2', 'mail.example.com')];
    expect(found(forMail, named, tied)).toEqual([]);
    expect(found(forAll, named, tied)).toEqual([]);
    expect(found(forMail, [...at('10.0.0.1', ''), ...at('10.0.0.2', '')], tied)).toEqual([]);
    expect(found(forAll, [...at('10.0.0.1', ''), ...at('10.0.0.2', '')], tied)).toEqual([]);
    // Nobody has this one, and a name at port 80 is none for https.
    const meet = asked('meet.example.com', ['meet.example.com']);
    expect(found(meet, [...named, binding('meet.example.com', { protocol: 'http', port: 80 })], tied)).toEqual([
      ['LG4033', 7],
    ]);
  });

  test('a name that no certificate has is told once, at the binding that names it', () => {
    const meet = asked('meet.example.com', ['meet.example.com']);
    const bindings = [binding('', { address: '10.0.0.1' }), binding('meet.example.com', { address: '10.0.0.2' })];
    expect(found(meet, bindings)).toEqual([['LG4023', 100]]);
    expect(found(meet, [binding('', { address: '10.0.0.1' }), binding('*.example.com')])).toEqual([['LG4024', 100]]);
  });

  test('rules of another site do not count', () => {
    const of = (site: string) => found(asked('meet.example.com', ['meet.example.com'], site), [binding('')]);
    expect([of('S'), of('T')]).toEqual([[['LG4033', 7]], []]);
  });
});
