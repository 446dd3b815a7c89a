/** What a lane does for an exchange: the answer, in its protocol. Types only. */
import type { ExchangeError } from '../errors.ts';
import type { HeaderList } from '../header-list.ts';
import type { BodyFraming } from '../http1/body-framing.ts';

/** The head of a server's answer, with the headers the client will see. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  readonly body: BodyFraming;
  /** With 101: the protocol of the tunnel; else `''`. */
  readonly upgrade: string;
}

/** An answer of our own, its length among the headers. */
export interface OwnAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  readonly body: string;
}

/** Called in this order: `information`*, `answer`, `data`*, `end`, with `flush` behind what belongs together; or `respond`. */
export interface ClientSide {
  /** An interim answer: 100, 102, 103. */
  information(status: number, reason: string, headers: HeaderList): void;
  answer(head: AnswerHead): void;
  /** The bytes are valid until `flush` returns. */
  data(bytes: Buffer): void;
  end(trailers: HeaderList): void;
  /** False: the client is slow, and the exchange is told with `drained` when more can follow. */
  flush(): boolean;
  /** @param failure what led to this answer, where something failed */
  respond(own: OwnAnswer, failure: ExchangeError | undefined): void;
  /** Nothing more can be said: a rule wants it so, or the answer has begun and broke off. Never a clean end. */
  cut(): void;
  /** The server takes more of the body. */
  resumeBody(): void;
  /** The answer is complete, and nobody takes what is still to come of the body. */
  dropBody(): void;
}
