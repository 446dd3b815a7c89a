/** What the service asks of a lane. Types only. */
import type { Socket } from 'node:net';
import type { ClientConnection } from './request-head.ts';

export interface Lane {
  /** A connection that a listener has accepted. */
  take(socket: Socket, connection: ClientConnection): void;
  /** Connections without a request are closed now, the others behind their last answer. Resolves when all are closed. */
  drain(): Promise<void>;
  /** Ends every connection at once. Gives their number. */
  destroy(): number;
}
