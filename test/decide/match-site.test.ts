import { expect, test } from 'vitest';
import { createSiteTable, matchSite } from '../../src/decide/match-site.ts';
import { hostOf } from '../../src/host-name.ts';

const table = createSiteTable([
  { host: 'meet.contoso.com', site: 'meet' },
  { host: '*.contoso.com', site: 'wildcard' },
  { host: '__proto__', site: 'odd' },
]);

test.each([
  ['meet.contoso.com', 'meet'],
  ['MEET.Contoso.COM', 'meet'],
  ['meet.contoso.com.', 'meet'],
  ['meet.contoso.com:8443', 'meet'],
  ['other.contoso.com', 'wildcard'],
  ['a.b.contoso.com', undefined],
  ['contoso.com', undefined],
  ['10.0.0.1', undefined],
  ['[::1]:443', undefined],
  ['constructor', undefined],
  ['__proto__', 'odd'],
])('%s is %s', (authority, site) => {
  expect(matchSite(table, authority)).toBe(site);
});

test('HTTP/1.0 without Host goes to the binding without a name, else to the first', () => {
  expect(matchSite(table, '')).toBe('meet');
  const any = createSiteTable([
    { host: 'a', site: 'a' },
    { host: '', site: 'any' },
  ]);
  expect(matchSite(any, '')).toBe('any');
  expect(matchSite(any, 'whoever')).toBe('any');
});

test('the first of two bindings for a host wins', () => {
  const twice = createSiteTable([
    { host: 'a', site: 1 },
    { host: 'a', site: 2 },
  ]);
  expect(matchSite(twice, 'a')).toBe(1);
});

test('hostOf leaves the address of IPv6 whole', () => {
  expect(hostOf('[2001:DB8::1]:443')).toBe('[2001:db8::1]');
});
