/** Hosts of rules that are nearly the name of a farm: told where they are meant as one, and nowhere else. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/service/check-config.ts';
import { writeFiles } from '../config/written.ts';

interface Written {
  /** With the farm that no rule leads to in another way. */
  readonly farm: string;
  readonly host: string;
  readonly proxy?: boolean;
  /** Another rule leads to the farm. */
  readonly used?: boolean;
  readonly rule?: string;
  readonly condition?: string;
  readonly settings?: string;
  readonly server?: string;
  readonly binding?: string;
}

function found({ farm, host, proxy = true, used = false, rule = 'r', condition, ...more }: Written) {
  const { settings = '{}', server = '192.0.2.1', binding = '' } = more;
  const conditions =
    condition === undefined ? '' : `<conditions><add input="{HTTP_HOST}" pattern="${condition}" /></conditions>`;
  const other = used
    ? `<rule name="o" stopProcessing="true"><match url="^o/" /><action type="Rewrite" url="http://${farm}/{R:0}" /></rule>`
    : '';
  const iis = `<configuration><system.applicationHost><sites><site name="a" id="1"><application path="/" />
    <bindings><binding protocol="http" bindingInformation="*:80:${binding}" /></bindings></site></sites></system.applicationHost>
    <webFarms><webFarm name="${farm}"><server address="${server}" /></webFarm></webFarms>
    <system.webServer><proxy enabled="${proxy}" /><rewrite><globalRules>${other}<rule name="${rule}" stopProcessing="true">
    <match url=".*" />${conditions}<action type="Rewrite" url="http://${host}/{R:0}" /></rule></globalRules></rewrite>
    </system.webServer></configuration>`;
  const folder = writeFiles({ 'applicationHost.config': iis, 'settings.json': settings });
  const { diagnostics, sources } = checkConfig(folder);
  return diagnostics.map(({ code, span, advice }) => {
    const meant = /^Did you mean the farm "([^"]*)"/.exec(advice)?.[1];
    const at = sources.get(span.file)?.slice(span.start, span.end);
    return `${code} ${at}${meant === undefined ? '' : ` -> ${meant}`}`;
  });
}

describe('told at the rule, and the farm is not said to be unused', () => {
  it.each([
    ['a letter changed', 'Exchange', 'Exchanje'],
    ['letters swapped', 'Exchange', 'Exchagne'],
    ['a letter missing', 'webfarm', 'webfrm'],
    ['a dash for an underscore', 'web_farm', 'web-farm'],
    ['a dash missing', 'web-farm', 'webfarm'],
    ['another dash', 'web-farm', 'web\u2013farm'],
    ['a suffix too much', 'exchange', 'exchange-farm'],
    ['a suffix missing', 'exchange.contoso.com', 'exchange'],
    ['a domain too much', 'exchange', 'exchange.contoso.com'],
    ['a slip in the domain', 'mail.contoso.com', 'mail.contso.com'],
  ])('%s', (_, farm, host) => {
    expect(found({ farm, host })).toEqual([`LG2237 ${host} -> ${farm}`]);
    expect(found({ farm, host, proxy: false })).toEqual([`LG2230 ${host} -> ${farm}`]);
  });

  it('a name in other case is the farm', () => {
    expect(found({ farm: 'Exchange', host: 'EXCHANGE' })).toEqual([]);
  });

  it('beside another rule that leads to the farm', () => {
    expect(found({ farm: 'Exchange', host: 'Exchagne', used: true })).toEqual(['LG2237 Exchagne -> Exchange']);
    const farm = 'webext.contoso.com';
    const host = 'webxt.contoso.com';
    expect(found({ farm, host, used: true, rule: `ARR_${farm}_loadbalance` })).toEqual([`LG2237 ${host} -> ${farm}`]);
    const condition = '^webext\\.contoso\\.com$';
    expect(found({ farm, host, used: true, condition })).toEqual([`LG2237 ${host} -> ${farm}`]);
  });

  it('and where the host is a binding the loop is told, with the farm', () => {
    const [farm, host] = ['mail-farm.contoso.com', 'mail.contoso.com'];
    expect(found({ farm: 'mail', host, binding: host })).toEqual([`LG2302 ${host} -> mail`]);
    expect(found({ farm, host, binding: host })).toEqual([`LG2302 ${host} -> ${farm}`]);
  });
});

describe('a host of its own is not accused', () => {
  it.each<[string, Written]>([
    ['numbered servers', { farm: 'app1', host: 'app2', used: true }],
    ['numbered names', { farm: 'pool01.contoso.com', host: 'pool02.contoso.com', used: true }],
    ['short names', { farm: 'web', host: 'app', used: true }],
    ['short names with one letter more', { farm: 'app', host: 'apps', used: true }],
    ['names in one domain', { farm: 'meet.contoso.com', host: 'dialin.contoso.com', used: true }],
    ['near names in one domain', { farm: 'mail.contoso.com', host: 'main.contoso.com', used: true }],
    ['a server of the farm', { farm: 'exchange', host: 'exchang', used: true, server: 'exchang' }],
    [
      'a host that settings.json gives the address of',
      { farm: 'exchange', host: 'exchang', used: true, settings: '{ "hosts": { "exchang": "192.0.2.2" } }' },
    ],
    [
      'a host that settings.json allows',
      { farm: 'exchange', host: 'exchang', used: true, settings: '{ "upstream": { "allow": ["exchang"] } }' },
    ],
    ['an address', { farm: '192.0.2.10x', host: '192.0.2.10', used: true }],
  ])('%s', (_, written) => {
    expect(found(written)).toEqual([]);
  });

  it('digits alone never make a farm meant', () => {
    expect(found({ farm: 'app1', host: 'app2' })).toEqual(['LG2303 app1']);
  });
});

it('settings of a farm that is nearly there', () => {
  const iis =
    '<configuration><webFarms><webFarm name="Exchange"><server address="192.0.2.1" /></webFarm></webFarms></configuration>';
  const folder = writeFiles({
    'applicationHost.config': iis,
    'settings.json': '{ "farms": { "Exchagne": {} }, "bindings": [{ "protocol": "http", "port": 80 }] }',
  });
  const [finding] = checkConfig(join(folder)).diagnostics;
  expect([finding?.code, finding?.advice]).toEqual(['LG6006', 'Did you mean the farm "Exchange"?']);
});
