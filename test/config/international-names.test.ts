/** Names in letters beyond ASCII, in every place of a configuration that holds a name: what the model has, and what is told. */
import { expect, test } from 'vitest';
import { loadConfig, loadFile } from '../../src/config/load-config.ts';
import { checkLoaded } from '../../src/service/check-config.ts';
import { unmark, writeFiles } from './written.ts';

const iis = (parts: { bindings?: readonly string[]; farms?: string; rules?: string; more?: string }) => `<configuration>
  <system.applicationHost><sites><site name="S" id="1"><application path="/" /><bindings>
    ${(parts.bindings ?? ['*:80:']).map((each) => `<binding protocol="http" bindingInformation="${each}" />`).join('')}
  </bindings></site></sites></system.applicationHost>
  <webFarms>${parts.farms ?? ''}</webFarms>
  <system.webServer><proxy enabled="true" /><rewrite>${parts.more ?? ''}<globalRules>${parts.rules ?? ''}</globalRules></rewrite></system.webServer>
</configuration>`;

const load = (files: Readonly<Record<string, string>>) => checkLoaded(loadConfig(writeFiles(files)));

/** Codes with the marked text that each points at. */
function told(marked: string, settings = '{}'): string[] {
  const { text, places } = unmark(marked);
  const json = unmark(settings);
  const { diagnostics } = load({ 'applicationHost.config': text, 'settings.json': json.text });
  return diagnostics.map(({ code, span: { file, start, end } }) => {
    const [source, marks] = file.endsWith('.json') ? [json.text, json.places] : [text, places];
    const isMarked = marks.some(([from, to]) => from === start && to === end);
    return `${code} ${isMarked ? source.slice(start, end) : `${start}-${end}`}`;
  });
}

test.each([
  ['bücher.contoso.test', 'xn--bcher-kva.contoso.test'],
  ['BÜCHER.Contoso.test.', 'xn--bcher-kva.contoso.test.'],
  ['*.größe.test', '*.xn--gre-6ka8i.test'],
  ['contoso．test', 'contoso.test'],
  ['пример.рф', 'xn--e1afmkfd.xn--p1ai'],
  ['Www_1.test', 'www_1.test'],
])('the binding %s is bound as %s', (name, host) => {
  const { config } = load({ 'applicationHost.config': iis({ bindings: [`*:80:${name}`] }) });
  expect(config?.sites[0]?.bindings).toMatchObject([{ host }]);
});

test.each(['bü cher.test', 'bücher..test', '１２７.0.0.1', 'ü/x', 'a.*.ü', 'ü%41'])(
  'the binding %s is refused',
  (name) => {
    expect(told(iis({ bindings: [`«*:80:${name}»`] }))).toEqual([`LG5008 *:80:${name}`]);
  },
);

test('two sites with one name in two spellings have one binding', () => {
  const site = (id: number, host: string) =>
    `<site name="S${id}" id="${id}"><application path="/" /><bindings><binding protocol="http" bindingInformation="*:80:${host}" /></bindings></site>`;
  const sites = ['bücher.test', 'xn--bcher-kva.test'].map((host, index) => site(index + 1, host)).join('');
  const file = `<configuration><system.applicationHost><sites>${sites}</sites></system.applicationHost></configuration>`;
  expect(load({ 'applicationHost.config': file }).diagnostics.map(({ code }) => code)).toEqual(['LG5010']);
});

test('a site with one name in two spellings has a binding twice', () => {
  const twice = (first: string, second: string) =>
    load({ 'applicationHost.config': iis({ bindings: [`*:80:${first}`, `*:80:${second}`] }) }).diagnostics;
  const [found, ...more] = twice('BÜCHER.test', 'xn--bcher-kva.test');
  expect([found?.code, found?.message, more]).toEqual([
    'LG5007',
    'Site "S" has the binding *:80:xn--bcher-kva.test twice: "bücher.test" and "xn--bcher-kva.test" are one host.',
    [],
  ]);
  expect(twice('bücher.test', 'bücher.test').map(({ code }) => code)).toEqual(['LG5005']);
  expect(twice('bücher.test', 'köln.test')).toEqual([]);
});

test('keys of a map that is asked for the host, and hosts that rules lead to', () => {
  const rule = (name: string, input: string, action: string) =>
    `<rule name="${name}" stopProcessing="true"><match url="^${name}$" /><conditions><add input="${input}" pattern="(.+)" /></conditions><action ${action} /></rule>`;
  const map = (name: string, ...keys: string[]) =>
    `<rewriteMap name="${name}">${keys.map((key) => `<add key="${key}" value="a" />`).join('')}</rewriteMap>`;
  const marked = iis({
    farms: '<webFarm name="größe"><server address="a" /></webFarm>',
    more: `<rewriteMaps>${map('Hosts', '«bücher.test»', 'plain.test', 'köln.test', 'xn--kln-sna.test')}${map('Paths', 'bücher.test')}</rewriteMaps>`,
    rules:
      rule('map', '{Hosts:{ToLower:{HTTP_HOST}}}', 'type="Rewrite" url="http://größe/"') +
      rule('path', '{Paths:{URL}}', 'type="Rewrite" url="http://größe/a"') +
      rule('location', '{URL}', 'type="Redirect" url="https://«zürich.test:8443»/ü"') +
      rule('target', '{URL}', 'type="Rewrite" url="http://«zürich.test»/"'),
  });
  const found = told(marked).filter((each) => !each.startsWith('LG2304'));
  expect(found).toEqual(['bücher.test', 'zürich.test:8443', 'zürich.test'].map((place) => `LG2207 ${place}`));
  const { diagnostics } = load({ 'applicationHost.config': unmark(marked).text });
  expect(diagnostics.flatMap(({ code, advice }) => (code === 'LG2207' ? [advice] : []))).toEqual(
    ['xn--bcher-kva.test', 'xn--zrich-kva.test:8443', 'xn--zrich-kva.test'].map(
      (ascii) => `Write "${ascii}", which is the same for both.`,
    ),
  );
});

test('farms: addresses and host names are ASCII, and a rule finds a farm in any spelling of its name', () => {
  const routing = '<applicationRequestRouting hostName="Größe.test:8080" healthCheckAlternateHostName="ä.test" />';
  const affinity =
    '<affinity useHostName="true"><host name="ö.test"><equivalentHost name="Ü.test" /></host></affinity>';
  const farms = `<webFarm name="Bücher-Farm"><server address="srv-ä.test">${routing}</server>
    <server address="Fe02" />
    <applicationRequestRouting><protocol alternateHostName="ß.test" />${affinity}</applicationRequestRouting></webFarm>`;
  const rule = (name: string, host: string) =>
    `<rule name="${name}" stopProcessing="true"><match url="^${name}$" /><action type="Rewrite" url="http://${host}/" /></rule>`;
  const rules = rule('a', 'bücher-farm') + rule('b', 'BÜCHER-FARM') + rule('c', 'xn--bcher-farm-9db');
  const { config, diagnostics } = load({ 'applicationHost.config': iis({ farms, rules }) });
  expect(diagnostics.map(({ code }) => code)).toEqual(['LG1030']);
  expect(config?.webFarms[0]).toMatchObject({
    servers: [
      {
        address: { value: 'xn--srv--ooa.test' },
        hostName: 'xn--gre-6ka8i.test:8080',
        healthCheckAlternateHostName: 'xn--4ca.test',
      },
      { address: { value: 'Fe02' } },
    ],
    protocol: { alternateHostName: 'xn--zca.test' },
    affinity: { hosts: [{ name: 'xn--nda.test', equivalentHosts: ['xn--tda.test'] }] },
  });
});

test.each(['bü ro.test', 'ü..test', '１.test', 'ü:1:2'])('the server %s is told', (address) => {
  const farms = `<webFarm name="f"><server address="«${address}»" /></webFarm>`;
  const rules =
    '<rule name="r" stopProcessing="true"><match url=".*" /><action type="Rewrite" url="http://f/{R:0}" /></rule>';
  expect(told(iis({ farms, rules }))).toEqual(address === '１.test' ? [] : [`LG3025 ${address}`]);
});

test('settings: keys and names in any spelling', () => {
  const settings = {
    hosts: { 'Böden.test': '10.0.0.1', 'a.test': '10.0.0.2' },
    upstream: { allow: ['Bücher.test', 'b.test'] },
    farms: { 'BÜCHER-farm': { serverName: 'srv-ä.test', probes: [{ url: 'http://x/', hostName: 'ö.test' }] } },
    bindings: [{ host: 'Ü.test' }],
  };
  const { config, diagnostics } = load({
    'applicationHost.config':
      '<configuration><webFarms><webFarm name="Bücher-Farm"><server address="a" /></webFarm></webFarms></configuration>',
    'settings.json': JSON.stringify(settings),
  });
  expect(diagnostics.map(({ code }) => code)).toEqual([]);
  expect(config?.settings.hosts).toEqual({ 'xn--bden-5qa.test': '10.0.0.1', 'a.test': '10.0.0.2' });
  expect(config?.settings.upstream.allow).toEqual(['xn--bcher-kva.test', 'b.test']);
  expect(config?.settings.farms.get('xn--bcher-farm-9db')).toMatchObject({
    serverName: 'xn--srv--ooa.test',
    probes: [{ hostName: 'xn--nda.test' }],
  });
  expect(config?.sites[0]?.bindings).toMatchObject([{ host: 'xn--tda.test' }]);
});

test.each([
  ['{"hosts": {«"ü .test"»: "10.0.0.1"}}', 'LG6004'],
  ['{"hosts": {"ü.test": "10.0.0.1", «"xn--tda.test"»: "10.0.0.2"}}', 'LG6005'],
  ['{"upstream": {"allow": [«"ü/x"»]}}', 'LG6004'],
  ['{"farms": {"f": {"serverName": «"１.0.0.1"»}}}', 'LG6004'],
  ['{"hosts": {«"straße.test"»: "10.0.0.1"}}', 'LG1030'],
  ['{"upstream": {"allow": [«"аpple.test"»]}}', 'LG1030'],
])('settings %s: %s', (settings, code) => {
  const farms = '<webFarm name="f"><server address="a" /></webFarm>';
  const rules =
    '<rule name="r" stopProcessing="true"><match url=".*" /><action type="Rewrite" url="http://f/{R:0}" /></rule>';
  const found = told(iis({ farms, rules }), settings);
  expect(found).toEqual([`${code} ${/«(.*)»/.exec(settings)?.[1]}`]);
});

const rule = (condition: string, action: string) =>
  iis({
    rules: `<rule name="r" stopProcessing="true"><match url=".*" /><conditions>${condition}</conditions><action ${action} /></rule>`,
  });

test.each([
  ['<add input="{HTTP_HOST}" pattern="«^bücher\\.test$»" />', ['LG2207 ^bücher\\.test$']],
  ['<add input="{SERVER_NAME}" pattern="«^bücher\\.test$»" negate="true" />', ['LG2207 ^bücher\\.test$']],
  ['<add input="{HTTP_HOST}" pattern="«^b[üu]cher\\.test$»" />', ['LG2207 ^b[üu]cher\\.test$']],
  ['<add input="{HTTP_HOST}" pattern="«büch.*»" />', ['LG2207 büch.*']],
  ['<add input="{HTTP_HOST}" pattern="«^straße\\.test$»" />', ['LG2207 ^straße\\.test$', 'LG1030 ^straße\\.test$']],
  ['<add input="{URL}" pattern="^/größe" />', []],
  ['<add input="{HTTP_HOST}" pattern="^xn--bcher-kva\\.test$" />', []],
])('the condition %s: %j', (condition, expected) => {
  expect(told(rule(condition, 'type="AbortRequest"')).sort()).toEqual(expected.sort());
});

test('a pattern is told with what it is compared as, and what IIS does', () => {
  const { diagnostics } = load({
    'applicationHost.config': rule('<add input="{HTTP_HOST}" pattern="^bücher\\.test$" />', 'type="AbortRequest"'),
  });
  expect(diagnostics[0]?.message).toContain('"^xn--bcher-kva\\.test$"');
  expect(diagnostics[0]?.advice).toBe('Write "^xn--bcher-kva\\.test$", which is the same for both.');
});

test.each([
  ['type="Rewrite" url="http://«bü cher.test»/"', ['LG2235 bü cher.test']],
  ['type="Redirect" url="http://«ü..test»/"', ['LG2235 ü..test']],
  ['type="Rewrite" url="http://«straße.test»/"', ['LG1030 straße.test']],
  ['type="Redirect" url="http://«аpple.test»/"', ['LG1030 аpple.test']],
  ['type="Rewrite" url="http://«bücher.test:8080»/"', ['LG2207 bücher.test:8080']],
  ['type="Redirect" url="//«bücher.test»/"', ['LG2207 bücher.test']],
  ['type="Rewrite" url="http://xn--bcher-kva.test/bücher"', []],
])('the action %s: %j', (action, expected) => {
  expect(told(rule('', action))).toEqual(expected);
});

test('a rule for a binding in another spelling is no rule for a host that no binding has', () => {
  const condition = '<add input="{HTTP_HOST}" pattern="^bücher\\.test$" />';
  const files = (bindings: readonly string[]) => ({
    'applicationHost.config': rule(condition, 'type="AbortRequest"').replace('*:80:', bindings[0] ?? ''),
  });
  expect(load(files(['*:80:xn--bcher-kva.test'])).diagnostics.map(({ code }) => code)).toEqual(['LG2207']);
  expect(load(files(['*:80:other.test'])).diagnostics.map(({ code }) => code)).toEqual(['LG2207', 'LG2304']);
});

test('a rewrite to a binding of this proxy in another spelling is a loop', () => {
  const file = rule('', 'type="Rewrite" url="http://bücher.test/"').replace('*:80:', '*:80:xn--bcher-kva.test');
  expect(load({ 'applicationHost.config': file }).diagnostics.map(({ code }) => code)).toEqual(['LG2302']);
});

test('a name that is nearly that of a farm is told with the farm', () => {
  const farms = '<webFarm name="Bücherfarm"><server address="a" /></webFarm>';
  const rules =
    '<rule name="r" stopProcessing="true"><match url=".*" /><action type="Rewrite" url="http://Bücherfram/{R:0}" /></rule>';
  const { diagnostics } = load({ 'applicationHost.config': iis({ farms, rules }) });
  expect(diagnostics.map(({ code }) => code)).toEqual(['LG2237']);
  expect(diagnostics[0]?.advice).toContain('"Bücherfarm"');
});

test('a preCondition and an outbound condition are read the same', () => {
  const file = `<outboundRules>
    <preConditions><preCondition name="p"><add input="{HTTP_HOST}" pattern="^ü$" /></preCondition></preConditions>
    <rule name="o" preCondition="p"><match serverVariable="RESPONSE_X" pattern="a" /><conditions><add input="{HTTP_HOST}" pattern="^ö$" /></conditions><action type="Rewrite" value="b" /></rule>
  </outboundRules>`;
  const { config, diagnostics } = checkLoaded(
    loadFile(`${writeFiles({ 'a.config': `<rewrite>${file}</rewrite>` })}/a.config`),
  );
  expect(diagnostics.map(({ code }) => code)).toEqual(['LG2207', 'LG2207']);
  const outbound = config!.sites[0]!.scopes[0]!.ruleSet.outbound!;
  expect(outbound.preConditions[0]?.conditions.entries).toMatchObject([{ pattern: { value: '^xn--tda$' } }]);
  expect(outbound.rules[0]?.conditions?.entries).toMatchObject([
    { pattern: { value: '^xn--nda$' }, written: { value: '^ö$' } },
  ]);
});
