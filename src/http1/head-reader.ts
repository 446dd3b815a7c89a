/**
 * Collects the bytes of one head, split anywhere, up to its empty line. What no head may hold is refused at the byte where
 * it stands, so that a message which never ends in CRLF CRLF is not waited for.
 */
import { bytesAround, type MessageFault, malformed, tooMuch } from './message-fault.ts';

const ORDINARY = 0;
const CR = 1;
const LF = 2;
const FORBIDDEN = 3;

/** By byte. RFC 9110 5.5: no control characters but the tab; bytes from 0x80 on are let through as they are. */
const KINDS = new Uint8Array(256);
KINDS.fill(FORBIDDEN, 0, 0x20);
KINDS[0x7f] = FORBIDDEN;
KINDS[0x09] = ORDINARY;
KINDS[0x0d] = CR;
KINDS[0x0a] = LF;

const IN_LINE = 0;
const LINE_START = 1;
const AFTER_CR = 2;
const AFTER_EMPTY_CR = 3;

const FIRST_SIZE = 1024;

export interface HeadReaderOptions {
  /** Most bytes of a head. */
  readonly limit: number;
  /** False for the fields behind a chunked body, which have no line before them. */
  readonly startLine: boolean;
}

export class HeadReader {
  readonly #options: HeadReaderOptions;
  #state = LINE_START;
  #lines: number;
  #held: Buffer | undefined;
  #length = 0;
  #skippedLine = false;
  #text = '';

  constructor(options: HeadReaderOptions) {
    this.#options = options;
    this.#lines = options.startLine ? 0 : 1;
  }

  /** True from the first byte of a head on. */
  get begun(): boolean {
    return this.#length > 0 || this.#state !== LINE_START;
  }

  /** The head that `push` has ended, with its empty line, each character one byte. */
  get text(): string {
    return this.#text;
  }

  /**
   * @returns the offset behind the head, or -1 when all bytes were taken and more are needed
   * @throws MessageFault
   */
  push(chunk: Buffer, from: number): number {
    const { limit } = this.#options;
    let state = this.#state;
    let start = from;
    let stop = Math.min(chunk.length, from + limit - this.#length);
    for (let i = from; i < stop; i++) {
      const kind = KINDS[chunk[i] as number];
      if (kind === ORDINARY) {
        if (state > LINE_START) throw malformed('a CR without LF', bytesAround(chunk, i));
        state = IN_LINE;
        // Most bytes follow another of their kind.
        while (i + 1 < stop && KINDS[chunk[i + 1] as number] === ORDINARY) i++;
      } else if (kind === CR) {
        if (state > LINE_START) throw malformed('a CR without LF', bytesAround(chunk, i));
        state += AFTER_CR;
      } else if (kind === LF) {
        if (state === AFTER_CR) {
          this.#lines++;
          state = LINE_START;
        } else if (state !== AFTER_EMPTY_CR) {
          throw malformed('an LF without CR', bytesAround(chunk, i));
        } else if (this.#lines > 0) {
          return this.#complete(chunk, start, i + 1);
        } else {
          // RFC 9112 2.2: one empty line before a request is a slip of old clients, and not part of it.
          if (this.#skippedLine) throw malformed('empty lines before the request', bytesAround(chunk, i));
          this.#skippedLine = true;
          this.#length = 0;
          start = i + 1;
          stop = Math.min(chunk.length, start + limit);
          state = LINE_START;
        }
      } else {
        throw malformed('a control character in the head', bytesAround(chunk, i));
      }
    }
    if (stop < chunk.length) throw this.#tooLong();
    this.#state = state;
    this.#hold(chunk, start, stop);
    return -1;
  }

  #complete(chunk: Buffer, start: number, end: number): number {
    if (this.#length === 0) {
      this.#text = chunk.toString('latin1', start, end);
    } else {
      this.#hold(chunk, start, end);
      this.#text = this.#held?.toString('latin1', 0, this.#length) ?? '';
    }
    this.#held = undefined;
    this.#length = 0;
    this.#state = LINE_START;
    this.#lines = this.#options.startLine ? 0 : 1;
    this.#skippedLine = false;
    return end;
  }

  #hold(chunk: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length === 0) return;
    if (this.#held === undefined || this.#held.length < length) {
      const larger = Buffer.allocUnsafe(Math.max(FIRST_SIZE, 2 * length));
      this.#held?.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    chunk.copy(this.#held, this.#length, start, end);
    this.#length = length;
  }

  #tooLong(): MessageFault {
    const { limit, startLine } = this.#options;
    const name = startLine ? 'headerBytes' : 'trailerBytes';
    return this.#lines === 0
      ? tooMuch(414, name, `a first line of more than ${limit} bytes`)
      : tooMuch(431, name, `a head of more than ${limit} bytes`);
  }
}
