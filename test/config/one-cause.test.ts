/** One cause gives one finding: what was read wrongly is not judged further. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, test } from 'vitest';
import type { Diagnostic } from '../../src/config/diagnostic.ts';
import { checkConfig } from '../../src/service/check-config.ts';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import { writeFiles } from './written.ts';

const shipped = (name: string) => readFileSync(join(import.meta.dirname, '../../config', name), 'utf8');
const main = shipped('applicationHost.config');
const byPath = shipped('examples/one-farm-by-path/applicationHost.config');
const exchange = shipped('examples/exchange/applicationHost.config');
const folderRules = shipped('examples/application-in-a-folder/applicationHost.config');
const redirect = shipped('examples/http-to-https-redirect-except-lyncdiscover/applicationHost.config');

const issued = issueCertificate(createAuthority('One cause'), { names: ['*.contoso.com'] });
const SETTINGS = '{ "certificates": ["../certs"] }';

function codes(...given: Parameters<typeof checked>): string[] {
  return checked(...given).map(({ code }) => code);
}

function checked(
  iis: string,
  settings = SETTINGS,
  files: Readonly<Record<string, string>> = {},
): readonly Diagnostic[] {
  const folder = writeFiles({
    'config/applicationHost.config': iis,
    'config/settings.json': settings,
    'certs/all.crt': issued.chainPem,
    'certs/all.key': issued.keyPem,
    ...files,
  });
  // Who signed the certificate is not what these tests look at.
  return checkConfig(join(folder, 'config')).diagnostics.filter(({ code }) => code !== 'LG4008');
}

function changed(text: string, from: string | RegExp, to: string): string {
  const after = text.replace(from, to);
  expect(after).not.toBe(text);
  return after;
}

it.each([main, byPath, exchange, folderRules, redirect])('the shipped files give none (%#)', (iis) => {
  expect(codes(iis)).toEqual([]);
});

describe('IIS files', () => {
  const binding = '<binding protocol="https" bindingInformation="*:443:mail.contoso.com" sslFlags="0" />';
  it.each([
    ['a pattern syntax', main, 'patternSyntax="Wildcard"', 'patternSyntax="Wildcrad"', 'LG2004'],
    ['the name of patternSyntax', main, 'patternSyntax=', 'paternSyntax=', 'LG2001'],
    ['stopProcessing', main, 'stopProcessing="true"', 'stopProcessing="yes"', 'LG2004'],
    ['the name of a rule', main, '<rule name=', '<rule nam=', 'LG2001'],
    ['an element of rules', main, /<rule (name="ARR_meet[\s\S]*?)<\/rule>/, '<rulex $1</rulex>', 'LG2002'],
    ['conditions', main, /<conditions>([\s\S]*?)<\/conditions>/, '<condition>$1</condition>', 'LG2002'],
    ['an element of conditions', byPath, '<add input="{HTTPS}"', '<ad input="{HTTPS}"', 'LG2002'],
    ['a condition', byPath, 'pattern="^(meet|dialin)', 'patern="^(meet|dialin)', 'LG2001'],
    ['a condition without pattern', redirect, ' pattern="^lyncdiscover\\.contoso\\.com$"', '', 'LG2222'],
    ['the match', folderRules, '<match url="^payroll/(.*)" />', '<matches url="^payroll/(.*)" />', 'LG2002'],
    ['no url in a match', folderRules, '<match url="^payroll/(.*)" />', '<match />', 'LG2220'],
    ['an action', exchange, '<action type="Rewrite"', '<acton type="Rewrite"', 'LG2002'],
    ['the type of an action', main, 'type="Rewrite"', 'type="Rewrit"', 'LG2004'],
    ['no url in an action', main, 'url="https://webext.contoso.com/{R:0}"', '', 'LG2223'],
    [
      'an outbound match',
      folderRules,
      '<match serverVariable="RESPONSE_Location"',
      '<mach serverVariable="RESPONSE_Location"',
      'LG2002',
    ],
    ['preConditions', folderRules, /<(\/?)preConditions>/g, '<$1precondition>', 'LG2002'],
    [
      'the name of a preCondition',
      folderRules,
      '<preCondition name="payroll">',
      '<preCondition nme="payroll">',
      'LG2001',
    ],
    ['the name of a farm', byPath, '<webFarm name="Lync"', '<webFarm nam="Lync"', 'LG3001'],
    ['a farm', byPath, /<webFarm (name="Lync"[\s\S]*?)<\/webFarm>/, '<webfarm $1</webfarm>', 'LG3002'],
    ['all farms', byPath, /<(\/?)webFarms>/g, '<$1webFarmz>', 'LG1008'],
    ['a server', main, /<server (address="owas[\s\S]*?)<\/server>/, '<sever $1</sever>', 'LG3002'],
    ['a port', main, 'httpsPort="4443"', 'httpsPort="444300"', 'LG3004'],
    ['a time-out', main, 'timeout="00:16:00"', 'timeout="16 min"', 'LG3004'],
    ['a binding', exchange, binding, binding.replace('<binding', '<bindng'), 'LG5002'],
    ['bindingInformation', exchange, '*:443:mail.contoso.com', '443:mail.contoso.com', 'LG5008'],
    ['all bindings', exchange, /<(\/?)bindings>/g, '<$1bindngs>', 'LG5002'],
    ['a site', exchange, /<(\/?)site\b/g, '<$1sit', 'LG5002'],
    ['all sites', exchange, /<(\/?)sites>/g, '<$1sits>', 'LG1008'],
    ['a protocol', exchange, binding, binding.replace('"https"', '"htps"'), 'LG5009'],
  ] as const)('%s, misspelt', (_, iis, from, to, code) => {
    expect(codes(changed(iis, from, to))).toEqual([code]);
  });

  it('a farm whose name is not that of the rules is told at the rules, once', () => {
    expect(codes(changed(byPath, 'name="Lync" enabled', 'name="Linc" enabled'))).toEqual(['LG2230']);
  });

  const wrongFarm = changed(byPath, 'name="Lync" enabled', 'name="Linc" enabled');
  it.each([
    ['an element of rewrite', changed(wrongFarm, '<rewrite>', '<rewrite><outboundRuls />'), 'LG1008'],
    ['an element of system.webServer', changed(wrongFarm, '<system.webServer>', '<system.webServer><foo />'), 'LG1008'],
    ['an element at the top', changed(wrongFarm, '<configuration>', '<configuration><foo><bar /></foo>'), 'LG1008'],
    ['an attribute of a group', changed(wrongFarm, '<system.webServer>', '<system.webServer foo="a">'), 'LG1021'],
  ])('%s that holds no farms does not hide one', (_, iis, code) => {
    expect(codes(iis).toSorted()).toEqual([code, 'LG2230']);
  });

  it.each(['<webFarmz />', '<foo><webFarm name="Lync" /></foo>', '<system.webServr><proxy /></system.webServr>'])(
    '%s may hold what seems to be missing',
    (unknown) => {
      expect(codes(changed(wrongFarm, '<configuration>', `<configuration>${unknown}`))).toEqual(['LG1008']);
    },
  );

  it('an unknown element of another file does not hide one', () => {
    const site = /<site name="([^"]+)"/.exec(wrongFarm)?.[1] ?? '';
    const web = '<configuration><system.webServer><foo /></system.webServer></configuration>';
    const found = codes(wrongFarm, SETTINGS, { [`config/sites/${site}/web.config`]: web });
    expect(found.toSorted()).toEqual(['LG1008', 'LG2230']);
  });

  it('a farm is quoted in the letters of the file', () => {
    const iis = changed(byPath, /url="https:\/\/Lync\//g, 'url="https://LYnx/');
    const found = checked(iis).filter(({ code }) => code === 'LG2230');
    expect(found.map(({ message }) => message)).toEqual([expect.stringMatching(/^"LYnx" is not the name/)]);
  });

  it('a variable that nothing sets is told once, however often it stands there', () => {
    const iis = changed(byPath, '<add input="{HTTPS}"', '<add input="{FOO_BAR}{Foo_Bar}{OTHER_ONE}"');
    expect(codes(iis)).toEqual(['LG2215', 'LG2215']);
  });

  it('a rule with two faults of its own has both', () => {
    const iis = changed(main, 'patternSyntax="Wildcard"', 'patternSyntax="Wildcrad" stop="true"');
    expect(codes(iis)).toEqual(['LG2004', 'LG2001']);
  });
});

describe('LG2226 and maps', () => {
  const iis = (allowed: string, maps = '') => `<configuration>
    <system.applicationHost><sites><site name="a" id="1"><application path="/" /><bindings>
      <binding protocol="http" bindingInformation="*:80:" /></bindings></site></sites></system.applicationHost>
    <system.webServer><rewrite>${allowed}${maps}</rewrite></system.webServer>
    <location path="a"><system.webServer><rewrite><rules><rule name="r"><match url=".*" /><conditions>
      <add input="{m:{URL}}" pattern="(.+)" /></conditions><serverVariables><set name="HTTP_X_A" value="1" /></serverVariables>
      <action type="Redirect" url="/{C:1}" /></rule></rules></rewrite></system.webServer></location></configuration>`;
  const allowed = '<allowedServerVariables><add name="HTTP_X_A" /></allowedServerVariables>';
  const maps = '<rewriteMaps><rewriteMap name="m"><add key="/a" value="b" /></rewriteMap></rewriteMaps>';

  it.each([
    ['nothing', allowed, maps, []],
    ['a variable', allowed.replace('name=', 'nam='), maps, ['LG2001']],
    ['all variables', allowed.replaceAll('Variables', 'Varables'), maps, ['LG1008']],
    ['a map', allowed, maps.replace('<rewriteMap name', '<rewriteMap nam'), ['LG2001']],
    ['all maps', allowed, maps.replaceAll('rewriteMaps', 'rewriteMapz'), ['LG1008']],
  ])('%s misspelt', (_, variables, written, expected) => {
    expect(codes(iis(variables, written))).toEqual(expected);
  });
});

describe('certificates', () => {
  const named = '{ "certificates": [{ "pfx": "../pfx/a.pfx", "passphraseFile": "../pfx/a.pass" }] }';
  it.each([
    ['a PFX that is not there', named, {}, 'LG4001'],
    ['a PFX that is damaged', named, { 'pfx/a.pfx': 'no PFX', 'pfx/a.pass': 'x' }, 'LG4002'],
    ['a password that is not there', named, { 'pfx/a.pfx': 'x' }, 'LG4001'],
    ['a PFX of a folder that is damaged', '{ "certificates": ["../pfx"] }', { 'pfx/a.pfx': 'no PFX' }, 'LG4002'],
    ['a folder that is not there', '{ "certificates": ["../none"] }', {}, 'LG4001'],
    [
      'a default beside one that is damaged',
      named.replace('}] }', '}], "defaultCertificate": "a.contoso.com" }'),
      { 'pfx/a.pfx': 'no PFX', 'pfx/a.pass': 'x' },
      'LG4002',
    ],
  ])('%s', (_, settings, files, code) => {
    expect(codes(main, settings, files)).toEqual([code]);
  });
});

describe('settings', () => {
  it.each(['*', '203.0.113.10:443', '203.0.113.0/24', 'eth0'])(
    'a key of "addresses" that is no address is not looked for among the bindings: %s',
    (key) => {
      expect(codes(main, `{ "certificates": ["../certs"], "addresses": { "${key}": "eth0" } }`)).toEqual(['LG6004']);
    },
  );

  let guarded = '';
  beforeAll(() => {
    guarded = main.replace(
      '<rewrite>',
      '<security><access sslFlags="SslRequireCert" /><requestFiltering allowDoubleEscaping="true" /></security><rewrite>',
    );
  });

  it.each([
    ['certificates', '{ "certificate": ["../mine"] }', 'LG6002'],
    ['a certificate', '{ "certificates": [{ "cert": "../certs/all.crt", "ky": "../certs/all.key" }] }', 'LG6002'],
    ['the type of certificates', '{ "certificates": 5 }', 'LG6003'],
    ['iis', '{ "certificates": ["../certs"], "iss": ["other.config"] }', 'LG6002'],
    ['JSON', '{ "certificates": ["../mine" }', 'LG6001'],
    [
      'clientCertificates',
      '{ "certificates": ["../certs"], "tls": { "clientCertificates": { "mod": "require", "ca": "../certs/all.crt" } } }',
      'LG6002',
    ],
    [
      'a farm',
      '{ "certificates": ["../certs"], "farms": { "meet.contoso.com": { "clientCertificate": { "cert": "../certs/all.crt", "ky": "x" } } } }',
      'LG6002',
    ],
  ])('%s misspelt', (_, settings, code) => {
    expect(codes(main, settings)).toEqual([code]);
  });

  it('acknowledge misspelt', () => {
    expect(codes(guarded, '{ "certificates": ["../certs"], "acknowlege": ["access"] }')).toEqual(['LG6002']);
  });

  it('iis misspelt, and no file of the usual name', () => {
    const folder = writeFiles({ 'settings.json': '{ "iss": ["other.config"], "farms": { "f": {} } }' });
    expect(checkConfig(folder).diagnostics.map(({ code }) => code)).toEqual(['LG6002']);
  });

  it('an IIS file that cannot be read leaves no farm to miss, and the settings are checked all the same', () => {
    const settings = '{ "iis": ["none.config"], "farms": { "f": {} }, "affinitySecretFile": "none" }';
    expect(codes(main, settings)).toEqual(['LG1001', 'LG6020']);
  });
});

test('what was read before has no part in it', () => {
  const alone = codes(changed(byPath, '<rule name=', '<rule Name='));
  expect(alone).toContain('LG2001');
  const strange = Array.from({ length: 1500 }, (_, i) => `<rule name="r${i}" a${i}="x"><match url="a" /></rule>`);
  codes(changed(byPath, '<rule name=', `${strange.join('')}<rule name=`));
  expect(codes(changed(byPath, '<rule name=', '<rule nmae='))).toEqual(alone);
});

describe('cures that do no harm', () => {
  const found = (code: string, ...given: Parameters<typeof checked>) =>
    checked(...given).find((each) => each.code === code);

  it('a host misspelt in a condition: the name of the binding, and never to take the condition away', () => {
    const { advice } = found('LG2304', changed(byPath, /pattern="\^lyncdiscover/, 'pattern="^lyncdisover')) ?? {};
    expect(advice).toBe(
      'Did you mean lyncdiscover.contoso.com? Write that, or add a binding for lyncdisover.contoso.com.',
    );
    const far = found('LG2304', changed(byPath, /pattern="\^lyncdiscover/, 'pattern="^whiteboard'))?.advice;
    expect(far).toContain('Add a binding for the name.');
  });

  it.each([
    ['scheme', /url="https:\/\/exchange/i, 'url="htps://exchange'],
    ['slashes', /url="https:\/\/exchange/i, 'url="https:/exchange'],
    ['farm', /url="https:\/\/exchange/i, 'url="https://exchange2016'],
  ])('a target with a wrong %s: the farm is not said to be left out', (_, from, to) => {
    const told = codes(changed(exchange, from, to));
    expect(told.length).toBeGreaterThan(0);
    expect(told).not.toContain('LG2303');
  });
});

describe('what stands at many places is told once in a file, with the number of the others', () => {
  const guard = '<security><access sslFlags="SslRequireCert" /></security>';
  const at = (path: string, inside: string) =>
    `<location path="${path}"><system.webServer>${inside}</system.webServer></location>`;
  const sites = main.match(/<system.applicationHost>[\s\S]*?<\/system.applicationHost>/)?.[0] ?? '';
  const name = /<site name="([^"]+)"/.exec(sites)?.[1] ?? '';
  const many = (inside: (index: number) => string) =>
    changed(
      main,
      '</configuration>',
      `${[1, 2, 3].map((each) => at(`${name}/${each}`, inside(each))).join('')}</configuration>`,
    );
  const told = (iis: string) => checked(iis).map(({ code, message }) => `${code} ${message}`);

  it('a section that guards', () => {
    expect(told(many(() => guard))).toEqual([
      'LG1017 Section security/access is not carried out: under IIS clients must show a certificate (and at 2 more places).',
    ]);
  });

  it('two that do another thing are two findings', () => {
    const iis = many((each) => (each === 1 ? '<security><ipSecurity allowUnlisted="false" /></security>' : guard));
    expect(codes(iis)).toEqual(['LG1017', 'LG1017']);
  });

  it.each(['rewrit', 'foo'])('a section that does not exist: %s', (section) => {
    expect(told(many(() => `<${section} />`))).toEqual([
      `LG1008 There is no section system.webServer/${section} (and at 2 more places).`,
    ]);
  });

  it('two sections that do not exist are two findings', () => {
    expect(codes(many((each) => `<foo${each % 2} />`))).toEqual(['LG1008', 'LG1008']);
  });
});
