/** `statusCodeMatch` and `liveTrafficFailureCodes`: sets of status codes as `200-399,401` and `500-` (arr.md section 12). */

/** Tells whether a status, 100 to 999, is in the set. */
export type StatusCodes = (status: number) => boolean;

/** @returns `undefined` where the text is no such set */
export function readStatusCodes(text: string): StatusCodes | undefined {
  const codes = new Uint8Array(1000);
  for (const part of text.split(',')) {
    const match = /^\s*(\d{3})\s*(?:(-)\s*(\d{3})?\s*)?$/.exec(part);
    if (match === null) return undefined;
    const from = Number(match[1]);
    const to = match[2] === undefined ? from : Number(match[3] ?? 999);
    if (from < 100 || to < from) return undefined;
    codes.fill(1, from, to + 1);
  }
  return (status) => codes[status] === 1;
}
