import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Circuit } from '../../src/farm/circuit.ts';

beforeEach(() => {
  vi.useFakeTimers();
  // Pauses are a little shorter or longer by chance: here they are as they are written.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const failure = new Error('refused');

/** A circuit with what happened to it in words, and its knocks that have no answer yet. */
function made(settings = { failures: 3, pause: 1, longestPause: 5 }) {
  const events: string[] = [];
  const knocks: ((connected: boolean) => void)[] = [];
  const circuit = new Circuit(settings, {
    knock(done) {
      events.push('knock');
      knocks.push(done);
    },
    opened: ({ message }) => events.push(`opened: ${message}`),
    closed: () => events.push('closed'),
  });
  const fail = (times: number) => {
    for (let i = 0; i < times; i++) circuit.failed(failure);
  };
  /** Answers the next knock. */
  const answer = (connected: boolean) => knocks.shift()?.(connected);
  return { circuit, events, fail, answer, knocks };
}

test('it opens after so many failures in a row, once, and says why', () => {
  const { circuit, events, fail } = made();
  fail(2);
  expect(circuit.open).toBe(false);
  circuit.succeeded();
  fail(2);
  expect(circuit.open).toBe(false);
  fail(1);
  expect(circuit.open).toBe(true);
  fail(10);
  expect(events).toEqual(['opened: refused']);
});

test('a single failure may be enough', () => {
  const { circuit, fail } = made({ failures: 1, pause: 1, longestPause: 1 });
  fail(1);
  expect(circuit.open).toBe(true);
});

test('it knocks after the pause, then after twice as long each time, up to the longest', () => {
  const { events, fail, answer } = made();
  fail(3);
  for (const pause of [1000, 2000, 4000, 5000, 5000]) {
    events.length = 0;
    vi.advanceTimersByTime(pause - 1);
    expect(events).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(events).toEqual(['knock']);
    // One at a time, however long it takes.
    vi.advanceTimersByTime(60_000);
    expect(events).toEqual(['knock']);
    answer(false);
  }
});

test('pauses are up to a fifth shorter or longer, so that workers do not knock in step', () => {
  for (const [chance, pause] of [
    [0, 800],
    [0.999, 1199],
  ] as const) {
    vi.mocked(Math.random).mockReturnValue(chance);
    const { events, fail } = made();
    fail(3);
    vi.advanceTimersByTime(pause - 1);
    expect(events).toEqual(['opened: refused']);
    vi.advanceTimersByTime(1);
    expect(events).toEqual(['opened: refused', 'knock']);
  }
});

test('a knock that is answered closes it, and it takes as many failures as before to open again', () => {
  const { circuit, events, fail, answer } = made();
  fail(3);
  vi.advanceTimersByTime(1000);
  answer(true);
  expect(circuit.open).toBe(false);
  fail(2);
  expect(circuit.open).toBe(false);
  fail(1);
  expect(events).toEqual(['opened: refused', 'knock', 'closed', 'opened: refused']);
  // The pause begins anew.
  vi.advanceTimersByTime(1000);
  expect(events.at(-1)).toBe('knock');
});

test('any other connection that is made closes it, too, and nobody knocks any more', () => {
  const { circuit, events, fail } = made();
  fail(3);
  circuit.succeeded();
  vi.advanceTimersByTime(60_000);
  expect(events).toEqual(['opened: refused', 'closed']);
  expect(vi.getTimerCount()).toBe(0);
});

describe('a knock that is still on its way when the circuit has closed and opened again', () => {
  test.each([true, false])('is not answered for the new one (connected: %s)', (connected) => {
    const { circuit, events, fail, answer } = made();
    fail(3);
    vi.advanceTimersByTime(1000);
    circuit.succeeded();
    fail(3);
    events.length = 0;
    answer(connected);
    expect([circuit.open, vi.getTimerCount()]).toEqual([true, 1]);
    vi.advanceTimersByTime(1000);
    expect(events).toEqual(['knock']);
  });
});

test('once it is not needed, nothing is told and no timer is left', () => {
  const { circuit, events, fail, answer } = made();
  fail(3);
  vi.advanceTimersByTime(1000);
  circuit.close();
  answer(false);
  expect(vi.getTimerCount()).toBe(0);
  const { length } = events;
  fail(10);
  expect(events).toHaveLength(length);
  const idle = made();
  idle.fail(3);
  idle.circuit.close();
  expect(vi.getTimerCount()).toBe(0);
});
