import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ProtocolConfig } from '../../src/config/farm-model.ts';
import { defaultFarmSettings } from '../../src/config/settings.ts';
import type { FarmSettings } from '../../src/config/settings-model.ts';
import type { Connections } from '../../src/connect/connections.ts';
import type { Scheme } from '../../src/connect/endpoint.ts';
import type { ConnectWatcher } from '../../src/connect/pool.ts';
import { type Balanced, leastRequests, weightedRoundRobin } from '../../src/farm/load-balancing.ts';
import { Server } from '../../src/farm/server.ts';
import { ServerState } from '../../src/farm/server-state.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  watchers.clear();
  held.clear();
  vi.useRealTimers();
});

const watchers = new Map<number, ConnectWatcher>();
/** Ports that there are connections to. */
const held = new Set<number>();

/** Nothing is ever opened. */
const connections: Connections = {
  lease: () => undefined,
  forget: () => undefined,
  terminate: () => undefined,
  discourage: () => undefined,
  watch({ port }, watcher) {
    watchers.set(port, watcher);
    return () => watchers.delete(port);
  },
  hasRoom: () => true,
  hasAny: ({ port }) => held.has(port),
  size: 0,
  destroy: () => undefined,
};

function server(address: string, weight: number, settings: Partial<FarmSettings> = {}): Server {
  const member = { address: { value: address }, weight, hostName: '', httpPort: 80, httpsPort: 443 };
  const protocol = { timeout: 30, maxResponseHeaderSize: 65_536, alternateHostName: '' } as ProtocolConfig;
  const around = {
    settings: { ...defaultFarmSettings('settings.json'), ...settings },
    routes: { key: '', name: () => expect.unreachable(), to: () => expect.unreachable(), close: () => undefined },
    names: [],
    ca: [],
    allowPartialTrustChain: false,
    clientCertificate: undefined,
    localAddress: undefined,
    connectTimeout: 10,
  };
  const log = pino({ level: 'silent' });
  return new Server(member, {
    farm: 'fe',
    protocol,
    around,
    publicKeys: [],
    state: new ServerState(),
    connections,
    log,
  });
}

/** As often as opens its circuit. */
function refuse(port: number): void {
  for (let i = 0; i < 3; i++) watchers.get(port)?.(new Error('refused'));
}

const connect = (port: number) => watchers.get(port)?.(undefined);

/** A server of which requests have asked this. */
function asked(...schemes: readonly Scheme[]): Server {
  const made = server('a', 100);
  for (const scheme of schemes) made.begin(false, scheme);
  return made;
}

describe('whether anything can be had of a server', () => {
  test('a port that only another farm asks for says nothing', () => {
    const made = asked('https');
    refuse(80);
    expect(made.isReachable).toBe(true);
    held.add(80);
    refuse(443);
    expect(made.isReachable).toBe(false);
    held.clear();
  });

  test('at one of its ports and not at the other: it is there, but closed in part', () => {
    const made = asked('http', 'https');
    held.add(443);
    expect(made.closed).toEqual([]);
    refuse(80);
    expect([made.isReachable, made.closed]).toEqual([true, ['http']]);
    held.clear();
  });

  test('a port that another farm found closed is out of reach as soon as anybody asks for it', () => {
    const made = server('a', 100);
    refuse(443);
    expect(made.isReachable).toBe(true);
    expect(made.reachable('https')).toBe(false);
    expect(made.isReachable).toBe(false);
  });

  test('while nobody has tried, and after a connection was made', () => {
    const made = asked('https');
    expect(made.isReachable).toBe(true);
    refuse(443);
    expect(made.isReachable).toBe(false);
    connect(443);
    expect(made.isReachable).toBe(true);
  });

  test('at one port, whatever becomes of the other: by connections that are there, or were made since', () => {
    const made = asked('http', 'https');
    held.add(443);
    refuse(80);
    expect(made.isReachable).toBe(true);
    held.clear();
    expect(made.isReachable).toBe(false);
    vi.advanceTimersByTime(1);
    connect(443);
    expect(made.isReachable).toBe(true);
    refuse(443);
    expect(made.isReachable).toBe(false);
  });

  test('what was known of one port before the other was lost counts no more', () => {
    const made = asked('http', 'https');
    connect(80);
    vi.advanceTimersByTime(60_000);
    refuse(443);
    expect(made.isReachable).toBe(false);
  });

  test('a port that comes back begins slowly, unless the other was in use all along', () => {
    const made = server('a', 100, { slowStart: 10 });
    held.add(443);
    refuse(80);
    connect(80);
    expect(made.share).toBe(100);
    held.clear();
    refuse(80);
    connect(80);
    expect(made.share).toBe(10);
  });
});

test('a server that is not needed any more leaves neither a timer nor anybody who listens', () => {
  const made = server('a', 100);
  expect(watchers.size).toBe(2);
  for (const port of [80, 443]) refuse(port);
  expect([made.reachable('http'), made.reachable('https'), vi.getTimerCount()]).toEqual([false, false, 2]);
  made.close();
  expect([watchers.size, vi.getTimerCount()]).toEqual([0, 0]);
});

describe('slow start', () => {
  test('from a tenth to the whole share, in a straight line', () => {
    const made = server('a', 200, { slowStart: 10 });
    expect(made.share).toBe(200);
    made.returns();
    const shares: number[] = [];
    for (let second = 0; second <= 11; second++) {
      shares.push(Math.round(made.share));
      vi.advanceTimersByTime(1000);
    }
    expect(shares).toEqual([20, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 200]);
  });

  test('0: all of it at once', () => {
    const made = server('a', 100, { slowStart: 0 });
    made.returns();
    expect(made.share).toBe(100);
  });

  test.each([
    ['WeightedRoundRobin', () => weightedRoundRobin<Server>(false)],
    ['LeastRequests', () => leastRequests<Server>(false)],
  ] as const)('%s: it has its whole share afterwards, however quiet the farm was', (_name, create) => {
    const servers = [server('a', 100, { slowStart: 10 }), server('b', 100), server('c', 100)] as const;
    const balancer = create();
    for (const each of servers) each.onLoad = balancer.loadChanged;
    balancer.set(servers);
    servers[0].returns();
    const ask = (count: number) => {
      const counts = { a: 0, b: 0, c: 0 };
      for (let i = 0; i < count; i++) {
        const picked = balancer.pick(() => true, '')!;
        picked.begin(false, 'http');
        picked.end(false);
        counts[picked.address as 'a' | 'b' | 'c']++;
      }
      return counts;
    };
    expect(ask(300).a).toBeLessThanOrEqual(15);
    vi.advanceTimersByTime(10_000);
    expect(ask(3)).toEqual({ a: 1, b: 1, c: 1 });
    expect(ask(300)).toEqual({ a: 100, b: 100, c: 100 } satisfies Record<string, Balanced['load']>);
  });
});
