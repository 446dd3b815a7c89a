/**
 * The turns of the event loop: one clock for all that happens in a turn, and a way to tell bytes that were there before a
 * request from its answer.
 *
 * A server may send something unasked on an idle connection; while this process is busy nobody has read it yet, and the next
 * request on the connection would take it for its answer. Within one look of libuv for ready sockets, those that are ready are
 * known at its start. So what is read from a connection in the same look in which the request was written to it had arrived
 * before. Of what is written between two looks, by a timer or for a connection that was refused at once, nothing can be told:
 * it is for a new connection.
 *
 * A turn has one look, or more where very many sockets (1,024) are ready. libuv counts a turn before its first look, and what
 * a look has found when it is done with it: the sum tells all looks apart.
 */
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
  const now = currentLook();
  if (now !== look) {
    look = now;
    turn++;
  }
  return turn;
}

/** To be asked for each read. True where what `written` was taken for was written in the same look for ready sockets. */
export function readInTurn(written: number): boolean {
  return written === turn && scheduled && currentLook() === look;
}

/** Both numbers only grow. */
function currentLook(): number {
  const { loopCount, events } = nodeTiming.uvMetricsInfo;
  return loopCount + events;
}
