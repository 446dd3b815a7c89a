/**
 * Bytes of a body as text and back. Where UTF-8 is declared they are that, else each byte is one character, so that
 * whatever the character set is, bytes that no rule touches come out as they were.
 */
import { isUtf8 } from 'node:buffer';

/** Text that was made from bytes, and how: what is not valid UTF-8 stays one character for each byte. */
export interface BodyText {
  readonly text: string;
  readonly utf8: boolean;
}

export function textOfBody(bytes: Buffer, utf8: boolean): BodyText {
  return utf8 && isUtf8(bytes)
    ? { text: bytes.toString('utf8'), utf8 }
    : { text: bytes.toString('latin1'), utf8: false };
}

/** Bytes of new text; in a body that is not UTF-8, what is beyond latin1 becomes UTF-8 all the same. */
export function bytesOfText(text: string, utf8: boolean): Buffer {
  if (utf8) return Buffer.from(text, 'utf8');
  return Buffer.from(
    text.replace(/[^\x00-\xff]+/g, (run) => Buffer.from(run, 'utf8').toString('latin1')),
    'latin1',
  );
}

/** What the Content-Type says: UTF-8 or not, or nothing. JSON and XML are UTF-8 if they do not say otherwise. */
export function declaredUtf8(contentType: string): boolean | undefined {
  const charset = /;\s*charset\s*=\s*["']?([^\s;"']*)/i.exec(contentType)?.[1];
  if (charset !== undefined) return /^utf-?8$/i.test(charset);
  return /^[^;]*[/+](?:json|xml)\s*(?:;|$)/i.test(contentType) ? true : undefined;
}

const BYTE_ORDER_MARK = '\xef\xbb\xbf';

/** Whether the first bytes, as latin1, are the mark of UTF-8. */
export function beginsAsUtf8(start: string): boolean {
  return start.startsWith(BYTE_ORDER_MARK);
}

/** Whether a text, as latin1, holds a `<meta>` that says UTF-8. */
export function metaSaysUtf8(text: string): boolean {
  return /<meta\s[^>]*charset\s*=\s*["']?\s*utf-?8\b/i.test(text);
}
