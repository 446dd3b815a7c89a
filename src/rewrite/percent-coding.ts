/** Percent-encoding and -decoding of the parts of a URL, by bytes of UTF-8. */

/** What may stand in a path as it is: the characters of RFC 3986 for a segment, and the slash. */
const PATH_CHARACTERS = table("-._~!$&'()*+,;=:@/");
/** What `{UrlEncode:}` leaves alone. */
const UNRESERVED = table('-._~');

function table(punctuation: string): Uint8Array {
  const allowed = new Uint8Array(256);
  for (let code = 0; code < 128; code++) {
    const char = String.fromCharCode(code);
    if (/[A-Za-z0-9]/.test(char) || punctuation.includes(char)) allowed[code] = 1;
  }
  return allowed;
}

function hex(byte: number): string {
  return `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`;
}

function encodeBytes(text: string, allowed: Uint8Array): string {
  let clean = true;
  for (let i = 0; clean && i < text.length; i++) clean = allowed[text.charCodeAt(i)] === 1;
  if (clean) return text;
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) encoded += allowed[byte] === 1 ? String.fromCharCode(byte) : hex(byte);
  return encoded;
}

/** Encodes a decoded path once; a `%` in it is text. */
export function encodePath(path: string): string {
  return encodeBytes(path, PATH_CHARACTERS);
}

/** `{UrlEncode:}`: all but letters, digits and `-._~`. */
export function encodeComponent(text: string): string {
  return encodeBytes(text, UNRESERVED);
}

/** Encodes what cannot stand in a path, and leaves every `%` with two hexadecimal digits as it is. */
export function encodePathKeepingEscapes(path: string): string {
  let encoded = '';
  for (const [part] of path.matchAll(/%[0-9A-Fa-f]{2}|[^%]+|%/g)) {
    encoded += part.length === 3 && part[0] === '%' ? part : encodePath(part);
  }
  return encoded;
}

/** Encodes only what would break a request line or a header: controls, blanks, `#` and what is not ASCII. */
export function encodeQuery(query: string): string {
  return query.replace(/[^\x21\x22\x24-\x7e]+/g, (run) => encodeBytes(run, UNRESERVED));
}

/** The same for text whose characters are bytes as they came: those beyond ASCII stay bytes. */
export function encodeRawBytes(text: string): string {
  return text.replace(/[^\x21\x22\x24-\x7e]/g, (char) => hex(char.charCodeAt(0) & 0xff));
}

/** Bytes (as latin1) to text: UTF-8, or latin1 where they are not UTF-8. */
export function textOfBytes(bytes: string): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  try {
    return UTF8.decode(buffer);
  } catch {
    return bytes;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `{UrlDecode:}`: decodes once; a `%` without two digits stays. */
export function decodeComponent(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) =>
    textOfBytes(run.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))),
  );
}
