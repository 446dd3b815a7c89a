/**
 * A small strict XML reader: text to elements and attributes that know their places in the source.
 * It goes on behind a fault as long as it is plain which elements are meant; the file is refused all the same.
 * No document type declaration, no namespaces, no entities but the five.
 */

import type { Span } from './diagnostic.ts';
import type { Text } from './text.ts';
import { codePointOf, isUnusualBlank } from './unusual-blank.ts';
import { fail, note, placeName, readName, skipSpace, spanOf, type XmlFault, type XmlReader } from './xml-reader.ts';
import { decodeReference, readValue } from './xml-value.ts';

export type { XmlFault } from './xml-reader.ts';

export interface XmlAttribute {
  readonly name: string;
  readonly nameSpan: Span;
  readonly value: Text;
  /** Name, equals sign and quoted value. */
  readonly span: Span;
}

export interface XmlElement {
  readonly name: string;
  readonly nameSpan: Span;
  /** The start tag. */
  readonly tagSpan: Span;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** The first text directly in the element that is not blank. */
  readonly text?: Span;
}

export interface XmlDocument {
  /** Absent where a fault came before its start tag. */
  readonly root?: XmlElement;
  /** In order of place. */
  readonly faults: readonly XmlFault[];
  /** False where a fault ended the reading: elements behind it are missing. */
  readonly complete: boolean;
}

interface OpenElement {
  name: string;
  nameSpan: Span;
  tagSpan: Span;
  attributes: XmlAttribute[];
  children: OpenElement[];
  text?: Span;
}

interface Parser extends XmlReader {
  readonly open: OpenElement[];
  root: OpenElement | undefined;
}

/** Elements inside one another, and objects and lists of settings.json; IIS files have about ten. */
export const DEPTH_LIMIT = 256;
/** UTF-16 units; the largest known applicationHost.config files are a few MB. */
const LENGTH_LIMIT = 64 * 1024 * 1024;
const notXml = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const declarationPattern =
  /<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.[0-9]+"|'1\.[0-9]+')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"[A-Za-z][\w.-]*"|'[A-Za-z][\w.-]*'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>/y;

/** Reads a text without its byte order mark. */
export function parseXml(file: string, text: string): XmlDocument {
  const parser: Parser = { file, text, at: 0, faults: [], stopped: false, open: [], root: undefined };
  if (text.length > LENGTH_LIMIT) {
    fail(parser, [0, 1], 'The file is larger than 64 MiB.', 'Split it.', { kind: 'limit' });
    return documentOf(parser);
  }
  readDeclaration(parser);
  while (!parser.stopped && parser.at < text.length) readNext(parser);
  checkEnd(parser);
  checkCharacters(parser);
  return documentOf(parser);
}

function documentOf(parser: Parser): XmlDocument {
  return {
    ...(parser.root === undefined ? {} : { root: parser.root }),
    faults: parser.faults.toSorted((one, other) => one.span.start - other.span.start),
    complete: !parser.stopped,
  };
}

function readDeclaration(parser: Parser): void {
  if (!/^<\?xml[ \t\r\n?]/.test(parser.text)) return;
  declarationPattern.lastIndex = 0;
  const match = declarationPattern.exec(parser.text);
  if (match === null) {
    const end = parser.text.indexOf('?>');
    const advice = 'Write <?xml version="1.0" encoding="utf-8"?>.';
    fail(parser, [0, end === -1 ? 5 : end + 2], 'The XML declaration is faulty.', advice);
    return;
  }
  parser.at = match[0].length;
}

function readNext(parser: Parser): void {
  const { text, at } = parser;
  if (text[at] !== '<') readText(parser);
  else if (text.startsWith('<!--', at)) readComment(parser);
  else if (text.startsWith('<![CDATA[', at)) readCdata(parser);
  else if (text[at + 1] === '!') refuseMarkup(parser);
  else if (text[at + 1] === '?') readInstruction(parser);
  else if (text[at + 1] === '/') readEndTag(parser);
  else readStartTag(parser);
}

function readText(parser: Parser): void {
  const { text, at } = parser;
  const next = text.indexOf('<', at);
  const end = next === -1 ? text.length : next;
  const blank = /[^ \t\r\n]/.exec(text.slice(at, end));
  parser.at = end;
  if (blank === null) return;
  const start = at + blank.index;
  const holder = parser.open.at(-1);
  if (holder === undefined) {
    const where = parser.root === undefined ? 'before' : 'after';
    const trimmed = text.slice(start, end).trimEnd().length;
    const message = `Text stands ${where} the root element.`;
    fail(parser, [start, start + trimmed], message, 'Remove it, or make it a comment: <!-- … -->.');
    return;
  }
  checkText(parser, start, end);
  holder.text ??= spanOf(parser, start, start + text.slice(start, end).trimEnd().length);
}

function checkText(parser: Parser, start: number, end: number): void {
  const run = parser.text.slice(start, end);
  const special = /&|\]\]>/g;
  for (let match = special.exec(run); match !== null; match = special.exec(run)) {
    const at = start + match.index;
    if (match[0] === '&') decodeReference(parser, at);
    else note(parser, [at, at + 3], 'The characters ]]> stand in the text.', 'Write ]]&gt;.');
  }
}

function readComment(parser: Parser): void {
  const { text, at } = parser;
  const dashes = text.indexOf('--', at + 4);
  if (dashes === -1) {
    fail(parser, [at, at + 4], 'The comment is not closed.', 'End it with -->.');
  } else if (text[dashes + 2] === '>') {
    parser.at = dashes + 3;
  } else {
    const advice = 'Write one hyphen, or end the comment with -->.';
    const end = text.indexOf('-->', dashes);
    const report = end === -1 ? fail : note;
    report(parser, [dashes, dashes + 2], 'Two hyphens stand inside a comment.', advice);
    parser.at = end + 3;
  }
}

function readCdata(parser: Parser): void {
  const { text, at } = parser;
  const holder = parser.open.at(-1);
  const end = text.indexOf(']]>', at + 9);
  if (holder === undefined) {
    fail(parser, [at, at + 9], 'A CDATA section stands outside the root element.', 'Remove it.');
  } else if (end === -1) {
    fail(parser, [at, at + 9], 'The CDATA section is not closed.', 'End it with ]]>.');
  } else {
    parser.at = end + 3;
    if (text.slice(at + 9, end).trim() !== '') holder.text ??= spanOf(parser, at, end + 3);
  }
}

function refuseMarkup(parser: Parser): void {
  const { text, at } = parser;
  if (text.startsWith('<!DOCTYPE', at)) {
    const message = 'A document type declaration is not accepted.';
    fail(parser, [at, at + 9], message, 'Remove <!DOCTYPE …>.', { kind: 'dtd' });
    return;
  }
  fail(parser, [at, at + 2], '<! begins neither a comment nor a CDATA section.', 'Write comments as <!-- … -->.');
}

function refuseLateDeclaration(parser: Parser, at: number): void {
  const blank = /^[ \t]*([ \t\r\n]*)$/.exec(parser.text.slice(0, at));
  const message = 'The XML declaration does not stand at the start of the file.';
  const first = 'Make <?xml …?> the very first characters of the file';
  const advice =
    blank === null
      ? `${first}; nothing may stand before it, not even a blank or a comment.`
      : `Remove the ${blank[1] ? 'empty lines' : 'blanks'} before it: not even white space may stand there.`;
  fail(parser, [at, at + 5], message, advice);
}

function readInstruction(parser: Parser): void {
  const { text, at } = parser;
  parser.at = at + 2;
  const target = readName(parser);
  const end = text.indexOf('?>', parser.at);
  if (target.toLowerCase() === 'xml') {
    refuseLateDeclaration(parser, at);
  } else if (target === '' || end === -1) {
    fail(
      parser,
      [at, at + 2],
      'The processing instruction is faulty or not closed.',
      'Write <?name …?>, or remove it.',
    );
  } else if (end !== parser.at && !skipSpace(parser)) {
    fail(
      parser,
      [at, parser.at],
      'The name of the processing instruction is faulty.',
      'Write <?name …?>, or remove it.',
    );
  } else {
    parser.at = end + 2;
  }
}

function readStartTag(parser: Parser): void {
  const start = parser.at;
  parser.at = start + 1;
  const name = readName(parser);
  if (name === '') {
    const spaced = /[ \t\r\n]/.test(parser.text[parser.at] ?? '');
    const advice = spaced ? 'Remove the blank after <, or write &lt; if < is meant.' : 'Write &lt; if < is meant.';
    fail(parser, [start, start + 1], 'A < is not followed by the name of an element.', advice);
    return;
  }
  if (parser.root !== undefined && parser.open.length === 0) {
    const message = `<${name}> follows the root element <${parser.root.name}>: a file has one.`;
    fail(parser, [start, start + 1 + name.length], message, 'Remove it, or put all elements into one root element.');
    return;
  }
  const nameSpan = spanOf(parser, start + 1, start + 1 + name.length);
  const element: OpenElement = { name, nameSpan, tagSpan: nameSpan, attributes: [], children: [] };
  const closed = readAttributes(parser, element);
  if (closed === undefined) return;
  element.tagSpan = spanOf(parser, start, parser.at);
  place(parser, element, closed);
}

function place(parser: Parser, element: OpenElement, closed: boolean): void {
  const parent = parser.open.at(-1);
  if (parent === undefined) parser.root = element;
  else parent.children.push(element);
  if (closed) return;
  parser.open.push(element);
  if (parser.open.length > DEPTH_LIMIT) {
    const { start, end } = element.nameSpan;
    const message = `Elements stand more than ${DEPTH_LIMIT} deep.`;
    fail(parser, [start, end], message, 'Close the elements that are meant to be neighbours.', { kind: 'limit' });
  }
}

/** @returns whether the tag closes itself; nothing after a fault */
function readAttributes(parser: Parser, element: OpenElement): boolean | undefined {
  const seen = new Map<string, XmlAttribute>();
  for (;;) {
    const spaced = skipSpace(parser);
    const { text, at } = parser;
    if (text[at] === '>') {
      parser.at = at + 1;
      return false;
    }
    if (text.startsWith('/>', at)) {
      parser.at = at + 2;
      return true;
    }
    const attribute = readAttribute(parser, element, spaced);
    if (attribute === undefined) return undefined;
    const first = seen.get(attribute.name);
    if (first !== undefined) {
      noteDuplicate(parser, attribute, first);
      continue;
    }
    seen.set(attribute.name, attribute);
    element.attributes.push(attribute);
  }
}

function readAttribute(parser: Parser, element: OpenElement, spaced: boolean): XmlAttribute | undefined {
  const start = parser.at;
  const name = readName(parser);
  if (name === '') return refuseInTag(parser, element);
  if (!spaced) {
    const message = `No blank stands before attribute ${name}.`;
    // Else rather a quote stands inside a value.
    const report = /^[ \t\r\n]*=[ \t\r\n]*["']/.test(parser.text.slice(parser.at, parser.at + 50)) ? note : fail;
    report(parser, [start, start + name.length], message, 'Separate attributes by a blank.');
    if (parser.stopped) return undefined;
  }
  const nameSpan = spanOf(parser, start, parser.at);
  skipSpace(parser);
  if (parser.text[parser.at] !== '=') {
    const message = `Attribute ${name} has no value.`;
    return fail(parser, [start, start + name.length], message, `Write ${name}="…".`);
  }
  parser.at += 1;
  skipSpace(parser);
  const value = readValue(parser, name);
  return value && { name, nameSpan, value, span: spanOf(parser, start, parser.at) };
}

function refuseInTag(parser: Parser, element: OpenElement): undefined {
  const { text, at } = parser;
  const { start, end } = element.nameSpan;
  const related = { span: spanOf(parser, start - 1, end), message: 'the tag begins here' };
  const tag = `<${element.name}>, which begins at ${placeName(parser, start - 1)}`;
  if (at >= text.length) {
    return fail(parser, [at, at], `The file ends inside the tag ${tag}.`, 'End the tag with > or />.', { related });
  }
  if (text[at] === '<') {
    return fail(parser, [at, at + 1], `A < stands inside the tag ${tag}.`, 'End the tag before it with > or />.', {
      related,
    });
  }
  if (text[at] === '/') {
    return fail(parser, [at, at + 1], `A / stands inside the tag ${tag}.`, 'Write /> without a blank between.', {
      related,
    });
  }
  const unit = text[at] ?? '';
  const blank = isUnusualBlank(unit);
  return fail(
    parser,
    [at, at + 1],
    `${blank ? `${codePointOf(unit)}, which looks like a blank,` : `"${unit}"`} cannot stand in the tag ${tag}.`,
    blank ? 'Write a blank in its place.' : 'Remove it; attributes are written name="value".',
    { related },
  );
}

function noteDuplicate(parser: Parser, second: XmlAttribute, first: XmlAttribute): void {
  const message = `Attribute ${second.name} stands twice; the first is at ${placeName(parser, first.nameSpan.start)}.`;
  const related = { span: first.nameSpan, message: 'the first one' };
  note(parser, [second.nameSpan.start, second.nameSpan.end], message, 'Remove one of them.', { related });
}

function readEndTag(parser: Parser): void {
  const start = parser.at;
  parser.at = start + 2;
  const name = readName(parser);
  const nameEnd = parser.at;
  skipSpace(parser);
  if (name === '' || parser.text[parser.at] !== '>') {
    fail(parser, [start, Math.max(nameEnd, start + 2)], 'The closing tag is faulty.', 'Write </name>.');
    return;
  }
  parser.at += 1;
  const open = parser.open.at(-1);
  if (open === undefined) {
    fail(parser, [start, parser.at], `</${name}> closes nothing.`, 'Remove it.');
  } else if (open.name !== name) {
    refuseMismatch(parser, start, name, open);
  } else {
    parser.open.pop();
  }
}

function refuseMismatch(parser: Parser, start: number, name: string, open: OpenElement): void {
  const span = spanOf(parser, open.nameSpan.start - 1, open.nameSpan.end);
  const place = placeName(parser, span.start);
  const message = `</${name}> stands where </${open.name}> is due: <${open.name}> was opened at ${place}.`;
  const advice =
    open.name.toLowerCase() === name.toLowerCase()
      ? `Write </${open.name}>: upper and lower case count.`
      : `Close <${open.name}> before </${name}>, or end its tag with />.`;
  fail(parser, [start, parser.at], message, advice, { related: { span, message: 'opened here' } });
}

function checkEnd(parser: Parser): void {
  if (parser.stopped) return;
  const end = parser.text.length;
  const open = parser.open.at(-1);
  if (open !== undefined) {
    const span = spanOf(parser, open.nameSpan.start - 1, open.nameSpan.end);
    const message = `The file ends before </${open.name}>: <${open.name}> was opened at ${placeName(parser, span.start)}.`;
    fail(parser, [end, end], message, `Add </${open.name}>.`, { related: { span, message: 'opened here' } });
  } else if (parser.root === undefined) {
    fail(parser, [0, 0], 'The file holds no element.', 'Put a <configuration> element into it.');
  }
}

function checkCharacters(parser: Parser): void {
  const at = parser.text.search(notXml);
  // Behind the place where reading ended nothing was looked at, and a fault at this very place is this one.
  const end = parser.stopped ? (parser.faults.at(-1)?.span.start ?? 0) : parser.text.length;
  if (at === -1 || at > end || parser.faults.some(({ span }) => span.start === at)) return;
  const code = (parser.text.charCodeAt(at).toString(16) ?? '').toUpperCase().padStart(4, '0');
  note(parser, [at, at + 1], `The character U+${code} is not allowed in XML.`, 'Remove it.');
}
