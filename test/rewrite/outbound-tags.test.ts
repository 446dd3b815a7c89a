import { describe, expect, test } from 'vitest';
import type { TagFilter } from '../../src/config/rewrite-model.ts';
import { ExchangeError } from '../../src/errors.ts';
import { cpuTime } from '../cpu-time.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { type OutboundText, tagsAfter } from './outbound-configs.ts';
import { condition } from './rule-configs.ts';

const rewrite = (tags: TagFilter[], pattern: string, value: string, more: OutboundText = {}): OutboundText => ({
  tags,
  pattern,
  value,
  ...more,
});
const links = [rewrite(['A'], '^http://inner/(.*)', 'https://{HTTP_HOST}/{R:1}')];

describe('filterByTags: each flag and its attributes (4.2)', () => {
  test.each<[TagFilter, string, readonly string[]]>([
    ['A', 'a', ['href']],
    ['Area', 'area', ['href']],
    ['Base', 'base', ['href']],
    ['Form', 'form', ['action']],
    ['Frame', 'frame', ['src', 'longdesc']],
    ['Head', 'head', ['profile']],
    ['IFrame', 'iframe', ['src', 'longdesc']],
    ['Img', 'img', ['src', 'longdesc', 'usemap']],
    ['Input', 'input', ['src', 'usemap']],
    ['Link', 'link', ['href']],
    ['Script', 'script', ['src']],
  ])('%s', (flag, tag, attributes) => {
    const all = ['href', 'action', 'src', 'longdesc', 'profile', 'usemap', 'data'];
    const html = `<${tag} ${all.map((name) => `${name}="x"`).join(' ')}>`;
    const expected = `<${tag} ${all.map((name) => `${name}="${attributes.includes(name) ? 'y' : 'x'}"`).join(' ')}>`;
    expect(tagsAfter([rewrite([flag], 'x', 'y')], html)).toBe(expected);
    expect(tagsAfter([rewrite([flag], 'x', 'y')], `<b ${all.map((name) => `${name}="x"`).join(' ')}>`)).not.toContain(
      'y',
    );
  });

  test('several flags, and customTags in any letter case', () => {
    const rules = [rewrite(['Img', 'CustomTags'], 'x', 'y', { customTags: 'my tags' })];
    const customTags = { 'My Tags': [['VIDEO', 'Poster'] as const, ['source', 'srcset'] as const] };
    expect(tagsAfter(rules, '<img src="x"><video POSTER="x" src="x"><SOURCE srcset="x">', { customTags })).toBe(
      '<img src="y"><video POSTER="y" src="x"><SOURCE srcset="y">',
    );
  });
});

test("the vendor's reverse proxy sample", () => {
  const rules = [
    rewrite(['A'], '^/(.*)', '/{C:1}/{R:1}', {
      preCondition: 'IsHTML',
      conditions: [condition('{URL}', '^/(webmail|payroll)/.*')],
    }),
  ];
  const answer = {
    preConditions: { IsHTML: [condition('{RESPONSE_CONTENT_TYPE}', '^text/html')] },
    headers: ['Content-Type', 'text/html; charset=utf-8'],
    inbound: [{ url: '^webmail/(.*)', to: 'http://localhost:8081/{R:1}', stop: true }],
  };
  const html = '<a href="/default.aspx">x</a><a href="http://other/">y</a>';
  expect(tagsAfter(rules, html, { ...answer, target: '/webmail/default.aspx' })).toBe(
    '<a href="/webmail/default.aspx">x</a><a href="http://other/">y</a>',
  );
  expect(tagsAfter(rules, html, { ...answer, target: '/default.aspx' })).toBe(html);
});

describe('values', () => {
  test.each<[string, string, string]>([
    ['the whole value is replaced', '<a href="http://inner/a?b">', '<a href="https://www.mysite.com/a?b">'],
    ['quotes stay', "<a href='http://inner/a' class=b>", "<a href='https://www.mysite.com/a' class=b>"],
    ['without quotes it gets them', '<a href=http://inner/a>', '<a href="https://www.mysite.com/a">'],
    [
      'other values stay',
      '<a href="/a"><a href=b><a name="http://inner/">',
      '<a href="/a"><a href=b><a name="http://inner/">',
    ],
    ['blanks around the sign stay', '<a  href = "http://inner/a"\n>', '<a  href = "https://www.mysite.com/a"\n>'],
    [
      'every one of several',
      '<a href="http://inner/a" href="http://inner/b">',
      '<a href="https://www.mysite.com/a" href="https://www.mysite.com/b">',
    ],
    ['entities are not decoded', '<a href="http://inner/?a&amp;b">', '<a href="https://www.mysite.com/?a&amp;b">'],
    ['not in comments', '<!--<a href="http://inner/">-->', '<!--<a href="http://inner/">-->'],
    ['not in scripts', '<script>"<a href="http://inner/">"</script>', '<script>"<a href="http://inner/">"</script>'],
  ])('%s', (_, html, expected) => {
    expect(tagsAfter(links, html)).toBe(expected);
    expect(tagsAfter(links, [...html])).toBe(expected);
  });

  test('a value cannot end its attribute, whatever the request brings', () => {
    const rules = [rewrite(['A'], '.*', '{UrlDecode:{QUERY_STRING}}')];
    const target = '/?%22%3E%3Cscript%3E%27';
    expect(tagsAfter(rules, '<a href="x">', { target })).toBe('<a href="&quot;><script>\'">');
    expect(tagsAfter(rules, "<a href='x'>", { target })).toBe("<a href='\"><script>&#39;'>");
    expect(tagsAfter(rules, '<a href=x>', { target })).toBe('<a href="&quot;><script>\'">');
  });

  test('order, stopProcessing, occurrences, conditions, None', () => {
    const html = '<a href="1"><a href="2"><a href="3"><img src="1">';
    const two = [rewrite(['A', 'Img'], '(.*)', '{R:1}a'), rewrite(['A'], '(.*)', '{R:1}b')];
    expect(tagsAfter(two, html)).toBe('<a href="1ab"><a href="2ab"><a href="3ab"><img src="1a">');
    const stop = [rewrite(['A'], '2', 'x', { stop: true }), rewrite(['A'], '(.*)', '{R:1}b')];
    expect(tagsAfter(stop, html)).toBe('<a href="1b"><a href="x"><a href="3b"><img src="1">');
    const once = [rewrite(['A', 'Img'], '[13]', 'x', { occurrences: 1 })];
    expect(tagsAfter(once, html)).toBe('<a href="x"><a href="2"><a href="3"><img src="1">');
    const none = [{ tags: ['A' as const], pattern: '1', stop: true }, rewrite(['A'], '(.*)', '{R:1}b')];
    expect(tagsAfter(none, html)).toBe('<a href="1"><a href="2b"><a href="3b"><img src="1">');
    const conditions = [condition('{R:0}', '^(2)$'), condition('{RESPONSE_CONTENT_TYPE}', '/(.*)')];
    expect(
      tagsAfter([rewrite(['A'], '.', '{C:1}{C:2}', { conditions })], html, { headers: ['content-type', 'text/html'] }),
    ).toBe('<a href="1"><a href="2html"><a href="3"><img src="1">');
    expect(tagsAfter([rewrite(['A'], '2', 'x', { negate: true })], html)).toBe(
      '<a href="x"><a href="2"><a href="x"><img src="1">',
    );
  });

  test('Wildcard and ExactMatch are of the whole value', () => {
    const html = '<a href="/x/y"><a href="/x/yz">';
    expect(tagsAfter([rewrite(['A'], '/*/y', '{R:1}', { syntax: 'Wildcard' })], html)).toBe(
      '<a href="x"><a href="/x/yz">',
    );
    expect(tagsAfter([rewrite(['A'], '/X/Y', 'z', { syntax: 'ExactMatch' })], html)).toBe(
      '<a href="z"><a href="/x/yz">',
    );
  });

  test('a preCondition that does not hold leaves the body alone', () => {
    const preConditions = { html: [condition('{RESPONSE_CONTENT_TYPE}', '^text/html')] };
    const rules = [rewrite(['A'], '.*', 'x', { preCondition: 'html' })];
    const html = '<a href="y">';
    expect(tagsAfter(rules, html, { preConditions, headers: ['Content-Type', 'image/png'] })).toBe(html);
    expect(tagsAfter(rules, html, { preConditions, headers: ['Content-Type', 'text/html'] })).toBe('<a href="x">');
  });
});

describe('character sets', () => {
  const rules = [rewrite(['A'], '^(.)-(.*)$', '{R:1}\u00fc{R:2}')];
  const tag = (value: string) => `<a href="${value}">`;

  test('bytes that are no UTF-8 are one character each', () => {
    expect(tagsAfter(rules, tag('\xe9-\xff'))).toBe(tag('\xe9\xfc\xff'));
    expect(tagsAfter(rules, tag('\xe9-\xff'), { contentType: 'text/html; charset=windows-1252' })).toBe(
      tag('\xe9\xfc\xff'),
    );
    expect(tagsAfter(rules, tag('\xe9-\xff'), { contentType: 'text/html; charset=utf-8' })).toBe(tag('\xe9\xfc\xff'));
  });

  test.each([
    ['Content-Type', '', 'text/html; charset="UTF-8"'],
    ['<meta charset>', '<meta charset=utf-8>', 'text/html'],
    ['<meta http-equiv>', '<META content="text/html; charset=UTF-8" http-equiv=x>', 'text/html'],
    ['byte order mark', '\xef\xbb\xbf', 'text/html'],
  ])('UTF-8 by %s: a character is a character', (_, before, contentType) => {
    const html = `${before}${tag('\xc3\xa9-\xe2\x82\xac')}${tag('a-b')}`;
    const expected = `${before}${tag('\xc3\xa9\xc3\xbc\xe2\x82\xac')}${tag('a\xc3\xbcb')}`;
    expect(tagsAfter(rules, html, { contentType })).toBe(expected);
    expect(tagsAfter(rules, [...html], { contentType })).toBe(expected);
  });

  test('the Content-Type goes before <meta>', () => {
    const contentType = 'text/html; charset=iso-8859-1';
    expect(tagsAfter(rules, `<meta charset=utf-8>${tag('a-b')}`, { contentType })).toBe(
      `<meta charset=utf-8>${tag('a\xfcb')}`,
    );
  });
});

test('a body of costly values ends instead of holding the worker', () => {
  const rules = [rewrite(['A'], '^(?=(a+)+$)', 'x', { conditions: [condition('{R:0}', '^(?=(b|c+)+$)')] })];
  const html = `<a href="${'a'.repeat(30)}b">`.repeat(2000);
  const { milliseconds } = cpuTime(() => expect(() => tagsAfter(rules, html)).toThrow(ExchangeError));
  expect(milliseconds).toBeLessThan(2000);
});

test('split anywhere, the output is that of one piece', () => {
  const part = fc.constantFrom(
    ...['<a href="http://inner/x">', "<a href='http://inner/", "'>", '<a href=http://inner/>', '<img src="', '">', '"'],
    ...[
      '<!--',
      '-->',
      '<script src="http://inner/s">',
      '</script>',
      '<meta charset=utf-8>',
      '\xc3\xa9',
      'text',
      '>',
      '<',
    ],
  );
  const rules = [
    rewrite(['A', 'Script'], '^http://inner/(.*)', '/\u00e9{R:1}', { occurrences: 5 }),
    rewrite(['Img'], '(.)', '{R:1}{R:1}', { stop: true }),
  ];
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 30 }),
      fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 8 }),
      (parts, places) => {
        const html = parts.join('');
        const at = places.map((place) => Math.floor(place * html.length)).sort((a, b) => a - b);
        const pieces = [0, ...at].map((from, i) => html.slice(from, [...at, html.length][i]));
        expect(tagsAfter(rules, pieces)).toBe(tagsAfter(rules, html));
      },
    ),
    { numRuns: runs(500) },
  );
});

test('where no rule matches, random bytes stay', () => {
  const rules = [rewrite(['A', 'Img', 'Script', 'Link'], 'no such value', 'x')];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const text = Buffer.from(bytes).toString('latin1');
      expect(tagsAfter(rules, [text.slice(0, 100), text.slice(100)])).toBe(text);
    }),
    { numRuns: runs(300) },
  );
});
