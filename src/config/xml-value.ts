/** Attribute values and references of XML: decoding, normalisation, and the source offset of every decoded unit. */
import type { Text } from './text.ts';
import { fail, note, placeName, spanOf, type XmlReader } from './xml-reader.ts';

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const referencePattern = /&(?:#(\d+)|#x([0-9a-fA-F]+)|([A-Za-z_:][\w:.-]*));/y;

function isXmlCharacter(code: number): boolean {
  if (code < 0x20) return code === 9 || code === 10 || code === 13;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
}

/** Decodes the reference at `at` (an `&`); nothing where it is a fault, and the `&` is to be taken as it is. */
export function decodeReference(
  reader: XmlReader,
  at: number,
): { readonly value: string; readonly end: number } | undefined {
  referencePattern.lastIndex = at;
  const match = referencePattern.exec(reader.text);
  if (match === null) {
    return note(reader, [at, at + 1], 'An & stands by itself.', 'Write &amp; instead of &.');
  }
  const end = at + match[0].length;
  const [, decimal, hex, name] = match;
  if (name !== undefined) {
    const value = Object.hasOwn(entities, name) ? entities[name] : undefined;
    if (value !== undefined) return { value, end };
    const advice = `Write &amp;${name}; if the text &${name}; is meant, or the character itself or its number, for example &#160;.`;
    return note(
      reader,
      [at, end],
      `The entity &${name}; is not defined: XML knows amp, lt, gt, quot and apos.`,
      advice,
    );
  }
  const code = decimal !== undefined ? Number.parseInt(decimal, 10) : Number.parseInt(hex ?? '', 16);
  if (!isXmlCharacter(code)) {
    return note(reader, [at, end], `${match[0]} is no character that XML allows.`, 'Remove it.');
  }
  return { value: String.fromCodePoint(code), end };
}

/** Whether the value that holds a `<` ends at this quote: rather a closing one was forgotten where other text follows. */
function endsAt(reader: XmlReader, start: number, close: number): boolean {
  return (
    close !== -1 &&
    !/[\r\n]/.test(reader.text.slice(start, close)) &&
    /^(?:\s|\/?>)/.test(reader.text.slice(close + 1, close + 3))
  );
}

function faultOfLessThan(reader: XmlReader, at: number, quoteAt: number): undefined {
  const raw = reader.text.slice(quoteAt + 1, at);
  const message = 'A < stands in an attribute value.';
  if (!/[\r\n]/.test(raw)) return fail(reader, [at, at + 1], message, 'Write &lt; instead of <.');
  // A line end before it: rather a closing quote was forgotten than a < meant.
  return fail(
    reader,
    [at, at + 1],
    `${message} The value began at ${placeName(reader, quoteAt)}.`,
    'Close the value with a quote where it ends, or write &lt; instead of <.',
    { related: { span: spanOf(reader, quoteAt, quoteAt + 1), message: 'the value begins here' } },
  );
}

function decodeValue(reader: XmlReader, start: number, end: number): Text {
  const { text } = reader;
  const offsets: number[] = [];
  let value = '';
  let at = start;
  while (at < end) {
    const character = text[at] ?? '';
    let decoded = character;
    let next = at + 1;
    if (character === '&') {
      const reference = decodeReference(reader, at);
      decoded = reference?.value ?? character;
      next = reference?.end ?? next;
    } else if (character === '<') {
      note(reader, [at, at + 1], 'A < stands in an attribute value.', 'Write &lt; instead of <.');
    } else if (character === '\r' && text[next] === '\n') {
      decoded = ' ';
      next += 1;
    } else if (character === '\t' || character === '\n' || character === '\r') {
      decoded = ' ';
    }
    for (let unit = 0; unit < decoded.length; unit += 1) offsets.push(at);
    value += decoded;
    at = next;
  }
  offsets.push(end);
  return { value, span: spanOf(reader, start, end), offsets };
}

/** Up to the next blank or the end of the tag, as HTML has it; or between the quotes of a word processor. */
function withoutQuotes(reader: XmlReader, attributeName: string): Text | undefined {
  const { text, at } = reader;
  const curly = /^[\u201c-\u201f]([^\u201c-\u201f"<>&\r\n]*)[\u201c-\u201f]/.exec(text.slice(at, at + 2000));
  if (curly) {
    note(
      reader,
      [at, at + 1],
      `The quotes of attribute ${attributeName} are typographic ones.`,
      'Write straight quotes: ".',
    );
    reader.at = at + curly[0].length;
    return { value: curly[1] ?? '', span: spanOf(reader, at + 1, reader.at - 1) };
  }
  const value = /^[^\s"'<>&=`]*?(?=\s|\/?>)/.exec(text.slice(at, at + 2000))?.[0] ?? '';
  const message = `The value of attribute ${attributeName} has no quotes.`;
  const report = value === '' ? fail : note;
  report(reader, [at, at + 1], message, `Write ${attributeName}="…".`);
  reader.at = at + value.length;
  return value === '' ? undefined : { value, span: spanOf(reader, at, reader.at) };
}

/** Reads the quoted value at the cursor, which moves behind the closing quote. */
export function readValue(reader: XmlReader, attributeName: string): Text | undefined {
  const { text } = reader;
  const quoteAt = reader.at;
  const quote = text[quoteAt];
  if (quote !== '"' && quote !== "'") {
    return withoutQuotes(reader, attributeName);
  }
  const start = quoteAt + 1;
  const close = text.indexOf(quote, start);
  const end = close === -1 ? text.length : close;
  // Looked for in the value alone: the next one may be a file away.
  const within = text.slice(start, end).indexOf('<');
  const lessThan = start + within;
  const stray = within !== -1 && !endsAt(reader, start, close);
  const checkedEnd = stray ? lessThan : end;
  const raw = text.slice(start, checkedEnd);
  const decoded = /[&<\t\r\n]/.test(raw)
    ? decodeValue(reader, start, checkedEnd)
    : { value: raw, span: spanOf(reader, start, checkedEnd) };
  if (stray) return faultOfLessThan(reader, lessThan, quoteAt);
  if (close === -1) {
    return fail(
      reader,
      [text.length, text.length],
      `The file ends inside the value of attribute ${attributeName}, which began at ${placeName(reader, quoteAt)}.`,
      'Close the value with a quote.',
      { related: { span: spanOf(reader, quoteAt, quoteAt + 1), message: 'the value begins here' } },
    );
  }
  reader.at = end + 1;
  return decoded;
}
