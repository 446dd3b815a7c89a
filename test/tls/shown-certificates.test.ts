import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { checkConfig } from '../../src/service/check-config.ts';
import { createAuthority, type Issued, issueCertificate } from '../../src/tls/issue.ts';
import { writeFiles } from '../config/written.ts';
import { exportPfx, put } from './material.ts';

const root = createAuthority('Test Root');
const issue = (more = {}) => issueCertificate(root, { names: ['proxy'], usage: 'client', ...more });
const own = issue();
const printOf = ({ certPem }: Issued) => new X509Certificate(certPem).fingerprint.replaceAll(':', '');

interface Given {
  readonly protocol?: string;
  readonly proxy?: string;
  readonly farm?: object;
  readonly files?: Readonly<Record<string, string>>;
}

function written({ protocol = '', proxy = '', farm, files = {} }: Given): string {
  const folder = writeFiles({
    'certs/README.md': '',
    'config/applicationHost.config': `<configuration><webFarms><webFarm name="Pool"><server address="10.0.0.20" />
      <applicationRequestRouting><protocol ${protocol} /></applicationRequestRouting></webFarm></webFarms>
      <system.webServer><proxy ${proxy} /></system.webServer></configuration>`,
    'config/settings.json': JSON.stringify({
      bindings: [{ protocol: 'http' }],
      ...(farm && { farms: { pool: farm } }),
    }),
    ...files,
  });
  return join(folder, 'config');
}

/** Codes, with the text that each marks; which certificates are shown. LG2303 (no rule uses the farm) is left out. */
function look(configDir: string): { codes: string[]; shown: Record<string, string> } {
  const { diagnostics, sources, shown } = checkConfig(configDir);
  return {
    codes: diagnostics
      .filter(({ code }) => code !== 'LG2303')
      .map(({ code, span }) => `${code} ${sources.get(span.file)?.slice(span.start, span.end) ?? ''}`.trim()),
    shown: Object.fromEntries([...shown].map(([name, { thumbprint }]) => [name, thumbprint])),
  };
}

const pair = (name: string, { certPem, keyPem }: Issued) => ({
  [`${name}.pem`]: certPem + root.certPem,
  [`${name}.key`]: keyPem,
});
const inFolder = pair('certs/own', own);
const spaced = printOf(own).toLowerCase().replace(/(..)/g, '$1 ');

test.each<[string, string, Given]>([
  ['as Windows shows it', printOf(own), {}],
  ['with blanks, small letters and the mark of the dialog', `\u200e${spaced}`, {}],
])('clientCertHash %s', (_name, hash) => {
  expect(look(written({ protocol: `clientCertHash="${hash}"`, files: inFolder }))).toEqual({
    codes: [],
    shown: { pool: printOf(own) },
  });
});

test('clientCertHash of a certificate that is not there, or has no key', () => {
  const protocol = `clientCertHash="${printOf(own)}"`;
  expect(look(written({ protocol }))).toEqual({ codes: [`LG3022 ${printOf(own)}`], shown: {} });
  expect(look(written({ protocol, files: { 'certs/own.pem': own.certPem } })).codes).toEqual([
    `LG3022 ${printOf(own)}`,
    'LG4007',
  ]);
});

test('that of system.webServer/proxy counts where the proxy is enabled', () => {
  const hash = `clientCertHash="${printOf(own)}"`;
  expect(look(written({ proxy: `enabled="true" ${hash}`, files: inFolder }))).toEqual({
    codes: [],
    shown: { '': printOf(own) },
  });
  expect(look(written({ proxy: hash }))).toEqual({ codes: [], shown: {} });
});

test('clientCertFileName: looked for by its base name, and its password is told apart from none', () => {
  const configDir = written({ protocol: 'clientCertFileName="C:\\certs\\own.pfx" clientCertPassword="wrong"' });
  expect(look(configDir).codes).toEqual(['LG3022 C:\\certs\\own.pfx']);
  exportPfx(join(configDir, 'own.pfx'), { ...own, morePem: root.certPem }, '-passout', 'pass:right');
  expect(look(configDir).codes).toEqual(['LG4003 C:\\certs\\own.pfx']);
  const { diagnostics } = checkConfig(configDir);
  expect(diagnostics.find(({ code }) => code === 'LG4003')?.message).toMatch(/the password in clientCertPassword$/);
});

test('clientCertFileName with a password in a file', () => {
  const configDir = written({ protocol: 'clientCertFileName="own.pfx"' });
  exportPfx(join(configDir, 'own.pfx'), { ...own, morePem: root.certPem }, '-passout', 'pass:right');
  expect(look(configDir).codes).toEqual(['LG4003 own.pfx']);
  put(configDir, 'own.pfx.pass', 'right');
  expect(look(configDir)).toEqual({ codes: [], shown: { pool: printOf(own) } });
});

test('settings.json first, then the thumbprint, then the file', () => {
  const named = issue({ names: ['named'] });
  const farm = { clientCertificate: { cert: '../named.pem', key: '../named.key' } };
  const files = { ...inFolder, ...pair('named', named) };
  const all = `clientCertHash="${printOf(own)}" clientCertFileName="gone.pfx" clientCertPassword="[enc:AesProvider:abc=:enc]"`;
  expect(look(written({ protocol: all, farm, files })).shown).toEqual({ pool: printOf(named) });
  expect(look(written({ protocol: all, files }))).toEqual({ codes: [], shown: { pool: printOf(own) } });
});

test.each<[string, object, Readonly<Record<string, string>>, string]>([
  ['no file at all', {}, {}, 'LG4009'],
  ['a key alone', { key: '../own.key' }, { 'own.key': own.keyPem }, 'LG4009'],
  ['a file that is not there', { pfx: '../gone.pfx' }, {}, 'LG4001'],
  ['a certificate alone', { cert: '../own.pem' }, { 'own.pem': own.certPem }, 'LG4004'],
  [
    'a key of another',
    { cert: '../own.pem', key: '../own.key' },
    { 'own.pem': own.certPem, 'own.key': issue().keyPem },
    'LG4005',
  ],
])('clientCertificate with %s: one error, at the setting', (_name, clientCertificate, files, code) => {
  const { codes, shown } = look(written({ farm: { clientCertificate }, files }));
  expect(codes).toEqual([`${code} ${JSON.stringify(clientCertificate)}`]);
  expect(shown).toEqual({});
});

test('what servers may not like is told: dates, and a certificate for servers', () => {
  const farm = { clientCertificate: { cert: '../own.pem', key: '../own.key' } };
  const codes = (issued: Issued) =>
    look(written({ farm, files: pair('own', issued) })).codes.map((each) => each.slice(0, 6));
  expect(codes(issue({ notAfter: new Date(Date.now() - 1000) }))).toEqual(['LG4020']);
  expect(codes(issue({ usage: 'server' }))).toEqual(['LG4036']);
  expect(codes(issue({ usage: 'both' }))).toEqual([]);
  expect(codes(issue({ keyType: 'rsa', keyBits: 1024 }))).toEqual(['LG4031']);
});

test('a certificate for clients that lies in the folder and is of no use is told', () => {
  expect(look(written({ files: inFolder })).codes).toEqual(['LG4036']);
});

test('no private key or password stands in the model', () => {
  const { config } = loadConfig(written({ farm: { clientCertificate: { pfx: 'x.pfx' } }, files: inFolder }));
  expect(JSON.stringify(config)).not.toContain('PRIVATE KEY');
});
