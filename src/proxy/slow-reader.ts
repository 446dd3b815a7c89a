/** Tells clients that take nothing of what is sent to them: neither protocol has a time limit of its own for that. */
import type { Socket } from 'node:net';
import type { SendQueues } from './send-queues.ts';

/** Of the time-out, the part for which nothing need leave before a connection is a suspect. */
export const SUSPECT_PART = 0.1;
/** The kernel may hold so much of a connection on which nothing else happens: it is not looked up for less. */
const LITTLE_BYTES = 256 * 1024;

export interface Sending {
  /** Bytes, or something else that counts what is left, that wait in this process. */
  readonly pending: number;
  /** Bytes that were given to the socket since it is there. */
  readonly given: number;
}

/**
 * Watches one connection. What leaves this process need not arrive: the kernel holds megabytes, which a slow phone needs
 * minutes for, with no sign of it here. So silence counts only where what the kernel holds does not move either.
 */
export class SlowReader {
  readonly #socket: Socket;
  readonly #queues: SendQueues;
  #pending = 0;
  #given = 0;
  #since = 0;
  /** Bytes that had been given when the kernel was last seen to hold nothing. */
  #arrived = 0;

  constructor(socket: Socket, queues: SendQueues) {
    this.#socket = socket;
    this.#queues = queues;
  }

  /** Something is on its way, here or in the kernel, that is worth waiting for. */
  isSending({ pending, given }: Sending): boolean {
    return pending > 0 || given - this.#arrived >= LITTLE_BYTES;
  }

  /**
   * The socket is what keeps something from leaving this process: it was given nothing since, and the kernel still holds some of
   * what it was given before, or may.
   * @param given bytes that it had been given when that began to wait
   */
  isHeldUp(given: number, now: number): boolean {
    if (this.#socket.bytesWritten !== given) return false;
    const held = this.#queues.look(this.#socket, now);
    return held === undefined || held.bytes > 0;
  }

  /**
   * To be asked again and again.
   * @param now milliseconds of `turnTime`
   * @param timeout seconds
   * @returns true where the client has taken nothing for longer
   */
  isStalled(sending: Sending, now: number, timeout: number): boolean {
    const { pending, given } = sending;
    if (pending !== this.#pending || given !== this.#given || !this.isSending(sending)) {
      this.#pending = pending;
      this.#given = given;
      this.#since = now;
      return false;
    }
    const limit = timeout * 1000;
    if (now - this.#since < SUSPECT_PART * limit) return false;
    const held = this.#queues.look(this.#socket, now);
    if (held === undefined) return false;
    if (held.bytes === 0 && pending === 0) this.#arrived = given;
    else return now - this.#since > limit && held.seen - held.since > limit;
    return false;
  }
}
