/** How much tests by chance try, and from which seed: that of the day, which vitest.config.ts prints. */

/** FUZZ_SEED repeats a run. */
export const seed = Number(process.env.FUZZ_SEED);

/** How often a test by chance is run: half of what is usual where somebody waits, LONG=1 for hours in which nobody does. */
export function runs(short: number, long = 50 * short): number {
  return process.env.LONG === '1' ? long : Math.ceil(short / 2);
}

/** What a check says, or what it throws. */
export function outcome(check: () => string | undefined): string | undefined {
  try {
    return check();
  } catch (error) {
    return String(error);
  }
}

/** A small generator of numbers below `limit`: the same seed gives the same inputs. */
export function numbers(start: number): (limit: number) => number {
  let state = start | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}
