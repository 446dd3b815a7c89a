import { expect, test } from 'vitest';
import { createLoopAnalyser } from '../../src/rewrite/explosive-loops.ts';
import { useLinearEngine } from '../../src/rewrite/regex-engines.ts';
import { readRegex } from '../../src/rewrite/regex-syntax.ts';
import { cpuTime } from '../cpu-time.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';

const loops = (pattern: string, ignoreCase = true) =>
  createLoopAnalyser()(pattern, ignoreCase).map(({ from, to }) => pattern.slice(from, to));

test.each([
  ['^(a+)+$', ['(a+)+']],
  ['x(.*)*y', ['(.*)*']],
  ['^(\\w+\\s?)*$', ['(\\w+\\s?)*']],
  ['^(([a-z])+.)+[A-Z]([a-z])+$', ['(([a-z])+.)+']],
  ['(x+x+)+y', ['(x+x+)+']],
  ['^(?:([^/]+)/?)*$', ['(?:([^/]+)/?)*']],
  ['^(a|a)*b', ['(a|a)*']],
  ['^(a|aa)+$', ['(a|aa)+']],
  ['^(a|b|ab)*c$', ['(a|b|ab)*']],
  ['^(a{1,30})+$', ['(a{1,30})+']],
  ['(/.*)*$', ['(/.*)*']],
  ['(?=(a+)+b)', ['(a+)+']],
  ['^((a+)\\2)+$', ['((a+)\\2)+']],
  ['((a+)+|(b+)+)', ['(a+)+', '(b+)+']],
])('%s explodes', (pattern, found) => {
  expect(loops(pattern)).toEqual(found);
});

test.each([
  '^(.*)$',
  '^(.*)/(.*)$',
  '^([^/]+)/([^/]+)/?$',
  '([0-9]+)/([a-z]+)\\.html',
  '^(owa|ecp)(/.*)?$',
  '^([^/]+/)*x$',
  '^(foo|bar|baz)*$',
  '^(?:[a-z]+\\.)*contoso\\.com$',
  '^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]+)$',
  '^((?!admin).)*$',
  '(\\.|\\w)*$',
  '(a?){3}',
  '(a|a){2}',
  '(',
])('%s does not', (pattern) => {
  expect(loops(pattern)).toEqual([]);
});

test('letter case counts as the rule says', () => {
  expect(loops('^(a|A)*$', true)).toEqual(['(a|A)*']);
  expect(loops('^(a|A)*$', false)).toEqual([]);
});

test('of very many loops that explode only the first are analysed, the others judged by their shape', () => {
  const analyser = createLoopAnalyser(5);
  const { milliseconds } = cpuTime(() => {
    for (let i = 0; i < 200; i++) expect(analyser(`^(?:x${i}a+|y${i})*$`, false)).toEqual([]);
    for (let i = 0; i < 200; i++) expect(analyser(`^(?:x${i}|a+)*$`, false)).toHaveLength(1);
    expect(analyser('^(?:z5a+|y)*$', false)).toHaveLength(1);
  });
  expect(milliseconds).toBeLessThan(10_000);
});

test('any pattern is judged, in bounded time', () => {
  useLinearEngine();
  const signs = fc.string({ unit: fc.constantFrom(...'aab(((())))[]*+?|^$.\\w,{}1'), maxLength: 16 });
  const loop = fc.tuple(signs, fc.constantFrom('*', '+', '{20}', '{2,}')).map(([body, times]) => `(${body})${times}`);
  let read = 0;
  fc.assert(
    fc.property(fc.oneof(signs, loop, loop), (pattern) => {
      if ('kind' in readRegex(pattern)) return;
      read++;
      expect(cpuTime(() => loops(pattern)).milliseconds).toBeLessThan(3000);
    }),
    { numRuns: runs(500) },
  );
  expect(read).toBeGreaterThan(50);
});
