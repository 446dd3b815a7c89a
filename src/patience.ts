/** Waits for a piece of work, but not for ever. */

/** @param late what it comes to where the time is up first; the work goes on */
export async function within<T>(milliseconds: number, work: Promise<T>, late: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late()), milliseconds);
  });
  const done = await Promise.race([work, timeout]);
  clearTimeout(timer);
  return done;
}
