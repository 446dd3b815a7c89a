/**
 * The time that a server stays out without anybody testing it. Each time it is twice as long, up to ten times the first, and
 * who was back for as long as that begins anew.
 */

/** Times the first. */
const LONGEST = 10;
/** Timers of the runtime hold no more. */
const LONGEST_MS = 2 ** 31 - 1;

export interface Ejection {
  /** Why the server is out; `undefined` while it is not. */
  readonly reason: string | undefined;
  begin(reason: string): void;
  /** Ahead of time. */
  end(): void;
}

/**
 * @param first in seconds; `undefined`: it does not end by itself
 * @param over told when the time is over
 */
export function createEjection(first: number | undefined, over: (after: string) => void): Ejection {
  const longest = Math.min((first ?? 0) * 1000 * LONGEST, LONGEST_MS);
  let reason: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let pause = 0;
  let back = 0;
  const end = () => {
    if (reason === undefined) return;
    clearTimeout(timer);
    reason = undefined;
    back = performance.now();
  };
  return {
    get reason() {
      return reason;
    },
    begin(why) {
      end();
      reason = why;
      if (first === undefined) return;
      const anew = pause === 0 || performance.now() - back >= longest;
      pause = Math.min(anew ? first * 1000 : pause * 2, longest);
      timer = setTimeout(() => {
        end();
        over(`${pause / 1000} s have passed`);
      }, pause);
    },
    end,
  };
}
