import { describe, expect, test } from 'vitest';
import {
  type Balanced,
  type Balancer,
  leastRequests,
  requestHash,
  weightedRoundRobin,
} from '../../src/farm/load-balancing.ts';
import { numbers } from '../random.ts';

interface Stub extends Balanced {
  readonly weight: number;
  load: number;
  share: number;
}

const stub = (address: string, weight: number): Stub => ({ address, weight, share: weight, load: 0 });
const farm = (...weights: number[]) => weights.map((weight, i) => stub('abcdefgh'[i] ?? `s${i}`, weight));
const all = () => true;

/** The next picks, as a row of addresses. */
function picks(balancer: Balancer<Stub>, times: number, passes: (server: Stub) => boolean = all): string {
  return Array.from({ length: times }, () => balancer.pick(passes, '')?.address ?? '-').join('');
}

function counted(row: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of row) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function over(servers: readonly Stub[], balancer: Balancer<Stub>): Balancer<Stub> {
  balancer.set(servers);
  return balancer;
}

describe('WeightedRoundRobin', () => {
  test('servers take turns by weight, spread out and not in blocks', () => {
    expect(picks(over(farm(200, 100), weightedRoundRobin(false)), 6)).toBe('abaaba');
  });

  test('weights are relative', () => {
    for (const weight of [1, 5, 100, 4294967295]) {
      expect(picks(over(farm(weight, weight), weightedRoundRobin(false)), 4)).toBe('abab');
    }
  });

  test.each([false, true])('shares are exact over a round, whoever wins a tie (randomizeLBTies %s)', (random) => {
    const balancer = over(farm(5, 1, 1, 3), weightedRoundRobin(random));
    for (let round = 0; round < 100; round++) {
      expect(counted(picks(balancer, 100))).toEqual({ a: 50, b: 10, c: 10, d: 30 });
    }
  });

  test('randomizeLBTies: equal servers come in any order', () => {
    const rows = new Set(Array.from({ length: 100 }, () => picks(over(farm(1, 1, 1), weightedRoundRobin(true)), 3)));
    expect(rows.size).toBe(6);
  });

  test('an empty farm has no server', () => {
    expect(picks(over([], weightedRoundRobin(false)), 1)).toBe('-');
  });

  test('the extremes of weights', () => {
    const balancer = over(farm(1, 4294967295), weightedRoundRobin(false));
    expect(counted(picks(balancer, 10_000))).toEqual({ b: 10_000 });
  });

  test('after any number of turns of a light server heavy ones take turns', () => {
    const [light, a, b] = [stub('l', 1), stub('a', 4294967295), stub('b', 4294967295)];
    const balancer = over([light], weightedRoundRobin(false));
    for (let i = 0; i < 1_000_000; i++) balancer.pick(all, '');
    balancer.set([light, a, b]);
    expect(counted(picks(balancer, 100_000))).toEqual({ a: 50_000, b: 50_000 });
    // The time of the heavy ones moves in steps that would be lost beside that of the light one.
    for (let i = 0; i < 100; i++) balancer.pick(({ address }) => address === 'l', '');
    expect(counted(picks(balancer, 1000))).toEqual({ a: 500, b: 500 });
  });

  test('one that is left out gets nothing, the others share by weight, and it does not catch up', () => {
    const balancer = over(farm(1, 1, 2), weightedRoundRobin(false));
    expect(counted(picks(balancer, 300, ({ address }) => address !== 'a'))).toEqual({ b: 100, c: 200 });
    expect(counted(picks(balancer, 400))).toEqual({ a: 100, b: 100, c: 200 });
  });

  test('a server that comes and goes: the others keep their turns, and it gets no more than its share', () => {
    const [a, b, c] = farm(1, 1, 1) as [Stub, Stub, Stub];
    const balancer = over([a, b, c], weightedRoundRobin(false));
    picks(balancer, 100);
    balancer.set([a, c]);
    expect(counted(picks(balancer, 100))).toEqual({ a: 50, c: 50 });
    balancer.set([a, b, c]);
    expect(counted(picks(balancer, 300))).toEqual({ a: 100, b: 100, c: 100 });
  });

  test('the share of a server that has just returned grows', () => {
    const servers = farm(1, 1);
    const balancer = over(servers, weightedRoundRobin(false));
    servers[0]!.share = 0.1;
    picks(balancer, 10);
    expect(counted(picks(balancer, 110))).toEqual({ a: 10, b: 100 });
    servers[0]!.share = 1;
    picks(balancer, 12);
    expect(counted(picks(balancer, 100))).toEqual({ a: 50, b: 50 });
  });
});

describe('least requests', () => {
  const begin = (balancer: Balancer<Stub>) => {
    const server = balancer.pick(all, '')!;
    server.load++;
    balancer.loadChanged(server);
    return server;
  };

  test('long polls are spread by what is under way, in relation to the weights', () => {
    const servers = farm(2, 1, 1);
    const balancer = over(servers, leastRequests(false));
    for (let i = 0; i < 400; i++) begin(balancer);
    expect(servers.map(({ load }) => load)).toEqual([200, 100, 100]);
    // All of one end: the next ones go there.
    servers[2]!.load = 0;
    balancer.loadChanged(servers[2]!);
    for (let i = 0; i < 99; i++) expect(begin(balancer).address).toBe('c');
  });

  test.each([false, true])('without load servers take turns (randomizeLBTies %s)', (random) => {
    const balancer = over(farm(1, 1, 1), leastRequests(random));
    const counts: Record<string, number> = {};
    for (let i = 0; i < 3000; i++) {
      const server = begin(balancer);
      counts[server.address] = (counts[server.address] ?? 0) + 1;
      server.load--;
      balancer.loadChanged(server);
    }
    for (const name of 'abc') expect(Math.abs((counts[name] ?? 0) - 1000)).toBeLessThan(random ? 100 : 1);
  });

  test('a server that has just returned gets more as its share grows, though nothing else of it changes', () => {
    const servers = farm(1, 1);
    const [, returned] = servers as [Stub, Stub];
    returned.share = 0.1;
    const balancer = over(servers, leastRequests(false));
    for (let i = 0; i < 5; i++) expect(begin(balancer).address).toBe('a');
    returned.share = 0.5;
    for (let i = 0; i < 2; i++) expect(begin(balancer).address).toBe('b');
    returned.share = 1;
    for (let i = 0; i < 3; i++) expect(begin(balancer).address).toBe('b');
    expect(begin(balancer).address).toBe('a');
  });

  test('the heap keeps its order under any changes', () => {
    const upTo = numbers(5);
    const servers = Array.from({ length: 37 }, (_, i) => stub(`s${i}`, 1 + (i % 5)));
    const balancer = over(servers, leastRequests(false));
    for (let i = 0; i < 20_000; i++) {
      const server = servers[upTo(servers.length)]!;
      server.load = Math.max(0, server.load + (upTo(2) === 0 ? 1 : -1));
      balancer.loadChanged(server);
      const picked = balancer.pick(all, '')!;
      const least = Math.min(...servers.map(({ load, share }) => (load + 1) / share));
      expect((picked.load + 1) / picked.share).toBe(least);
    }
  });
});

describe('RequestHash', () => {
  const keys = Array.from({ length: 30_000 }, (_, i) => `/meet/user${i}/${(i * 7919).toString(36)}`);
  const spread = (servers: readonly Stub[], passes: (server: Stub) => boolean = all) => {
    const balancer = over(servers, requestHash<Stub>());
    return keys.map((key) => balancer.pick(passes, key)!.address);
  };

  test('equal keys go to the same server, whatever the order of the servers and the letter case of their names', () => {
    const servers = farm(1, 1, 1, 1);
    const first = spread(servers);
    expect(spread(servers)).toEqual(first);
    expect(spread([...servers].reverse())).toEqual(first);
    expect(spread(servers.map((each) => ({ ...each, address: each.address.toUpperCase() }))).join('')).toBe(
      first.join('').toUpperCase(),
    );
  });

  test('by weight', () => {
    const counts = counted(spread(farm(1, 2, 5)).join(''));
    for (const [name, share] of Object.entries({ a: 1 / 8, b: 2 / 8, c: 5 / 8 })) {
      expect(Math.abs((counts[name] ?? 0) / keys.length / share - 1)).toBeLessThan(0.03);
    }
  });

  test.each(['gone', 'left out'])('a server that is %s moves its own keys alone, and they are spread', (how) => {
    const servers = farm(1, 1, 1, 1);
    const before = spread(servers);
    const after =
      how === 'gone' ? spread(servers.slice(1)) : spread(servers, ({ address }) => address !== servers[0]!.address);
    const moved = keys.flatMap((_, i) => (before[i] === after[i] ? [] : [i]));
    expect(moved.every((i) => before[i] === 'a')).toBe(true);
    expect(moved.length).toBe(before.filter((name) => name === 'a').length);
    const targets = counted(moved.map((i) => after[i]).join(''));
    for (const name of 'bcd') expect((targets[name] ?? 0) / moved.length).toBeGreaterThan(0.3);
  });

  test('a server that comes takes its share from the others, and nothing else moves', () => {
    const before = spread(farm(1, 1, 1));
    const after = spread(farm(1, 1, 1, 1));
    const moved = keys.flatMap((_, i) => (before[i] === after[i] ? [] : [after[i]]));
    expect(new Set(moved)).toEqual(new Set(['d']));
    expect(Math.abs(moved.length / keys.length - 0.25)).toBeLessThan(0.01);
  });

  test('a hundred servers get what they are to get', () => {
    const counts = counted(
      spread(Array.from({ length: 100 }, (_, i) => stub(String.fromCharCode(0x4e00 + i), 1))).join(''),
    );
    expect(Object.keys(counts)).toHaveLength(100);
    for (const count of Object.values(counts)) expect(Math.abs(count / 300 - 1)).toBeLessThan(0.35);
  });

  test('nobody takes requests', () => {
    expect(over([], requestHash<Stub>()).pick(all, '/')).toBeUndefined();
    expect(over(farm(1), requestHash<Stub>()).pick(() => false, '/')).toBeUndefined();
  });
});
