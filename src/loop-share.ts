/**
 * Long work: a few milliseconds of each turn of the event loop for all of it together, so that whoever else has something to do
 * is not held up. What has more to do waits in line.
 */

const SHARE_MS = 4;

const waiting: (() => void)[] = [];
/** When long work was first done in this turn. */
let began: number | undefined;

/** To be asked every now and then by who has much to do. True: the rest is for `inNextShare`. */
export function shareIsUsed(): boolean {
  if (began !== undefined) return performance.now() - began > SHARE_MS;
  begin();
  // Those in line were there before.
  return waiting.length > 0;
}

/** Calls `goOn` in a later turn, when those before it in line have had theirs. */
export function inNextShare(goOn: () => void): void {
  waiting.push(goOn);
  if (began === undefined) begin();
}

function begin(): void {
  began = performance.now();
  setImmediate(nextTurn);
}

function nextTurn(): void {
  began = undefined;
  const next = waiting.shift();
  if (next === undefined) return;
  begin();
  next();
}
