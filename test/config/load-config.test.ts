import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasErrors } from '../../src/config/diagnostic.ts';
import { loadConfig, loadFile, loadFiles } from '../../src/config/load-config.ts';
import { FRAGMENT_SITE } from '../../src/config/load-session.ts';
import { writeFiles } from './written.ts';

const host = (inside: string, extra = '') => `<?xml version="1.0"?>
<configuration>
  <system.applicationHost>
    <sites>
      <site name="Public" id="1">
        <application path="/"><virtualDirectory path="/" physicalPath="C:\\x" /></application>
        <application path="/app" />
        <bindings>
          <binding protocol="https" bindingInformation="*:443:Meet.contoso.com" sslFlags="1" />
          <binding protocol="http" bindingInformation="[2001:DB8::5]:80:" />
        </bindings>
      </site>
    </sites>
  </system.applicationHost>
  <system.webServer>${inside}</system.webServer>
  ${extra}
</configuration>`;

const rules = (...names: string[]) => names.map((name) => `<rule name="${name}"><match url="x" /></rule>`).join('');
const web = (inside: string) =>
  `<configuration><system.webServer><rewrite>${inside}</rewrite></system.webServer></configuration>`;

describe('loadConfig', () => {
  it('reads sites, bindings, global rules, farms and proxy', () => {
    const folder = writeFiles({
      'applicationHost.config': host(
        '<proxy enabled="true" /><rewrite><globalRules><rule name="g" patternSyntax="Wildcard" stopProcessing="true"><match url="*" />' +
          '<conditions trackAllCaptures="true"><add input="{HTTP_HOST}" pattern="meet.*" /></conditions>' +
          '<action type="Rewrite" url="https://pool/{R:0}" /></rule></globalRules></rewrite>',
        '<webFarms><webFarm name="pool"><server address="10.0.0.20"><applicationRequestRouting httpsPort="4443" /></server>' +
          '<applicationRequestRouting><protocol timeout="00:15:00"><cache enabled="false" /></protocol></applicationRequestRouting></webFarm></webFarms>',
      ),
    });
    const { config, diagnostics } = loadConfig(folder);
    expect(diagnostics).toEqual([]);
    expect(config?.sites).toMatchObject([
      {
        name: 'Public',
        id: 1,
        applications: ['/', '/app'],
        bindings: [
          { protocol: 'https', address: '*', port: 443, host: 'meet.contoso.com', sslFlags: 1 },
          { protocol: 'http', address: '2001:db8::5', port: 80, host: '', sslFlags: 0 },
        ],
        scopes: [{ path: '/', ruleSet: { rules: [] } }],
      },
    ]);
    expect(config?.globalRules.rules).toMatchObject([
      {
        name: { value: 'g' },
        basePath: '/',
        enabled: true,
        stopProcessing: true,
        patternSyntax: 'Wildcard',
        match: { url: { value: '*' }, ignoreCase: true, negate: false },
        conditions: {
          logicalGrouping: 'MatchAll',
          trackAllCaptures: true,
          entries: [{ input: { value: '{HTTP_HOST}' } }],
        },
        action: {
          type: 'Rewrite',
          url: { value: 'https://pool/{R:0}' },
          appendQueryString: true,
          redirectType: 'Permanent',
        },
      },
    ]);
    expect(config?.webFarms).toMatchObject([
      {
        name: { value: 'pool' },
        servers: [{ address: { value: '10.0.0.20' }, httpPort: 80, httpsPort: 4443, weight: 100 }],
        protocol: {
          timeout: 900,
          preserveHostHeader: true,
          reverseRewriteHostInResponseHeaders: false,
          cache: { enabled: false },
        },
        healthCheck: { interval: 30, statusCodeMatch: '200-399', liveTrafficFailureCodes: '500-' },
      },
    ]);
    expect(config?.proxy).toMatchObject({
      enabled: true,
      timeout: 120,
      preserveHostHeader: false,
      reverseRewriteHostInResponseHeaders: true,
      cache: { requestConsolidationTimeout: 0.1 },
    });
    expect(structuredClone(config)).toEqual(config);
  });

  it('merges levels by path, each rule with its own base path', () => {
    const folder = writeFiles({
      'applicationHost.config': host(
        `<rewrite><rules useOriginalURLEncoding="false">${rules('server')}</rules></rewrite>`,
        `<location path="public/app"><system.webServer><rewrite><rules>${rules('location')}</rules></rewrite></system.webServer></location>`,
      ),
      'sites/Public/web.config': web(
        `<rules>${rules('root', 'gone')}</rules><rewriteMaps><rewriteMap name="m" /></rewriteMaps>`,
      ),
      'sites/Public/app/web.config': web(`<rules><remove name="GONE" />${rules('deep')}</rules>`),
      'sites/Public/app/alone/web.config': web(`<rules><clear />${rules('alone')}</rules>`),
    });
    const { config, diagnostics } = loadConfig(folder);
    expect(diagnostics).toEqual([]);
    const scopes = config?.sites[0]?.scopes.map(({ path, ruleSet }) => [
      path,
      ruleSet.rules.map((rule) => `${rule.basePath} ${rule.name.value}`),
      ruleSet.rewriteMaps.map((map) => map.name.value),
      ruleSet.useOriginalURLEncoding,
    ]);
    expect(scopes).toEqual([
      ['/app/alone', ['/app/alone alone'], ['m'], false],
      ['/app', ['/ server', '/ root', '/app location', '/app deep'], ['m'], false],
      ['/', ['/ server', '/ root', '/ gone'], ['m'], false],
    ]);
  });

  it('refuses an inherited name', () => {
    const folder = writeFiles({
      'applicationHost.config': host(''),
      'sites/Public/web.config': web(`<rules>${rules('a')}</rules>`),
      'sites/Public/app/web.config': web(`<rules>${rules('A')}</rules>`),
    });
    const { diagnostics } = loadConfig(folder);
    expect(diagnostics.map(({ code, span, related }) => [code, span.file, related?.span.file])).toEqual([
      ['LG2005', join(folder, 'sites/Public/app/web.config'), join(folder, 'sites/Public/web.config')],
    ]);
  });

  it('keeps what child applications do not inherit', () => {
    const folder = writeFiles({
      'applicationHost.config': host(
        '',
        `<location path="Public" inheritInChildApplications="false"><system.webServer><rewrite><rules>${rules('a')}</rules></rewrite></system.webServer></location>`,
      ),
    });
    const scopes = loadConfig(folder).config?.sites[0]?.scopes.map(({ path, ruleSet }) => [path, ruleSet.rules.length]);
    expect(scopes).toEqual([
      ['/app', 0],
      ['/', 1],
    ]);
  });

  it('lets allowedServerVariables be unlocked, but never globalRules', () => {
    const unlock =
      '<location path="" overrideMode="Allow"><system.webServer><rewrite><allowedServerVariables /></rewrite></system.webServer></location>';
    const folder = writeFiles({
      'applicationHost.config': host('', unlock),
      'sites/Public/web.config': web(
        '<allowedServerVariables><add name="A" /></allowedServerVariables><globalRules />',
      ),
    });
    const { config, diagnostics } = loadConfig(folder);
    expect(diagnostics.map((one) => one.code)).toEqual(['LG1012']);
    expect(config?.sites[0]?.scopes[0]?.ruleSet.allowedServerVariables).toEqual(['A']);
  });

  it('reads configSource files and places their faults there', () => {
    const folder = writeFiles({
      'applicationHost.config': host(''),
      'sites/Public/web.config': web('<rules configSource="parts\\rules.config" />'),
      'sites/Public/parts/rules.config': '<rules><rule name="a" x="1" /></rules>',
    });
    const { config, diagnostics } = loadConfig(folder);
    expect(diagnostics.map(({ code, span }) => [code, span.file, span.start])).toEqual([
      ['LG2001', join(folder, 'sites/Public/parts/rules.config'), 22],
    ]);
    expect(config?.sites[0]?.scopes[0]?.ruleSet.rules).toHaveLength(1);
  });

  it('makes sites of the bindings in the settings', () => {
    const folder = writeFiles({
      'settings.json': '{"iis": [{"file": "web.config", "site": "S"}], "bindings": [{"site": "S"}, {"port": 8443}]}',
      'web.config': web(`<rules>${rules('a')}</rules>`),
    });
    const { config, diagnostics } = loadConfig(folder);
    expect(diagnostics).toEqual([]);
    expect(config?.sites).toMatchObject([
      { name: 'S', bindings: [{ port: 443 }], scopes: [{ path: '/', ruleSet: { rules: [{ name: { value: 'a' } }] } }] },
      { name: 'Default Web Site', bindings: [{ port: 8443 }], scopes: [{ path: '/', ruleSet: { rules: [] } }] },
    ]);
  });

  it('reports files and settings that do not fit the sites', () => {
    const folder = writeFiles({
      'settings.json':
        '{"iis": ["applicationHost.config", {"file": "w.config", "site": "No"}], "bindings": [{}], "farms": {"x": {}}}',
      'applicationHost.config': host(
        '',
        '<location path="Nowhere"><system.webServer><rewrite><rules /></rewrite></system.webServer></location>',
      ),
      'w.config': web(''),
      'sites/Other/web.config': web(''),
    });
    expect(loadConfig(folder).diagnostics.map((one) => one.code)).toEqual([
      'LG6008',
      'LG6007',
      'LG6006',
      'LG1019',
      'LG1019',
    ]);
  });

  it('reports a missing file and nothing to listen on', () => {
    expect(loadConfig(writeFiles({})).diagnostics.map((one) => [one.code, one.iis?.text])).toEqual([
      ['LG1001', 'Cannot read configuration file'],
    ]);
    const folder = writeFiles({ 'applicationHost.config': '<configuration />' });
    const { config, diagnostics } = loadConfig(folder);
    expect(diagnostics.map((one) => one.code)).toEqual(['LG5011']);
    expect(config).toBeDefined();
  });

  it('finds one binding in two sites and one id in two sites', () => {
    const site = (name: string) =>
      `<site name="${name}" id="7"><bindings><binding protocol="http" bindingInformation="*:80:a" /></bindings></site>`;
    const source = `<configuration><system.applicationHost><sites>${site('a')}${site('b')}</sites></system.applicationHost></configuration>`;
    const { diagnostics } = loadConfig(writeFiles({ 'applicationHost.config': source }));
    expect(diagnostics.map((one) => one.code)).toEqual(['LG5005', 'LG5010']);
  });

  it('honours what is acknowledged', () => {
    const guarded = host('<security><ipSecurity allowUnlisted="false" /></security>');
    const before = loadConfig(writeFiles({ 'applicationHost.config': guarded }));
    expect(before.diagnostics.map((one) => one.code)).toEqual(['LG1017']);
    for (const name of ['ipSecurity', 'security/ipsecurity', 'system.webServer/security/ipSecurity']) {
      const folder = writeFiles({ 'applicationHost.config': guarded, 'settings.json': `{"acknowledge": ["${name}"]}` });
      expect(loadConfig(folder).diagnostics).toEqual([]);
    }
  });

  it('holds sections to what configSections declares', () => {
    const declared = `<configSections><sectionGroup name="system.webServer"><section name="handlers" overrideModeDefault="Deny" />
      <sectionGroup name="rewrite"><section name="rules" /></sectionGroup></sectionGroup></configSections>`;
    const folder = writeFiles({
      'applicationHost.config': `<configuration>${declared}<system.webServer><handlers /><rewrite><rules /><globalRules /></rewrite></system.webServer></configuration>`,
      'settings.json': '{"bindings": [{"site": "S"}]}',
      'sites/S/web.config': '<configuration><system.webServer><handlers /></system.webServer></configuration>',
    });
    expect(loadConfig(folder).diagnostics.map((one) => one.code)).toEqual(['LG1008', 'LG1012']);
  });

  it('reads UTF-16, byte order marks and other declared encodings', () => {
    const text = `<rules>${rules('Größe')}</rules>`;
    const wide = new Uint8Array(Buffer.from(`\uFEFF${text}`, 'utf16le'));
    const big = new Uint8Array(Buffer.from(`\uFEFF${text}`, 'utf16le').swap16());
    const narrow = new Uint8Array(Buffer.from(`<?xml version="1.0" encoding="iso-8859-1"?>${text}`, 'latin1'));
    const folder = writeFiles({ wide, big, narrow, marked: `\uFEFF${text}` });
    for (const name of ['wide', 'big', 'narrow', 'marked']) {
      const { config, diagnostics } = loadFile(join(folder, name));
      expect([name, diagnostics]).toEqual([name, []]);
      expect(config?.sites[0]?.scopes[0]?.ruleSet.rules[0]?.name.value).toBe('Größe');
    }
  });

  it('refuses bytes that are no text, unknown encodings and files over the limit of IIS', () => {
    const bad = new Uint8Array([...Buffer.from('<a b="é'), 0xff, ...Buffer.from('"/>')]);
    const folder = writeFiles({
      bad,
      unknown: '<?xml version="1.0" encoding="klingon"?><rules />',
      'web.config': web(`<rules /><!-- ${'x'.repeat(260_000)} -->`),
      claimed: '<?xml version="1.0" encoding="utf-16"?><rules />',
    });
    const found = (name: string) =>
      loadFile(join(folder, name)).diagnostics.map(({ code, span }) => [code, span.start]);
    expect(found('bad')).toEqual([['LG1003', 7]]);
    expect(found('unknown')).toEqual([['LG1003', 30]]);
    expect(found('web.config')).toEqual([['LG1004', 0]]);
    expect(found('claimed')).toEqual([['LG1020', 30]]);
  });
});

describe('loadFile', () => {
  const fragments: readonly (readonly [string, number, number, number])[] = [
    [`<rewrite><rules>${rules('a')}</rules><globalRules>${rules('g')}</globalRules></rewrite>`, 1, 1, 0],
    [`<rules>${rules('a', 'b')}</rules>`, 0, 2, 0],
    [`<globalRules>${rules('a')}</globalRules>`, 1, 0, 0],
    ['<rule name="a" />', 0, 1, 0],
    ['<rewriteMaps><rewriteMap name="m" /></rewriteMaps>', 0, 0, 1],
    ['<rewriteMap name="m"><add key="a" value="b" /></rewriteMap>', 0, 0, 1],
    [`<system.webServer><rewrite><rules>${rules('a')}</rules></rewrite></system.webServer>`, 0, 1, 0],
    [web(`<rules>${rules('a')}</rules>`), 0, 1, 0],
    ['<outboundRules />', 0, 0, 0],
  ];

  it.each(fragments)('reads %s', (source, globals, own, maps) => {
    const { config, diagnostics } = loadFile(join(writeFiles({ f: source }), 'f'));
    expect(diagnostics).toEqual([]);
    const { ruleSet } = config!.sites[0]!.scopes.at(-1)!;
    expect([config?.globalRules.rules.length, ruleSet.rules.length, ruleSet.rewriteMaps.length]).toEqual([
      globals,
      own,
      maps,
    ]);
    expect([config?.sites[0]?.name, config?.proxy.enabled]).toEqual([FRAGMENT_SITE, true]);
  });

  it('has no model of a file with an XML fault', () => {
    const { config, diagnostics } = loadFile(join(writeFiles({ f: '<rules>' }), 'f'));
    expect([config, hasErrors(diagnostics)]).toEqual([undefined, true]);
  });

  it('puts rules below a base path, and maps where all can see them', () => {
    const folder = writeFiles({
      'a.xml': `<rules>${rules('a')}</rules>`,
      'b.xml': '<rewriteMaps><rewriteMap name="m" /></rewriteMaps>',
    });
    const { config, diagnostics } = loadFiles([join(folder, 'a.xml'), join(folder, 'b.xml')], { base: '/content/' });
    expect(diagnostics).toEqual([]);
    expect(
      config?.sites[0]?.scopes.map(({ path, ruleSet }) => [
        path,
        ruleSet.rules.map((rule) => rule.basePath),
        ruleSet.rewriteMaps.length,
      ]),
    ).toEqual([
      ['/content', ['/content'], 1],
      ['/', [], 1],
    ]);
    expect(config?.globalRules.rewriteMaps).toHaveLength(1);
  });

  it('joins a web.config to the first site of an applicationHost.config', () => {
    const folder = writeFiles({
      'applicationHost.config': host(''),
      'web.config': web(`<rules>${rules('a')}</rules>`),
    });
    const { config } = loadFiles([join(folder, 'applicationHost.config'), join(folder, 'web.config')]);
    expect(config?.sites.map((site) => [site.name, site.scopes[0]?.ruleSet.rules.length])).toEqual([['Public', 1]]);
    expect(config?.proxy.enabled).toBe(false);
  });
});

describe('site folders', () => {
  it('follow links, also in a circle', () => {
    const folder = writeFiles({
      'applicationHost.config': host(''),
      'real/web.config': web(`<rules>${rules('a')}</rules>`),
    });
    mkdirSync(join(folder, 'sites'));
    symlinkSync('../real', join(folder, 'sites/Public'));
    symlinkSync('.', join(folder, 'real/loop'));
    const { config, diagnostics } = loadConfig(folder);
    expect(diagnostics).toEqual([]);
    expect(config?.sites[0]?.scopes.map(({ path, ruleSet }) => [path, ruleSet.rules.length])).toEqual([['/', 1]]);
  });

  it('hold maps of any size', () => {
    const entries = Array.from({ length: 150_000 }, (_, number) => `<add key="${number}" value="x" />`).join('');
    const folder = writeFiles({ f: `<rewriteMap name="m">${entries}</rewriteMap>` });
    expect(loadFile(join(folder, 'f')).config?.globalRules.rewriteMaps[0]?.entries).toHaveLength(150_000);
  });
});
