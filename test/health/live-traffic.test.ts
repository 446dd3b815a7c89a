import { expect, test } from 'vitest';
import { createLiveTrafficTest } from '../../src/health/live-traffic.ts';

const failing = (maxFailures: number, period: number) => {
  const live = createLiveTrafficTest(maxFailures, period);
  if (live === undefined) throw new Error('there is such a test');
  return live;
};

test('a period of 0: no such test', () => {
  expect(createLiveTrafficTest(10, 0)).toBeUndefined();
});

test('as many as may not be, one by one and at once', () => {
  const one = failing(3, 20);
  expect([one.failed(1, 0), one.failed(1, 1000), one.failed(1, 2000)]).toEqual([false, false, true]);
  expect(failing(3, 20).failed(5, 0)).toBe(true);
  expect(failing(1, 20).failed(1, 0)).toBe(true);
});

test('the period slides: what is older does not count', () => {
  const live = failing(3, 20);
  expect([0, 10_000, 20_000, 29_999].map((now) => live.failed(1, now))).toEqual([false, false, false, true]);
  const steady = failing(3, 20);
  expect(Array.from({ length: 1000 }, (_, i) => steady.failed(1, i * 10_001)).includes(true)).toBe(false);
});

test('what was counted can be forgotten', () => {
  const live = failing(3, 20);
  live.failed(2, 0);
  live.clear();
  expect([live.failed(2, 1), live.failed(1, 2)]).toEqual([false, true]);
});

test('a day of failures takes no more time and memory than a second of them', () => {
  const live = failing(4_294_967_295, 86_400);
  const started = process.cpuUsage();
  const before = process.memoryUsage().heapUsed;
  for (let now = 0; now < 86_400_000; now += 100) live.failed(1, now);
  expect(process.cpuUsage(started).user).toBeLessThan(5_000_000);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
});
