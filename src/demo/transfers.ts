/** Large bodies: an upload that is counted and hashed, and a download of any size whose content can be foretold. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { answer, answerJson, type Call, writeHead } from './answers.ts';

/** Reads the body as it comes, keeps none of it, and answers with its length and SHA-256. */
export async function answerUpload(call: Call): Promise<void> {
  if (call.arrived.method !== 'PUT' && call.arrived.method !== 'POST') {
    answer(call, 405, 'text/plain; charset=utf-8', 'PUT or POST a body here.\n', [['Allow', 'PUT, POST']]);
    return;
  }
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of call.request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    length += chunk.length;
  }
  answerJson(call, 200, { length, sha256: hash.digest('hex'), encrypted: call.arrived.encrypted });
}

const LARGEST = 64 * 1024 ** 3;
const PIECE = 65_536;

/** `/CollabContent/<bytes>`; with `?chunked` the length is not announced. */
export async function answerDownload(call: Call): Promise<void> {
  const size = Number(/\/(\d{1,12})$/.exec(call.path)?.[1] ?? Number.NaN);
  if (!(size <= LARGEST)) {
    answer(call, 404, 'text/plain; charset=utf-8', 'Ask for /CollabContent/<number of bytes>.\n');
    return;
  }
  const framing = call.query.has('chunked')
    ? (['Transfer-Encoding', 'chunked'] as const)
    : (['Content-Length', String(size)] as const);
  writeHead(call, 200, [framing, ['Content-Type', 'application/octet-stream']]);
  if (call.arrived.method === 'HEAD') {
    call.response.end();
    return;
  }
  await pipeline(Readable.from(content(size), { objectMode: false }), call.response);
}

/** `size` bytes in pieces; the byte at position i is i modulo 251, so that a lost or doubled piece shows. */
export function* content(size: number): Generator<Buffer> {
  const ring = Buffer.alloc(PIECE + 251);
  for (let i = 0; i < ring.length; i++) {
    ring[i] = i % 251;
  }
  for (let at = 0; at < size; at += PIECE) {
    yield ring.subarray(at % 251, (at % 251) + Math.min(PIECE, size - at));
  }
}
