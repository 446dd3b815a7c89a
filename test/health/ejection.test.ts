import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createEjection } from '../../src/health/ejection.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const seconds = (count: number) => vi.advanceTimersByTime(count * 1000);

test('it is over after its time, and says so', () => {
  const over: string[] = [];
  const ejection = createEjection(30, (after) => over.push(`${after}, ${ejection.reason}`));
  expect(ejection.reason).toBeUndefined();
  ejection.begin('too many failures');
  seconds(29.9);
  expect([ejection.reason, over]).toEqual(['too many failures', []]);
  seconds(0.2);
  expect([ejection.reason, over]).toEqual([undefined, ['30 s have passed, undefined']]);
  seconds(1000);
  expect(over).toHaveLength(1);
});

test('each one takes twice as long, up to ten times, and begins anew for who did well as long as that', () => {
  const ejection = createEjection(1, () => undefined);
  const lasts = () => {
    ejection.begin('x');
    for (let tenths = 0; ; tenths++) {
      if (ejection.reason === undefined) return tenths / 10;
      seconds(0.1);
    }
  };
  expect([lasts(), lasts(), lasts(), lasts(), lasts(), lasts()]).toEqual([1, 2, 4, 8, 10, 10]);
  seconds(9.8);
  expect(lasts()).toBe(10);
  seconds(10);
  expect(lasts()).toBe(1);
});

test('one that was ended early counts, and tells nothing more', () => {
  let over = 0;
  const ejection = createEjection(30, () => over++);
  ejection.begin('x');
  seconds(5);
  ejection.end();
  expect(ejection.reason).toBeUndefined();
  ejection.begin('y');
  seconds(59);
  expect([ejection.reason, over]).toEqual(['y', 0]);
  seconds(2);
  expect([ejection.reason, over]).toEqual([undefined, 1]);
});

test('without a time it lasts until it is ended', () => {
  const ejection = createEjection(undefined, () => undefined);
  ejection.begin('x');
  seconds(1_000_000);
  expect(ejection.reason).toBe('x');
  ejection.end();
  expect(ejection.reason).toBeUndefined();
});

test('the longest of settings does not end at once', () => {
  const ejection = createEjection(2_147_483, () => undefined);
  ejection.begin('x');
  ejection.end();
  ejection.begin('x');
  seconds(1_000_000);
  expect(ejection.reason).toBe('x');
});
