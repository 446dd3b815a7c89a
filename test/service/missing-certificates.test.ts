/** What the check of a whole folder tells where a certificate is missing, or only seems to be. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../src/config/diagnostic.ts';
import { checkConfig } from '../../src/service/check-config.ts';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import { writeFiles } from '../config/written.ts';

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
  const folder = writeFiles({
    'config/applicationHost.config': iis,
    'config/settings.json': JSON.stringify({
      certificates: ['../certs'],
      addresses: { '10.0.0.1': '127.0.0.1', '10.0.0.2': '127.0.0.2' },
      ...settings,
    }),
    ...files,
  });
  const { diagnostics } = checkConfig(join(folder, 'config'));
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
