import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { printTrace } from '../../src/rewrite/print-trace.ts';
import { createRecorder } from '../../src/rewrite/trace.ts';
import { traceJson } from '../../src/rewrite/trace-json.ts';
import { condition, map, type RuleText, ruleSet, run } from './rule-configs.ts';

const farms = [{ name: 'Farm', servers: (scheme: string) => [`${scheme}://10.0.0.20:4443`] }];

function traced(rules: readonly RuleText[], path = '/a?q', known = farms) {
  const recorder = createRecorder();
  const outcome = run({ global: ruleSet(rules) }, path, { scheme: 'https' }, recorder);
  const json = traceJson(outcome, recorder, { method: 'GET', url: `https://www.mysite.com${path}` }, known);
  return { json, notes: recorder.notes };
}

const trace = (rules: readonly RuleText[]) => traced(rules).json;

interface Printed {
  readonly path?: string;
  readonly farms?: typeof farms;
  readonly colour?: boolean;
}

function print(rules: readonly RuleText[], { path, farms: known, colour = false }: Printed = {}): string {
  const { json, notes } = traced(rules, path, known);
  return printTrace(json, { notes, colour }).join('\n');
}

test.each<[string, RuleText, object]>([
  [
    'proxy',
    { to: 'https://farm/{R:0}', set: [['HTTP_X_A', 'b']] },
    {
      action: 'proxy',
      url: 'https://farm/a?q',
      farm: 'Farm',
      servers: ['https://10.0.0.20:4443'],
      setVariables: { HTTP_X_A: 'b' },
    },
  ],
  ['no farm', { to: 'http://other:81/' }, { action: 'proxy', url: 'http://other:81/?q' }],
  ['none', { to: '/b' }, { action: 'none', url: '/b?q', rule: 'rule' }],
  [
    'redirect',
    { type: 'Redirect', to: '/b' },
    { action: 'redirect', status: 301, location: 'https://www.mysite.com/b?q' },
  ],
  [
    'respond',
    { type: 'CustomResponse', status: 403, reason: 'No', description: 'Go' },
    { action: 'respond', status: 403, subStatus: 0, reason: 'No', body: 'Go' },
  ],
  ['abort', { type: 'AbortRequest' }, { action: 'abort' }],
  [
    'error',
    { to: '{x:y}' },
    {
      action: 'error',
      error: { status: 500, iisStatus: '500.51', message: 'The expression "{x:y}" cannot be expanded.' },
    },
  ],
  [
    'bad request',
    { to: 'http://{UrlDecode:%40}/' },
    { action: 'error', error: { status: 400, message: 'the host of "http://@/" is not valid' } },
  ],
])('%s as JSON', (_, rule, outcome) => {
  const json = trace([rule]);
  expect(json.request).toEqual({ method: 'GET', url: 'https://www.mysite.com/a?q' });
  expect(json.outcome).toEqual(outcome);
  expect(JSON.parse(JSON.stringify(json)).events[0]).toEqual({
    event: 'URL_REWRITE_START',
    RequestURL: '/a',
    QueryString: 'q',
    Scope: 'Global',
  });
});

test('as text', () => {
  const rules: RuleText[] = [
    { name: 'one', url: '^b' },
    { name: 'two', url: '^a', conditions: [condition('{HTTPS}', 'off')] },
    {
      name: 'three',
      url: '(.*)',
      conditions: [condition('{HTTPS}', 'on')],
      to: 'https://farm/{R:1}',
      stop: true,
      set: [['HTTP_X_A', 'b']],
    },
  ];
  expect(print(rules)).toBe(`GET https://www.mysite.com/a?q

Global rules on "/a", query "q"
  -  one: "a" does not match "^b"
  -  two: "a" matches "^a"
     no  {HTTPS} = "ON" does not match "off"
  +  three: "a" matches "(.*)"
     yes {HTTPS} = "ON" matches "on"
     captured {R:0} = "a", {R:1} = "a", {C:0} = "ON"
     sets HTTP_X_A = "b"
     rewrites to https://farm/a?q
     stops here

=> proxied to https://farm/a?q
   farm Farm: https://10.0.0.20:4443
   HTTP_X_A = "b"`);
});

test.each<[string, readonly RuleText[], string, string]>([
  [
    'negated',
    [
      { name: 'one', url: '^a', negate: true },
      { name: 'two', url: '^b', negate: true, conditions: [condition('{HTTPS}', 'on', { negate: true })] },
    ],
    `  -  one: "a" matches "^a" (negated)
  -  two: "a" does not match "^b" (negated)
     no  {HTTPS} = "ON" matches "on" (negated)`,
    '=> no rule took it: 404',
  ],
  [
    'rewritten, but not sent anywhere',
    [{ name: 'one', to: '/b', append: false }],
    `  +  one: "a" matches ".*"
     captured {R:0} = "a"
     rewrites to /b`,
    '=> rule "one" leaves it to a file; Lychgate has none: 404\n   the URL is now /b',
  ],
  [
    'files',
    [{ name: 'one', conditions: [condition('{REQUEST_FILENAME}', '', { matchType: 'IsFile' })] }],
    `  -  one: "a" matches ".*"
     no  {REQUEST_FILENAME} = "/a" is no file: there are none here`,
    '=> no rule took it: 404',
  ],
  [
    'redirect',
    [{ name: 'one', type: 'Redirect', to: '/b' }],
    `  +  one: "a" matches ".*"
     captured {R:0} = "a"
     redirects to https://www.mysite.com/b?q`,
    '=> redirected with 301 to https://www.mysite.com/b?q',
  ],
  [
    'response',
    [{ name: 'one', type: 'CustomResponse', status: 403, subStatus: 4, reason: 'No', description: 'Go away' }],
    `  +  one: "a" matches ".*"
     captured {R:0} = "a"
     answers 403.4`,
    '=> answered 403.4 No\n   Go away',
  ],
  [
    'abort',
    [{ name: 'one', type: 'AbortRequest' }],
    `  +  one: "a" matches ".*"
     captured {R:0} = "a"
     drops the connection`,
    '=> connection dropped without an answer',
  ],
  [
    'failure',
    [{ name: 'one' }, { name: 'two', to: '{x:y}' }],
    `  +  one: "a" matches ".*"
     captured {R:0} = "a"
  -  two: "a" matches ".*"
     captured {R:0} = "a"
     cannot be carried out`,
    '=> 500.51: The expression "{x:y}" cannot be expanded.',
  ],
])('%s as text', (_, rules, lines, outcome) => {
  expect(print(rules)).toBe(
    `GET https://www.mysite.com/a?q\n\nGlobal rules on "/a", query "q"\n${lines}\n\n${outcome}`,
  );
});

test('a farm whose servers are all off, and a host that is no farm', () => {
  const off = [{ name: 'Farm', servers: () => [] }];
  expect(print([{ to: 'https://farm/' }], { farms: off })).toMatch(/farm Farm: no server is enabled/);
  expect(print([{ to: 'https://other/' }])).toMatch(/=> proxied to https:\/\/other\/\?q\n {3}directly: /);
});

test('colours only where they are asked for', () => {
  const rules: RuleText[] = [{ url: '^b' }, { conditions: [condition('{HTTPS}', 'off')] }, { to: 'https://farm/' }];
  expect(print(rules)).not.toContain('\x1b');
  const coloured = print(rules, { colour: true });
  for (const code of [1, 2, 31, 32]) expect(coloured).toContain(`\x1b[${code}m`);
  expect(stripVTControlCharacters(coloured)).toBe(print(rules));
});

test('ten thousand rules take one line each', () => {
  const rules = Array.from({ length: 10_000 }, (_, index) => ({ name: `r${index}`, url: '^b' }));
  const lines = print(rules).split('\n');
  expect(lines.length).toBe(10_000 + 5);
  expect(lines[10_002]).toBe('  -  r9999: "a" does not match "^b"');
});

test('what came with the request cannot steer the terminal', () => {
  const lines = print([{ url: '(.*)', to: '/{UrlDecode:{QUERY_STRING}}' }], { path: '/a?%1b[2J' });
  expect(lines).toContain('\\x1b[2J');
  expect(lines).not.toContain('\x1b');
});

test.each<[string, readonly RuleText[], string]>([
  [
    'None that ends the list',
    [
      { name: 'one', stop: true },
      { name: 'two', to: 'https://farm/' },
    ],
    'one',
  ],
  [
    'the last that stays',
    [
      { name: 'one', to: '/b' },
      { name: 'two', url: '^b$', to: 'c.html' },
    ],
    'two',
  ],
  ['a query alone', [{ name: 'one', to: '?x=1' }], 'one'],
  [
    'no server any more',
    [
      { name: 'one', to: 'https://farm/' },
      { name: 'two', to: '/b' },
    ],
    'two',
  ],
  ['by a host', [{ name: 'one', to: '/b', conditions: [condition('{HTTP_HOST}', '^www.mysite.com$')] }], 'one'],
])('left to a file: %s', (_, rules, name) => {
  expect(trace(rules).outcome).toMatchObject({ action: 'none', rule: name });
  // Without a recorder rules are found by their host.
  expect(run({ global: ruleSet(rules) }, '/a?q')).toMatchObject({ kind: 'none', rule: name });
  expect(print(rules)).toContain(`=> rule "${name}" leaves it to a file; Lychgate has none: 404`);
});

test.each<[string, readonly RuleText[]]>([
  ['None goes on', [{ name: 'one' }]],
  ['nothing matched', [{ name: 'one', url: '^b', stop: true }]],
  ['a condition failed', [{ name: 'one', stop: true, conditions: [condition('{HTTPS}', 'off')] }]],
])('no rule took it: %s', (_, rules) => {
  expect(trace(rules).outcome).not.toHaveProperty('rule');
  expect(run({ global: ruleSet(rules) }, '/a?q', { scheme: 'https' })).toMatchObject({ kind: 'none', rule: '' });
});

test('a rule for the site, after a global one that ended its list', () => {
  const global = ruleSet([{ name: 'global', stop: true }]);
  expect(run({ global, site: ruleSet([{ name: 'site', to: '/b' }]) }, '/a')).toMatchObject({ rule: 'site' });
  expect(run({ global, site: ruleSet([{ name: 'site', url: '^b' }]) }, '/a')).toMatchObject({ rule: 'global' });
});

test('the keys that maps were asked for, each once, also where the rule did not hold', () => {
  const rules = [
    {
      name: 'one',
      conditions: [condition('{Hosts:{ToLower:{HTTP_HOST}}}{Old:{REQUEST_URI}}', '^(.+)!$')],
      to: '/{Hosts:{HTTP_HOST}}',
    },
    { name: 'two', conditions: [condition('{Hosts:{HTTP_HOST}}', '.')], to: '/{Hosts:{HTTP_HOST}}' },
  ];
  const maps = [map('Old', { '/a': '/b' }, { defaultValue: '-' }), map('Hosts', { 'www.mysite.com': 'x' })];
  const recorder = createRecorder();
  const outcome = run({ global: ruleSet(rules, { rewriteMaps: maps }) }, '/a?q', { scheme: 'https' }, recorder);
  const json = traceJson(outcome, recorder, { method: 'GET', url: 'https://www.mysite.com/a?q' });
  expect(json.lookUps).toEqual([
    { map: 'Hosts', key: 'www.mysite.com', value: 'x', known: true },
    { map: 'Old', key: '/a?q', value: '-', known: false },
    { map: 'Hosts', key: 'www.mysite.com', value: 'x', known: true },
    { map: 'Hosts', key: 'www.mysite.com', value: 'x', known: true },
  ]);
  expect(printTrace(json, { notes: recorder.notes }).slice(3, 11)).toEqual([
    '  -  one: "a" matches ".*"',
    '     no  {Hosts:{ToLower:{HTTP_HOST}}}{Old:{REQUEST_URI}} = "x-" does not match "^(.+)!$"',
    '     map Hosts asked for "www.mysite.com": "x"',
    '     map Old asked for "/a?q": no such key, so "-"',
    '  +  two: "a" matches ".*"',
    '     yes {Hosts:{HTTP_HOST}} = "x" matches "."',
    '     map Hosts asked for "www.mysite.com": "x"',
    '     captured {R:0} = "a", {C:0} = "x"',
  ]);
});
