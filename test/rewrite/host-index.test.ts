import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileRules } from '../../src/rewrite/compile.ts';
import { finiteInputs } from '../../src/rewrite/finite-inputs.ts';
import { evaluateRules } from '../../src/rewrite/rule-set.ts';
import { createRecorder } from '../../src/rewrite/trace.ts';
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

function bothWays(rules: readonly RuleText[], from: RequestText = {}, path = '/') {
  const site = compileRules(sitesOf({ global: ruleSet(rules) })).get('site')!;
  const plain = { ...site, global: { ...site.global, index: undefined } };
  return [evaluateRules(site, request(path, from)), evaluateRules(plain, request(path, from)), site] as const;
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

  test('rules for any host keep their place between those that name theirs', () => {
    const rules: RuleText[] = [
      literal('a', { to: '/1', stop: false }),
      { url: '^1$', to: '/2', name: 'any' },
      literal('a', { to: 'http://{HTTP_HOST}/{R:0}' }),
      literal('b'),
    ];
    expect(bothWays(rules, { host: 'a' })[0]).toMatchObject({ kind: 'proxy', target: '/2' });
    expect(bothWays(rules, { host: 'a' })[2].global.index?.byHost.get('a')).toEqual([0, 2]);
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
    ['any of two conditions', { any: true }],
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

const host = fc.constantFrom('a', 'A', 'b', 'a:80', 'ä', 'Ä', '', 'k', '\u212a', 'c');
const hostPattern = fc.constantFrom(
  'a',
  '^a$',
  '^(a|b)$',
  '^A(:80)?$',
  'a*',
  '^k$',
  '.',
  '^[ab]$',
  'ä',
  '^Ä$',
  '(',
  '',
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
    to: fc.constantFrom('x', '/x{R:1}', 'y{C:1}', '{C:0}/{R:0}', 'http://{HTTP_HOST}/{R:0}', 'https://farm/{C:1}'),
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
    { numRuns: 5000 },
  );
  expect(indexed).toBeGreaterThan(1000);
});

test('10,000 rules that name their hosts cost one look-up', () => {
  const rules = Array.from({ length: 10_000 }, (_, number) => literal(`host${number}.example`));
  const index = compileRules(sitesOf({ global: ruleSet(rules) })).get('site')!.global.index!;
  expect(index.byHost.size).toBe(10_000);
  expect(index.nextForAny.every((at) => at === Number.POSITIVE_INFINITY)).toBe(true);
  for (const number of [0, 4711, 9999]) expect(index.byHost.get(`host${number}.example`)).toEqual([number]);
});
