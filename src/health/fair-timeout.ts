/**
 * A time-out that counts only while this process looks at its sockets. While its event loop is held up, by work of its own or
 * for want of a processor, answers lie unread; whoever counted that time would take every server for a silent one at once.
 */

const TICK_MS = 20;
/** What a tick counts at most. A late one counts less than has passed, but always something: the end comes for sure. */
const LONGEST_TICK_MS = 2 * TICK_MS;

interface Waiting {
  left: number;
  /** Of `performance.now()`. */
  counted: number;
  readonly expired: () => void;
}

/** There is one event loop, so there is one timer. */
const waiting = new Set<Waiting>();
let timer: NodeJS.Timeout | undefined;

/**
 * @param ms milliseconds, counted in steps of 20
 * @returns takes it back
 */
export function startFairTimeout(ms: number, expired: () => void): () => void {
  const each = { left: ms, counted: performance.now(), expired };
  waiting.add(each);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    waiting.delete(each);
    rest();
  };
}

function tick(): void {
  const now = performance.now();
  for (const each of waiting) {
    each.left -= Math.min(now - each.counted, LONGEST_TICK_MS);
    each.counted = now;
    // Timers come before sockets in a turn: what lies there is read first, and may take the time-out back.
    if (each.left <= 0) setImmediate(expire, each);
  }
}

function expire(each: Waiting): void {
  if (!waiting.delete(each)) return;
  rest();
  each.expired();
}

function rest(): void {
  if (waiting.size > 0 || timer === undefined) return;
  clearInterval(timer);
  timer = undefined;
}
