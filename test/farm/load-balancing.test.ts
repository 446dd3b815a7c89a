import { expect, test } from 'vitest';
import { weightedRoundRobin } from '../../src/farm/load-balancing.ts';

test('servers take turns by weight, spread out and not in blocks', () => {
  const next = weightedRoundRobin([
    { name: 'a', weight: 200 },
    { name: 'b', weight: 100 },
  ]);
  expect(Array.from({ length: 6 }, () => next()?.name).join('')).toBe('abaaba');
});

test('weights are relative', () => {
  for (const weight of [1, 5, 100, 4294967295]) {
    const next = weightedRoundRobin([
      { name: 'a', weight },
      { name: 'b', weight },
    ]);
    expect(Array.from({ length: 4 }, () => next()?.name).join('')).toBe('abab');
  }
});

test('shares are exact over a round', () => {
  const next = weightedRoundRobin([5, 1, 1, 3].map((weight, index) => ({ index, weight })));
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 100; i++) {
    const { index = 0 } = next() ?? {};
    counts[index] = (counts[index] ?? 0) + 1;
  }
  expect(counts).toEqual([50, 10, 10, 30]);
});

test('an empty farm has no server', () => {
  expect(weightedRoundRobin([])()).toBeUndefined();
});
