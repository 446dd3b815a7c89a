/** Patterns that match nothing which their input can be: found by their syntax, and none that can match. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadFile } from '../../src/config/load-config.ts';
import { checkLoaded } from '../../src/service/check-config.ts';
import { writeFiles } from '../config/written.ts';

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** Codes with the text that they point at. */
function found(rules: string): string[] {
  const { diagnostics, sources } = checkLoaded(loadFile(join(writeFiles({ f: `<rules>${rules}</rules>` }), 'f')));
  return diagnostics
    .filter(({ code }) => code === 'LG2204' || code === 'LG2206')
    .map(({ code, span }) => `${code} ${sources.get(span.file)?.slice(span.start, span.end)}`);
}

const rule = (url: string, conditions = '', more = '') =>
  `<rule name="r" ${more}><match url="${escaped(url)}" /><conditions>${conditions}</conditions><action type="Redirect" url="/p" /></rule>`;
const on = (input: string, pattern: string, more = '') =>
  found(rule('.*', `<add input="${input}" pattern="${escaped(pattern)}" ${more} />`));

describe('the path has no slash at its start, and none twice', () => {
  test.each([
    ['^/x', '^/'],
    ['^\\/x', '^\\/'],
    ['^(/old|/older)$', '^(/old|/older)$'],
    ['^(?:/)x', '^(?:/)x'],
    ['^[/]x', '^[/]x'],
    ['(^/a|^/b)', '(^/a|^/b)'],
    ['^/|^\\/b', '^/'],
    ['^(?=.)(/)+x', '^(?=.)(/)+x'],
    ['^https://www.x.com/(.*)', '^https://www.x.com/(.*)'],
    ['https?://', 'https?://'],
    ['^a(b|c)//d', '^a(b|c)//d'],
  ])('%s', (url, at) => {
    expect(found(rule(url))).toEqual([`LG2204 ${at}`]);
  });

  test.each([
    '/x',
    '^/?x',
    '^/*x',
    '^(/.*)?$',
    '^(/|a)',
    '^/|b',
    '^[/a]',
    '^(/x)?',
    'a/b',
    '^a/(/b)?',
    '^(?!/)x',
    '^.x',
    '',
  ])('%s may match', (url) => {
    if (url !== '') expect(found(rule(url))).toEqual([]);
  });

  test('the other syntaxes', () => {
    expect(found(rule('/x/*', '', 'patternSyntax="Wildcard"'))).toEqual(['LG2204 /']);
    expect(found(rule('/x', '', 'patternSyntax="ExactMatch"'))).toEqual(['LG2204 /']);
    expect(found(rule('*/x', '', 'patternSyntax="Wildcard"'))).toEqual([]);
    expect(found(rule('?x', '', 'patternSyntax="Wildcard"'))).toEqual([]);
  });

  test('negated, disabled, or behind an absolute URL that went on', () => {
    expect(found('<rule name="r"><match url="^/x" negate="true" /><action type="Redirect" url="/p" /></rule>')).toEqual(
      [],
    );
    expect(found(rule('^/x', '', 'enabled="false"'))).toEqual([]);
    const away = '<rule name="a"><match url="(.*)" /><action type="Rewrite" url="http://h//{R:1}" /></rule>';
    expect(found(away + rule('^/x'))).toEqual([]);
  });
});

describe('the path has no query string', () => {
  test.each(['^article\\?id=(\\d+)$', 'index.php?id=(\\d+)', '^(a|b\\?c=1)$', '^x\\?a-b=1'])('%s', (url) => {
    expect(found(rule(url))).toEqual([`LG2206 ${escaped(url)}`]);
  });

  test.each(['^colou?r=', '^a?b', '^(a)?b=', '^x\\?$', '^a=b?c'])('%s is left alone', (url) => {
    expect(found(rule(url))).toEqual([]);
  });
});

describe('conditions', () => {
  test.each([
    ['{REQUEST_URI}', '^foo'],
    ['{url}', '^(foo|bar)/'],
    ['{PATH_INFO}', '^https?://'],
    ['{HTTPS}', '^(true|1)$'],
    ['{SERVER_PORT_SECURE}', '^on$'],
  ])('%s on %s', (input, pattern) => {
    expect(on(input, pattern)).toEqual([`LG2204 ${pattern}`]);
  });

  test.each([
    ['{REQUEST_URI}', '^/foo'],
    ['{REQUEST_URI}', 'foo'],
    ['{REQUEST_URI}', '^/?foo'],
    ['{QUERY_STRING}', '^foo'],
    ['{HTTPS}', 'off'],
    ['{HTTPS}', '^O'],
    ['x{REQUEST_URI}', '^x'],
  ])('%s on %s may match', (input, pattern) => {
    expect(on(input, pattern)).toEqual([]);
  });

  test('that are negated, or whose case is not settled', () => {
    expect(on('{REQUEST_URI}', '^foo', 'negate="true"')).toEqual([]);
    expect(on('{HTTPS}', '^on$', 'ignoreCase="false"')).toEqual([]);
    expect(on('{HTTPS}', '^On$', 'ignoreCase="false"')).toEqual(['LG2204 ^On$']);
  });
});
