/**
 * How long a whole answer is, head and body, by its Content-Length; undefined as long as its head is not there. One without
 * a Content-Length, as a chunked one, is too short for what follows: the origin always tells the length, and nobody may lose it.
 */
export function answerLength(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  return end + 4 + Number(/^content-length: *(\d+)$/im.exec(text.slice(0, end))?.[1] ?? -1);
}
