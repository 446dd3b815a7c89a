/**
 * The turns of the event loop: one clock for all that happens in a turn, and a way to tell bytes that were there before a
 * request from its answer.
 *
 * A server may send something unasked on an idle connection; while this process is busy nobody has read it yet, and the next
 * request on the connection would take it for its answer. Within one turn the sockets that are ready are known at its start.
 * So what is read from a connection in the same turn in which the request was written to it had arrived before.
 *
 * Where very many sockets are ready (1,024), libuv looks for more within the turn, and those may have answers. It counts what
 * it has found when it is done with it, so that the count tells the looks apart.
 */
import { performance } from 'node:perf_hooks';

const { nodeTiming } = performance;

let turn = 0;
let look = 0;
let time = 0;
let scheduled = false;

function begin(): void {
  if (scheduled) return;
  scheduled = true;
  time = performance.now();
  setImmediate(end);
}

function end(): void {
  turn++;
  scheduled = false;
}

/** Milliseconds of `performance.now()` when this turn began, or when it was first asked for in it. */
export function turnTime(): number {
  begin();
  return time;
}

/** The number of this turn, or of this look within it, to be kept with what is written in it. */
export function currentTurn(): number {
  begin();
  const { events } = nodeTiming.uvMetricsInfo;
  if (events !== look) {
    look = events;
    turn++;
  }
  return turn;
}

/** To be asked for each read. True where what `written` was taken for was written in the same look for ready sockets. */
export function readInTurn(written: number): boolean {
  return written === turn && scheduled && nodeTiming.uvMetricsInfo.events === look;
}
