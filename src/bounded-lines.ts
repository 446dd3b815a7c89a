/** Lines for a reader that may stall: what waits for it is bounded, and what was left out is counted and told. */

/** Characters that may wait. Each process has its own: what requests cause in a worker takes nothing from the supervisor's. */
const MOST_WAITING = 1024 * 1024;

export interface LineStream {
  readonly writableLength?: number;
  write(line: string, taken?: () => void): boolean;
}

export interface BoundedLines {
  write(line: string): void;
  /** Calls back when nothing waits any more, which may be never. */
  flush(written: () => void): void;
}

/** @param leftOut tells how many lines were left out, by another line, when the reader has taken all others */
export function boundedLines(
  stream: LineStream,
  leftOut: (lines: number) => void,
  mostWaiting = MOST_WAITING,
): BoundedLines {
  const waiting: string[] = [];
  const flushed: (() => void)[] = [];
  let characters = 0;
  let missing = 0;
  // One at a time: together they would be written in pieces, between which those of other processes could come.
  const isBusy = () => (stream.writableLength ?? 0) > 0;
  const write = (line: string) => {
    if (waiting.length === 0 && !isBusy()) stream.write(line, next);
    // From the first that is left out until there is room for all: so the number stands where they are missing.
    else if (missing > 0 || characters + line.length > mostWaiting) missing++;
    else {
      waiting.push(line);
      characters += line.length;
    }
  };
  const next = () => {
    while (waiting.length > 0 && !isBusy()) {
      const line = waiting.shift() ?? '';
      characters -= line.length;
      stream.write(line, next);
    }
    if (missing > 0 && waiting.length === 0 && !isBusy()) {
      const lines = missing;
      missing = 0;
      leftOut(lines);
    }
    if (waiting.length === 0 && !isBusy()) for (const each of flushed.splice(0)) each();
  };
  return {
    write,
    flush(written) {
      flushed.push(written);
      next();
    },
  };
}
