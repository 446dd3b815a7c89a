import { describe, expect, test } from 'vitest';
import { availableServers } from '../../src/farm/available-servers.ts';
import { type RunState, ServerState } from '../../src/farm/server-state.ts';

/** A number is when it became unhealthy. */
type Kind = RunState | number | readonly [RunState, number];

/** `a` to `z`. */
function servers(kinds: readonly Kind[]) {
  return kinds.map((kind, i) => {
    const [run, lost] =
      typeof kind === 'string' ? [kind, undefined] : typeof kind === 'number' ? (['Active', kind] as const) : kind;
    const state = new ServerState();
    state.state = run;
    state.healthy = lost === undefined;
    state.since = lost ?? 0;
    return { name: String.fromCharCode(97 + i), state };
  });
}

const names = (minServers: number, ...kinds: readonly Kind[]) =>
  availableServers(servers(kinds), minServers)
    .map(({ name }) => name)
    .join('');

test('those that are Active and healthy', () => {
  expect(names(0, 'Active', 'Draining', 'Inactive', 5, 'Active')).toBe('ae');
  expect(names(0)).toBe('');
  expect(names(0, 1, 2)).toBe('');
});

describe('minServers', () => {
  test('never one that an administrator called unhealthy, however few are left', () => {
    const all = servers([10, 30, 20]);
    all[1]!.state.marked = true;
    expect(availableServers(all, 3).map(({ name }) => name)).toEqual(['a', 'c']);
  });

  test('is made up with those that were healthy last, in the order of the farm', () => {
    expect(names(1, 10, 30, 20)).toBe('b');
    expect(names(2, 10, 30, 20)).toBe('bc');
    expect(names(3, 10, 30, 20)).toBe('abc');
    expect(names(9, 10, 30, 20)).toBe('abc');
  });

  test('healthy ones count', () => {
    expect(names(1, 'Active', 10, 20)).toBe('a');
    expect(names(2, 10, 'Active', 20)).toBe('bc');
  });

  test('what an administrator took out stays out', () => {
    expect(names(2, 'Inactive', 'Draining', ['Inactive', 50], ['Draining', 60], 10)).toBe('e');
    expect(names(3, 'Inactive', 'Draining')).toBe('');
  });

  test('of those that went at once, the first ones', () => {
    expect(names(1, 7, 7, 7)).toBe('a');
  });
});

describe('clients that are bound to a server', () => {
  test.each<[RunState, boolean, boolean]>([
    ['Active', true, true],
    ['Draining', true, true],
    ['Inactive', true, false],
    ['Active', false, false],
    ['Draining', false, false],
  ])('%s, healthy: %s: kept: %s', (run, healthy, kept) => {
    const state = new ServerState();
    state.state = run;
    state.healthy = healthy;
    expect(state.keepsClients).toBe(kept);
  });
});
