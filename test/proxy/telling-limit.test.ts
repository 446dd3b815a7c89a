import { expect, test } from 'vitest';
import { createTellingLimit } from '../../src/proxy/telling-limit.ts';

test('so many of each kind are told in a time, then the number of those left out', () => {
  let now = 0;
  const tell = createTellingLimit(() => now, { most: 2, milliseconds: 1000 });
  expect(['a', 'a', 'a', 'b', 'a'].map(tell)).toEqual([0, 0, undefined, 0, undefined]);
  now = 999;
  expect(tell('a')).toBeUndefined();
  now = 1000;
  expect(['a', 'a', 'a', 'b'].map(tell)).toEqual([3, 0, undefined, 0]);
  now = 9000;
  expect(tell('a')).toBe(1);
});
