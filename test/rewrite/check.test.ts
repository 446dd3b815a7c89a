import { describe, expect, test } from 'vitest';
import { type Diagnostic, hasErrors, reportInto } from '../../src/config/diagnostic.ts';
import type { Config } from '../../src/config/model.ts';
import { checkPublication } from '../../src/publication/check-publication.ts';
import { check, codes, farm, found, type More } from './checked-rules.ts';
import { condition, map, type RuleText, ruleSet, ruleSettings, sitesOf } from './rule-configs.ts';

test('the rules that IIS Manager writes are clean', () => {
  const ssl = {
    ...farm,
    name: 'ARR_myFarm_loadbalance_SSL',
    conditions: [condition('{HTTPS}', 'On')],
    to: 'https://myFarm/{R:0}',
  };
  expect(check([], { global: ruleSet([ssl, { ...farm, name: 'ARR_myFarm_loadbalance' }]) })).toEqual([]);
});

describe('each fault at its place', () => {
  test.each<[string, RuleText, string[]]>([
    ['bad regex', { url: 'a(b' }, ['LG2200 1-2']],
    ['bad regex in a condition', { conditions: [condition('{URL}', 'x{HTTP_HOST}')] }, ['LG2200 1-12']],
    ['wildcard without the syntax', { url: '*' }, ['LG2200 0-1']],
    ['a loop that explodes', { url: '^(a+)+$' }, ['LG2201 1-6']],
    ['lone bracket', { url: 'a]' }, ['LG2202 1-2']],
    ['regex as wildcard', { url: '(.*)', syntax: 'Wildcard' }, ['LG2203 0-1']],
    ['slash', { url: '^/x' }, ['LG2204 0-2']],
    ['bad regex of a disabled rule', { url: 'a(b', enabled: false }, ['LG2205 1-2']],
    ['unclosed brace', { to: '/x{R:0' }, ['LG2210 2-3']],
    ['unknown map', { to: '/x{Maq:{R:0}}' }, ['LG2211 2-13']],
    ['provider', { to: '/{DB:{R:0}}' }, ['LG2212 1-11']],
    ['group', { url: '(a)', to: '/{R:1}{R:2}' }, ['LG2213 6-11']],
    ['group inside a function', { to: '/{ToLower:{R:2}}' }, ['LG2213 10-15']],
    ['no condition', { to: '/{C:1}' }, ['LG2213 1-6']],
    ['no condition before', { conditions: [condition('{C:0}', 'a')] }, ['LG2213 0-5']],
    ['above 9', { url: '(a)'.repeat(10), to: '/{R:10}' }, ['LG2214 1-7']],
    ['unknown variable', { to: '/{HTPP_HOST}' }, ['LG2215 1-12']],
    [
      'negated last',
      { conditions: [condition('{URL}', '(a)'), condition('{URL}', 'b', { negate: true })], to: '/{C:1}' },
      ['LG2216 1-6'],
    ],
    ['no pattern', { url: null }, ['LG2220']],
    ['no url', { type: 'Rewrite' }, ['LG2223']],
    ['no url', { type: 'Redirect' }, ['LG2223']],
    ['no status', { type: 'CustomResponse' }, ['LG2224']],
    ['bad status', { type: 'CustomResponse', status: 42 }, ['LG2224']],
    ['IsFile', { conditions: [condition('{URL}', '', { matchType: 'IsFile' })] }, ['LG2225']],
    ['variable', { set: [['HTTP_X', '1']] }, ['LG2226 0-6']],
    ['framing', { set: [['HTTP_CONTENT_LENGTH', '1']] }, ['LG2227 0-19']],
    ['no farm', { to: 'http://other/{R:0}', stop: true }, ['LG2230 7-12']],
    ['computed', { to: 'http://{HTTP_HOST}/{R:0}', stop: true }, ['LG2231 0-24']],
    ['query twice', { type: 'Redirect', to: 'https://www.contoso.com{REQUEST_URI}', url: '^x' }, ['LG2233 23-36']],
    ['encoded twice', { to: 'http://myfarm{UNENCODED_URL}', append: false, stop: true }, ['LG2234 13-28']],
    ['path of a disk', { to: 'C:\\x' }, ['LG2235 0-3']],
    ['user in a host', { to: 'http://u@myfarm/', stop: true }, ['LG2235 7-15']],
  ])('%s', (_, rule, expected) => {
    expect(found([rule], { set: { providers: ['db'] } })).toEqual(expected);
  });

  test('a rule that sends away and goes on', () => {
    expect(found([{ ...farm, stop: false }, { url: 'a' }])).toEqual(['LG2232']);
    expect(found([{ ...farm, stop: false }])).toEqual([]);
  });

  test('site rules behind a global rule that takes everything', () => {
    expect(found([{ url: 'a' }], { global: ruleSet([farm]) })).toEqual(['LG2236 0-4']);
    expect(found([], { global: ruleSet([farm]) })).toEqual([]);
  });
});

test.each<[string, RuleText, More]>([
  ['direct proxying when the proxy is on', { to: 'http://other/{R:0}', stop: true }, { proxy: true }],
  [
    '{UNENCODED_URL} kept',
    { to: 'http://myfarm{UNENCODED_URL}', append: false },
    { set: { useOriginalURLEncoding: false } },
  ],
  ['a known map', { to: '/{maP:{REQUEST_URI}}' }, { set: { rewriteMaps: [map('Map', {})] } }],
  ['an allowed variable', { set: [['HTTP_X', '1']] }, { set: { allowedServerVariables: ['http_x'] } }],
  ['a variable of a rule', { set: [['MINE', '1']], to: '/{mine}' }, { set: { allowedServerVariables: ['MINE'] } }],
  ['any variable in a global rule', {}, { global: ruleSet([{ set: [['HTTP_X', '1']], url: 'a' }]) }],
  ['an optional slash', { url: '^/?owa' }, {}],
  [
    'groups with trackAllCaptures',
    { conditions: [condition('a', '(a)'), condition('b', '(b)')], trackAll: true, to: '/{C:2}' },
    {},
  ],
])('%s is fine', (_, rule, more) => {
  expect(found([rule], more)).toEqual([]);
});

test('the wording and status are those of IIS', () => {
  const [diagnostic] = check([{ url: '*' }]);
  expect(diagnostic).toMatchObject({
    severity: 'error',
    iis: {
      status: '500.52',
      text: "The expression \"*\" contains a repeat expression (one of '*', '?', '+', '{' in most contexts) that is not preceded by an expression.",
    },
  });
  expect(hasErrors(check([{ url: '^/x' }]))).toBe(false);
});

test('no words are put into the mouth of IIS', () => {
  const iis = (rule: RuleText) => check([rule]).map(({ code, severity, iis: words }) => [code, severity, words]);
  expect(iis({ to: '/x{R:0' })).toEqual([['LG2210', 'warning', undefined]]);
  expect(iis({ to: '/{Nope:{R:0}}' })).toEqual([['LG2211', 'warning', undefined]]);
  expect(iis({ to: '/{C:1}' })).toEqual([['LG2213', 'warning', undefined]]);
  expect(iis({ url: '(?<=a)b' })).toEqual([['LG2200', 'error', { status: '500.52', text: '' }]]);
  expect(iis({ url: '((a{1000}){1000}){1000}' })).toEqual([['LG2200', 'error', undefined]]);
});

test('the cure of a bad count is a good one', () => {
  const advice = (url: string) => check([{ url }])[0]?.advice ?? '';
  expect([advice('a{2,1}'), advice('a{2')].map((each) => each.includes('{n,m}'))).toEqual([true, true]);
  expect(advice('^/{C:1}')).toContain('not expanded');
  expect(advice('{HTTP_HOST}')).toContain('not expanded');
});

describe('LG2233: the query string twice', () => {
  const twice = (to: string, ...conditions: NonNullable<RuleText['conditions']>) =>
    found([{ url: '^x', type: 'Redirect', to, conditions }]).filter((each) => each.startsWith('LG2233'));

  test.each([
    ['/y?{QUERY_STRING}', ['LG2233 3-17']],
    ['/y?a=1&{QUERY_STRING}', ['LG2233 7-21']],
    ['/y?back={QUERY_STRING}', []],
    ['/y/{QUERY_STRING}', []],
    ['/y?back={UrlEncode:{REQUEST_URI}}', []],
    ['https://www.contoso.com{HTTP_URL}', ['LG2233 23-33']],
  ])('%s', (to, expected) => {
    expect(twice(to)).toEqual(expected);
  });

  test.each<[string, string, boolean]>([
    ['{REQUEST_URI}', '(.*)', true],
    ['{REQUEST_URI}', '^/a(/.*)$', true],
    ['{UNENCODED_URL}', '^/a/(.+)', true],
    ['{REQUEST_URI}', '^/([^?]*)', false],
    ['{REQUEST_URI}', '^/(.*)\\.html', false],
    ['{REQUEST_URI}', '^/(.*?)$', false],
    ['{REQUEST_URI}', '^(/old)', false],
    ['{URL}', '(.*)', false],
  ])('{C:1} of %s on %s', (input, pattern, expected) => {
    expect(twice('/z{C:1}', condition(input, pattern)).length > 0).toBe(expected);
  });

  test('only of the condition that supplies it', () => {
    expect(twice('/z{C:1}', condition('{REQUEST_URI}', '(.*)'), condition('{URL}', '^/(.*)'))).toEqual([]);
    expect(twice('/z{C:0}', condition('{REQUEST_URI}', '.*'))).toHaveLength(1);
    expect(twice('/z{C:0}', condition('{REQUEST_URI}', '(.*)', { negate: true }))).toEqual([]);
  });
});

describe('LG2230, LG2231 and LG2239: a host from a rewrite map', () => {
  const hosts = (values: Record<string, string>, more = {}) => ({ set: { rewriteMaps: [map('Hosts', values, more)] } });
  const byCondition: RuleText = { to: 'http://{C:1}/{R:0}', stop: true, conditions: [condition('{Hosts:{HTTP_HOST}}', '(.+)')] }; // biome-ignore format: one line
  const inPlace: RuleText = { to: 'http://{hosts:{HTTP_HOST}}/{R:0}', stop: true };

  const guarded = { ...inPlace, conditions: [condition('{Hosts:{HTTP_HOST}}', '.')] };

  test.each([byCondition, guarded])('is none that a client chooses, whatever its values are', (each) => {
    expect(found([each], hosts({ 'a.example': 'MyFarm', 'b.example': 'myfarm:81/x' }))).toEqual([]);
    const elsewhere = hosts({ 'a.example': 'MyFarm', 'b.example': 'elsewhere' });
    expect(found([each], { ...elsewhere, proxy: true })).toEqual([]);
    expect(found([each], elsewhere)).toEqual([`LG2230 7-${each === guarded ? 26 : 12}`]);
    expect(codes([each], hosts({ 'a.example': 'MyFarm' }, { defaultValue: 'elsewhere' }))).toEqual(['LG2230']);
    expect(codes([each], hosts({ 'a.example': 'my farm@x' }))).toEqual(['LG2235']);
  });

  test('is empty where the map has no such key, unless a condition asks for one', () => {
    expect(found([inPlace], hosts({ a: 'MyFarm' }))).toEqual(['LG2239 7-26']);
    expect(codes([inPlace], hosts({ a: 'MyFarm' }, { defaultValue: 'MyFarm' }))).toEqual([]);
    const other = { ...inPlace, conditions: [condition('{Hosts:{SERVER_NAME}}', '.')] };
    expect(codes([other], hosts({ a: 'MyFarm' }))).toEqual(['LG2239']);
  });

  test('of which only a part is taken is known too', () => {
    const part = { ...byCondition, conditions: [condition('{Hosts:{HTTP_HOST}}', '^x(.+)')] };
    expect(codes([part], hosts({ a: 'xMyFarm' }))).toEqual([]);
    expect(codes([part], hosts({ a: 'xelsewhere' }))).toEqual(['LG2230']);
  });

  test('and what follows it without a slash may be anything', () => {
    const joined = { ...guarded, to: 'http://{hosts:{HTTP_HOST}}{R:0}' };
    expect(codes([joined], hosts({ a: 'MyFarm' }))).toEqual(['LG2231']);
  });

  test('nothing is counted where there is nothing', () => {
    expect(check([inPlace])[0]?.message).not.toContain('0 hosts');
  });
});

test('a rule that two scopes inherit is reported on once', () => {
  const rules = ruleSet([{ url: '(' }]);
  const diagnostics: Diagnostic[] = [];
  const config = {
    ...sitesOf({ site: rules, scopes: [{ path: '/a', ruleSet: rules }] }),
    webFarms: [],
    proxy: { enabled: false },
    settings: ruleSettings(),
  } as unknown as Config;
  checkPublication(config, reportInto(diagnostics));
  expect(diagnostics.map(({ code }) => code)).toEqual(['LG2200']);
});
