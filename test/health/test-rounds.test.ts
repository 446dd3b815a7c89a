import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Tested, TestResult } from '../../src/health/health-check.ts';
import { startTestRounds } from '../../src/health/test-rounds.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** `.` passes, `x` fails, `?` says nothing of the server, `~` hangs until `answer` is called; the last one goes on. */
function rounds(script: string, { interval = 30, retries = 0 } = {}) {
  const start = performance.now();
  /** Seconds at which each try began. */
  const tries: number[] = [];
  const judged: string[] = [];
  const hanging: (() => void)[] = [];
  const tested = (letter: string): Tested => {
    const result: TestResult = letter === '.' ? 'Success' : 'ConnectionFailure';
    return { result, reason: `try ${tries.length}`, ...(letter === '?' ? { inconclusive: true } : {}) };
  };
  const running = startTestRounds({
    interval,
    retries,
    once(signal) {
      tries.push((performance.now() - start) / 1000);
      const letter = script[Math.min(tries.length, script.length) - 1] ?? '.';
      if (letter !== '~') return Promise.resolve(tested(letter));
      return new Promise((resolve) => {
        hanging.push(() => resolve(tested('.')));
        signal.addEventListener('abort', () => resolve(tested('?')));
      });
    },
    judged: ({ result, reason }) => judged.push(`${result === 'Success' ? 'passed' : 'failed'}, ${reason}`),
  });
  onTestFinished(() => running.stop());
  const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);
  return { running, tries, judged, seconds, answer: () => hanging.shift()?.() };
}

describe('when tests are made', () => {
  test.each([
    [0, 30, 0],
    [0.999, 30, 0.999],
    [0.5, 1, 0.25],
    [0.999, 0.1, 0.05],
  ])('by chance %d, every %d s: the first after %d s', async (chance, interval, first) => {
    vi.spyOn(Math, 'random').mockReturnValue(chance);
    const { tries, seconds } = rounds('.', { interval });
    await seconds(1);
    expect(tries[0]).toBeCloseTo(first, 2);
  });

  test.each([
    [0, [0, 27, 54]],
    [0.5, [0.5, 30.5, 60.5]],
    [1, [1, 34, 67]],
  ])('by chance %d: the next come a tenth earlier or later than the interval', async (chance, expected) => {
    vi.spyOn(Math, 'random').mockReturnValue(chance);
    const { tries, seconds } = rounds('.');
    await seconds(70);
    expect(tries).toEqual(expected);
  });

  test('one that hangs is never joined by a second, and the next follows after a pause', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { tries, seconds, answer } = rounds('~.', { interval: 10 });
    await seconds(100);
    expect(tries).toEqual([0.5]);
    answer();
    await seconds(1.5);
    expect(tries).toEqual([0.5, 101]);
  });

  test('an interval of 0: only when somebody asks', async () => {
    const { running, tries, judged, seconds } = rounds('x', { interval: 0 });
    await seconds(100_000);
    expect(tries).toEqual([]);
    expect(await running.now()).toBe('ConnectionFailure');
    await seconds(100_000);
    expect([tries.length, judged]).toEqual([1, ['failed, try 1']]);
  });

  test('who asks gets what comes of the round under way, and the next is an interval later', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { running, tries, seconds, answer } = rounds('~.');
    await seconds(1);
    const results = Promise.all([running.now(), running.now()]);
    answer();
    expect(await results).toEqual(['Success', 'Success']);
    expect(tries).toHaveLength(1);
    await seconds(19);
    expect(await running.now()).toBe('Success');
    await seconds(31);
    expect(tries).toEqual([0.5, 20, 50]);
  });

  test('a stop ends what is under way, and nothing follows', async () => {
    const { running, tries, judged, seconds } = rounds('~');
    await seconds(1);
    const result = running.now();
    running.stop();
    expect(await result).toBe('ConnectionFailure');
    await seconds(1000);
    expect([tries.length, judged]).toEqual([1, []]);
  });
});

describe('what counts', () => {
  test('so many further tries, one after the other with a pause', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { running, tries, judged, seconds } = rounds('x', { retries: 3 });
    await seconds(2.9);
    expect([judged, running.fault]).toEqual([[], undefined]);
    await seconds(0.2);
    expect(tries).toEqual([0, 1, 2, 3]);
    expect([judged, running.fault]).toEqual([['failed, try 4'], 'try 4']);
  });

  test('the pause is a quarter of a short interval', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { tries, seconds } = rounds('xx.', { interval: 2, retries: 2 });
    await seconds(1.1);
    expect(tries).toEqual([0, 0.5, 1]);
  });

  test('one that flips at every try passes as long as there is another try (U10)', async () => {
    const { judged, seconds } = rounds('x.'.repeat(50), { retries: 1 });
    await seconds(30 * 40);
    expect(judged.length).toBeGreaterThan(30);
    expect(judged.filter((each) => each.startsWith('failed'))).toEqual([]);
  });

  test('a server that does not pass is tried once each time, and one success brings it back', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { running, tries, judged, seconds } = rounds('xxxx.x.', { retries: 1 });
    await seconds(95);
    expect(tries).toEqual([0.5, 1.5, 30.5, 60.5, 90.5]);
    expect(judged).toEqual(['failed, try 2', 'failed, try 3', 'failed, try 4', 'passed, try 5']);
    expect(running.fault).toBeUndefined();
    await seconds(30);
    expect(judged.slice(4)).toEqual(['passed, try 7']);
  });

  test('what was forgiven has all its tries again', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const { running, tries, seconds } = rounds('x', { retries: 1 });
    await seconds(2);
    expect(running.fault).toBe('try 2');
    running.forgive();
    expect(running.fault).toBeUndefined();
    await seconds(29);
    expect([tries.length, running.fault]).toEqual([3, undefined]);
    await seconds(1);
    expect([tries.length, running.fault]).toEqual([4, 'try 4']);
  });

  test('a try that says nothing of the server is repeated, and changes nothing in the end', async () => {
    const passing = rounds('?', { retries: 2 });
    await passing.seconds(10);
    expect([passing.tries.length, passing.judged]).toEqual([3, []]);
    const failing = rounds('x?.');
    await failing.seconds(40);
    expect([failing.judged, failing.running.fault]).toEqual([['failed, try 1'], 'try 1']);
    await failing.seconds(30);
    expect(failing.running.fault).toBeUndefined();
  });
});
