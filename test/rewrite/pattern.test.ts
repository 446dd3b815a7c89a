import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ignoringCase } from '../../src/rewrite/character-set.ts';
import {
  compilePattern,
  isFault,
  type Pattern,
  TOO_COMPLEX,
  translate,
  useLinearFallback,
} from '../../src/rewrite/pattern.ts';
import { buildProgram, runProgram } from '../../src/rewrite/regex-program.ts';
import { readRegex } from '../../src/rewrite/regex-syntax.ts';

function compile(
  text: string,
  syntax: 'ECMAScript' | 'Wildcard' | 'ExactMatch' = 'ECMAScript',
  ignoreCase = true,
): Pattern {
  const compiled = compilePattern(syntax, text, ignoreCase);
  if (isFault(compiled)) throw new Error(`${text}: ${compiled.kind}`);
  return compiled;
}

function captures(text: string, input: string, syntax?: 'ECMAScript' | 'Wildcard' | 'ExactMatch') {
  const found = compile(text, syntax).match(input);
  return found === undefined || found === TOO_COMPLEX ? found : [...found];
}

describe('vectors of the vendor', () => {
  test.each([
    ['ECMAScript', '([0-9]+)/([a-z]+)\\.html', '07/article.html', ['07/article.html', '07', 'article']],
    ['Wildcard', '*/*.html', 'contoso/test.html', ['contoso/test.html', 'contoso', 'test']],
    ['ECMAScript', '^(www\\.)(.*)$', 'www.foo.com', ['www.foo.com', 'www.', 'foo.com']],
    ['ExactMatch', 'a.b', 'A.B', ['A.B']],
    ['ExactMatch', 'a.b', 'axb', undefined],
    ['ExactMatch', 'a', 'xax', undefined],
    ['Wildcard', 'a?c', 'abc', ['abc']],
    ['Wildcard', 'a?c', 'ac', undefined],
    ['Wildcard', '*', '', ['', '']],
    ['Wildcard', '*', 'a\nb', ['a\nb', 'a\nb']],
    ['Wildcard', 'a.c', 'abc', undefined],
    ['Wildcard', '[a]', '[A]', ['[A]']],
    ['ECMAScript', '', 'x', ['']],
    ['Wildcard', '', 'x', undefined],
    ['ECMAScript', '[[:alpha:]_]+', '12ab_3', ['ab_']],
    ['ECMAScript', '[[=a=][.-.]]+', 'xa-a', ['a-a']],
    ['ECMAScript', '[^[:digit:]]', '1x', ['x']],
    ['ECMAScript', '(?!owa|ecp)^[a-z]+', 'owa', undefined],
    ['ECMAScript', '^(?!owa|ecp)[a-z]+', 'rpc', ['rpc']],
    ['ECMAScript', '^(a+)-\\1$', 'aa-AA', ['aa-AA', 'aa']],
    ['ECMAScript', '^(a+)-\\1$', 'aa-a', undefined],
    ['ECMAScript', '^[0-9a-f]{32}$', 'A'.repeat(32), ['A'.repeat(32)]],
    ['ECMAScript', '(a)|b', 'b', ['b', undefined]],
    ['ECMAScript', '\\x41\\u0042\\cJ', 'ab\n', ['ab\n']],
    ['ECMAScript', 'a{2}', 'aaa', ['aa']],
    ['ECMAScript', '[]', 'a', undefined],
    ['ECMAScript', '[^]', '\n', ['\n']],
    ['ECMAScript', 'ä', 'Ä', ['Ä']],
    ['ECMAScript', 'i', 'ı', undefined],
    ['ExactMatch', 'k', '\u212a', undefined],
    ['Wildcard', 'k', '\u212a', undefined],
  ] as const)('%s %s on %s', (syntax, pattern, input, expected) => {
    expect(captures(pattern, input, syntax)).toEqual(expected);
  });

  test('case counts when it is told to', () => {
    expect(compile('ABC', 'ECMAScript', false).match('abc')).toBeUndefined();
    expect(compile('ABC', 'ExactMatch', false).match('abc')).toBeUndefined();
    expect(compile('A*', 'Wildcard', false).match('abc')).toBeUndefined();
    expect(compile('(a)\\1', 'ECMAScript', false).match('aA')).toBeUndefined();
  });
});

test.each([
  ['*', 'badrepeat', 0, 1],
  ['{HTTP_HOST}', 'badrepeat', 0, 11],
  ['^/{C:1}', 'badrepeat', 2, 7],
  ['^(.**)$', 'badrepeat', 4, 5],
  ['a++', 'badrepeat', 2, 3],
  ['a*+', 'badrepeat', 2, 3],
  ['a|*', 'badrepeat', 2, 3],
  ['(?', 'syntax', 0, 2],
  ['(+a)', 'badrepeat', 1, 2],
  ['^*', 'badrepeat', 1, 2],
  ['\\b+', 'badrepeat', 2, 3],
  ['(?=a)*', 'badrepeat', 5, 6],
  ['a{2,1}', 'badbrace', 1, 6],
  ['a{2', 'brace', 1, 3],
  ['a{2x}', 'badbrace', 1, 3],
  ['(a', 'paren', 0, 1],
  ['a)', 'paren', 1, 2],
  ['[a', 'brack', 0, 1],
  ['[z-a]', 'range', 1, 4],
  ['[a-\\d]', 'range', 1, 5],
  ['[[:foo:]]', 'ctype', 1, 8],
  ['[[.foo.]]', 'collate', 1, 8],
  ['\\q', 'escape', 0, 2],
  ['a\\', 'escape', 1, 2],
  ['\\xZ', 'escape', 0, 2],
  ['\\p{L}', 'escape', 0, 2],
  ['\\A', 'escape', 0, 2],
  ['\\1', 'backref', 0, 2],
  ['(\\1)', 'backref', 1, 3],
  ['(?<=a)b', 'syntax', 0, 3],
  ['(?<n>a)', 'syntax', 0, 3],
  ['(?i)a', 'syntax', 0, 3],
  ['(?#x)', 'syntax', 0, 3],
  ['(?>a)', 'syntax', 0, 3],
  ['(?(1)a|b)', 'syntax', 0, 3],
  ['(a){99999}', 'space', 3, 10],
] as const)('%s is refused as %s at %i-%i', (pattern, kind, from, to) => {
  expect(readRegex(pattern)).toMatchObject({ kind, from, to });
});

test('a pattern nested too deeply is refused, not thrown', () => {
  expect(readRegex('('.repeat(5000))).toMatchObject({ kind: 'space' });
});

test('counts that multiply are refused, not built', () => {
  expect(compilePattern('ECMAScript', '((a{1000}){1000}){1000}', true)).toMatchObject({ kind: 'space' });
});

test.each(['a]', 'a}', ']'])('%s is taken as itself and noted', (pattern) => {
  expect(compile(pattern).loneBrackets).toEqual([pattern.length - 1]);
  expect(captures(pattern, pattern)).toEqual([pattern]);
});

describe('time', () => {
  test('the linear engine is there', () => {
    expect(useLinearFallback()).toBe(true);
    expect(compile('^(a+)+$').engine).toBe('linear');
  });

  test.each([26, 30, 40])('^(a+)+$ on %i letters', (length) => {
    const pattern = compile('^(a+)+$');
    const began = performance.now();
    expect(pattern.match(`${'a'.repeat(length)}!`)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(100);
  });

  test.each(['^(?!x)(a+)+$', '^(a{1,30})+$', '^(a+)+\\1$', '(?=(a+)+b)', '.*.*.*.*=(?!x)', '(a*)*\\1b'])(
    '%s gives up or ends soon',
    (text) => {
      const pattern = compile(text);
      const began = performance.now();
      const found = pattern.match(`${'a'.repeat(16_000)}!`);
      expect(performance.now() - began).toBeLessThan(400);
      expect([undefined, TOO_COMPLEX]).toContain(found);
      expect(pattern.engine).toBe('counting');
    },
  );

  test.each(['.*.*.*=.*', '(.*)(.*)(.*)(.*)=(.*)', '^(([a-z])+.)+[0-9]([a-z])+$'])('%s ends soon', (text) => {
    const pattern = compile(text);
    const began = performance.now();
    expect(pattern.match(`${'x'.repeat(16_000)}`)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(400);
  });

  test('a wildcard with many stars', () => {
    const pattern = compile('*a*a*a*a*a*a*b', 'Wildcard');
    const began = performance.now();
    expect(pattern.match('a'.repeat(16_000))).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(400);
  });
});

/** Small patterns that both JavaScript and IIS accept. */
const patterns = fc.letrec<{ node: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a', 'B', 'c', '.', '[a-c]', '[^b]', '\\w', '\\W', '\\d', '_', '[A-b]', 'Z', 'ä', '[^\\W]', '1'),
    tie('node').map((body) => `(${body})`),
    tie('node').map((body) => `(?:${body})`),
  ),
  node: fc
    .array(
      fc.oneof(
        fc
          .tuple(tie('atom'), fc.constantFrom('', '', '*', '+', '?', '*?', '{1,2}', '{2}', '{0,1}?'))
          .map((p) => p.join('')),
        fc.constantFrom('^', '$', '|', '\\b', '(?=a)', '(?!b)'),
      ),
      { maxLength: 4 },
    )
    .map((parts) => parts.join('')),
})).node;
const inputs = fc.string({ unit: fc.constantFrom(...'abcABCzZ_1äÄ ſ\u212a\n'), maxLength: 12 });

describe('what is done by hand agrees with the engine', () => {
  test('ignoreCase written out equals the i flag', () => {
    fc.assert(
      fc.property(patterns, inputs, fc.boolean(), (pattern, input, ignoreCase) => {
        const read = readRegex(pattern);
        if ('kind' in read) throw new Error(`${pattern}: ${read.kind}`);
        const expected = new RegExp(pattern, ignoreCase ? 'i' : '').exec(input);
        const actual = new RegExp(translate(read.root, ignoreCase)).exec(input);
        expect(actual && [...actual]).toEqual(expected && [...expected]);
      }),
      { numRuns: 3000 },
    );
  });

  test('the counting engine finds what V8 finds', () => {
    fc.assert(
      fc.property(patterns, inputs, fc.boolean(), (pattern, input, ignoreCase) => {
        const read = readRegex(pattern);
        if ('kind' in read) throw new Error(`${pattern}: ${read.kind}`);
        const expected = new RegExp(pattern, ignoreCase ? 'i' : '').exec(input);
        const slots = runProgram(buildProgram(read.root, read.groups, ignoreCase)!, input);
        if (slots === TOO_COMPLEX) return;
        const actual =
          slots &&
          Array.from({ length: read.groups + 1 }, (_, g) =>
            slots[g * 2]! < 0 || slots[g * 2 + 1]! < 0 ? undefined : input.slice(slots[g * 2], slots[g * 2 + 1]),
          );
        expect(actual).toEqual(expected ? [...expected] : undefined);
      }),
      { numRuns: 3000 },
    );
  });

  test('a wildcard finds what the expression for it finds', () => {
    const wildcards = fc.string({ unit: fc.constantFrom(...'**?aBä'), maxLength: 8 });
    fc.assert(
      fc.property(wildcards, fc.string({ unit: fc.constantFrom(...'abABäÄ'), maxLength: 10 }), (wildcard, input) => {
        const source = `^${wildcard.replaceAll('?', '[^]').replaceAll('*', '([^]*?)')}$`;
        const expected = new RegExp(source, 'i').exec(input);
        expect(captures(wildcard, input, 'Wildcard')).toEqual(expected ? [...expected] : undefined);
      }),
      { numRuns: 3000 },
    );
  });

  test('every ASCII character has the other cases that the i flag gives it', () => {
    for (let unit = 0; unit < 0x180; unit++) {
      const set = ignoringCase([[unit, unit]]);
      const regex = new RegExp(`^\\u${unit.toString(16).padStart(4, '0')}$`, 'i');
      for (let other = 0; other < 0x250; other++) {
        const equal = set.some(([from, to]) => other >= from && other <= to);
        if (equal !== regex.test(String.fromCharCode(other))) expect([unit, other]).toBe('equal');
      }
    }
  });

  test('no pattern and no input makes it throw', () => {
    const signs = fc.string({ unit: fc.constantFrom(...'ab()[]{}*+?|^$.\\-:=!<1,dwbxu&\'"'), maxLength: 20 });
    fc.assert(
      fc.property(signs, inputs, fc.constantFrom('ECMAScript', 'Wildcard', 'ExactMatch'), (text, input, syntax) => {
        const compiled = compilePattern(syntax, text, true);
        if (isFault(compiled)) {
          expect(compiled.from).toBeLessThan(compiled.to);
          expect(compiled.to).toBeLessThanOrEqual(Math.max(1, text.length));
        } else {
          compiled.match(input);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
