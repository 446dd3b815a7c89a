/** Why a message is refused: it breaks RFC 9112, or two implementations could read it in two ways. */

/** What a client is told. From a server every fault is the same: its answer is not valid. */
export type FaultStatus = 400 | 414 | 431 | 501 | 505;

export class MessageFault extends Error {
  override readonly name = 'MessageFault';
  readonly status: FaultStatus;
  /** Where it was found, as latin1; `''` where the reason says it. */
  readonly bytes: string;

  /** @param reason what is wrong, for the log */
  constructor(status: FaultStatus, reason: string, bytes = '') {
    super(reason);
    this.status = status;
    this.bytes = bytes;
  }
}

export function malformed(reason: string, bytes?: string): MessageFault {
  return new MessageFault(400, reason, bytes);
}

/** Enough to know the place by. */
const SHOWN_BEFORE = 48;
const SHOWN_BEHIND = 16;

/** What stands around an offset. */
export function bytesAround(piece: Buffer, at: number): string {
  return piece.toString('latin1', Math.max(0, at - SHOWN_BEFORE), at + SHOWN_BEHIND);
}

/** A line, cut. */
export function shownLine(text: string, start: number, end: number): string {
  return text.slice(start, Math.min(end, start + SHOWN_BEFORE + SHOWN_BEHIND));
}
