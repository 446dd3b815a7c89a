/** Output to a terminal that may be stopped (Ctrl-S, or a window that hangs): Node's own stream would hold up the whole process. */
import { constants, openSync, writeSync } from 'node:fs';
import type { LineStream } from './bounded-lines.ts';
import { codeOf } from './errors.ts';

/** A stopped terminal says nothing when it goes on, so it is tried again. */
const AGAIN_MS = 100;

/** @returns `undefined` where this system does not give a descriptor a second time */
export function stoppableTerminal(descriptor: number): LineStream | undefined {
  let terminal: number;
  try {
    terminal = openSync(`/dev/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
  let rest = Buffer.alloc(0);
  const send = (done: (() => void) | undefined) => {
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(terminal, rest));
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') {
        setTimeout(send, AGAIN_MS, done);
        return;
      }
      // It is gone, as readers of a pipe may be.
      rest = Buffer.alloc(0);
    }
    done?.();
  };
  return {
    get writableLength() {
      return rest.length;
    },
    write(line, done) {
      rest = Buffer.concat([rest, Buffer.from(line)]);
      send(done);
      return true;
    },
  };
}
