/** The live traffic test: so many failures of requests within so much time speak against a server. Looks at no clock. */

/** The period is counted in so many steps, so that no number of failures takes more memory. */
const STEPS = 100;

export interface LiveTrafficTest {
  /**
   * @param now any clock, in milliseconds
   * @returns true where there are as many as may not be within the period
   */
  failed(count: number, now: number): boolean;
  /** What was counted is forgotten. */
  clear(): void;
}

/** @param period in seconds; @returns `undefined` for a period of 0, with which there is no such test */
export function createLiveTrafficTest(maxFailures: number, period: number): LiveTrafficTest | undefined {
  if (period === 0) return undefined;
  const length = period * 1000;
  /** Oldest first. */
  const steps: { readonly since: number; count: number }[] = [];
  return {
    failed(count, now) {
      while (steps[0] !== undefined && now - steps[0].since >= length) steps.shift();
      const last = steps.at(-1);
      if (last !== undefined && now - last.since < length / STEPS) last.count += count;
      else steps.push({ since: now, count });
      return steps.reduce((sum, step) => sum + step.count, 0) >= maxFailures;
    },
    clear() {
      steps.length = 0;
    },
  };
}
