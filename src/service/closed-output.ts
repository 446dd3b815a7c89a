/** Standard output and standard error whose reader has gone: nothing that a service or a command must end for. */

/** The exit code is the answer; where it can no longer be read in words, no failed write may take its place. */
export function outliveReaders({ stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>): void {
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
}
