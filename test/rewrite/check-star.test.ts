/** LG2251: a star that is meant as "anything". */
import { expect, test } from 'vitest';
import { findings, rulesXml, told } from './told.ts';

const url = (pattern: string) => told('LG2251', rulesXml([{ url: pattern }]));

test.each([
  ['api/*', '/*'],
  ['^api/*', '/*'],
  ['^api/*$', '/*'],
  ['^api\\/*', '\\/*'],
  ['.well-known/acme-challenge/*', '/*'],
  ['images/*.png', '/*'],
  ['img/*\\.jpg', '/*'],
  ['api/*/users', '/*'],
  ['^blog/*/(.*)$', '/*'],
  ['(api|web)/*', '/*'],
  ['^(api/*)$', '/*'],
  ['/*', '/*'],
  ['blog*', 'g*'],
  ['^wp-admin*', 'n*'],
  ['api*/x', 'i*'],
])('%s', (pattern, place) => {
  expect(url(pattern)).toEqual([place]);
});

test.each([
  '^/*(.*)$',
  '(.*?)/*$',
  '^(.*)/*$',
  '^foo/*(.*)',
  '(api/*)(.*)',
  'docs/*[^/]+',
  'files/*\\w+',
  'images/*.*',
  '^api\\/*$',
  'foo/*?',
  '^about/?$',
  'a//*b',
  'test.*',
  '[a-z]*',
  '\\d*',
  '^a*$',
  'ww*x',
  '^ab*c$',
  'products*/',
  '[/]*x',
])('%s may be meant', (pattern) => {
  expect(url(pattern)).toEqual([]);
});

test('in conditions, and not in wildcards', () => {
  expect(told('LG2251', rulesXml([{ when: [['{REQUEST_URI}', '^/api/*', 'negate="true"']] }]))).toEqual(['/*']);
  expect(told('LG2251', rulesXml([{ url: 'api/*', syntax: 'Wildcard', when: [['{URL}', '/api/*']] }]))).toEqual([]);
  expect(told('LG2251', rulesXml([{ url: 'api/*', enabled: false }]))).toEqual([]);
});

test('in preConditions', () => {
  const rules = `<outboundRules><rule name="o" preCondition="p"><match serverVariable="RESPONSE_X" pattern="x" /><action type="None" /></rule>
    <preConditions><preCondition name="p"><add input="{RESPONSE_CONTENT_TYPE}" pattern="^text/*" /></preCondition></preConditions></outboundRules>`;
  expect(told('LG2251', rulesXml([], rules))).toEqual(['/*']);
});

test('the cure is the pattern as it was meant', () => {
  expect(findings(rulesXml([{ url: '^api/*$' }]), /LG2251/)[0]?.diagnostic.advice).toBe(
    'For whatever follows write "^api/.*$"; for a slash that may be missing "/?".',
  );
});

test('of two stars in one pattern the cure mends both', () => {
  const found = findings(rulesXml([{ url: 'blog*|shop/*' }]), /LG2251/);
  expect(found.map(({ text, diagnostic }) => [text, diagnostic.message, diagnostic.advice])).toEqual([
    [
      'g*|shop/*',
      'In a regular expression "g*" is the letter "g" any number of times, or none, and "/*" is any number of slashes, or none; they do not stand for what follows.',
      'For whatever follows write "blog.*|shop/.*"; for a slash that may be missing "/?".',
    ],
  ]);
});
