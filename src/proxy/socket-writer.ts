/**
 * Writes an answer to the socket of a client: one write for what belongs together, one write under way at a time, and what
 * comes meanwhile is gathered into the next one. The bytes it is given are parts of memory that is used again, so that they
 * are either written or copied before `flush` returns.
 */
import type { Socket } from 'node:net';

/** Above this the sender is asked to wait. */
const HIGH_BYTES = 64 * 1024;
/** What may still come once the sender was told: the records that are decrypted already. */
const BUFFER_BYTES = 2 * HIGH_BYTES;
const KEPT_BUFFERS = 64;

/** Buffers of equal size that are not in use. */
const free: Buffer[] = [];

function takeBuffer(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
}

function release(buffer: Buffer): void {
  if (buffer.length === BUFFER_BYTES && free.length < KEPT_BUFFERS) free.push(buffer);
}

export interface SocketWriterOptions {
  /** TLS encrypts what it is given before `write` returns, where nothing else waits; a plain socket may keep a part of it. */
  readonly takesAtOnce: boolean;
  /** `flush` has said false, and there is room again. */
  drained(): void;
}

export class SocketWriter {
  readonly #socket: Socket;
  readonly #options: SocketWriterOptions;
  #pieces: (Buffer | string)[] = [];
  #length = 0;
  /** Copied, and not yet given to the socket. */
  #gathered: Buffer | undefined;
  #gatheredLength = 0;
  #inFlight: Buffer | undefined;
  #busy = false;
  #deferred = false;
  #full = false;
  #given = 0;

  constructor(socket: Socket, options: SocketWriterOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Bytes that have not left yet. */
  get pending(): number {
    return this.#socket.writableLength + this.#gatheredLength;
  }

  /** Bytes that the socket was given since it is there. */
  get given(): number {
    return this.#given;
  }

  /** There is as much to be sent as may be gathered. */
  get isFull(): boolean {
    return this.#length + this.#gatheredLength >= HIGH_BYTES;
  }

  push(piece: Buffer | string): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /**
   * @param more the next piece of a large body follows within this turn of the event loop, or soon after
   * @returns false where the client is slow: `drained` is called when more can follow
   */
  flush(more: boolean): boolean {
    if (this.#length > 0) {
      if (this.#busy || this.#gatheredLength > 0 || more) this.#gather(more);
      else this.#writePieces();
    }
    // Whoever was told to wait waits until `drained`, however much has left meanwhile.
    this.#full ||= this.#gatheredLength >= HIGH_BYTES;
    return !this.#full;
  }

  /** Sends what there is, and ends our side of the connection. */
  end(): void {
    this.flush(false);
    this.#given += this.#gatheredLength;
    if (this.#gatheredLength > 0)
      this.#socket.write(Buffer.from(this.#gathered?.subarray(0, this.#gatheredLength) ?? ''));
    this.#forget();
    this.#socket.end();
  }

  /** The socket is gone. */
  close(): void {
    this.#forget();
    this.#pieces = [];
    this.#length = 0;
  }

  #forget(): void {
    if (this.#gathered) release(this.#gathered);
    this.#gathered = undefined;
    this.#gatheredLength = 0;
  }

  #writePieces(): void {
    const pieces = this.#pieces;
    const [first] = pieces;
    this.#busy = true;
    this.#given += this.#length;
    if (pieces.length === 1 && typeof first === 'string') {
      this.#socket.write(first, 'latin1', this.#written);
    } else if (pieces.length === 1 && first !== undefined && this.#options.takesAtOnce) {
      this.#socket.write(first, this.#written);
    } else {
      const buffer = this.#length <= BUFFER_BYTES ? takeBuffer() : Buffer.allocUnsafeSlow(this.#length);
      this.#give(buffer, copyAll(pieces, buffer, 0));
    }
    this.#pieces = [];
    this.#length = 0;
  }

  #gather(more: boolean): void {
    const length = this.#gatheredLength + this.#length;
    if (this.#gathered === undefined || this.#gathered.length < length) {
      const larger = length <= BUFFER_BYTES ? takeBuffer() : Buffer.allocUnsafeSlow(2 * length);
      this.#gathered?.copy(larger, 0, 0, this.#gatheredLength);
      if (this.#gathered) release(this.#gathered);
      this.#gathered = larger;
    }
    this.#gatheredLength = copyAll(this.#pieces, this.#gathered, this.#gatheredLength);
    this.#pieces = [];
    this.#length = 0;
    if (this.#busy) return;
    if (!more || this.#gatheredLength >= HIGH_BYTES) this.#writeGathered();
    else if (!this.#deferred) {
      this.#deferred = true;
      setImmediate(this.#writeDeferred);
    }
  }

  readonly #writeDeferred = (): void => {
    this.#deferred = false;
    if (!this.#busy) this.#writeGathered();
  };

  #writeGathered(): void {
    const buffer = this.#gathered;
    if (buffer === undefined) return;
    const length = this.#gatheredLength;
    this.#gathered = undefined;
    this.#gatheredLength = 0;
    this.#busy = true;
    this.#given += length;
    this.#give(buffer, length);
  }

  #give(buffer: Buffer, length: number): void {
    this.#socket.write(buffer.subarray(0, length), this.#written);
    if (this.#options.takesAtOnce) release(buffer);
    else this.#inFlight = buffer;
  }

  readonly #written = (): void => {
    if (this.#inFlight) release(this.#inFlight);
    this.#inFlight = undefined;
    this.#busy = false;
    // The client is gone, which is told next: nothing more is asked for it.
    if (this.#socket.destroyed) return;
    if (this.#gatheredLength > 0 && !this.#deferred) this.#writeGathered();
    if (!this.#full || this.#gatheredLength >= HIGH_BYTES) return;
    this.#full = false;
    this.#options.drained();
  };
}

function copyAll(pieces: readonly (Buffer | string)[], target: Buffer, from: number): number {
  let at = from;
  for (const piece of pieces) {
    at += typeof piece === 'string' ? target.write(piece, at, 'latin1') : piece.copy(target, at);
  }
  return at;
}
