/**
 * Finds the start tags of HTML in a stream of bytes, wherever it is cut into chunks, as the tokenizer of the HTML standard
 * sees them: not in comments, scripts and styles, and not ended by a `>` inside quotes. Everything else passes byte for
 * byte, and no more than one tag is kept back.
 */
import { newTokenizer, skip, step } from './html-tokenizer.ts';

/** A longer tag passes as it is. */
export const MAX_TAG_BYTES = 64 * 1024;

export interface TagHandler {
  /** Whether a start tag is to be looked at, by its name in lower case. */
  wants(name: string): boolean;
  /** The new bytes of a whole tag, or nothing to leave it as it is. */
  rewrite(name: string, tag: Buffer): Buffer | undefined;
}

export interface TagScanner {
  /** The bytes that can go on after this chunk; they may be a part of it and share its memory. */
  write(chunk: Buffer): Buffer;
  /** What was kept back. */
  end(): Buffer;
}

export function createTagScanner(handler: TagHandler): TagScanner {
  const tokens = newTokenizer();
  const carried = createCarried();
  /** Where the tag that is kept back begins in this chunk, 0 if before it; -1 for none. */
  let heldFrom = -1;

  const write = (chunk: Buffer): Buffer => {
    const out: Buffer[] = [];
    let passed = 0;
    const release = () => {
      if (carried.length() > 0) out.push(carried.take());
      heldFrom = -1;
    };
    const finish = (end: number) => {
      const before = chunk.subarray(passed, heldFrom);
      const fits = carried.length() + end - heldFrom <= MAX_TAG_BYTES;
      const part = chunk.subarray(heldFrom, end);
      const rewritten = fits ? handler.rewrite(tokens.name, carried.with(part)) : undefined;
      if (rewritten === undefined) return release();
      carried.take();
      out.push(before, rewritten);
      passed = end;
      heldFrom = -1;
    };
    if (heldFrom > 0) heldFrom = 0;
    for (let at = skip(tokens, chunk, 0); at < chunk.length; at = skip(tokens, chunk, at + 1)) {
      const event = step(tokens, chunk[at] ?? 0);
      if (event === 'none') continue;
      if (event === 'tagBegins') {
        release(); // The `<` before was text.
        heldFrom = at;
      } else if (heldFrom < 0) continue;
      else if (event === 'tagEnds') finish(at + 1);
      else if (event === 'noTag' || !handler.wants(tokens.name)) release();
    }
    if (heldFrom >= 0 && carried.length() + chunk.length - heldFrom > MAX_TAG_BYTES) release();
    out.push(chunk.subarray(passed, heldFrom < 0 ? chunk.length : heldFrom));
    if (heldFrom >= 0) carried.add(chunk.subarray(heldFrom));
    return out.length === 1 ? (out[0] ?? EMPTY) : Buffer.concat(out);
  };
  return { write, end: () => carried.take() };
}

const EMPTY = Buffer.alloc(0);

/** The part of a tag that came with earlier chunks; grows by doubling, so that single bytes cost little. */
function createCarried() {
  let bytes = EMPTY;
  let length = 0;
  return {
    length: () => length,
    add(part: Buffer): void {
      if (length + part.length > bytes.length) {
        const larger = Buffer.alloc(Math.max(1024, 2 * (length + part.length)));
        bytes.copy(larger, 0, 0, length);
        bytes = larger;
      }
      part.copy(bytes, length);
      length += part.length;
    },
    with: (part: Buffer): Buffer => (length === 0 ? part : Buffer.concat([bytes.subarray(0, length), part])),
    take(): Buffer {
      const taken = bytes.subarray(0, length);
      bytes = EMPTY;
      length = 0;
      return taken;
    },
  };
}
