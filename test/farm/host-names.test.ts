import { expect, test } from 'vitest';
import { type HostSettings, hostNamer } from '../../src/farm/host-names.ts';

const NONE: HostSettings = { hosts: [], ignoreSubDomain: false, ignoreSubDomainFragmentDepth: 2 };
const named = (settings: Partial<HostSettings>, hosts: readonly string[]) =>
  hosts.map(hostNamer({ ...NONE, ...settings }));

test('letter case, port and the last dot make no difference', () => {
  expect(
    named({}, ['A.Contoso.com', 'a.contoso.com:8443', 'a.contoso.com.', 'a.contoso.com.:443', 'b.contoso.com']),
  ).toEqual([...Array(4).fill('a.contoso.com'), 'b.contoso.com']);
  expect(named({}, ['[::1]:443', '[::1]', '10.0.0.5:80'])).toEqual(['[::1]', '[::1]', '10.0.0.5']);
});

test('nobody is found under a missing name, or one that is longer than a name can be', () => {
  expect(named({}, ['', ':443', `${'a.'.repeat(126)}b`, `${'a.'.repeat(126)}bc`])).toEqual([
    '',
    '',
    `${'a.'.repeat(126)}b`,
    '',
  ]);
});

test('equivalent hosts count as the entry they stand in; an entry of its own goes before that', () => {
  const hosts = [
    { name: 'A.contoso.com', servers: 2, equivalentHosts: ['www.A.contoso.com', 'b.contoso.com'] },
    { name: 'b.contoso.com', servers: 1, equivalentHosts: [] },
  ];
  expect(named({ hosts }, ['www.a.contoso.com:443', 'a.contoso.com', 'b.contoso.com', 'c.contoso.com'])).toEqual([
    'a.contoso.com',
    'a.contoso.com',
    'b.contoso.com',
    'c.contoso.com',
  ]);
});

test('ignoreSubDomain: the last labels count, of names alone', () => {
  const hosts = [{ name: 'contoso.com', servers: 2, equivalentHosts: ['fabrikam.com', 'x.litware.com'] }];
  const asked = [
    'a.b.contoso.com',
    'www.fabrikam.com',
    'x.litware.com',
    'y.litware.com',
    'intranet',
    '10.0.0.5',
    '[::ffff:10.0.0.5]:443',
  ];
  expect(named({ hosts, ignoreSubDomain: true }, asked)).toEqual([
    'contoso.com',
    'contoso.com',
    'contoso.com',
    'litware.com',
    'intranet',
    '10.0.0.5',
    '[::ffff:10.0.0.5]',
  ]);
  const deep = { ignoreSubDomain: true, ignoreSubDomainFragmentDepth: 3 };
  expect(named(deep, ['a.b.contoso.co.uk', 'contoso.com'])).toEqual(['contoso.co.uk', 'contoso.com']);
  expect(named({ ...deep, ignoreSubDomainFragmentDepth: 0 }, ['a.contoso.com'])).toEqual(['com']);
});
