import { describe, expect, test } from 'vitest';
import { ignoringCase } from '../../src/rewrite/character-set.ts';
import { compilePattern, compileSearch, isFault, type Pattern, TOO_COMPLEX } from '../../src/rewrite/pattern.ts';
import { OF_REQUESTS, plainEngine, useLinearEngine } from '../../src/rewrite/regex-engines.ts';
import { buildProgram, runProgram } from '../../src/rewrite/regex-program.ts';
import { translate } from '../../src/rewrite/regex-source.ts';
import { readRegex } from '../../src/rewrite/regex-syntax.ts';
import { leastCpuTime } from '../cpu-time.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';

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

test.each([
  '()'.repeat(70_000),
  'a'.repeat(200_000),
  '(a|b)'.repeat(20_000),
  `${'[ab]|'.repeat(30_000)}c`,
  '.{0,9999}.{0,9999}',
])('a pattern of any size is taken or refused, and never thrown at (%#)', (text) => {
  const compiled = compilePattern('ECMAScript', text, true);
  if (!isFault(compiled)) expect(['object', 'undefined', 'symbol']).toContain(typeof compiled.match('x'.repeat(100)));
});

test('a long list of words is looked for in inputs of usual length', () => {
  const words = Array.from({ length: 4000 }, (_, n) => `bot${n * 7919}`).join('|');
  const pattern = compile(words);
  expect([...Object(pattern.match(`${'Mozilla/5.0 '.repeat(20)}bot7919`))]).toEqual(['bot7919']);
  expect(pattern.match('Mozilla/5.0 '.repeat(20))).toBeUndefined();
});

test('counts that multiply are refused, not built', () => {
  expect(compilePattern('ECMAScript', '((a{1000}){1000}){1000}', true)).toMatchObject({ kind: 'space' });
});

test.each(['a]', 'a}', ']'])('%s is taken as itself and noted', (pattern) => {
  const from = pattern.length - 1;
  expect(compile(pattern).doubts).toEqual([{ kind: 'lone bracket', from, to: from + 1 }]);
  expect(captures(pattern, pattern)).toEqual([pattern]);
});

describe('time', () => {
  test('the linear engine is there', () => {
    expect(useLinearEngine()).toBe(true);
    expect(compile('^(a+)+$').engine).toBe('linear');
  });

  const words = Array.from({ length: 300 }, (_, n) => `w${n * 7919}bot`).join('|');
  const alike = Array.from({ length: 300 }, (_, n) => `aaaaaaaa${n}`).join('|');

  /** What each is slow on, in V8's own engine or in ours: repeated to every length, with ends that decide late. */
  const cases: readonly (readonly [string, string])[] = [
    ...['a*b', '(.*)x', '(.*)Googlebot(.*)', '[a-z]+[0-9]+', '[^/]+a[^/]+b$', '(a|b|c|d)*x', '^(a+)+$', '^(a|a)*b$', '^(a|aa)+$', '(.*)(.*)(.*)(.*)=x', '.*.*.*=.*', '.{1,200}x', '(\\w+)=(\\w+)&x', '(.|\\s)*x', '((a{1,4}){1,4}){1,4}x', '(a{0,9}){0,9}(a{0,9}){0,9}x', '(a?){15}b', '(a?){40}b', '^(([a-z])+.)+[0-9]([a-z])+$', '(\\w+\\.)+(com|org)', '^(?!x)(a+)+$', '^(a{1,30})+$', '^(a+)+\\1$', '(?=(a+)+b)', '.*.*.*.*=(?!x)', '(a*)*\\1b', '(?:a|b|ab)*(?:c|d)', alike].map((text) => [text, 'a'] as const), // biome-ignore format: one line
    ['\\s+$', ' '],
    ['\\d+\\.\\d+\\.\\d+$', '1'],
    ['^(www\\.)?(.*)\\.(.*)$', '.'],
    ['^(.*)/(.*)/(.*)/$', '/'],
    ['(?:.*/)+x', '/'],
    ['/.*/.*/.*/.*x', '/'],
    ['(x+x+)+y', 'x'],
    ['(.*?)foo(.*?)bar', 'foo'],
    ['\\bfoo.*\\bbar', 'foo '],
    ['bot.*crawl.*spider.*x', 'bot'],
    ['(.*)session=(.*);(.*)z$', 'session=;'],
    ['(.*)x', 'a\n'],
    ['[à-ÿĀ-␀]+x', 'ā'],
    ['(?!.*[à-ÿĀ-␀]x)^.*y', 'ā'],
    [words, 'w7919bo'],
    [`(.*)(${words})(.*)`, 'w7919bo'],
    [`[a-z]+(${words})[0-9]`, 'w7919bo'],
  ];

  test.each(cases)('%s holds nothing up, however long the input', async (text, repeated) => {
    const pattern = compile(text);
    for (const length of [30, 100, 300, 1000, 4000, 16_384, 65_536]) {
      const body = repeated.repeat(Math.ceil(length / repeated.length)).slice(0, length - 1);
      for (const input of [`${body}!`, `${body}\n`, body]) {
        const matched = await timed(() => pattern.match(input));
        const found = await timed(() => pattern.find(input));
        expect([length, matched.time, found.time]).toEqual([
          length,
          expect.toSatisfy(isShort),
          expect.toSatisfy(isShort),
        ]);
        expect(found.value === undefined).toBe(matched.value === undefined);
      }
    }
  });

  test.each([
    ['(.*)Googlebot(.*)', 'a', 'Googlebot'],
    ['[a-z]+[0-9]+', 'a', '1'],
    ['a*b', 'a', 'b'],
    ['^(.*)/([^/]*)\\.aspx$', '/', '.aspx'],
    ['(.*)(bingbot|yandex|rogerbot|linkedinbot|slackbot|applebot)(.*)', 'rogerbo', 'rogerbot'],
    ['^(?!x)[^.]*\\.(?:com|org)$', 'a', '.com'],
  ])('%s tells of 64 KB what it tells of ten letters', (text, repeated, end) => {
    const pattern = compile(text);
    expect(pattern.engine).toBe('linear');
    expect(captures(text, repeated.repeat(65_536 / repeated.length))).toBeUndefined();
    const endings = (input: string) => {
      const found = captures(text, input);
      return typeof found === 'object' && found.map((group) => group?.slice(-9));
    };
    const long = endings(`${repeated.repeat(65_000 / repeated.length)}${end}`);
    expect(long).toEqual(endings(`${repeated.repeat(10)}${end}`));
    expect(long !== false && long[0]?.endsWith(end)).toBe(true);
  });

  test('what is beyond every bound is given up, as IIS does', () => {
    for (const text of ['^(?!x)(a+)+$', '^(a+)+\\1$', '(a*)*\\1b']) {
      expect(compile(text).engine).toBe('counting');
      expect(compile(text).match(`${'a'.repeat(16_000)}!`)).toBe(TOO_COMPLEX);
    }
  });

  test('a wildcard with many stars', async () => {
    const pattern = compile('*a*a*a*a*a*a*b', 'Wildcard');
    const { value, time } = await timed(() => pattern.match('a'.repeat(65_536)));
    expect(value).toBeUndefined();
    expect(time).toSatisfy(isShort);
  });

  test('what a request of usual length costs is not for the slower engines', () => {
    for (const text of ['^(.*)$', '^([^/]+)/([^/]+)/(.*)$', '(.*)foo(.*)', '^(?!owa|ecp).*', '^[0-9a-f]{32}$', words]) {
      const syntax = readRegex(text);
      if ('kind' in syntax) throw new Error(syntax.kind);
      expect([text, plainEngine(syntax.root, translate(syntax.root, true), true, OF_REQUESTS)?.upTo]).toEqual([
        text,
        expect.toSatisfy((upTo: number) => upTo >= 2000),
      ]);
    }
  });
});

/** Milliseconds that an event loop may be held. */
const SHORT = 50;
const isShort = (milliseconds: number) => milliseconds < SHORT;

async function timed<T>(work: () => T): Promise<{ value: T | undefined; time: number }> {
  let value: T | undefined;
  const time = await leastCpuTime(() => (value = work()), SHORT);
  return { value, time };
}

describe('a search through a text', () => {
  test('finds one after the other what V8 finds, with what begins it found beforehand', () => {
    const begun = fc.tuple(fc.constantFrom('', 'a', 'aB', '[ab]c'), patterns).map((parts) => parts.join(''));
    fc.assert(
      fc.property(begun, inputs, (pattern, input) => {
        const read = readRegex(pattern);
        const search = compileSearch(pattern, true);
        if ('kind' in read || typeof search !== 'function') throw new Error(pattern);
        const regex = new RegExp(translate(read.root, true), 'g');
        for (let from = 0; from <= input.length; from++) {
          regex.lastIndex = from;
          const expected = regex.exec(input);
          const found = search(input, from);
          if (found === TOO_COMPLEX) return;
          expect([pattern, input, from, found && [found.at, found.end, ...found.captures]]).toEqual([
            pattern,
            input,
            from,
            expected ? [expected.index, regex.lastIndex, ...expected] : undefined,
          ]);
        }
      }),
      { numRuns: runs(2000) },
    );
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
      { numRuns: runs(3000) },
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
      { numRuns: runs(3000) },
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
      { numRuns: runs(3000) },
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
      { numRuns: runs(3000) },
    );
  });
});
