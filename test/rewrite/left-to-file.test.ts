/** LG2245: rules that leave requests to a file, of which there are none here. */
import { describe, expect, test } from 'vitest';
import { findings, type RuleXml, rulesXml, told } from './told.ts';

const NONE = 'type="None"';
const MAP = (value: string) =>
  `<rewriteMaps><rewriteMap name="M" defaultValue=""><add key="/a" value="${value}" /></rewriteMap></rewriteMaps>`;
const of = (rules: readonly RuleXml[], more = '') => told('LG2245', rulesXml(rules, more));

test.each<[string, readonly RuleXml[], string[]]>([
  ['None that ends the list', [{ url: '^\\.well-known/', action: NONE }, {}], ['<action type="None" />']],
  ['a page of maintenance', [{ to: '/maintenance.html' }, { url: '^x' }], ['/maintenance.html']],
  ['a fragment', [{ to: '#App_Offline.htm' }], ['#App_Offline.htm']],
  ['the last rule', [{ to: 'index.php/{R:1}', stop: false }], ['index.php/{R:1}']],
  ['a file that no later rule is for', [{ to: '/a.html', stop: false }, { url: '^api/' }], ['/a.html']],
  ['a query alone', [{ to: '?x={R:1}' }], ['?x={R:1}']],
  ['a group', [{ to: '{R:1}.php' }], ['{R:1}.php']],
  ['a path variable', [{ to: '{URL}/x' }], ['{URL}/x']],
  [
    'where no file is, a negated condition',
    [{ to: '/', when: [['{URL}', '', 'matchType="IsFile" negate="true"']] }],
    ['/'],
  ],
  [
    'the one that ends the list',
    [
      { to: '/b', stop: false },
      { url: '^b$', action: NONE },
    ],
    ['<action type="None" />'],
  ],
])('%s', (_, rules, places) => {
  expect(of(rules)).toEqual(places);
});

test.each<[string, readonly RuleXml[]]>([
  ['a server', [{}]],
  ['None goes on', [{ action: NONE, stop: false }, {}]],
  ['a later rule takes it', [{ to: '/app/{R:1}', stop: false }, {}]],
  [
    'a later rule may take the very file',
    [
      { to: '/a.html', stop: false },
      { url: '\\.html$', when: [['{HTTPS}', 'on']] },
    ],
  ],
  [
    'a later rule redirects it',
    [
      { to: '/b', stop: false },
      { url: '^b', action: 'type="Redirect" url="https://x/"' },
    ],
  ],
  ['a later rule answers it', [{ to: '/b', stop: false }, { action: 'type="CustomResponse" statusCode="404"' }]],
  ['a computed scheme', [{ to: '{C:1}://app/{R:1}', when: [['{CACHE_URL}', '^(https?)']] }]],
  ['half a scheme', [{ to: 'http{C:1}://app/', when: [['{HTTPS}s', '^on(s)|offs$']] }]],
  ['a header', [{ to: '{HTTP_X}/a' }]],
  ['it is on its way already', [{ stop: false }, { action: NONE }]],
  ['disabled', [{ to: '/a', enabled: false }]],
  ['a file that must be there', [{ to: 'public/{R:0}', when: [['{URL}', '', 'matchType="IsFile"']] }]],
  ['a pattern that never matches', [{ url: '^/a', to: '/b' }]],
  ['a URL that fails', [{ to: '/{Nowhere:{R:0}}' }]],
])('not told: %s', (_, rules) => {
  expect(of(rules)).toEqual([]);
});

describe('maps', () => {
  const byCapture: RuleXml = { to: '{C:1}', when: [['{M:{URL}}', '(.+)']] };
  test('of paths', () => {
    expect(of([{ to: '{M:{URL}}' }], MAP('/b'))).toEqual(['{M:{URL}}']);
    expect(of([byCapture], MAP('/b'))).toEqual(['{C:1}']);
  });

  test('of anything else', () => {
    expect(of([{ to: '{M:{URL}}' }], MAP('http://b/'))).toEqual([]);
    expect(of([byCapture], MAP('http://b/'))).toEqual([]);
    expect(of([byCapture], MAP('b'))).toEqual(['{C:1}']);
  });
});

test('rules for one file are told together', () => {
  const [first, ...others] = findings(
    rulesXml([
      { url: '^a', to: 'index.php?a={R:0}' },
      { url: '^b', to: 'Index.php?b={R:0}' },
    ]),
    /LG2245/,
  );
  expect([first?.text, others]).toEqual(['index.php?a={R:0}', []]);
  expect(first?.diagnostic.message).toMatch(/\(and at 1 more place\)\.$/);
});

describe('global rules', () => {
  const host = (site: string) => `<configuration>
    <system.applicationHost><sites><site name="S" id="1"><application path="/" />
      <bindings><binding protocol="http" bindingInformation="*:80:" /></bindings></site></sites></system.applicationHost>
    <system.webServer><proxy enabled="true" /><rewrite>
      <globalRules><rule name="g" stopProcessing="true"><match url="^a" /><action type="None" /></rule></globalRules>
      <rules>${site}</rules></rewrite></system.webServer></configuration>`;

  test('nothing is behind them, or the rules of a site', () => {
    expect(told('LG2245', host(''))).toEqual(['<action type="None" />']);
    const site = '<rule name="s"><match url=".*" /><action type="Rewrite" url="http://app01/" /></rule>';
    expect(told('LG2245', host(site))).toEqual([]);
  });
});
