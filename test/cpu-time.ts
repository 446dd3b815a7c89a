/** A piece of work of ours, always the same: how long it takes tells how fast the machine is right now. */
function yardstick(): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < 4_000_000; i++) {
    hash = Math.imul(hash ^ (i & 255), 0x01000193);
    hash ^= hash >>> 13;
  }
  return hash;
}

/** Milliseconds of the yardstick where the bounds of the tests were set. */
const USUAL_MS = 8;
const TURNS = 5;

/** What it would have been there. Little is little on any machine, and the yardstick takes its time. */
function there(milliseconds: number): number {
  return milliseconds < LITTLE_MS ? milliseconds : milliseconds / slowness();
}

const LITTLE_MS = 20;

function slowness(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < TURNS; turn++) {
    const before = process.cpuUsage();
    yardstick();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return Math.max(1, least / USUAL_MS);
}

/**
 * CPU time of a piece of work. Unlike the clock on the wall it hardly moves when the machine is busy with other things; where the
 * machine is slower than the one that the bounds were set on, it is what that one would have needed.
 */
export function cpuTime<T>(work: () => T): { value: T; milliseconds: number } {
  const before = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(before);
  return { value, milliseconds: there((user + system) / 1000) };
}

/** Where one that is short enough is the last: a machine that is slow for a while has its good moments, too. */
const MOST_TURNS = 25;

/**
 * The CPU time that a piece of work needs of the main thread: the best of five, for a busy machine makes each dearer.
 * @param enough milliseconds: the first turn that needs less is the last, and there are more of them
 */
export async function leastCpuTime(work: () => unknown, enough = 0): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < (enough > 0 ? MOST_TURNS : TURNS) && least >= enough; turn++) {
    const before = process.threadCpuUsage();
    await work();
    const { user, system } = process.threadCpuUsage(before);
    least = Math.min(least, there((user + system) / 1000));
  }
  return least;
}
