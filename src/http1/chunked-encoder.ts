/** Writes the pieces of a chunked body (RFC 9112 7.1). */
import { fieldLines } from './head-writer.ts';

const CR = 0x0d;
const LF = 0x0a;

/** A piece as one chunk; no bytes are no chunk, since one of size 0 would end the body. */
export function encodeChunk(data: Buffer): Buffer {
  if (data.length === 0) return data;
  const size = data.length.toString(16);
  const chunk = Buffer.allocUnsafe(size.length + data.length + 4);
  let at = chunk.write(size, 0, 'latin1');
  chunk[at++] = CR;
  chunk[at++] = LF;
  at += data.copy(chunk, at);
  chunk[at++] = CR;
  chunk[at] = LF;
  return chunk;
}

const LAST = '0\r\n\r\n';

/** The last chunk, with the fields behind it. */
export function encodeEnd(trailers: readonly string[]): string {
  return trailers.length === 0 ? LAST : `0\r\n${fieldLines(trailers)}\r\n`;
}
