/** How often the service log tells the same thing: what any client can bring about must not fill the disk. */
import type { Logger } from './log.ts';

/**
 * Whether a thing is told now: nothing where it is not, else how many times it was left out since it was last told.
 * @param key what counts as the same; as many are kept as there are, so that no part of it may be a client's to choose
 */
export interface TellingLimit {
  (key: string): number | undefined;
  /** How many were left out that nobody was told of until now. */
  rest(key: string): number;
  /** Milliseconds until it begins anew. */
  left(key: string): number;
}

export interface Often {
  readonly most: number;
  readonly milliseconds: number;
}

/** The first is told, and some more of what follows at once; who looks for a cause needs no more of a minute. */
const OFTEN: Often = { most: 10, milliseconds: 60_000 };

/** @param now milliseconds, of a clock that never goes back */
export function createTellingLimit(now: () => number, { most, milliseconds }: Often = OFTEN): TellingLimit {
  const known = new Map<string, { began: number; times: number; leftOut: number }>();
  const limit = (key: string) => {
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
  return Object.assign(limit, {
    rest(key: string) {
      const found = known.get(key);
      const leftOut = found?.leftOut ?? 0;
      if (found) found.leftOut = 0;
      return leftOut;
    },
    left: (key: string) => milliseconds - (now() - (known.get(key)?.began ?? 0)),
  });
}

/**
 * Lines of the service log that a request can cause: the first of a kind as they are, then the number of those left out, with the
 * next one of its kind or when the time is over. What an administrator does, and what becomes of a server, is never told by this.
 */
export interface LimitedLog {
  /** @param kind as `key` of a `TellingLimit` */
  tell(level: 'info' | 'warn' | 'error', kind: string, facts: object, message: string): void;
  /** Tells what is still to be told. */
  end(): void;
}

export function createLimitedLog(log: Pick<Logger, 'info' | 'warn' | 'error'>, often: Often = OFTEN): LimitedLog {
  const limit = createTellingLimit(() => performance.now(), often);
  const sums = new Map<string, () => void>();
  return {
    tell(level, kind, facts, message) {
      const leftOut = limit(kind);
      if (leftOut !== undefined) {
        log[level](leftOut > 0 ? { ...facts, leftOut } : facts, message);
      } else if (!sums.has(kind)) {
        const sum = () => {
          sums.delete(kind);
          const rest = limit.rest(kind);
          if (rest > 0) log[level]({ leftOut: rest }, `left out, of the kind: ${message}`);
        };
        sums.set(kind, sum);
        setTimeout(sum, limit.left(kind)).unref();
      }
    },
    end() {
      for (const sum of [...sums.values()]) sum();
    },
  };
}
