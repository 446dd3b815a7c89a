/** Why a message is refused: it breaks RFC 9112, or two implementations could read it in two ways. */

/** What a client is told. From a server every fault is the same: its answer is not valid. */
export type FaultStatus = 400 | 414 | 431 | 501 | 505;

export class MessageFault extends Error {
  override readonly name = 'MessageFault';
  readonly status: FaultStatus;

  /** @param reason what is wrong, for the log */
  constructor(status: FaultStatus, reason: string) {
    super(reason);
    this.status = status;
  }
}

export function malformed(reason: string): MessageFault {
  return new MessageFault(400, reason);
}
