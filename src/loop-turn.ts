/**
 * The turns of the event loop: one clock for all that happens in a turn, and a way to tell bytes that were there before a
 * request from its answer.
 *
 * A server may send something unasked on an idle connection; while this process is busy nobody has read it yet, and the next
 * request on the connection would take it for its answer. Within one turn the sockets that are ready are known at its start.
 * So what is read from a connection in the same turn in which the request was written to it had arrived before.
 */

/** libuv looks for ready sockets a second time within a turn when it found this many at once; half of it leaves room. */
const CERTAIN_READS = 512;

let turn = 0;
let time = 0;
let reads = 0;
let scheduled = false;

function begin(): void {
  if (scheduled) return;
  scheduled = true;
  time = performance.now();
  setImmediate(end);
}

function end(): void {
  turn++;
  reads = 0;
  scheduled = false;
}

/** Milliseconds of `performance.now()` when this turn began, or when it was first asked for in it. */
export function turnTime(): number {
  begin();
  return time;
}

/** The number of this turn, to be kept with what is written in it. */
export function currentTurn(): number {
  begin();
  return turn;
}

/** To be called for each read. True where the turn still is the one in which `written` was taken. */
export function readInTurn(written: number): boolean {
  reads++;
  return written === turn && scheduled && reads < CERTAIN_READS;
}
