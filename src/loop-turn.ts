/**
 * The turns of the event loop: one clock for all that happens in a turn, which stands still while this process is held up, and a
 * way to tell bytes that were there before a request from its answer.
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

/** What passes at most between two times that the clock is read, which is done each quarter of a second. */
const LONGEST_STEP_MS = 500;

let turn = 0;
let look = 0;
/** The look in which somebody was last called because a socket was ready. */
let readLook = -1;
/** Milliseconds for which this process was held up, and when the clock was last read. */
let heldUp = 0;
let readAt = realTime();
let time = 0;
let scheduled = false;

function begin(): void {
  if (scheduled) return;
  scheduled = true;
  time = fairTime();
  setImmediate(end);
}

function end(): void {
  turn++;
  scheduled = false;
}

/**
 * Milliseconds as those of `performance.now()`, but for the time in which this process was held up, by work of its own or for want
 * of a processor: what others sent meanwhile lies unread, and whoever counted that time would take all of them for silent at once.
 * For timers; others take `turnTime`, since whoever asked again and again in one long turn would make many small steps of it.
 */
export function fairTime(): number {
  const now = realTime();
  heldUp += Math.max(0, now - readAt - LONGEST_STEP_MS);
  readAt = now;
  return performance.now() - heldUp;
}

/** Not of `performance`, whose time tests may set. */
function realTime(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** `fairTime` when this turn began, or when it was first asked for in it. */
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

/** To be said first by whoever is called because a socket is ready. */
export function readBegins(): void {
  readLook = currentLook();
}

/** This is within a look for ready sockets: what is read in it was there before what is written now. */
export function isReading(): boolean {
  return currentLook() === readLook;
}

/** To be asked for each read, behind `readBegins`. True where what `written` was taken for was written in the same look. */
export function readInTurn(written: number): boolean {
  return written === turn && scheduled && readLook === look;
}

/** Both numbers only grow. */
function currentLook(): number {
  const { loopCount, events } = nodeTiming.uvMetricsInfo;
  return loopCount + events;
}
