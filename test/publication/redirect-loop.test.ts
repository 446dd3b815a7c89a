/** LG2301: redirects that go round, where ports, schemes and wildcards tell which site takes what they lead to. */
import { expect, test } from 'vitest';
import { type RuleXml, ruleXml, told } from '../rewrite/told.ts';

interface SiteXml {
  readonly name: string;
  readonly bindings: readonly string[];
  readonly rule?: RuleXml;
}

function of(...sites: readonly SiteXml[]): string[] {
  const binding = (each: string) =>
    `<binding protocol="${each.split(' ')[0]}" bindingInformation="${each.split(' ')[1]}" />`;
  const site = ({ name, bindings }: SiteXml, at: number) =>
    `<site name="${name}" id="${at + 1}"><application path="/" /><bindings>${bindings.map(binding).join('')}</bindings></site>`;
  const location = ({ name, rule }: SiteXml) =>
    `<location path="${name}"><system.webServer><rewrite><rules>${rule ? ruleXml(rule) : ''}</rules></rewrite></system.webServer></location>`;
  return told(
    'LG2301',
    `<configuration><system.applicationHost><sites>${sites.map(site).join('')}</sites></system.applicationHost>${sites.map(location).join('')}</configuration>`,
  );
}

const redirect = (url: string, more: RuleXml = {}): RuleXml => ({
  name: 'away',
  action: `type="Redirect" url="${url}"`,
  ...more,
});
const ITSELF = redirect('https://x.contoso.com/{R:0}');
const A: SiteXml = { name: 'A', bindings: ['https *:443:x.contoso.com'], rule: ITSELF };

test.each<[string, SiteXml[]]>([
  ['alone', [A]],
  ['behind a site on another port', [{ name: 'C', bindings: ['https *:8443:x.contoso.com'] }, A]],
  ['behind a site that takes every host on another port', [{ name: 'C', bindings: ['https *:8443:'] }, A]],
  ['behind a site on another port by wildcard', [{ name: 'C', bindings: ['https *:8443:*.contoso.com'] }, A]],
  ['before it', [A, { name: 'C', bindings: ['https *:8443:x.contoso.com'] }]],
  [
    'beside http',
    [
      { name: 'C', bindings: ['http *:443:y.contoso.com', 'http *:80:x.contoso.com'] },
      { ...A, bindings: ['https *:8443:x.contoso.com'] },
    ],
  ],
  ['behind a site of one address', [{ name: 'C', bindings: ['https 10.0.0.1:443:'] }, A]],
  ['behind a site of the same name at one address', [{ name: 'C', bindings: ['https 10.0.0.1:443:x.contoso.com'] }, A]],
  [
    'at an address of its own',
    [
      { name: 'C', bindings: ['https 10.0.0.1:443:'] },
      { ...A, bindings: ['https 10.0.0.2:443:x.contoso.com'] },
    ],
  ],
  [
    'by a wildcard',
    [{ name: 'A', bindings: ['https *:443:*.contoso.com'], rule: redirect('https://x.contoso.com/{R:0}') }],
  ],
  [
    'on a port of its own, named in the URL',
    [
      { name: 'C', bindings: ['https *:443:x.contoso.com'] },
      {
        name: 'A',
        bindings: ['https *:8443:x.contoso.com'],
        rule: redirect('https://x.contoso.com:8443/{R:0}', { when: [['{HTTP_HOST}', '^x\\.contoso\\.com:8443$']] }),
      },
    ],
  ],
])('goes round: %s', (_, sites) => {
  expect(of(...sites)).toEqual([expect.stringMatching(/^https:\/\/x\.contoso\.com/)]);
});

test('to the very host that was asked for, which a wildcard takes', () => {
  const site = { name: 'A', bindings: ['https *:443:*.contoso.com'], rule: redirect('https://{HTTP_HOST}/{R:0}') };
  expect(of(site)).toEqual(['https://{HTTP_HOST}/{R:0}']);
});

test('from port to port, and back', () => {
  const sites = [
    { name: 'A', bindings: ['https *:443:x.contoso.com'], rule: redirect('https://y.contoso.com:8443/{R:0}') },
    { name: 'C', bindings: ['https *:8443:y.contoso.com'], rule: redirect('https://x.contoso.com/{R:0}') },
  ];
  expect(of(...sites)).toEqual(['https://y.contoso.com:8443/{R:0}', 'https://x.contoso.com/{R:0}']);
});

test.each<[string, SiteXml[]]>([
  [
    'the other port has a site that takes it',
    [
      { ...A, rule: redirect('https://x.contoso.com:8443/{R:0}') },
      { name: 'C', bindings: ['https *:8443:x.contoso.com'], rule: { to: 'http://app01/{R:0}' } },
    ],
  ],
  [
    'from http to https',
    [
      { name: 'C', bindings: ['https *:443:x.contoso.com'] },
      { name: 'A', bindings: ['http *:80:x.contoso.com'], rule: ITSELF },
    ],
  ],
])('ends: %s', (_, sites) => {
  expect(of(...sites)).toEqual([]);
});
