import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { MOST_HOSTS } from '../../src/farm/host-affinity.ts';
import { HostServers } from '../../src/farm/host-servers.ts';
import { type Balanced, leastRequests } from '../../src/farm/load-balancing.ts';

interface Stub extends Balanced {
  load: number;
  keeps: boolean;
}

const TIMEOUT = 1200;
const PERIOD_MS = (TIMEOUT / 4) * 1000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function worker() {
  const [a, b, c] = ['a', 'b', 'c'].map(
    (address): Stub => ({ address, weight: 1, share: 1, load: 0, keeps: true }),
  ) as [Stub, Stub, Stub];
  const asked: string[] = [];
  const hosts = new HostServers<Stub>({
    config: { hosts: [], ignoreSubDomain: false, ignoreSubDomainFragmentDepth: 2, timeout: TIMEOUT },
    ask: (host) => asked.push(host),
    balancer: () => leastRequests(false),
  });
  onTestFinished(() => hosts.close());
  const waits = (host: string) => {
    let told = false;
    const end = hosts.wait(host, () => {
      told = true;
    });
    return { end, waits: end !== undefined, told: () => told };
  };
  return {
    ...{ hosts, asked, servers: [a, b, c] as const, waits },
    /** A request for a host whose servers are known, and where it goes. */
    request(host: string) {
      expect(waits(host).waits).toBe(false);
      return hosts.pick(host, ({ keeps }) => keeps, '')?.address;
    },
    changed: () => hosts.changed(({ keeps }) => keeps),
  };
}

test('the first request for a host asks, all of them wait, and those behind it do neither', () => {
  const { hosts, asked, servers, waits, request } = worker();
  const [first, second] = [waits('h1'), waits('h1')];
  expect([first.waits, second.waits, asked]).toEqual([true, true, ['h1']]);
  expect(hosts.pick('h1', () => true, '')).toBeUndefined();
  hosts.heard('h1', [servers[1]]);
  expect([first.told(), second.told()]).toEqual([true, true]);
  expect(request('h1')).toBe('b');
  expect(asked).toEqual(['h1']);
});

test('a request that is gone is not called', () => {
  const { hosts, servers, waits } = worker();
  const [gone, other] = [waits('h1'), waits('h1')];
  gone.end?.();
  hosts.heard('h1', [servers[0]]);
  expect([gone.told(), other.told()]).toEqual([false, true]);
});

test('no answer within a second: those that wait go anywhere, and those behind them do not wait', () => {
  const { hosts, asked, servers, waits, request } = worker();
  const first = waits('h1');
  vi.advanceTimersByTime(999);
  expect(first.told()).toBe(false);
  vi.advanceTimersByTime(1);
  expect(first.told()).toBe(true);
  expect(request('h1')).toBeUndefined();
  expect(asked).toEqual(['h1']);
  // It comes after all.
  hosts.heard('h1', [servers[2]]);
  expect(request('h1')).toBe('c');
});

test('an answer without servers: no wait, and any server does', () => {
  const { hosts, waits, request } = worker();
  const first = waits('h1');
  hosts.heard('h1', []);
  expect(first.told()).toBe(true);
  expect(request('h1')).toBeUndefined();
});

test('a host in use is asked for once in each period, without a wait', () => {
  const { hosts, asked, servers, waits, request } = worker();
  waits('h1');
  hosts.heard('h1', [servers[0]]);
  for (let period = 1; period <= 12; period++) {
    vi.advanceTimersByTime(PERIOD_MS);
    expect([request('h1'), request('h1')]).toEqual(['a', 'a']);
    expect(asked).toHaveLength(1 + period);
    hosts.heard('h1', [servers[0]]);
  }
  hosts.heard('h1', [servers[1]]);
  expect(request('h1')).toBe('b');
});

test('a host without requests is forgotten after the timeout, and waited for anew', () => {
  const { hosts, servers, waits, request } = worker();
  waits('h1');
  hosts.heard('h1', [servers[0]]);
  vi.advanceTimersByTime(3 * PERIOD_MS);
  expect(request('h1')).toBe('a');
  hosts.heard('h1', [servers[0]]);
  vi.advanceTimersByTime(4 * PERIOD_MS);
  expect(waits('h1').waits).toBe(true);
});

test('several servers of a host: the algorithm chooses among those that take requests', () => {
  const { hosts, servers, waits, request } = worker();
  const [a, b] = servers;
  waits('h1');
  hosts.heard('h1', [a, b]);
  a.load = 3;
  expect(request('h1')).toBe('b');
  b.load = 5;
  expect(request('h1')).toBe('a');
  a.keeps = false;
  expect(request('h1')).toBe('b');
  b.keeps = false;
  expect(request('h1')).toBeUndefined();
});

test('a host whose servers are all out is asked for again, and waited for; others are not', () => {
  const { hosts, asked, servers, waits, request, changed } = worker();
  const [a, b, c] = servers;
  for (const host of ['h1', 'h2', 'h3']) waits(host);
  hosts.heard('h1', [a]);
  hosts.heard('h2', [a, b]);
  hosts.heard('h3', [b]);
  a.keeps = false;
  changed();
  expect([request('h2'), request('h3'), asked.length]).toEqual(['b', 'b', 3]);
  const again = waits('h1');
  expect([again.waits, asked.at(-1)]).toEqual([true, 'h1']);
  hosts.heard('h1', [c]);
  a.keeps = true;
  changed();
  expect(request('h1')).toBe('c');
});

test('hosts beyond the bound: the one that was not asked for longest is forgotten, and its requests do not wait on', () => {
  const { hosts, servers, waits } = worker();
  const first = waits('first');
  for (let i = 1; i < MOST_HOSTS; i++) {
    waits(`h${i}`);
    hosts.heard(`h${i}`, [servers[0]]);
  }
  expect(first.told()).toBe(false);
  waits('one more');
  expect(first.told()).toBe(true);
  expect(waits('h500').waits).toBe(false);
  expect(waits('first').waits).toBe(true);
});

test('a flood of hosts: no more questions than the supervisor can take at a time, and the others do not wait', () => {
  const { hosts, asked, servers, waits } = worker();
  for (let i = 0; i < 5000; i++) expect(waits(`h${i}`).waits).toBe(i < 100);
  expect(asked).toHaveLength(100);
  hosts.heard('h0', [servers[0]]);
  expect([waits('h4999').waits, waits('h4998').waits]).toEqual([true, false]);
  // A supervisor that answers nothing is asked again some time.
  vi.advanceTimersByTime(PERIOD_MS);
  expect(waits('h4998').waits).toBe(true);
});

test('the end: nobody waits on', () => {
  const { hosts, waits } = worker();
  const first = waits('h1');
  hosts.close();
  expect(first.told()).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
