/** Standard output and standard error that can no longer be written: nothing that a service or a command must end for. */
import { fstatSync, writeSync } from 'node:fs';
import { codeOf } from '../errors.ts';

const STDOUT = 1;

/** What stands on standard output is lost although somebody wanted it; one that is tired of reading did not. */
export type Lost = (error: unknown) => void;

/** The exit code is the answer; where it can no longer be read in words, no failed write may take its place. */
export function outliveReaders({ stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>, lost?: Lost): void {
  stdout.on('error', (error) => {
    if (codeOf(error) !== 'EPIPE') lost?.(error);
  });
  stderr.on('error', () => undefined);
}

/** Standard output as it is, but that a file gets all of a text: a full disk takes a part, and Node leaves it at that. */
export function wholeOutput(stdout: NodeJS.WriteStream, lost: Lost): { write(text: string): unknown } {
  if (!isFile(STDOUT)) return stdout;
  return {
    write(text) {
      try {
        for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(STDOUT, rest));
      } catch (error) {
        lost(error);
      }
    },
  };
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false; // It was closed before the start.
  }
}
