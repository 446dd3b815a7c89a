/** Which workers still answer: each is heard from once a second, and one that is silent is told, then given up. */

/** A worker says something at least as often. */
export const BEAT_MS = 1000;
/**
 * What counts at most of the time between two beats. A machine or a supervisor that was itself suspended has heard from nobody
 * meanwhile, and what the workers have said since lies unread: none of them is given up for that.
 */
const LONGEST_STEP_MS = 1.5 * BEAT_MS;
/** Whoever sends this machine new clients is told so early, since a part of them would wait. */
export const UNREADY_MS = 5000;
const TOLD_MS = 10_000;
/** One that begins loads all of its code and rules in one go, for as long as a machine with better things to do takes. */
const BEGIN_MS = 60_000;

export interface HeartbeatOptions<W> {
  /** Seconds after which a silent worker is given up. */
  readonly hang: number;
  /** Milliseconds after which a silence is told; ten seconds by default. */
  readonly told?: number;
  /** It has said nothing for some time; clients that it has wait. */
  readonly silent: (worker: W, seconds: number) => void;
  /** It was told as silent, and has said something. */
  readonly answers: (worker: W, seconds: number) => void;
  readonly givenUp: (worker: W, seconds: number) => void;
}

export interface Heartbeats<W> {
  /** From now on this one is to be heard. It begins, and has no clients yet. */
  expect(worker: W): void;
  /** It has clients. */
  serves(worker: W): void;
  heard(worker: W): void;
  forget(worker: W): void;
  isSilent(worker: W): boolean;
  /** From now on nobody waits longer for one that is silent than until that is told. */
  hurry(): void;
  /** To be called once every `BEAT_MS`. */
  beat(): void;
}

interface Silence {
  serves: boolean;
  /** Since the last beat. */
  heard: boolean;
  milliseconds: number;
  told: boolean;
  givenUp: boolean;
}

/** @param now milliseconds, of a clock that never goes back */
export function createHeartbeats<W>(options: HeartbeatOptions<W>, now = () => performance.now()): Heartbeats<W> {
  const silences = new Map<W, Silence>();
  // Always before the worker is killed for it.
  const told = Math.min(options.told ?? TOLD_MS, (options.hang * 1000 * 2) / 3);
  const unready = Math.min(UNREADY_MS, told);
  let longest = options.hang * 1000;
  let longestBegin = Math.max(longest, BEGIN_MS);
  let last = now();
  const judge = (worker: W, silence: Silence) => {
    const seconds = Math.round(silence.milliseconds / 1000);
    if (silence.milliseconds >= (silence.serves ? longest : longestBegin) && !silence.givenUp) {
      silence.givenUp = true;
      options.givenUp(worker, seconds);
    } else if (silence.serves && silence.milliseconds >= told && !silence.told) {
      silence.told = true;
      options.silent(worker, seconds);
    }
  };
  return {
    expect: (worker) =>
      silences.set(worker, { serves: false, heard: true, milliseconds: 0, told: false, givenUp: false }),
    serves(worker) {
      const silence = silences.get(worker);
      if (silence) silence.serves = true;
    },
    heard(worker) {
      const silence = silences.get(worker);
      if (silence === undefined) return;
      if (silence.told) options.answers(worker, Math.round(silence.milliseconds / 1000));
      silence.told = false;
      silence.heard = true;
      silence.milliseconds = 0;
    },
    forget: (worker) => silences.delete(worker),
    isSilent: (worker) => (silences.get(worker)?.milliseconds ?? 0) >= unready,
    hurry() {
      longest = told;
      longestBegin = told;
    },
    beat() {
      const step = Math.min(now() - last, LONGEST_STEP_MS);
      last = now();
      for (const [worker, silence] of silences) {
        // Nobody is taken for silent sooner than that is so.
        if (!silence.heard) silence.milliseconds += step;
        silence.heard = false;
        judge(worker, silence);
      }
    },
  };
}
