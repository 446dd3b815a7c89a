import { describe, expect, test } from 'vitest';
import { spanWithin } from '../../src/config/diagnostic.ts';
import { hostPattern, leavesLetters } from '../../src/config/host-pattern.ts';
import type { PatternSyntax } from '../../src/config/rewrite-model.ts';
import type { Text } from '../../src/config/text.ts';

const text = (value: string): Text => ({ value, span: { file: 'f', start: 100, end: 100 + value.length } });

function read(pattern: string, syntax: PatternSyntax = 'ECMAScript', input = '{HTTP_HOST}') {
  const { value } = hostPattern(input, text(pattern), syntax);
  return { value, left: leavesLetters(input, value, syntax) };
}

describe('labels that stand whole', () => {
  test.each([
    [String.raw`^bücher\.contoso\.test(:\d+)?$`, String.raw`^xn--bcher-kva\.contoso\.test(:\d+)?$`],
    ['bücher.contoso.test', 'xn--bcher-kva.contoso.test'],
    [String.raw`^BÜCHER\.test`, String.raw`^xn--bcher-kva\.test`],
    [String.raw`^(www\.)?bücher\.test$`, String.raw`^(www\.)?xn--bcher-kva\.test$`],
    [String.raw`^((www|shop)\.)*bücher\.(de|at)$`, String.raw`^((www|shop)\.)*xn--bcher-kva\.(de|at)$`],
    [String.raw`^(bücher|größe|shop)\.test$`, String.raw`^(xn--bcher-kva|xn--gre-6ka8i|shop)\.test$`],
    [String.raw`^(.*\.)?bücher\.test$`, String.raw`^(.*\.)?xn--bcher-kva\.test$`],
    [String.raw`.*bücher\.test$`, String.raw`.*xn--bcher-kva\.test$`],
    [String.raw`^b\u00fccher\.test$`, String.raw`^xn--bcher-kva\.test$`],
    [String.raw`^b\xFCcher\.test$`, String.raw`^xn--bcher-kva\.test$`],
    [String.raw`^shop\.(de|рф)$`, String.raw`^shop\.(de|xn--p1ai)$`],
    [String.raw`^пример\.рф`, String.raw`^xn--e1afmkfd\.xn--p1ai`],
    [String.raw`^(?!bücher\.)`, String.raw`^(?!xn--bcher-kva\.)`],
    [String.raw`^bücher(\.contoso)?(:80)?$`, String.raw`^xn--bcher-kva(\.contoso)?(:80)?$`],
    [String.raw`^bücher\.test|^größe\.test`, String.raw`^xn--bcher-kva\.test|^xn--gre-6ka8i\.test`],
    [String.raw`^x-ü\-y\.test$`, String.raw`^xn--x--y-1ra\.test$`],
    ['^bücher。test$', String.raw`^xn--bcher-kva\.test$`],
    ['[.]bücher[.]test', '[.]xn--bcher-kva[.]test'],
    [String.raw`^[^.]+\.bücher\.test$`, String.raw`^[^.]+\.xn--bcher-kva\.test$`],
  ])('%s is compared as %s', (pattern, compared) => {
    expect(read(pattern)).toEqual({ value: compared, left: false });
  });

  test.each([
    ['bücher.test', 'xn--bcher-kva.test'],
    ['*.bücher.test', '*.xn--bcher-kva.test'],
    ['*bücher.test', '*xn--bcher-kva.test'],
    ['bücher.test:*', 'xn--bcher-kva.test:*'],
    ['bücher。*', 'xn--bcher-kva.*'],
  ])('wildcard %s is compared as %s', (pattern, compared) => {
    expect(read(pattern, 'Wildcard')).toEqual({ value: compared, left: false });
  });

  test.each([
    ['bücher.test', 'xn--bcher-kva.test'],
    ['bücher.test:8080', 'xn--bcher-kva.test:8080'],
  ])('exact %s is compared as %s', (pattern, compared) => {
    expect(read(pattern, 'ExactMatch')).toEqual({ value: compared, left: false });
  });
});

test.each([
  ...[
    String.raw`^b[üu]cher\.test`,
    String.raw`^[Bb]ücher\.test`,
    String.raw`^bü?cher\.test`,
    String.raw`^b(ü|ue)cher\.test`,
  ],
  ...[
    String.raw`^büch.*\.test`,
    String.raw`^(bücher)+\.test`,
    String.raw`^(shop-)?bücher\.test`,
    String.raw`^\w+bücher\.test`,
  ],
  ...[
    String.raw`^ü{1,2}\.test`,
    String.raw`^[\u00fc]b\.test`,
    String.raw`^(a|b)ü\.test`,
    'büch',
    '(bücher|shop)',
    '^ü ',
    '^ü[',
  ],
])('%s is left as it is', (pattern) => {
  expect(read(pattern)).toEqual({ value: pattern, left: true });
});

test.each(['büch*.test', '*büch*', 'bü?her.test'])('so is the wildcard %s', (pattern) => {
  expect(read(pattern, 'Wildcard')).toEqual({ value: pattern, left: true });
});

test.each([
  ['{SERVER_NAME}', '^ü$', '^xn--tda$', false],
  ['{ToLower:{HTTP_HOST}}', '^ü$', '^xn--tda$', false],
  ['{HTTP_X_FORWARDED_HOST}', '^ü$', '^xn--tda$', false],
  ['{HTTP_HOST}{URL}', String.raw`^ü\.test/größe`, String.raw`^xn--tda\.test/größe`, false],
  ['{HTTPS}://{HTTP_HOST}{URL}', '^on://ü/größe', '^on://xn--tda/größe', false],
  ['{HTTP_REFERER}', String.raw`^https?://(www\.)?ü\.test/`, String.raw`^https?://(www\.)?xn--tda\.test/`, false],
  ['{HTTP_ORIGIN}', '^https://(ü|ä)$', '^https://(xn--tda|xn--4ca)$', false],
  ['{HTTPS}{HTTP_HOST}', '^onü$', '^onü$', true],
  ['{URL}', '^ü$', '^ü$', false],
  ['{QUERY_STRING}', '^ü$', '^ü$', false],
])('compared with %s', (input, pattern, compared, left) => {
  expect(read(pattern, 'ECMAScript', input)).toEqual({ value: compared, left });
});

test('every unit keeps a place in the file', () => {
  const pattern = hostPattern('{HTTP_HOST}', text(String.raw`^(ü|a)\.test(`), 'ECMAScript');
  expect(pattern.value).toBe(String.raw`^(xn--tda|a)\.test(`);
  const at = pattern.value.length;
  expect(spanWithin(pattern, at - 1, at)).toEqual({ file: 'f', start: 112, end: 113 });
  expect(spanWithin(pattern, 2, 9)).toEqual({ file: 'f', start: 102, end: 103 });
});

test('a pattern without such letters stays the very same text', () => {
  const same = text(String.raw`^www\.test$`);
  expect(hostPattern('{HTTP_HOST}', same, 'ECMAScript')).toBe(same);
});
