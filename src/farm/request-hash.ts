/** Hashes of text for RequestHash: quick, the same on every machine, and evenly spread; no secret lies in them. */

/** 32 bits, unsigned: FNV-1a, then mixed so that every bit depends on all of the text. */
export function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** @param buckets a power of two */
export function bucketOf(text: string, buckets: number): number {
  return textHash(text) & (buckets - 1);
}
