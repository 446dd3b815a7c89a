/** URLs of Rewrites without a scheme, or with one that is none: told with what was meant. */
import { expect, test } from 'vitest';
import { findings, rulesXml } from './told.ts';

const told = (to: string) =>
  findings(rulesXml([{ to }]), /LG22(35|45)/).map(({ diagnostic: { code, advice } }) => `${code} ${advice}`);

test.each([
  ['localhost:8080/{R:1}', 'LG2245 Write "http://localhost:8080/{R:1}".'],
  ['app01.contoso.local:8080/{R:1}', 'LG2245 Write "http://app01.contoso.local:8080/{R:1}".'],
  ['app01.contoso.local/{R:1}', 'LG2245 Write "http://app01.contoso.local/{R:1}".'],
  ['10.0.0.5/{R:1}', 'LG2245 Write "http://10.0.0.5/{R:1}".'],
  ['localhost/{R:1}', 'LG2245 Write "http://localhost/{R:1}".'],
  ['http:\\\\app01\\x', 'LG2235 Write "http://app01/x".'],
  ['app01:8080', 'LG2245 Write "http://app01:8080".'],
  ['//app01.contoso.local/{R:1}', 'LG2245 Write "http://app01.contoso.local/{R:1}".'],
  ['http//app01/{R:1}', 'LG2245 Write "http://app01/{R:1}".'],
  ['https//app01/{R:1}', 'LG2245 Write "https://app01/{R:1}".'],
  ['http:app01/{R:1}', 'LG2245 Write "http://app01/{R:1}".'],
  ['http:/app01/{R:1}', 'LG2235 Write "http://app01/{R:1}".'],
  ['htp://app01/{R:1}', 'LG2235 Write "http://app01/{R:1}".'],
  ['ws://app01/{R:1}', 'LG2235 Write "http://app01/{R:1}": WebSockets pass through it.'],
  ['wss://app01/{R:1}', 'LG2235 Write "https://app01/{R:1}": WebSockets pass through it.'],
])('%s', (to, expected) => {
  expect(told(to)).toEqual([expected]);
});

test('that it is a path is said', () => {
  const [found] = findings(rulesXml([{ to: 'localhost:8080/{R:1}' }]), /LG2245/);
  expect(found?.diagnostic.message).toBe(
    'The URL of rule "r0", "localhost:8080/{R:1}", has no scheme, so it is a path; Lychgate has no files, so requests are answered with 404.',
  );
});

test('a number sign is part of the name of a file, with a host too', () => {
  const [found] = findings(rulesXml([{ to: '#App_Offline.htm' }]), /LG2245/);
  expect(found?.diagnostic.message).toMatch(/ is a path whose # is encoded, as part of the name of a file; /);
  expect(found?.diagnostic.advice).toMatch(/: a # behind them is encoded as well\.$/);
});

test.each([
  'index.html',
  '/a/b',
  'http/{R:1}',
  'v1.2.3/{R:1}',
  'jquery.min.js',
  'app_offline.htm?x=a:80',
  'ftp://app01/',
  'C:\\sites\\a',
])('%s is what it seems', (to) => {
  expect(told(to).filter((each) => each.includes(' Write "'))).toEqual([]);
});

test.each([
  ['{HTTPS}', 'on', 'https'],
  ['{SERVER_PORT}', '443', 'https'],
  ['{HTTPS}', 'off', 'http'],
  ['{REMOTE_ADDR}', '.*', 'http'],
])('%s %s: what came encrypted does not go on in the clear', (input, pattern, scheme) => {
  for (const to of ['app01.contoso.local/{R:1}', '//app01.contoso.local/{R:1}']) {
    const [found] = findings(rulesXml([{ to, when: [[input, pattern]] }]), /LG2245/);
    expect(found?.diagnostic.advice).toBe(`Write "${scheme}://app01.contoso.local/{R:1}".`);
  }
});
