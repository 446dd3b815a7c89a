import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import type { Logger } from '../src/log.ts';
import { createLimitedLog, createTellingLimit } from '../src/telling-limit.ts';

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

describe('lines that a request can cause', () => {
  const told: string[] = [];
  const write = (level: string) => (facts: object, message: string) =>
    void told.push(`${level} ${message} ${JSON.stringify(facts)}`);
  const log = { info: write('info'), warn: write('warn'), error: write('error') } as unknown as Logger;

  beforeEach(() => {
    told.length = 0;
    vi.useFakeTimers();
  });
  afterEach(() => void vi.useRealTimers());

  it('are told so often of each kind, and then their number, when the time is over', () => {
    const limited = createLimitedLog(log, { most: 2, milliseconds: 1000 });
    for (let i = 0; i < 5; i++) limited.tell('warn', 'a', { i }, 'of a');
    limited.tell('info', 'b', {}, 'of b');
    expect(told.splice(0)).toEqual(['warn of a {"i":0}', 'warn of a {"i":1}', 'info of b {}']);
    vi.advanceTimersByTime(1000);
    expect(told.splice(0)).toEqual(['warn left out, of the kind: of a {"leftOut":3}']);
    limited.tell('warn', 'a', { i: 5 }, 'of a');
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual(['warn of a {"i":5}']);
  });

  it('that go on and on are told as often in each time, and none of their number is lost', () => {
    const limited = createLimitedLog(log, { most: 10, milliseconds: 60_000 });
    let lines = 0;
    for (let i = 0; i < 10_000; i++) {
      limited.tell('error', 'a', {}, 'of a');
      lines++;
      vi.advanceTimersByTime(100);
    }
    limited.end();
    const leftOut = told.map((each) => Number(/"leftOut":(\d+)/.exec(each)?.[1] ?? 0));
    const sums = told.filter((each) => each.includes('left out, of the kind'));
    expect(told.length).toBeLessThan(17 * 12);
    expect(leftOut.reduce((sum, each) => sum + each, 0) + told.length - sums.length).toBe(lines);
  });

  it('are summed at the end of the process', () => {
    const limited = createLimitedLog(log, { most: 1, milliseconds: 60_000 });
    for (let i = 0; i < 3; i++) limited.tell('info', 'a', {}, 'of a');
    limited.end();
    limited.end();
    expect(told).toEqual(['info of a {}', 'info left out, of the kind: of a {"leftOut":2}']);
  });
});
