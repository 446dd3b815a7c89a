/** Why a message is refused: it breaks RFC 9112, or two implementations could read it in two ways. */

/** What a client is told. From a server every fault is the same: its answer is not valid. */
export type FaultStatus = 400 | 414 | 431 | 501 | 505;

/** A limit that a message goes beyond, by its name among those of the reader. */
export type MessageLimit = 'headerBytes' | 'headerCount' | 'targetBytes' | 'trailerBytes';

export class MessageFault extends Error {
  override readonly name = 'MessageFault';
  readonly status: FaultStatus;
  /** Where it was found, as latin1; `''` where the reason says it. */
  readonly bytes: string;
  readonly limit: MessageLimit | undefined;

  /** @param reason what is wrong, for the log */
  constructor(status: FaultStatus, reason: string, bytes = '', limit?: MessageLimit) {
    super(reason);
    this.status = status;
    this.bytes = bytes;
    this.limit = limit;
  }
}

export function tooMuch(status: FaultStatus, limit: MessageLimit, reason: string): MessageFault {
  return new MessageFault(status, reason, '', limit);
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

/** More bytes of header fields, or of trailers, than are taken. */
export function isTooLong({ limit }: Pick<MessageFault, 'limit'>): boolean {
  return limit === 'headerBytes' || limit === 'trailerBytes';
}
