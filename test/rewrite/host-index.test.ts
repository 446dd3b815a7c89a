import { describe, expect, test } from 'vitest';
import { compileRules } from '../../src/rewrite/compile.ts';
import { finiteInputs, fixedParts } from '../../src/rewrite/finite-inputs.ts';
import type { Place } from '../../src/rewrite/host-index.ts';
import { evaluateRules } from '../../src/rewrite/rule-set.ts';
import { createRecorder } from '../../src/rewrite/trace.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { condition, type RequestText, type RuleText, request, ruleSet, sitesOf } from './rule-configs.ts';

test.each<['ECMAScript' | 'Wildcard' | 'ExactMatch', string, string[] | undefined]>([
  ['Wildcard', 'meet.contoso.com', ['meet.contoso.com']],
  ['Wildcard', 'meet.*', undefined],
  ['Wildcard', 'meet?contoso.com', undefined],
  ['ExactMatch', 'a*', ['a*']],
  ['ECMAScript', '^meet\\.contoso\\.com$', ['meet.contoso.com']],
  ['ECMAScript', '^(meet|dialin)\\.contoso\\.com(:443)?$', ['meet.contoso.com', 'meet.contoso.com:443', 'dialin.contoso.com', 'dialin.contoso.com:443']], // biome-ignore format: one line
  ['ECMAScript', '^a$|^b$', ['a', 'b']],
  ['ECMAScript', '(^a$)', ['a']],
  ['ECMAScript', '^$', ['']],
  ['ECMAScript', '^[ab]{2}$', ['aa', 'ab', 'ba', 'bb']],
  ['ECMAScript', '^a|b$', undefined],
  ['ECMAScript', 'a', undefined],
  ['ECMAScript', '^a', undefined],
  ['ECMAScript', '^a.com$', undefined],
  ['ECMAScript', '^a\\b$', undefined],
  ['ECMAScript', '^(?=a)a$', undefined],
  ['ECMAScript', '^[a-z]{3}$', undefined],
  ['ECMAScript', '^(a?){300}$', undefined],
  ['ECMAScript', '(', undefined],
])('%s %s matches %j and nothing else', (syntax, pattern, words) => {
  expect(finiteInputs(syntax, pattern)).toEqual(words);
});

test.each<['ECMAScript' | 'Wildcard', string, string[]]>([
  ['Wildcard', '*.contoso.com', ['end 0 .contoso.com']],
  ['Wildcard', 'meet.?ontoso.*', ['start 0 meet.']],
  ['Wildcard', '*', []],
  ['ECMAScript', '^site5\\.', ['start 0 site5.']],
  ['ECMAScript', '^www.site5.com$', ['start 0 www', 'start 4 site5', 'start 10 com', 'end 0 com', 'end 4 site5', 'end 10 www']], // biome-ignore format: one line
  ['ECMAScript', '^(www\\.)?site5.com$', ['start 0 site5|www.site5', 'end 0 com', 'end 4 site5|www.site5']],
  ['ECMAScript', '^.[a-z]{3}(-|_)(?:a|b)[^x]{2}c+', ['start 4 -a|-b|_a|_b']],
  ['ECMAScript', '\\.contoso\\.com(:443)?$', ['end 0 .contoso.com|.contoso.com:443']],
  ['ECMAScript', '^(.*\\.)?contoso\\.com$', ['end 0 contoso.com']],
  ['ECMAScript', '(^a.c|^bc.).', ['start 0 a|bc']],
  ['ECMAScript', '.(a$|bc$)', ['end 0 a|bc']],
  ['ECMAScript', '^a|b$', []],
  ['ECMAScript', '^a?.', []],
  ['ECMAScript', '(^a)*b', []],
  ['ECMAScript', 'x^a', []],
  ['ECMAScript', '^(?!b)a', []],
  ['ECMAScript', '^(.)\\1a', []],
  ['ECMAScript', '^.{1,2}a', []],
  ['ECMAScript', '^[^b]a', ['start 1 a']],
  ['ECMAScript', '(', []],
])('%s %s: whatever it matches has %j', (syntax, pattern, parts) => {
  const told = fixedParts(syntax, pattern).map(({ side, offset, words }) => `${side} ${offset} ${words.join('|')}`);
  expect(told).toEqual(parts);
});

function bothWays(rules: readonly RuleText[], from: RequestText = {}, path = '/') {
  const site = compileRules(sitesOf({ global: ruleSet(rules) })).get('site')!;
  const plain = { ...site, global: { ...site.global, index: undefined } };
  return [evaluateRules(site, request(path, from)), evaluateRules(plain, request(path, from)), site] as const;
}

function placesIn(table: ReadonlyMap<string, Place> | undefined, key: string): number[] {
  const places: number[] = [];
  for (let place = table?.get(key); place; place = place.next) places.push(place.at);
  return places;
}

const literal = (host: string, more: Partial<RuleText> = {}): RuleText => ({
  name: host,
  url: '*',
  syntax: 'Wildcard',
  conditions: [condition('{HTTPS}', 'off'), condition('{HTTP_HOST}', host)],
  to: `http://${host}/{R:0}`,
  stop: true,
  ...more,
});

describe('what is looked up', () => {
  test('a port in Host is part of what is compared', () => {
    const rules = [literal('a.example'), literal('b.example:8080')];
    expect(bothWays(rules, { host: 'A.example' })[0]).toMatchObject({ kind: 'proxy', rule: 'a.example' });
    expect(bothWays(rules, { host: 'a.example:80' })[0]).toMatchObject({ kind: 'none' });
    expect(bothWays(rules, { host: 'b.example:8080' })[0]).toMatchObject({ kind: 'proxy', rule: 'b.example:8080' });
  });

  test.each<[string, string, string[], string[]]>([
    ['the first characters', '^site1\\.', ['site1.a', 'SITE1.b'], ['site1x.a', 'xsite1.']],
    [
      'the last characters',
      '^.+\\.site1\\.com(:80)?$',
      ['a.site1.com', 'b.Site1.com:80'],
      ['site1.com', 'a.site1.com.'],
    ],
    [
      'what stands between dots that nobody escaped',
      '^www.site1.com$',
      ['www.site1.com', 'WWW-SITE1.com'],
      ['www.site1x.com'],
    ],
    ['a few whole names', '^(www|mail)\\.site1\\.com$', ['www.site1.com', 'Mail.site1.com'], ['site1.com']],
  ])('%s of a host are looked up', (_, pattern, taken, left) => {
    const hosted = (host: string): RuleText => ({
      name: host,
      conditions: [condition('{HTTP_HOST}', host)],
      to: 'http://farm/{R:0}',
      stop: true,
    });
    const rules = [
      ...Array.from({ length: 50 }, (_, i) => hosted(pattern.replace('1', String(i + 2)))),
      hosted(pattern),
    ];
    for (const host of taken) {
      const [indexed, plain, site] = bothWays(rules, { host });
      expect(indexed).toMatchObject({ kind: 'proxy', rule: pattern });
      expect(indexed).toEqual(plain);
      expect(site.global.index?.nextForAny[0]).toBe(Number.POSITIVE_INFINITY);
    }
    for (const host of left) expect(bothWays(rules, { host })[0]).toMatchObject({ kind: 'none' });
  });

  test('of several pieces the one that fewer rules have', () => {
    const rules = ['a', 'b', 'c'].map((letter) => ({
      syntax: 'Wildcard' as const,
      conditions: [condition('{HTTP_HOST}', `${letter}*.contoso.com`)],
    }));
    const index = bothWays(rules)[2].global.index;
    expect(index?.pieces.map(({ part, places }) => [part, [...places.keys()]])).toEqual([['start', ['c', 'b', 'a']]]);
  });

  test('any of several hosts', () => {
    const hosts = [condition('{HTTP_HOST}', '^a$'), condition('{HTTP_HOST}', '^b'), condition('{HTTP_HOST}', 'c$')];
    const rules: RuleText[] = [{ name: 'any', any: true, conditions: hosts, to: 'http://farm/{R:0}' }];
    for (const host of ['a', 'bx', 'xc', 'bc']) {
      expect(bothWays(rules, { host })[0]).toMatchObject({ kind: 'proxy', rule: 'any' });
    }
    expect(bothWays(rules, { host: 'ax' })[0]).toMatchObject({ kind: 'none' });
    expect(bothWays(rules)[2].global.index?.nextForAny).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  test('a condition that a host is certain to hold is not asked again, one that it may not hold is', () => {
    const exactly = (name: string) => condition('{HTTP_HOST}', name, { ignoreCase: false });
    const rules: RuleText[] = [
      { conditions: [condition('{HTTPS}', 'off'), exactly('^a$')], to: '/{R:0}' },
      { conditions: [exactly('^B$')], to: '/{R:0}' },
      {
        conditions: [condition('{HTTP_HOST}', '(c)', { negate: true }), condition('{HTTP_HOST}', '^c$')],
        to: '/{R:0}',
      },
      { conditions: [condition('{HTTP_HOST}', '^(d)$')], to: '/{C:1}' },
    ];
    const whole = bothWays(rules)[2].global.index?.whole;
    const left = (host: string) =>
      (whole?.get(host)?.rule.conditions?.entries ?? []).map(({ patternText }) => patternText);
    expect(['a', 'b', 'c', 'd'].map(left)).toEqual([['off'], ['^B$'], ['(c)'], ['^(d)$']]);
    for (const host of ['a', 'A', 'b', 'B', 'c', 'C', 'd', 'D']) {
      const [indexed, plain] = bothWays(rules, { host }, '/x');
      expect(indexed).toEqual(plain);
    }
  });

  test('rules for any host keep their place between those that name theirs', () => {
    const rules: RuleText[] = [
      literal('a', { to: '/1', stop: false }),
      { url: '^1$', to: '/2', name: 'any' },
      literal('a', { to: 'http://{HTTP_HOST}/{R:0}' }),
      literal('b'),
    ];
    expect(bothWays(rules, { host: 'a' })[0]).toMatchObject({ kind: 'proxy', target: '/2' });
    expect(placesIn(bothWays(rules, { host: 'a' })[2].global.index?.whole, 'a')).toEqual([0, 2]);
  });

  test('a rule that sets HTTP_HOST leads to the rules of the new host', () => {
    const rules: RuleText[] = [
      literal('b', { to: '/early' }),
      { url: '.*', set: [['HTTP_HOST', 'b']], name: 'sets' },
      literal('a', { to: '/never' }),
      literal('b'),
    ];
    const [indexed, plain] = bothWays(rules, { host: 'a' });
    expect(indexed).toMatchObject({ kind: 'proxy', rule: 'b', host: 'b' });
    expect(indexed).toEqual(plain);
  });

  test('what can fail before its host is looked at is not left out', () => {
    const rules = [
      literal('a', { syntax: 'ECMAScript', url: '(', name: 'broken' }),
      literal('b', { conditions: [condition('{Maq:x}', 'x'), condition('{HTTP_HOST}', 'b')] }),
    ];
    const [indexed, plain, site] = bothWays(rules, { host: 'z' });
    expect(site.global.index).toBeUndefined();
    expect(indexed).toMatchObject({ kind: 'error', rule: 'broken' });
    expect(indexed).toEqual(plain);
  });

  test.each<[string, Partial<RuleText>]>([
    ['any of two conditions, one of them not about the host', { any: true }],
    ['a negated condition', { conditions: [condition('{HTTP_HOST}', 'a', { negate: true })] }],
    [
      'a host that is compared while letters beyond ASCII have two cases',
      { conditions: [condition('{HTTP_HOST}', 'µ')] },
    ],
    ['another variable', { conditions: [condition('{SERVER_NAME}', 'a')] }],
    ['the host with something behind it', { conditions: [condition('{HTTP_HOST}x', 'ax')] }],
  ])('%s is asked each time', (_, more) => {
    expect(bothWays([literal('a', more)])[2].global.index).toBeUndefined();
  });

  test('a recorder sees every rule', () => {
    const site = compileRules(sitesOf({ global: ruleSet([literal('a'), literal('b'), literal('c')]) })).get('site')!;
    const recorder = createRecorder();
    evaluateRules(site, request('/', { host: 'c' }), recorder);
    expect(recorder.events.filter(({ event }) => event === 'RULE_EVALUATION_START').map((e) => e.RuleName)).toEqual([
      'a',
      'b',
      'c',
    ]);
  });
});

const host = fc.oneof(
  fc.constantFrom('a', 'A', 'b', 'a:80', 'ä', 'Ä', '', 'k', '\u212a', 'c'),
  fc.string({ unit: fc.constantFrom('a', 'A', 'b', ':80', 'ä', '\u212a', 'k', '\u0130'), maxLength: 4 }),
);
const hostPattern = fc.oneof(
  fc.constantFrom('a', '^a$', '^(a|b)$', '^A(:80)?$', 'a*', '^k$', '.', '^[ab]$', 'ä', '^Ä$', '(', ''),
  fc.constantFrom(
    '^a',
    'b$',
    '^(a|B)',
    '(:80|b)$',
    '*a',
    'b*:80',
    '?a*',
    '^[ab]?a',
    '(^k|^b).',
    '^a.*b$',
    '^(?=a)a',
    'K$',
    '^.a',
    '^.(a|b).$',
    'a..$',
    '^[^x]{2}b',
  ),
);
const someCondition = fc.oneof(
  { weight: 3, arbitrary: hostPattern.map((pattern) => ['{HTTP_HOST}', pattern] as const) },
  fc.constantFrom(['{HTTPS}', 'on'], ['{HTTPS}', 'OFF'], ['{C:1}{R:1}', '^a?x?'], ['{Maq:1}', '1'], ['{URL}', '(?=(a+)+b)'] as const), // biome-ignore format: one line
);
const ruleText = fc.record<RuleText>(
  {
    name: fc.string({ unit: fc.constantFrom('r', 's', 't'), minLength: 1, maxLength: 4 }),
    url: fc.constantFrom('.*', '*', '^(x)', 'x', '(?!y)x', '(', ''),
    negate: fc.boolean(),
    syntax: fc.constantFrom('ECMAScript', 'ECMAScript', 'Wildcard', 'ExactMatch'),
    conditions: fc.array(
      fc
        .tuple(someCondition, fc.boolean(), fc.integer({ min: 0, max: 5 }))
        .map(([[input, pattern], ignoreCase, negate]) =>
          condition(input, pattern, { ignoreCase, negate: negate === 0 }),
        ),
      { maxLength: 3 },
    ),
    any: fc.boolean(),
    trackAll: fc.boolean(),
    stop: fc.boolean(),
    type: fc.constantFrom('Rewrite', 'Rewrite', 'None', 'Redirect', 'AbortRequest'),
    to: fc.constantFrom(
      'x',
      '/x{R:1}',
      'y{C:1}',
      '{C:0}/{R:0}',
      'http://{HTTP_HOST}/{R:0}',
      'https://farm/{C:1}',
      'https://farm/{R:0}',
    ),
    set: fc.array(
      fc.constantFrom<readonly [string, string, boolean?]>(
        ['HTTP_HOST', 'a'],
        ['HTTP_HOST', '{R:1}b', false],
        ['HTTP_X', '{C:1}'],
      ),
      { maxLength: 1 },
    ),
  },
  { requiredKeys: ['url', 'name'] },
);

test('random rules end the same with the index, without it, and while recorded', () => {
  let indexed = 0;
  fc.assert(
    fc.property(fc.array(ruleText, { maxLength: 12 }), host, fc.constantFrom('/', '/x', '/xa'), (rules, name, path) => {
      const [withIndex, plain, site] = bothWays(rules, { host: name }, path);
      if (site.global.index) indexed++;
      expect(withIndex).toEqual(plain);
      expect(evaluateRules(site, request(path, { host: name }), createRecorder())).toEqual(plain);
    }),
    { numRuns: runs(5000) },
  );
  expect(indexed).toBeGreaterThan(1000);
});

test('random rules that look at the host alone end the same with the index and without it', () => {
  const aboutHost = fc.record({
    name: fc.string({ minLength: 1, maxLength: 3 }),
    syntax: fc.constantFrom<'ECMAScript' | 'Wildcard'>('ECMAScript', 'ECMAScript', 'Wildcard'),
    conditions: fc.array(
      fc
        .tuple(hostPattern, fc.boolean())
        .map(([pattern, ignoreCase]) => condition('{HTTP_HOST}', pattern, { ignoreCase })),
      { minLength: 1, maxLength: 2 },
    ),
    any: fc.boolean(),
    to: fc.constant('http://farm/{R:0}'),
  });
  fc.assert(
    fc.property(fc.array(aboutHost, { maxLength: 3 }), host, (rules, name) => {
      const [withIndex, plain] = bothWays(rules, { host: name });
      expect(withIndex).toEqual(plain);
    }),
    { numRuns: runs(5000) },
  );
});

test('a Host so long that a pattern might give up on it is looked for rule by rule, and others by their end', () => {
  const ends = (name: string): RuleText => ({
    name,
    conditions: [condition('{HTTP_HOST}', `^(.*\\.)?${name}\\.com$`)],
    to: `https://${name}/{R:0}`,
    stop: true,
  });
  const rules = Array.from({ length: 20 }, (_, i) => ends(`site${i}`));
  for (const length of [20, 1000, 1024, 1025, 2000, 60_000]) {
    const host = `${'a.'.repeat(length / 2)}.site7.com`.slice(-length);
    const [indexed, linear, site] = bothWays(rules, { host });
    expect(indexed).toEqual(linear);
    expect(site.global.index?.pieces.length).toBeGreaterThan(0);
    expect(indexed).toMatchObject(length <= 1024 ? { kind: 'proxy', host: 'site7' } : {});
  }
});

test('10,000 rules that name their hosts cost one look-up', () => {
  const rules = Array.from({ length: 10_000 }, (_, number) => literal(`host${number}.example`));
  const index = compileRules(sitesOf({ global: ruleSet(rules) })).get('site')!.global.index!;
  expect(index.whole.size).toBe(10_000);
  expect(index.nextForAny.every((at) => at === Number.POSITIVE_INFINITY)).toBe(true);
  for (const number of [0, 4711, 9999]) expect(placesIn(index.whole, `host${number}.example`)).toEqual([number]);
});
