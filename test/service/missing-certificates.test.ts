/** What the check of a whole folder tells where a certificate is missing, or only seems to be. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../src/config/diagnostic.ts';
import { checkConfig } from '../../src/service/check-config.ts';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import { writeFiles } from '../config/written.ts';
import { folder, put } from '../tls/material.ts';

const root = createAuthority('Test Root');
const mail = issueCertificate(root, { names: ['mail.contoso.com', 'autodiscover.contoso.com'] });
const web = issueCertificate(root, { names: ['web.contoso.com', 'shop.contoso.com'] });

const FOR_MAIL = { 'certs/mail.crt': mail.chainPem, 'certs/mail.key': mail.keyPem };
const FOR_WEB = { 'certs/web.crt': web.chainPem, 'certs/web.key': web.keyPem };

/** @param pattern of the rule that leads to the farm "web.contoso.com", in a site whose binding takes any host */
function hostFile(pattern: string, { syntax = 'ECMAScript', binding = 'mail.contoso.com' } = {}): string {
  return `<configuration><system.applicationHost><sites>
<site name="Web" id="1"><bindings><binding protocol="https" bindingInformation="10.0.0.1:443:" /></bindings></site>
<site name="Mail" id="2"><bindings><binding protocol="https" bindingInformation="10.0.0.2:443:${binding}" /></bindings></site>
</sites></system.applicationHost><system.webServer><proxy enabled="true" /><rewrite><globalRules>
<rule name="web" patternSyntax="${syntax}" stopProcessing="true"><match url="${syntax === 'Wildcard' ? '*' : '.*'}" />
<conditions><add input="{HTTP_HOST}" pattern="${pattern}" /></conditions>
<action type="Rewrite" url="http://web.contoso.com/{R:0}" /></rule>
</globalRules></rewrite></system.webServer>
<webFarms><webFarm name="web.contoso.com"><server address="10.0.0.20" /></webFarm></webFarms></configuration>`;
}

/** LG4008: the root of the tests is in no folder. */
function checked(iis: string, files: Readonly<Record<string, string>>, settings: object = {}): readonly Diagnostic[] {
  const base = writeFiles({
    'config/applicationHost.config': iis,
    'config/settings.json': JSON.stringify({
      certificates: ['../certs'],
      addresses: { '10.0.0.1': '127.0.0.1', '10.0.0.2': '127.0.0.2' },
      ...settings,
    }),
    ...files,
  });
  const { diagnostics } = checkConfig(join(base, 'config'));
  return diagnostics.filter(({ code }) => code !== 'LG4008');
}

function codes(...given: Parameters<typeof checked>): string[] {
  return checked(...given).map(({ code }) => code);
}

describe('what rules wait for', () => {
  test('one certificate tied to each address is sound', () => {
    const tied = (name: string, address: string) => ({
      cert: `../certs/${name}.crt`,
      key: `../certs/${name}.key`,
      listeners: [`${address}:443`],
    });
    const certificates = [tied('web', '10.0.0.1'), tied('mail', '10.0.0.2')];
    const files = { ...FOR_MAIL, ...FOR_WEB };
    expect(codes(hostFile('^(mail|web)\\.contoso\\.com$'), files, { certificates })).toEqual([]);
    expect(codes(hostFile('^(meet|web)\\.contoso\\.com$'), files, { certificates })).toEqual(['LG4033']);
  });

  test.each([
    ['https://web.contoso.com', 'Wildcard', 'web.contoso.com'],
    ['web.contoso.com ', 'Wildcard', 'web.contoso.com'],
    ['web.contoso.com/*', 'Wildcard', 'web.contoso.com'],
    ['http://meet.contoso.com/', 'Wildcard', 'meet.contoso.com'],
    ['^https://web\\.contoso\\.com$', 'ECMAScript', '^web\\.contoso\\.com$'],
    ['^web\\.contoso\\.com/$', 'ECMAScript', '^web\\.contoso\\.com$'],
  ])('a URL in place of a host is told as that, and no certificate is wanted for it: %s', (pattern, syntax, meant) => {
    const found = checked(hostFile(pattern, { syntax }), { ...FOR_MAIL, ...FOR_WEB });
    expect(found.map(({ code, advice }) => [code, advice])).toEqual([['LG2304', `Write "${meant}".`]]);
  });

  test.each([
    ['web.contoso.com', 'Wildcard'],
    ['*.contoso.com', 'Wildcard'],
    ['web.contoso.com:443', 'Wildcard'],
    ['^web\\.contoso\\.com(:443)?$', 'ECMAScript'],
    ['^(?:web|shop)\\.contoso\\.com\\.?$', 'ECMAScript'],
    ['^(?:web\\.contoso\\.com)?$', 'ECMAScript'],
    ['.*', 'ECMAScript'],
  ])('a pattern that takes hosts is sound: %s', (pattern, syntax) => {
    expect(codes(hostFile(pattern, { syntax }), { ...FOR_MAIL, ...FOR_WEB })).toEqual([]);
  });

  test('an expression as a wildcard is told once', () => {
    const iis = hostFile('^web\\.contoso\\.com$', { syntax: 'Wildcard' });
    expect(codes(iis, { ...FOR_MAIL, ...FOR_WEB })).toEqual(['LG2203']);
  });

  test.each([
    ['mial.contoso.com', 'mail.contoso.com'],
    ['web.contosa.com', 'web.contoso.com'],
    ['webcontoso.com', 'web.contoso.com'],
    ['wéb.contoso.com', 'web.contoso.com'],
    ['web2.contoso.com', undefined],
    ['meet.contoso.com', undefined],
  ])('a pattern near a known name: %s', (pattern, meant) => {
    const found = checked(hostFile(pattern, { syntax: 'Wildcard' }), { ...FOR_MAIL, ...FOR_WEB });
    const [only] = found.filter(({ code }) => code !== 'LG2207');
    expect(only?.code).toBe('LG4033');
    expect(only?.advice).toMatch(
      meant === undefined ? /^Put/ : `Did you mean ${meant}? Then write that. Put a certificate`,
    );
  });

  test('a binding near the name of a certificate that no binding has', () => {
    const all = { ...FOR_MAIL, ...FOR_WEB };
    const cure = (binding: string) =>
      checked(hostFile('web.contoso.com', { syntax: 'Wildcard', binding }), all).find(({ code }) => code === 'LG4023')
        ?.advice;
    expect(cure('mial.contoso.com')).toMatch(
      /^Did you mean mail\.contoso\.com\? Then write that\. Put a certificate that has mial/,
    );
    expect(cure('autodisover.contoso.com')).toMatch(/^Did you mean autodiscover\.contoso\.com\?/);
    expect(cure('mail1.contoso.com')).toMatch(/^Put a certificate/);
    expect(cure('portal.contoso.com')).toMatch(/^Put a certificate/);
  });

  test.each([
    '^(web\\.contoso\\.com$',
    '^web\\.contoso\\.[com$',
    '(?&lt;!x)web\\.contoso\\.com$',
    '*.contoso.com',
    '^web\\.contoso\\.com)$',
    '^web{3,2}\\.contoso\\.com$',
  ])('a pattern that cannot be read takes no host: %s', (pattern) => {
    expect(codes(hostFile(pattern), { ...FOR_MAIL, ...FOR_WEB })).toEqual(['LG2200']);
  });
});

describe('a certificate that lies there and is not served', () => {
  const iis = hostFile('^web\\.contoso\\.com$');
  const { 'certs/mail.crt': crt, 'certs/mail.key': key } = FOR_MAIL;

  test('without its key: one finding for its hosts, which names it', () => {
    const two = iis.replace(
      '</bindings></site>\n</sites>',
      '<binding protocol="https" bindingInformation="10.0.0.2:443:autodiscover.contoso.com" /></bindings></site>\n</sites>',
    );
    const found = checked(two, { ...FOR_WEB, 'certs/mail.crt': crt });
    expect(found.map(({ code }) => code)).toEqual(['LG4023', 'LG4007']);
    expect(found[0]?.message).toContain('mail.contoso.com');
    expect(found[0]?.message).toContain('(and at 1 more place)');
    expect(found[0]?.advice).toMatch(/certs\/mail\.crt holds a certificate without its key: put the key beside it/);
    // None has one.
    const none = checked(two, { 'certs/mail.crt': crt, 'certs/web.crt': web.chainPem });
    expect(none.map(({ code }) => code)).toEqual(['LG4025', 'LG4007', 'LG4007']);
    expect(none[0]?.advice).toMatch(/mail\.crt holds .*web\.crt holds /);
  });

  test('of a host that a rule waits for', () => {
    const found = checked(iis, { ...FOR_MAIL, 'certs/web.crt': web.chainPem });
    expect(found.map(({ code }) => code)).toEqual(['LG4033', 'LG4007']);
    expect(found[0]?.advice).toMatch(/certs\/web\.crt holds a certificate without its key/);
  });

  const request = '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n';
  const pkcs7 = '-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----\n';
  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['PKCS #7', { 'certs/mail.p7b': pkcs7 }, /certs\/mail\.p7b holds certificates as PKCS #7/],
    [
      'a request by the name of a certificate',
      { 'certs/mail.crt': request, 'certs/mail.key': key },
      /mail\.crt is only the request for a certificate: [^/]*$/,
    ],
    ['a request', { 'certs/mail.csr': request }, /mail\.csr is only the request/],
    ['a key alone', { 'certs/mail.key': key }, /mail\.key holds a key without its certificate/],
    [
      'another ending',
      { 'certs/mail.pem.txt': crt + key },
      /mail\.pem\.txt is not read, as its name ends in \.txt: rename it to mail\.pem\./,
    ],
    [
      'no ending',
      { 'certs/mail': crt + key },
      /mail is not read, as its name ends in nothing: rename it to mail\.pem\./,
    ],
    [
      'a folder inside',
      { 'certs/2026/mail.pfx': '0', 'certs/2026/mail.pfx.pass': 'x' },
      /2026\/mail\.pfx is not read, as folders inside are not: move it \(its \.pass file too\) to \S*certs,/,
    ],
    [
      'beside the settings',
      { 'config/mail.pfx': '0' },
      /config\/mail\.pfx lies where certificates are not looked for: move it to /,
    ],
  ])('%s', (_name, files, advice) => {
    const found = checked(iis, { ...FOR_WEB, ...files });
    expect(found.map(({ code }) => code)).toEqual(['LG4023']);
    expect(found[0]?.advice).toMatch(/^Put a certificate that has mail\.contoso\.com .* It may be there: /);
    expect(found[0]?.advice).toMatch(advice);
  });

  test('files that have nothing to do with it are not named, and none is where nothing is missing', () => {
    const stray = {
      'certs/README.md': 'Put them here.',
      'certs/web.key.bak': web.keyPem,
      'certs/ca.crt': root.certPem,
    };
    const found = checked(iis, { ...FOR_WEB, ...stray });
    expect(found.map(({ code }) => code)).toEqual(['LG4023']);
    expect(found[0]?.advice).not.toContain('It may be there');
    const all = {
      ...FOR_WEB,
      ...FOR_MAIL,
      ...stray,
      'certs/old.p7b': pkcs7,
      'certs/old/mail.pfx': '0',
      'config/x.pfx': '0',
    };
    expect(codes(iis, all)).toEqual([]);
  });

  test('a PFX in the place of authorities is not damaged', () => {
    const ca = put(folder(), 'ca.pfx', Buffer.from('3082000a020103', 'hex'));
    const found = checked(iis, { ...FOR_WEB, ...FOR_MAIL }, { upstream: { ca } });
    expect(found.map(({ code }) => code)).toEqual(['LG4002']);
    expect(found[0]?.message).toMatch(/ca\.pfx is a PFX; /);
    expect(found[0]?.advice).toMatch(/openssl pkcs12 -in ca\.pfx -nokeys -out ca\.pem/);
  });
});
