/** LG2200: what an expression was meant to be whose star repeats nothing. */
import { describe, expect, test } from 'vitest';
import { readRegex } from '../../src/rewrite/regex-syntax.ts';
import { findings, rulesXml } from './told.ts';

const advice = (xml: string) => findings(xml, /LG2200/).map(({ diagnostic }) => diagnostic.advice);

describe('in a rule whose other pattern is an expression', () => {
  test.each([
    ['*.contoso.com', '.*\\.contoso\\.com$'],
    ['*.aspx', '.*\\.aspx$'],
    ['*/api/*', '.*/api/.*'],
    ['**/x', '.*/x$'],
    ['*', '.*'],
    ['^*.php$', '^.*\\.php$'],
    ['(*.a|*.b)$', '(.*\\.a|.*\\.b)$'],
    ['docs/**', 'docs/.*'],
    ['^docs/.+*$', '^docs/.+$'],
    ['^docs/.**$', '^docs/.*$'],
    ['^([a-z]+)+*$', '^([a-z]+)$'],
    ['^([a-z])+*$', '^([a-z])+$'],
    ['*.contoso.com$', '.*\\.contoso\\.com$'],
    ['*\\.contoso\\.com$', '.*\\.contoso\\.com$'],
    ['*contoso*', '.*contoso.*'],
    ['^*$', '^.*$'],
  ])('%s', (pattern, meant) => {
    expect(readRegex(meant)).toHaveProperty('root');
    expect(advice(rulesXml([{ when: [['{HTTP_HOST}', pattern]] }]))).toEqual([`Write "${meant}".`]);
  });

  test.each(['+49', '^?x', 'a{2}{3}', '(a**', '\\d**'])('%s is not plain', (pattern) => {
    expect(advice(rulesXml([{ when: [['{HTTP_HOST}', pattern]] }]))).toEqual([
      expect.not.stringMatching(/^Write "[^{]/),
    ]);
  });
});

test('the syntax of the rule is the other cure where all its patterns could be wildcards', () => {
  const other = 'or set patternSyntax="Wildcard" on the rule.';
  expect(advice(rulesXml([{ url: '*' }]))).toEqual([`Write ".*", ${other}`]);
  expect(advice(rulesXml([{ url: '*', when: [['{HTTP_HOST}', '*.contoso.com']] }]))).toEqual([
    `Write ".*", ${other}`,
    `Write ".*\\.contoso\\.com$", ${other}`,
  ]);
});
