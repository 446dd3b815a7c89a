import { expect, test } from 'vitest';
import { findOutliers } from '../../src/health/outlier-latency.ts';

/** Names of those found among servers that took so long on average over 200 answers. */
function found(
  averages: readonly number[],
  { unhealthy = [], few = [] }: { unhealthy?: readonly number[]; few?: readonly number[] } = {},
): string {
  const servers = averages.map((average, at) => {
    const answers = few.includes(at) ? 99 : 200;
    return { name: 'abcdefgh'.charAt(at), healthy: !unhealthy.includes(at), answers, answerTime: average * answers };
  });
  return findOutliers(servers, { factor: 3, requests: 100 })
    .map(({ name }) => name)
    .join('');
}

test('a server that takes more than so many times the median of the others', () => {
  expect(found([100, 110, 90, 330])).toBe('d');
  expect(found([100, 110, 90, 299])).toBe('');
  expect(found([100, 320])).toBe('b');
  // The median of the others, and not of all, nor their average.
  expect(found([100, 100, 1000, 310])).toBe('cd');
  expect(found([100, 200, 1000, 310])).toBe('c');
});

test('only where both have enough answers', () => {
  expect(found([100, 110, 90, 1000], { few: [3] })).toBe('');
  expect(found([100, 900], { few: [0] })).toBe('');
  expect(found([1, 110, 90, 400], { few: [0] })).toBe('d');
  expect(found([100, 110, 90, 1000], { unhealthy: [3] })).toBe('');
});

test('differences that nobody notices are none', () => {
  expect(found([1, 2, 1, 20])).toBe('');
  expect(found([1, 2, 1, 22])).toBe('d');
  expect(found([0, 0, 0])).toBe('');
});

test('never the last healthy server, nor more than half of the farm: the slowest go first', () => {
  expect(found([500])).toBe('');
  expect(found([10, 500], { unhealthy: [0] })).toBe('');
  expect(found([10, 10, 10, 600, 700])).toBe('ed');
  expect(found([10, 10, 500, 600, 700])).toBe('');
  expect(found([10, 10, 10, 500, 600], { unhealthy: [0] })).toBe('e');
  expect(found([10, 10, 10, 600], { unhealthy: [0, 1] })).toBe('');
  expect(found([])).toBe('');
});
