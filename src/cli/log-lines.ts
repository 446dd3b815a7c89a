/** The lines of a log file or of standard input, unpacked where it is gzip, one by one in bounded memory. */
import { createReadStream } from 'node:fs';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { StartError } from '../errors.ts';

export interface LineHandler {
  /** Called once with the first bytes, each a character. @returns why the rest is not worth reading, where it is not */
  head(text: string): string | undefined;
  /** Each character one byte; `undefined` for a line that is too long to be one. */
  line(text: string | undefined): void;
  /** Called with the bytes of the file that have been read so far, once for each piece. */
  progress(bytes: number): void;
}

/** Enough to tell what it is. */
const HEAD_LENGTH = 4096;
const PIECE_BYTES = 256 * 1024;
/** IIS itself ends a line far below. */
const LINE_LENGTH = 256 * 1024;
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

/**
 * @param name of a file, or `-` for standard input
 * @returns why it could not be read to its end; what came before has been handled
 */
export async function readLines(name: string, handler: LineHandler): Promise<string | undefined> {
  const source: Readable = name === '-' ? process.stdin : createReadStream(name, { highWaterMark: PIECE_BYTES });
  const pieces = counted(source, handler);
  try {
    const first = await head(pieces);
    const all = () => joined(first, pieces);
    const lines = lineSink(handler);
    if (isGzip(first)) await pipeline(all, createGunzip({ chunkSize: PIECE_BYTES }), lines);
    else await pipeline(all, lines);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

async function* counted(source: Readable, { progress }: LineHandler): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of source as AsyncIterable<Buffer>) {
    bytes += piece.length;
    progress(bytes);
    yield piece;
  }
}

/** The first pieces, as many as are needed to tell gzip by its first two bytes. */
async function head(pieces: AsyncGenerator<Buffer>): Promise<Buffer> {
  let first = Buffer.alloc(0);
  while (first.length < 2) {
    const { value, done } = await pieces.next();
    if (done) break;
    first = Buffer.concat([first, value]);
  }
  return first;
}

async function* joined(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

function isGzip(first: Buffer): boolean {
  return first[0] === 0x1f && first[1] === 0x8b;
}

/** Handles each line as soon as it is whole; the last one may lack its end. */
function lineSink({ head: judge, line }: LineHandler): Writable {
  let rest = '';
  let judged = false;
  let start = true;
  let tooLong = false;
  const take = (text: string) => {
    const whole = text.endsWith('\r') ? text.slice(0, -1) : text;
    line(tooLong ? undefined : start && whole.startsWith(BYTE_ORDER_MARK) ? whole.slice(3) : whole);
    start = false;
    tooLong = false;
  };
  /** @returns the reason for going no further */
  const look = (text: string, whole: boolean): Error | undefined => {
    if (judged || !(whole || text.length >= HEAD_LENGTH || text.includes('\n'))) return undefined;
    judged = true;
    const why = judge(text.slice(0, HEAD_LENGTH));
    return why === undefined ? undefined : new StartError(why);
  };
  return new Writable({
    // All is handled at once: what waited here would be lost when a broken file ends the way.
    highWaterMark: 16 * PIECE_BYTES,
    write(piece: Buffer, _encoding, done) {
      const text = rest + piece.toString('latin1');
      const wrong = look(text, false);
      if (wrong) {
        done(wrong);
        return;
      }
      let from = 0;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
        take(text.slice(from, end));
        from = end + 1;
      }
      rest = text.slice(from);
      if (rest.length > LINE_LENGTH) {
        tooLong = true;
        rest = '';
      }
      done();
    },
    final(done) {
      const wrong = rest === '' ? undefined : look(rest, true);
      if (wrong) {
        done(wrong);
        return;
      }
      if (rest !== '' || tooLong) take(rest);
      done();
    },
  });
}

function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR') return 'the compressed file ends too early';
  if (code.startsWith('Z_')) return `the compressed file is damaged (${message})`;
  return message;
}
