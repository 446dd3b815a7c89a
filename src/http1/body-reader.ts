/** Reads the body of a message out of the bytes of its connection, by its framing. */
import type { BodyFraming } from './body-framing.ts';
import { ChunkedDecoder, type TrailerLimits } from './chunked-decoder.ts';

const NO_TRAILERS: readonly string[] = [];

export class BodyReader {
  readonly #limits: TrailerLimits;
  /** Bytes still to come; `Infinity` until the connection ends. */
  #left = 0;
  #chunked: ChunkedDecoder | undefined;
  /** What the last `read` found: a part of the memory it was given. */
  data: Buffer | undefined;

  constructor(limits: TrailerLimits) {
    this.#limits = limits;
  }

  start(framing: BodyFraming): void {
    this.#chunked = framing === 'chunked' ? new ChunkedDecoder(this.#limits) : undefined;
    this.data = undefined;
    this.#left = typeof framing === 'number' ? framing : framing === 'until-close' ? Number.POSITIVE_INFINITY : 0;
  }

  /** Nothing of the body is still to come. */
  get done(): boolean {
    return this.#chunked === undefined ? this.#left === 0 : this.#chunked.done;
  }

  /** The end of the connection is the end of the body, and not a loss. */
  get endsWithConnection(): boolean {
    return this.#left === Number.POSITIVE_INFINITY;
  }

  get trailers(): readonly string[] {
    return this.#chunked?.trailers ?? NO_TRAILERS;
  }

  /**
   * Takes what belongs to the body; chunked data is moved together within `piece`.
   * @returns the offset behind it
   * @throws MessageFault
   */
  read(piece: Buffer, from: number): number {
    const chunked = this.#chunked;
    if (chunked !== undefined) {
      this.data = undefined;
      const end = chunked.read(piece, from);
      if (chunked.dataEnd > chunked.dataStart) this.data = piece.subarray(chunked.dataStart, chunked.dataEnd);
      return end;
    }
    const end = Math.min(piece.length, from + this.#left);
    this.#left -= end - from;
    this.data = end === from ? undefined : from === 0 && end === piece.length ? piece : piece.subarray(from, end);
    return end;
  }
}
