/** Rows R04, R08, R09 and R13 of the list of threats, as far as they are about rules and not about sockets. */
import { describe, expect, test } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import type { Config } from '../../src/config/model.ts';
import type { Endpoint } from '../../src/connect/endpoint.ts';
import { poolKey } from '../../src/connect/endpoint.ts';
import { checkPublication } from '../../src/publication/check-publication.ts';
import { compilePattern, isFault, TOO_COMPLEX } from '../../src/rewrite/pattern.ts';
import { cpuTime } from '../cpu-time.ts';
import { condition, map, type RuleText, ruleSet, ruleSettings, run, sitesOf, target } from './rule-configs.ts';

function codes(rules: readonly RuleText[], more = {}): string[] {
  const diagnostics: Diagnostic[] = [];
  const config = {
    ...sitesOf({ site: ruleSet(rules, more) }),
    webFarms: [],
    proxy: { enabled: false },
    settings: ruleSettings(),
  } as unknown as Config;
  checkPublication(config, reportInto(diagnostics));
  return diagnostics.map(({ code }) => code);
}

describe('R04: letter case is the same wherever two texts are compared', () => {
  /** Every way to ask whether a pattern of one letter equals an input, with case ignored or not. */
  const ways: [string, (letter: string, input: string, ignoreCase: boolean) => boolean][] = [
    ['a regular expression', (letter, input, ignoreCase) => matches('ECMAScript', `^${letter}$`, input, ignoreCase)],
    ['a class', (letter, input, ignoreCase) => matches('ECMAScript', `^[${letter}]$`, input, ignoreCase)],
    ['one for the counting engine', (letter, input, ignoreCase) => matches('ECMAScript', `^(?!\\n)${letter}$`, input, ignoreCase)], // biome-ignore format: one line
    ['a back-reference', (letter, input, ignoreCase) => matches('ECMAScript', `^(${letter})\\1$`, `${letter}${input}`, ignoreCase)], // biome-ignore format: one line
    ['a wildcard', (letter, input, ignoreCase) => matches('Wildcard', letter, input, ignoreCase)],
    ['exact text', (letter, input, ignoreCase) => matches('ExactMatch', letter, input, ignoreCase)],
    ['the key of a map', (letter, input, ignoreCase) => inMap(letter, input, ignoreCase)],
    ['a host that is looked up', (letter, input, ignoreCase) => hosts(letter, input, ignoreCase)],
  ];

  function matches(syntax: 'ECMAScript' | 'Wildcard' | 'ExactMatch', text: string, input: string, ignoreCase: boolean) {
    const pattern = compilePattern(syntax, text, ignoreCase);
    if (isFault(pattern)) throw new TypeError(text);
    const found = pattern.match(input);
    expect(found === TOO_COMPLEX).toBe(false);
    expect(pattern.find(input) !== undefined).toBe(found !== undefined);
    return found !== undefined;
  }

  function inMap(letter: string, input: string, ignoreCase: boolean): boolean {
    const rewriteMaps = [map('m', [[letter, 'found']], { ignoreCase })];
    const rules = ruleSet([{ to: `/{m:${input}}`, append: false }], { rewriteMaps });
    return 'target' in run({ site: rules }, '/') && JSON.stringify(run({ site: rules }, '/')).includes('/found');
  }

  function hosts(letter: string, input: string, ignoreCase: boolean): boolean {
    const conditions = [condition('{HTTP_HOST}', letter, { ignoreCase })];
    return run({ site: ruleSet([{ syntax: 'ExactMatch', url: '', conditions, type: 'AbortRequest' }]) }, '/', { host: input }).kind === 'abort'; // biome-ignore format: one line
  }

  describe.each(ways)('%s', (_, equal) => {
    test.each([
      ['a', 'A', true],
      ['i', 'I', true],
      // Turkish: neither a dotless i nor a dotted I equals an ASCII letter.
      ['i', '\u0131', false],
      ['I', '\u0130', false],
      ['k', '\u212a', false],
      ['s', '\u017f', false],
      ['ä', 'Ä', true],
      ['ß', 'ẞ', false],
      ['σ', 'Σ', true],
      ['σ', 'ς', true],
      ['µ', 'μ', true],
    ])('%s and %s', (one, other, same) => {
      expect([equal(one, other, true), equal(other, one, true)]).toEqual([same, same]);
      expect([equal(one, other, false), equal(other, one, false)]).toEqual([false, false]);
      expect(equal(one, one, false)).toBe(true);
    });
  });

  test('a pattern with an escape means the three signs, since the path is decoded', () => {
    expect(target([{ url: '^a%20b$', to: 'c' }], '/a%20b')).toBe('/a%20b');
    expect(target([{ url: '^a b$', to: 'c' }], '/a%20b')).toBe('/c');
    expect(target([{ url: '^a%20b$', to: 'c' }], '/a%2520b')).toBe('/c');
  });
});

test('R08: patterns that explode are warned of', () => {
  for (const url of ['^(a+)+$', '^(a|a)*b$', '^(a|aa)+$', '^(([a-z])+.)+[A-Z]([a-z])+$', '(x+x+)+y']) {
    expect([url, codes([{ url }])]).toEqual([url, ['LG2201']]);
  }
  expect(codes([{ conditions: [condition('{HTTP_COOKIE}', '^(\\w+\\s?)*$')] }])).toEqual(['LG2201']);
});

describe('R09: loops and numbers', () => {
  test('a missing group and a redirect that leads to itself are told before the start', () => {
    expect(codes([{ url: '(a)', type: 'Redirect', to: '/{R:9}' }])).toEqual(['LG2213']);
    expect(codes([{ url: '^(.*)$', type: 'Redirect', to: '/x/{R:1}' }])).toEqual(['LG2301']);
  });

  test('maps that lead to each other are looked up as often as they are written, and no more', () => {
    const rewriteMaps = [map('a', { x: '{b:x}' }), map('b', { x: '{a:x}', '{b:x}': 'end' })];
    const rules = ruleSet([{ to: '/{b:{a:x}}', append: false }], { rewriteMaps });
    expect(run({ site: rules }, '/')).toMatchObject({ target: '/end' });
    const deep = `${'{a:'.repeat(200)}x${'}'.repeat(200)}`;
    expect(run({ site: ruleSet([{ to: deep }], { rewriteMaps }) }, '/')).toMatchObject({ kind: 'error' });
    expect(codes([{ to: deep }], { rewriteMaps })).toContain('LG2210');
  });

  test('10,000 rules that all go on', () => {
    const rules = ruleSet(Array.from({ length: 10_000 }, () => ({ url: '^(.*)$', to: '/{R:1}', append: false })));
    const { value, milliseconds } = cpuTime(() => run({ site: rules }, '/a'));
    expect(value).toMatchObject({ kind: 'none', target: '/a' });
    expect(milliseconds).toBeLessThan(2000);
  });

  test('a path that doubles with each rule does not eat the memory', () => {
    const rules = ruleSet(Array.from({ length: 40 }, () => ({ url: '^(.*)$', to: '/{R:1}{R:1}', append: false })));
    const doubled = cpuTime(() => run({ site: rules }, '/abcdefgh'));
    expect(doubled.value).toMatchObject({ kind: 'error', badRequest: false });
    const variables = ruleSet(
      Array.from({ length: 40 }, () => ({ url: '.*', set: [['HTTP_X', 'ab{HTTP_X}{HTTP_X}'] as const] })),
    );
    const tripled = cpuTime(() => run({ global: variables }, '/'));
    expect(tripled.value).toMatchObject({ kind: 'error' });
    expect(doubled.milliseconds + tripled.milliseconds).toBeLessThan(500);
  });
});

describe('R13: what is kept by a key is kept apart', () => {
  const endpoint = (address: string, port: number, more: Partial<Endpoint> = {}): Endpoint => ({
    routes: { key: '', name: () => expect.unreachable(), to: () => expect.unreachable(), close: () => undefined },
    address,
    port,
    computedHost: false,
    tls: undefined,
    localAddress: undefined,
    connectTimeout: 1,
    timeout: 1,
    maxResponseHeaderSize: 1000,
    maxConnections: undefined,
    queueLength: 0,
    queueTimeout: 1,
    ...more,
  });

  test('connections to servers whose address and port read alike', () => {
    const tls = { serverName: 'a', names: ['a'], verify: 'full' as const, pins: [], ca: [] };
    const all = [
      endpoint('10.0.0.1', 12),
      endpoint('10.0.0.11', 2),
      endpoint('10.0.0.1', 1, { timeout: 2 }),
      endpoint('10.0.0.1', 1),
      endpoint('a', 1, { tls: { ...tls, names: ['a', 'b'] } as unknown as Endpoint['tls'] }),
      endpoint('a', 1, { tls: { ...tls, names: ['a,b'] } as unknown as Endpoint['tls'] }),
      endpoint('a', 1, { tls: { ...tls, names: ['a'], pins: ['b'] } as unknown as Endpoint['tls'] }),
    ];
    const keys = all.map(poolKey);
    expect(new Set(keys).size).toBe(all.length);
    expect(poolKey(endpoint('10.0.0.1', 12))).toBe(keys[0]);
  });

  test('patterns whose parts read alike', () => {
    const a = compilePattern('ExactMatch', 'true a', false);
    const b = compilePattern('ExactMatch', 'a', true);
    const c = compilePattern('Wildcard', 'a', true);
    expect(new Set([a, b, c, compilePattern('Wildcard', 'a', false)]).size).toBe(4);
    expect(compilePattern('ExactMatch', 'a', true)).toBe(b);
  });
});
