/**
 * Takes a chunked body apart (RFC 9112 7.1), split anywhere. The data of a piece is moved together within the piece's own
 * memory, so that however many chunks it holds, one run of bytes comes out and nothing is allocated.
 */
import { TOKEN } from './field-name.ts';
import { parseFields } from './fields.ts';
import { HeadReader } from './head-reader.ts';
import { bytesAround, MessageFault, malformed } from './message-fault.ts';

const SIZE_FIRST = 0;
const SIZE = 1;
const EXTENSION = 2;
const SIZE_LF = 3;
const DATA = 4;
const DATA_CR = 5;
const DATA_LF = 6;
const TRAILERS = 7;
const DONE = 8;
const SIZE_BLANKS = 9;

const TAB = 0x09;
const BLANK = 0x20;
const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;

/** Of all chunks of a body together: a sender of many tiny chunks with long extensions would else cost without end. */
const EXTENSION_BYTES = 16 * 1024;
const LARGEST_CHUNK = Number.MAX_SAFE_INTEGER;
const MOST_DIGITS = 16;

/** Value of a hexadecimal digit by its byte, 255 for anything else. */
const DIGITS = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16);
  DIGITS[text.charCodeAt(0)] = digit;
  DIGITS[text.toUpperCase().charCodeAt(0)] = digit;
}

export interface TrailerLimits {
  readonly trailerBytes: number;
  readonly headerCount: number;
  /** Of a server: blanks behind a chunk size, which some write to fill a field of fixed width, are no fault. */
  readonly lenient?: boolean;
}

export class ChunkedDecoder {
  readonly #limits: TrailerLimits;
  #state = SIZE_FIRST;
  #size = 0;
  #digits = 0;
  #extension = '';
  #extensionBytes = 0;
  #trailerReader: HeadReader | undefined;
  /** Names and values in turn; complete when the body is. */
  trailers: readonly string[] = [];
  /** Where the data of the last `read` begins and ends in the piece. */
  dataStart = 0;
  dataEnd = 0;

  constructor(limits: TrailerLimits) {
    this.#limits = limits;
  }

  get done(): boolean {
    return this.#state === DONE;
  }

  /**
   * Changes the piece: the data found in it is at `dataStart` to `dataEnd` afterwards.
   * @returns the offset behind what belongs to the body
   * @throws MessageFault
   */
  read(piece: Buffer, from: number): number {
    let at = from;
    this.dataStart = from;
    this.dataEnd = from;
    try {
      while (at < piece.length && this.#state !== DONE) {
        if (this.#state === DATA) at = this.#data(piece, at);
        else if (this.#state === TRAILERS) at = this.#trailers(piece, at);
        else this.#framing(piece[at++] as number);
      }
    } catch (error) {
      if (!(error instanceof MessageFault) || error.bytes !== '') throw error;
      throw new MessageFault(error.status, error.message, bytesAround(piece, at), error.limit);
    }
    return at;
  }

  #data(piece: Buffer, at: number): number {
    const end = Math.min(piece.length, at + this.#size);
    if (this.dataEnd === this.dataStart) {
      this.dataStart = at;
      this.dataEnd = end;
    } else {
      piece.copyWithin(this.dataEnd, at, end);
      this.dataEnd += end - at;
    }
    this.#size -= end - at;
    if (this.#size === 0) this.#state = DATA_CR;
    return end;
  }

  #framing(byte: number): void {
    switch (this.#state) {
      case SIZE_FIRST:
      case SIZE:
      case SIZE_BLANKS:
        this.#sizeByte(byte);
        break;
      case EXTENSION:
        this.#extensionByte(byte);
        break;
      case SIZE_LF:
        expectByte(byte, LF, 'a chunk size without CRLF');
        this.#state = this.#size === 0 ? TRAILERS : DATA;
        break;
      case DATA_CR:
        expectByte(byte, CR, 'a chunk longer than its size');
        this.#state = DATA_LF;
        break;
      default:
        expectByte(byte, LF, 'a chunk longer than its size');
        this.#state = SIZE_FIRST;
        this.#size = 0;
        this.#digits = 0;
    }
  }

  #sizeByte(byte: number): void {
    const digit = DIGITS[byte] as number;
    if (digit < 16 && this.#state !== SIZE_BLANKS) {
      this.#size = this.#size * 16 + digit;
      if (++this.#digits > MOST_DIGITS || this.#size > LARGEST_CHUNK) throw malformed('a chunk size out of range');
      this.#state = SIZE;
    } else if (this.#state !== SIZE_FIRST && byte === CR) {
      this.#state = SIZE_LF;
    } else if (this.#state !== SIZE_FIRST && byte === SEMICOLON) {
      this.#state = EXTENSION;
      this.#extension = '';
    } else if (this.#limits.lenient && this.#state !== SIZE_FIRST && (byte === BLANK || byte === TAB)) {
      if (++this.#extensionBytes > EXTENSION_BYTES) throw malformed('too many blanks behind chunk sizes');
      this.#state = SIZE_BLANKS;
    } else {
      throw malformed('a chunk size that is no hexadecimal number');
    }
  }

  /** Extensions are checked and dropped: nobody uses them, but by them two readers have been led apart. */
  #extensionByte(byte: number): void {
    if (byte === CR) {
      if (!EXTENSIONS.test(this.#extension)) throw malformed('a chunk extension');
      this.#state = SIZE_LF;
      return;
    }
    if ((byte < 0x20 && byte !== TAB) || byte === 0x7f) throw malformed('a control character in a chunk extension');
    if (++this.#extensionBytes > EXTENSION_BYTES) throw malformed('too many chunk extensions');
    this.#extension += String.fromCharCode(byte);
  }

  #trailers(piece: Buffer, at: number): number {
    this.#trailerReader ??= new HeadReader({ limit: this.#limits.trailerBytes, startLine: false });
    const end = this.#trailerReader.push(piece, at);
    if (end < 0) return piece.length;
    const { headers, hosts } = parseFields(this.#trailerReader.text, 0, this.#limits.headerCount, this.#limits.lenient);
    if (hosts.length > 0) throw new MessageFault(400, 'Host among the trailers');
    this.trailers = headers;
    this.#trailerReader = undefined;
    this.#state = DONE;
    return end;
  }
}

function expectByte(byte: number, wanted: number, otherwise: string): void {
  if (byte !== wanted) throw malformed(otherwise);
}

/** `name`, `name=token` or `name="quoted"`, several with `;` between them; no blanks, which the RFC calls bad. */
const EXTENSION_TEXT = String.raw`${TOKEN}(?:=(?:${TOKEN}|"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?`;
const EXTENSIONS = new RegExp(`^${EXTENSION_TEXT}(?:;${EXTENSION_TEXT})*$`);
