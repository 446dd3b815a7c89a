import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkConfig } from '../../src/service/check-config.ts';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import { writeFiles } from '../config/written.ts';

const root = createAuthority('Clients');
const { certPem, keyPem } = issueCertificate(root, { names: ['www.contoso.com'] });

function codes(clientCertificates: object, files: Readonly<Record<string, string>> = {}): string[] {
  const folder = writeFiles({
    'certs/www.pem': certPem + keyPem + root.certPem,
    'clients.pem': root.certPem,
    'settings.json': JSON.stringify({
      iis: [],
      certificates: ['certs'],
      bindings: [
        { protocol: 'https', host: 'www.contoso.com' },
        { protocol: 'http', port: 8080 },
      ],
      tls: { clientCertificates },
    }),
    ...files,
  });
  return checkConfig(join(folder)).diagnostics.map(({ code }) => code);
}

test.each<[string, object, string[]]>([
  ['all is well', { mode: 'require', ca: 'clients.pem' }, []],
  ['a listener that is there', { mode: 'require', ca: ['clients.pem'], listeners: ['0.0.0.0:443'] }, []],
  ['no authority', { mode: 'request', ca: [] }, ['LG4034']],
  ['an authority that is not there', { mode: 'request', ca: 'gone.pem' }, ['LG4001']],
  ['a file without a certificate', { mode: 'request', ca: 'empty.pem' }, ['LG4002']],
  ['a file with keys alone', { mode: 'request', ca: 'key.pem' }, ['LG4009']],
  ['a listener of another address', { mode: 'require', ca: 'clients.pem', listeners: ['10.0.0.1:443'] }, ['LG4035']],
  ['a plain listener', { mode: 'require', ca: 'clients.pem', listeners: ['*:8080'] }, ['LG4035']],
])('%s', (_name, setting, expected) => {
  expect(codes(setting, { 'empty.pem': '', 'key.pem': keyPem })).toEqual(expected);
});

/** What is told of `access`, with the settings that have to do with it. */
function ofAccess(sslFlags: string, tls: object): string[] {
  const folder = writeFiles({
    'clients.pem': root.certPem,
    'applicationHost.config': `<configuration><system.webServer><security><access sslFlags="${sslFlags}" /></security></system.webServer></configuration>`,
    'settings.json': JSON.stringify({ bindings: [{ protocol: 'http' }], tls }),
  });
  return checkConfig(folder).diagnostics.map(({ code, advice }) => `${code} ${advice}`);
}

const asking = (mode: string, more = {}) => ({ clientCertificates: { mode, ca: 'clients.pem', ...more } });
const ACKNOWLEDGE = 'add "security/access" to "acknowledge" in settings.json.';

test.each<[string, object, string[]]>([
  [
    'SslNegotiateCert',
    {},
    [expect.stringMatching(/^LG1016 Ask for one with "tls": .*"request".*, or add "security\/access"/)],
  ],
  ['SslNegotiateCert', asking('request'), []],
  ['SslNegotiateCert', asking('require'), []],
  ['Ssl, SslNegotiateCert', asking('request'), [`LG1016 If that is not needed here, remove it or ${ACKNOWLEDGE}`]],
  [
    'Ssl, SslRequireCert',
    {},
    [expect.stringMatching(/^LG1017 Require one on the https listeners, "tls": .*"require"/)],
  ],
  ['SslRequireCert', asking('request'), [expect.stringMatching(/^LG1017 Require one on the https listeners/)]],
  [
    'Ssl, SslNegotiateCert, SslRequireCert',
    asking('require'),
    [
      `LG1017 tls.clientCertificates requires one on every https listener already. Let http bindings lead nowhere but to https, then ${ACKNOWLEDGE}`,
    ],
  ],
])('access sslFlags="%s" beside %j', (flags, tls, expected) => {
  expect(ofAccess(flags, tls)).toEqual(expected);
});
