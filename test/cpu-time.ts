/** CPU time of a piece of work. Unlike the clock on the wall it hardly moves when the machine is busy with other things. */
export function cpuTime<T>(work: () => T): { value: T; milliseconds: number } {
  const before = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(before);
  return { value, milliseconds: (user + system) / 1000 };
}
