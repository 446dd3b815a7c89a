/** The cursor over an XML text that the parts of the reader share, and the faults that were met. */
import type { Span } from './diagnostic.ts';
import { type LineIndex, lineIndex, positionAt } from './line-index.ts';

export interface XmlFault {
  readonly kind: 'malformed' | 'dtd' | 'limit';
  readonly span: Span;
  readonly message: string;
  readonly advice: string;
  /** The other place that the fault has to do with, an opening tag for instance. */
  readonly related?: { readonly span: Span; readonly message: string };
}

export interface XmlReader {
  readonly file: string;
  readonly text: string;
  at: number;
  readonly faults: XmlFault[];
  /** After a fault that leaves it open where elements begin and end. */
  stopped: boolean;
  /** Where lines begin, once a message has asked. */
  lines?: LineIndex;
}

const nameStart =
  ':A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F' +
  '\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}';
const namePattern = new RegExp(`[${nameStart}][${nameStart}\\-.0-9\\u00B7\\u0300-\\u036F\\u203F\\u2040]*`, 'uy');
const spacePattern = /[ \t\r\n]+/y;

export function spanOf(reader: XmlReader, start: number, end: number): Span {
  return { file: reader.file, start, end };
}

interface More {
  readonly kind?: XmlFault['kind'];
  readonly related?: XmlFault['related'];
}

/** A fault behind which it is plain how to go on: the file is refused all the same, but what else is wrong is found. */
export function note(
  reader: XmlReader,
  span: readonly [number, number],
  message: string,
  advice: string,
  more: More = {},
): undefined {
  const end = Math.min(reader.text.length, span[1]);
  reader.faults.push({
    kind: more.kind ?? 'malformed',
    span: spanOf(reader, Math.min(span[0], end), end),
    message,
    advice,
    ...(more.related === undefined ? {} : { related: more.related }),
  });
  return undefined;
}

/** A fault that reading ends at. */
export function fail(
  reader: XmlReader,
  span: readonly [number, number],
  message: string,
  advice: string,
  more: More = {},
): undefined {
  if (reader.stopped) return undefined;
  reader.stopped = true;
  return note(reader, span, message, advice, more);
}

/** The XML name at the cursor, which moves behind it, or `''`. */
export function readName(reader: XmlReader): string {
  namePattern.lastIndex = reader.at;
  const name = namePattern.exec(reader.text)?.[0] ?? '';
  reader.at += name.length;
  return name;
}

/** Moves over white space; true where there was some. */
export function skipSpace(reader: XmlReader): boolean {
  spacePattern.lastIndex = reader.at;
  const space = spacePattern.exec(reader.text)?.[0] ?? '';
  reader.at += space.length;
  return space !== '';
}

/** `line 3, column 5` of an offset, for messages. */
export function placeName(reader: XmlReader, offset: number): string {
  reader.lines ??= lineIndex(reader.text);
  const { line, column } = positionAt(reader.lines, offset);
  return `line ${line}, column ${column}`;
}
