/** What rules refuse at run time beside what the checks say beforehand: whatever the files alone can tell has a diagnostic. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Code } from '../../src/config/diagnostic.ts';
import { check, codes } from './checked-rules.ts';
import { condition, map, type RequestText, type RuleText, ruleSet, run } from './rule-configs.ts';

const folder = join(import.meta.dirname, '../../src/rewrite');

/** How a request is refused, as it stands in the source; each has one of the lists below. */
const inSource = globSync('*.ts', { cwd: folder }).flatMap((file) =>
  [...readFileSync(join(folder, file), 'utf8').matchAll(/\bfailure\(\s*([`'"])(.*?)\1/gs)].map(([, , text = '']) =>
    text.replace(/\$\{[^}]*\}/g, '…').trim(),
  ),
);

interface Told {
  readonly text: string;
  readonly code: Code;
  readonly rule: RuleText;
  readonly from?: RequestText;
  readonly maps?: Parameters<typeof map>[];
}

/** Told by the files alone: the same rule shows both. */
const told: readonly Told[] = [
  { text: 'the host of "…://…" is not valid', code: 'LG2235', rule: { to: 'http://u@x/' } },
  { text: 'the host of "…://…" is not valid', code: 'LG2239', rule: { to: 'http://{M:{HTTP_HOST}}/' }, maps: [['M', { a: 'x' }]] },
  { text: 'the host of "…://…" is not valid', code: 'LG2239', rule: { to: 'http://{M:{HTTP_HOST}}.contoso.local/' }, maps: [['M', { a: 'x' }]] },
  { text: 'the host of "…://…" is not valid', code: 'LG2239', rule: { to: 'http://{M:{HTTP_HOST}}:81/' }, maps: [['M', { a: 'x' }]] },
  ...['http:///x', 'http:///{R:0}', 'https://', 'http://?x', 'http://{URL}', 'http://a..b/', 'http://.a/', 'http://:80/'].flatMap((to): Told[] => [
    { text: 'the host of "…://…" is not valid', code: 'LG2235', rule: { to } },
    { text: 'the host of a redirect to "…" is not valid', code: 'LG2235', rule: { type: 'Redirect', to } },
  ]),
  { text: 'the host of a redirect to "…" is not valid', code: 'LG2235', rule: { type: 'Redirect', to: '///x' } },
  { text: 'the host of a redirect to "…" is not valid', code: 'LG2239', rule: { type: 'Redirect', to: 'http://{M:{HTTP_HOST}}/' }, maps: [['M', { a: 'x' }]] },
  { text: '"…" before "://" is neither http nor https', code: 'LG2238', rule: { conditions: [condition('{HTTP_X}', '(.+)')], to: '{C:1}://x/' }, from: { headers: { x: 'a' } } },
  { text: '"…" before "://" is neither http nor https', code: 'LG2235', rule: { to: '{HTTPS}://x/' } },
  { text: '"…" is not a URL that a request can be sent to', code: 'LG2235', rule: { to: 'C:\\x' } },
  { text: 'the host of a redirect to "…" is not valid', code: 'LG2235', rule: { type: 'Redirect', to: 'http://a b/' } },
  { text: 'a custom response cannot have the status …', code: 'LG2224', rule: { type: 'CustomResponse', status: 42 } },
  { text: 'The expression "…" contains ….', code: 'LG2200', rule: { url: 'a(' } },
  { text: 'The expression "…" contains ….', code: 'LG2200', rule: { conditions: [condition('{URL}', 'a(')] } },
  { text: 'The expression "…" cannot be expanded.', code: 'LG2211', rule: { to: '{Nothing:{R:0}}' } },
  { text: 'The server variable "…" is not allowed to be set. Add the server variable name to the allowed server variable list.', code: 'LG2226', rule: { set: [['HTTP_X', 'a']] } },
]; // biome-ignore format: one line

/** Only the request, or the answer, tells; or another test has it. */
const byRequest: Readonly<Record<string, string>> = {
  'the new path holds a NUL character': 'what a client sent',
  '…: …': 'a path that leaves the root or cannot be decoded: what a client sent',
  'the value for … holds a control character': 'what a client or server sent',
  'the body grows beyond … bytes': 'what a server sent',
  'Wildcard patterns cannot be used without tag filters.': 'LG2240, in check-outbound.test.ts',
  'match too complex': 'the length of what a client sent',
  'what the rule makes is longer than … characters': 'the length of what a client sent',
};

test('every refusal in the source is on one of the lists, and no other', () => {
  const listed = [...told.map(({ text }) => text), ...Object.keys(byRequest)];
  expect(new Set(listed)).toEqual(new Set(inSource));
});

describe('what the files tell', () => {
  test.each(told)('$text: $code', ({ text, code, rule, from, maps = [] }) => {
    const rewriteMaps = maps.map((each) => map(...each));
    const outcome = run({ site: ruleSet([rule], { rewriteMaps }) }, '/a', from);
    if (outcome.kind !== 'error') throw new Error(outcome.kind);
    const pattern = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*');
    expect(outcome.message).toMatch(new RegExp(`^${pattern}$`));
    expect(codes([{ stop: true, ...rule }], { proxy: true, set: { rewriteMaps } })).toContain(code);
  });

  test.each([
    'http://app_01.contoso.local /',
    'http://app 05/',
    'http://*.contoso.local/',
    'http://http://app03/',
    'http://[::zz]/',
    'http://a/../b/'.replace('a/', 'a../'),
  ])('no host can be meant by %s', (to) => {
    expect(codes([{ to, stop: true }], { proxy: true })).toEqual(['LG2235']);
    expect(codes([{ to, type: 'Redirect', stop: true }], { proxy: true })).toEqual(['LG2235']);
    const value = map('M', { a: to.slice('http://'.length, -1) }, { defaultValue: 'd' });
    const looked = { to: 'http://{M:{R:0}}/', stop: true };
    expect(codes([looked], { proxy: true, set: { rewriteMaps: [value] } })).toEqual(['LG2235']);
  });

  test.each(['http://app_01/', 'http://app01./', 'http://10.1.2.3:81/', 'http://[::1]:81/', 'http://MyFarm/'])('%s is one', (to) => {
    expect(codes([{ to, stop: true }], { proxy: true })).toEqual([]);
    expect(codes([{ to, type: 'Redirect', stop: true }], { proxy: true })).toEqual([]);
  }); // biome-ignore format: one line

  test('the cure for what has no host, and for a scheme that comes twice', () => {
    const advice = (to: string, rewriteMaps: ReturnType<typeof map>[] = []) =>
      check([{ to, stop: true }], { proxy: true, set: { rewriteMaps } })[0]?.advice;
    expect(advice('http:///app01/{R:0}')).toBe('Write "http://app01/{R:0}".');
    expect(advice('http:///{R:0}')).toBe('Write the name of a farm or host behind "http://".');
    const values = [map('M', { a: 'https://app03' }, { defaultValue: 'd' })];
    expect(advice('http://{M:{R:0}}/', values)).toBe('Write the value without "https://", or leave the scheme out of the URL.');
    expect(advice('http://https://app03/')).toBe('Write it once.');
  }); // biome-ignore format: one line

  test('404: a URL of which a map gives the begin, or nothing', () => {
    const rewriteMaps = [map('M', { a: 'http://app01' })];
    const rule = { url: '^([^/]+)/(.*)$', to: '{M:{R:1}}/{R:2}', stop: true };
    const of = (more: RuleText, maps = rewriteMaps) => codes([{ ...rule, ...more }], { proxy: true, set: { rewriteMaps: maps } }); // biome-ignore format: one line
    expect(run({ site: ruleSet([rule], { rewriteMaps }) }, '/b/x')).toMatchObject({ kind: 'none', target: '/x' });
    expect(of({})).toEqual(['LG2239']);
    expect(of({ conditions: [condition('{M:{R:1}}', '.')] })).toEqual([]);
    expect(of({}, [map('M', { a: 'http://app01' }, { defaultValue: 'http://app02' })])).toEqual([]);
    expect(of({ type: 'Redirect' })).toEqual([]);
  });

  test('403: a host that the request made, and one that is no farm while the proxy is off', () => {
    expect(codes([{ to: 'http://{HTTP_HOST}/', stop: true }], { proxy: true })).toEqual(['LG2231']);
    expect(codes([{ to: 'http://{HTTP_HOST}/', stop: true }], { proxy: true, allow: ['x'] })).toEqual(['LG2231']);
    expect(codes([{ to: 'http://other/', stop: true }])).toEqual(['LG2230']);
  });
});
