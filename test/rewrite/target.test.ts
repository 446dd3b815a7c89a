import { describe, expect, test } from 'vitest';
import { isRefused, type ParsedTarget, parseTarget, wireTarget } from '../../src/rewrite/target.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { target } from './rule-configs.ts';

function parsed(raw: string): ParsedTarget {
  const result = parseTarget(raw);
  if (isRefused(result)) throw new Error(result.refused);
  return result;
}

test.each([
  ['/', '/', '', false, false],
  ['/a/b.html?x=1', '/a/b.html', 'x=1', true, false],
  ['/a?', '/a', '', true, false],
  ['/a%20b', '/a b', '', false, false],
  ['/%C3%A4', '/ä', '', false, false],
  ['/abs/%E4', '/abs/ä', '', false, false],
  ['/\xc3\xa4', '/ä', '', false, false],
  ['/c0%c0%af..', '/c0À¯..', '', false, false],
  ['/a//b', '/a/b', '', false, false],
  ['/a%2Fb', '/a/b', '', false, false],
  ['/%252e%252e/a', '/%2e%2e/a', '', false, false],
  ['/a/../b', '/b', '', false, true],
  ['/a/./b/.', '/a/b/', '', false, true],
  ['/a/%2e%2E/b', '/b', '', false, true],
  ['/a%2f..%2fb', '/b', '', false, true],
  ['/a\\b', '/a/b', '', false, true],
  ['/a%5Cb', '/a/b', '', false, true],
  ['/a/b/..', '/a/', '', false, true],
  ['/foo../bar', '/foo../bar', '', false, false],
  ['/...', '/...', '', false, false],
  ['/a%3Fb?c', '/a?b', 'c', true, false],
  ['/a?/../b', '/a', '/../b', true, false],
])('%s is read', (raw, path, query, hasQuery, structural) => {
  expect(parsed(raw)).toMatchObject({ path, query, hasQuery, structural });
});

test.each([
  '/..',
  '/a/../..',
  '/%2e%2e/',
  '/\\..',
  '/%',
  '/%zz',
  '/%u002f',
  '/%00',
  '/%0d%0a',
  '/a b',
  '/a\nb',
  '/a#b',
  '/a?#',
  '*',
  'a',
  '',
  '/a?\x7f',
  '/Ā',
])('%j is refused', (raw) => {
  expect(parseTarget(raw)).toHaveProperty('refused');
});

const farm = [{ url: '*', syntax: 'Wildcard' as const, to: 'https://farm/{R:0}', stop: true }];

describe('the way through a farm rule, byte for byte', () => {
  test.each([
    '/',
    '/a?',
    '/a?x=1&y=%3A%2F%2F&&z=<b>',
    '/abs/%E4',
    '/abs/\xe4',
    '/%c3%a4',
    '/foo../bar',
    '/a//b',
    '//a',
    '/a%2Fb',
    '/<b>"|^`{}',
    '/%7e%41',
    '/a?\xe4=\xff',
    '/a?b?c',
    '/a%3Fb?c',
    '/a%23b',
    '/a%25b',
    '/a;b=c/d,e',
  ])('%s stays', (raw) => {
    expect(target(farm, raw)).toBe(raw);
  });

  test.each([
    ['/a/../b%20c', '/b%20c'],
    ['/a%5Cb', '/a/b'],
    ['/x/./%E4?q=%E4', '/x/%C3%A4?q=%E4'],
    ['/a/../b%3Fc', '/b%3Fc'],
    ['/a/../100%25', '/100%25'],
  ])('%s becomes %s', (raw, wire) => {
    expect(target(farm, raw)).toBe(wire);
  });

  test('any target that is accepted stays or is resolved', () => {
    const pieces = fc.constantFrom(
      '/',
      '/',
      'a',
      'B',
      '%20',
      '%2F',
      '%C3%A4',
      '%E4',
      '\xe4',
      '..',
      '.',
      ';',
      '?',
      '&',
      '<',
      '%3F',
      '%23',
      '%25',
      '%5C',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const raw = `/${parts.join('')}`;
        const result = parseTarget(raw);
        if (isRefused(result)) return;
        const wire = target(farm, raw);
        if (!result.structural) expect(wire).toBe(raw);
        const again = parsed(wire);
        expect(again.path).toBe(result.path);
        expect(again.query).toBe(result.query);
        expect(wire).toMatch(/^[\x21-\x7e\x80-\xff]+$/);
      }),
      { numRuns: runs(2000) },
    );
  });

  test('any bytes are read or refused, and never thrown at', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((n) => String.fromCharCode(n)), maxLength: 40 }),
        (raw) => {
          const result = parseTarget(`/${raw}`);
          if (!isRefused(result)) {
            expect(wireTarget(result, '/ä b', 'q', true)).toBe('/%C3%A4%20b?q');
            expect(result.path).not.toMatch(/\/\.{1,2}(\/|$)|\\|\/\//);
          }
        },
      ),
      { numRuns: runs(2000) },
    );
  });
});
