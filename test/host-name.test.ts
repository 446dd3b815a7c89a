import { describe, expect, test } from 'vitest';
import {
  asciiAuthority,
  asciiName,
  asLetters,
  comparedName,
  doubtAbout,
  hostOf,
  internationalAuthority,
  internationalFromBytes,
  isHostName,
} from '../src/host-name.ts';

test.each([
  ['bücher.contoso.test', 'xn--bcher-kva.contoso.test'],
  ['BÜCHER.Contoso.TEST.', 'xn--bcher-kva.contoso.test.'],
  ['bu\u0308cher.test', 'xn--bcher-kva.test'],
  ['*.größe.test', '*.xn--gre-6ka8i.test'],
  ['contoso。test', 'contoso.test'],
  ['contoso．test｡', 'contoso.test.'],
  ['_sip.größe.test', '_sip.xn--gre-6ka8i.test'],
  ['日本語.test', 'xn--wgv71a119e.test'],
  ['пример.рф', 'xn--e1afmkfd.xn--p1ai'],
  ['straße.test', 'xn--strae-oqa.test'],
  ['😀.test', 'xn--e28h.test'],
])('%s is %s', (name, ascii) => {
  expect(asciiName(name)).toBe(ascii);
  expect(comparedName(name)).toBe(ascii);
});

test.each(['1', '0x7f.1', '010.0.0.1', 'Web_01', 'my farm', 'a%2eb', 'xn--a', 'a..b', '[::1]', 'a/b', '', '*'])(
  'the ASCII name %j is only brought to lower case',
  (name) => {
    expect(asciiName(name)).toBe(name.toLowerCase());
    expect(asciiAuthority(name)).toBe(name);
  },
);

test.each([
  ...['１２７.0.0.1', '１', 'ü.1', 'ü/x', 'ü\\x', 'ü?x', 'ü#x', 'ü:80', 'a@ü', 'ü%41', 'ü x', 'ü\tx', 'ü\nx', 'ü\0'],
  ...[
    'a／ü',
    'a：ü',
    '℀.test',
    'ü＠x',
    '\ud800.test',
    '\u00ad',
    'xn--a.ü.test',
    'ü..test',
    '.ü',
    '1א.test',
    'a\u200db.test',
  ],
  ...[`${'ü'.repeat(64)}.test`, `${'ü.'.repeat(40)}test`.repeat(2), 'ü~', 'ü!', 'a.*.ü', 'x.٣'],
])('%j can be no name', (name) => {
  expect(asciiName(name)).toBeUndefined();
  expect(comparedName(name)).toBe(name.toLowerCase());
});

test('an authority keeps its port, and escapes are letters', () => {
  expect(internationalAuthority('größe.test:8080')).toBe('xn--gre-6ka8i.test:8080');
  expect(internationalAuthority('größe.test:')).toBe('xn--gre-6ka8i.test:');
  expect(internationalAuthority('gr%C3%B6%c3%9fe%2etest:8080')).toBe('xn--gre-6ka8i.test:8080');
  for (const other of [
    'a.test:80',
    'a%2etest',
    'gr%F6%DFe.test',
    '%C3%BC%2F',
    '%C3%BC%3A1',
    '%C3%BC%00',
    'ü%',
    'ü:1:2',
    '',
  ])
    expect([other, internationalAuthority(other)]).toEqual([other, undefined]);
});

test('bytes are read as UTF-8 alone', () => {
  const bytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
  expect(internationalFromBytes(bytes('größe.test:8080'))).toBe('xn--gre-6ka8i.test:8080');
  expect(internationalFromBytes(bytes('gr%C3%B6ße.test'))).toBe('xn--gre-6ka8i.test');
  for (const other of ['gr\xf6\xdfe.test', 'größe\u1e83.test', 'a.test', ''])
    expect([other, internationalFromBytes(other)]).toEqual([other, undefined]);
});

test('hostOf takes port and dot off', () => {
  expect(['Www.A.test', 'a.test:80', 'a.test.', 'a.test.:80', '10.0.0.1:80', '[::1]:80'].map(hostOf)).toEqual([
    ...['www.a.test', 'a.test', 'a.test', 'a.test', '10.0.0.1', '[::1]'],
  ]);
});

test('isHostName', () => {
  expect(['a', 'a.b.', '*.a', '_x.a-b', 'XN--1'].every(isHostName)).toBe(true);
  expect(['', '*', 'a.*', '*a', 'a..b', 'a b', 'ü', '.a', `${'a.'.repeat(140)}b`].some(isHostName)).toBe(false);
});

test('asLetters shows a name as people read it', () => {
  expect(['xn--gre-6ka8i.test', 'a.test', 'xn--a.test'].map(asLetters)).toEqual(['größe.test', 'a.test', 'xn--a.test']);
});

describe('doubtAbout', () => {
  test.each(['straße.test', 'STRAẞE.test', 'ὀδυσσεύς.test'])('%s is another name for older software', (name) =>
    expect(doubtAbout(name)?.message).toMatch(/browsers ask for (\S+), older software for (?!\1)/),
  );

  test.each(['аpple.test', 'microsоft.test', 'ρaypal.test', 'bücher.cоntoso.test'])('%s mixes scripts', (name) => {
    expect(doubtAbout(name)?.message).toMatch(/mixes letters that look alike \(Latin and (Cyrillic|Greek)\)/);
  });

  test.each(['bücher.test', 'пример.рф', 'пример.test', '日本語.test', 'tシャツ.test', 'a.test', 'ü x'])(
    '%s is one name',
    (name) => {
      expect(doubtAbout(name)).toBeUndefined();
    },
  );
});
