/** CPU time of a piece of work. Unlike the clock on the wall it hardly moves when the machine is busy with other things. */
export function cpuTime<T>(work: () => T): { value: T; milliseconds: number } {
  const before = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(before);
  return { value, milliseconds: (user + system) / 1000 };
}

/** The CPU time that a piece of work needs of the main thread: the best of three, for a busy machine makes each dearer. */
export async function leastCpuTime(work: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 3; turn++) {
    const before = process.threadCpuUsage();
    await work();
    const { user, system } = process.threadCpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}
