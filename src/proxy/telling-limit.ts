/** How often the service log tells the same thing: what any client can bring about must not fill the disk. */

/**
 * Whether a thing is told now: nothing where it is not, else how many times it was left out since it was last told.
 * @param key what counts as the same; as many are kept as there are, so that no part of it may be a client's to choose
 */
export type TellingLimit = (key: string) => number | undefined;

export interface Often {
  readonly most: number;
  readonly milliseconds: number;
}

/** The first is told, and some more of what follows at once; who looks for a cause needs no more of a minute. */
const OFTEN: Often = { most: 10, milliseconds: 60_000 };

/** @param now milliseconds, of a clock that never goes back */
export function createTellingLimit(now: () => number, { most, milliseconds }: Often = OFTEN): TellingLimit {
  const known = new Map<string, { began: number; times: number; leftOut: number }>();
  return (key) => {
    const found = known.get(key);
    if (found === undefined || now() - found.began >= milliseconds) {
      known.set(key, { began: now(), times: 1, leftOut: 0 });
      return found?.leftOut ?? 0;
    }
    found.times++;
    if (found.times <= most) return 0;
    found.leftOut++;
    return undefined;
  };
}
