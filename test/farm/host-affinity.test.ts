import { expect, test } from 'vitest';
import { HostAffinity, MOST_HOSTS } from '../../src/farm/host-affinity.ts';

interface Stub {
  readonly name: string;
  state: 'Active' | 'Draining' | 'Inactive';
  healthy: boolean;
}

const TIMEOUT = 1200;

/** Servers a, b, c … and the hosts `two` and `many` with servers of their own number. */
function farm(count: number) {
  const servers: Stub[] = Array.from({ length: count }, (_, i) => ({
    name: 'abcdefgh'[i] ?? '',
    state: 'Active',
    healthy: true,
  }));
  const affinity = new HostAffinity<Stub>({
    config: {
      timeout: TIMEOUT,
      hosts: [
        { name: 'Two', servers: 2, equivalentHosts: [] },
        { name: 'many', servers: 256, equivalentHosts: [] },
      ],
    },
    servers,
    available: ({ state, healthy }) => state === 'Active' && healthy,
    keeps: ({ state, healthy }) => state !== 'Inactive' && healthy,
  });
  return {
    servers,
    /** Names of the servers of a host, so many seconds from the start. */
    of: (host: string, seconds = 0) =>
      affinity
        .serversOf(host, seconds * 1000)
        .map(({ name }) => name)
        .join(''),
  };
}

test('hosts that are new get the next servers by turns, and keep them', () => {
  const { of } = farm(3);
  const hosts = ['h1', 'h2', 'h3', 'h4'];
  expect(hosts.map((host) => of(host))).toEqual(['a', 'b', 'c', 'a']);
  expect([...hosts].reverse().map((host) => of(host))).toEqual(['a', 'c', 'b', 'a']);
});

test('as many servers as the entry of the host says, and no more than there are', () => {
  const { of } = farm(3);
  expect(['two', 'h1', 'two', 'many', 'h2'].map((host) => of(host))).toEqual(['ab', 'c', 'ab', 'abc', 'a']);
});

test('only servers that are Active and healthy get new hosts', () => {
  const { of, servers } = farm(4);
  servers[0]!.state = 'Draining';
  servers[1]!.state = 'Inactive';
  servers[2]!.healthy = false;
  expect(['h1', 'h2', 'two'].map((host) => of(host))).toEqual(['d', 'd', 'd']);
  servers[2]!.healthy = true;
  // Now there is a second one.
  expect(of('two')).toBe('dc');
  expect(of('h1')).toBe('d');
});

test('a Draining server goes on to serve the hosts that it has', () => {
  const { of, servers } = farm(2);
  expect(of('h1')).toBe('a');
  servers[0]!.state = 'Draining';
  expect(['h1', 'h2', 'h3'].map((host) => of(host))).toEqual(['a', 'b', 'b']);
});

test.each(['Inactive', 'unhealthy'])('a server that becomes %s: its hosts go to others, and stay there', (how) => {
  const { of, servers } = farm(3);
  expect(['h1', 'h2', 'h3', 'h4'].map((host) => of(host))).toEqual(['a', 'b', 'c', 'a']);
  if (how === 'Inactive') servers[0]!.state = 'Inactive';
  else servers[0]!.healthy = false;
  expect(['h1', 'h2', 'h3', 'h4'].map((host) => of(host))).toEqual(['b', 'b', 'c', 'c']);
  servers[0]!.state = 'Active';
  servers[0]!.healthy = true;
  expect(['h1', 'h2', 'h3', 'h4'].map((host) => of(host))).toEqual(['b', 'b', 'c', 'c']);
});

test('the others of a host go before the others of the farm', () => {
  const { of, servers } = farm(4);
  expect(of('two')).toBe('ab');
  servers[0]!.healthy = false;
  expect(of('two')).toBe('ab');
  servers[1]!.healthy = false;
  expect(of('two')).toBe('cd');
});

test('where no server can be given hosts, a host that has one keeps it, and a new one gets none', () => {
  const { of, servers } = farm(2);
  expect(of('h1')).toBe('a');
  for (const server of servers) server.healthy = false;
  expect([of('h1'), of('h2')]).toEqual(['a', '']);
  for (const server of servers) server.healthy = true;
  expect([of('h2'), of('h1')]).toEqual(['b', 'a']);
});

test('a host that nobody asked for so long loses its servers; each question prolongs that', () => {
  const { of } = farm(3);
  expect([of('h1', 0), of('h2', 0)]).toEqual(['a', 'b']);
  expect(of('h1', TIMEOUT)).toBe('a');
  // A worker may have had requests for a part of the time since it asked.
  expect(of('h1', 2.25 * TIMEOUT)).toBe('a');
  expect(of('h2', 2.25 * TIMEOUT)).toBe('c');
  expect(of('h1', 3.6 * TIMEOUT)).toBe('a');
  expect([of('h3', 9 * TIMEOUT), of('h1', 9 * TIMEOUT)]).toEqual(['b', 'c']);
});

test('beyond the bound the host that was not asked for longest loses its servers', () => {
  const { of } = farm(3);
  expect([of('first'), of('second')]).toEqual(['a', 'b']);
  for (let i = 0; i < MOST_HOSTS - 2; i++) of(`h${i}`);
  expect(of('first')).toBe('a');
  of('one more');
  expect(of('first')).toBe('a');
  // Its turn has come anew: it was forgotten.
  const turn = (MOST_HOSTS + 1) % 3;
  expect(of('second')).toBe('abc'[turn]);
});

test('a farm without a server', () => {
  expect(farm(0).of('h1')).toBe('');
});
