/**
 * One URL test of one server, again and again: when it is made, how often it is tried before it counts, and whether the server
 * passes. Never two at once; one that hangs keeps no other from being made.
 */
import type { Tested, TestResult } from './health-check.ts';

export interface TestRounds {
  /** Why the server does not pass, `undefined` where it does. It passes until a test has failed. */
  readonly fault: string | undefined;
  /** A round now, or what comes of the one under way. */
  now(): Promise<TestResult>;
  /** The server passes, whatever was. */
  forgive(): void;
  stop(): void;
}

export interface TestRoundsOptions {
  /** Seconds from the start of a round to that of the next; 0: none but by `now`. */
  readonly interval: number;
  /** Further tries before a test counts as failed. A server that does not pass is tried once. */
  readonly retries: number;
  readonly once: (signal: AbortSignal) => Promise<Tested>;
  /** Told of each round that says something of the server. `began`: its last try, in `performance.now()` */
  readonly judged: (tested: Tested, began: number) => void;
}

/** All first rounds begin within this time, spread, so that a start is no burst. */
const FIRST_MS = 1000;
/** Between tries, and from the end of a round to the next one at the least. */
const PAUSE_MS = 1000;
/** Intervals differ by so much, or many services would test in step. */
const JITTER = 0.1;
/** Timers of the runtime hold no more. */
const LONGEST_MS = 2 ** 31 - 1;

export function startTestRounds({ interval, retries, once, judged }: TestRoundsOptions): TestRounds {
  const pause = interval === 0 ? PAUSE_MS : Math.min(PAUSE_MS, interval * 250);
  const stopping = new AbortController();
  const { signal } = stopping;
  let fault: string | undefined;
  let running: Promise<TestResult> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const round = async (): Promise<TestResult> => {
    for (let tries = 0; ; tries++) {
      const began = performance.now();
      const tested = await once(signal);
      if (signal.aborted) return tested.result;
      const passed = tested.result === 'Success';
      if (passed || fault !== undefined || tries >= retries) {
        if (!tested.inconclusive) {
          fault = passed ? undefined : tested.reason;
          judged(tested, began);
        }
        return tested.result;
      }
      await sleep(pause, signal);
      if (signal.aborted) return tested.result;
    }
  };
  const now = (): Promise<TestResult> => {
    if (running) return running;
    clearTimeout(timer);
    const started = performance.now();
    running = round().finally(() => {
      running = undefined;
      const next = interval * 1000 * (1 - JITTER + 2 * JITTER * Math.random());
      if (interval > 0) later(Math.max(pause, started + next - performance.now()));
    });
    return running;
  };
  const later = (ms: number) => {
    if (!signal.aborted) timer = setTimeout(() => void now(), Math.min(ms, LONGEST_MS));
  };
  if (interval > 0) later(Math.random() * Math.min(FIRST_MS, interval * 500));
  return {
    get fault() {
      return fault;
    },
    now,
    forgive() {
      fault = undefined;
    },
    stop() {
      clearTimeout(timer);
      stopping.abort();
    },
  };
}

/** Ends early where the signal comes. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
