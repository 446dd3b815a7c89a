/** The JSON of settings.json: parsed, checked against its table, and which keys it was not understood at. */
import { basename } from 'node:path';
import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { type NearestKey, newNearestKey } from '../nearest.ts';
import type { Report, Span } from './diagnostic.ts';
import { whatJson } from './foreign-file.ts';
import { checkSetting, type Setting } from './settings-check.ts';
import { settingsTable } from './settings-table.ts';
import { DEPTH_LIMIT } from './xml.ts';

/** Every key at the top. */
export const allSettings: ReadonlySet<string> = new Set(Object.keys(settingsTable.keys));

export interface ParsedSettings {
  readonly root: Setting | undefined;
  /** Keys at the top that stand there with something that was refused. */
  readonly misread: ReadonlySet<string>;
}

/** Checks the text against the table of settings; an empty one is as good as `{}`, but hardly meant. */
export function parseSettings(file: string, text: string, report: Report): ParsedSettings {
  const deep = tooDeep(text);
  if (deep !== undefined) {
    report(
      'LG6001',
      { file, start: deep, end: deep + 1 },
      {
        message: `Objects and lists stand more than ${DEPTH_LIMIT} deep.`,
        advice: 'Close those that are meant to be neighbours.',
      },
    );
    return { root: undefined, misread: allSettings };
  }
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false, allowEmptyContent: true });
  const [first] = errors;
  let sound = text.length;
  if (first !== undefined) sound = reportFault(first, { file, text, report });
  else if (tree === undefined) {
    report(
      'LG6011',
      { file, start: 0, end: 0 },
      {
        message: 'The settings are empty, so that every one has its default.',
        advice: 'Write {} where that is meant; else the file was cut when it was saved or copied.',
      },
    );
  }
  if (tree === undefined) return { root: undefined, misread: first === undefined ? new Set() : allSettings };
  const nearestKey = newNearestKey();
  const foreign = first === undefined ? foreignIn(tree, basename(file), nearestKey) : undefined;
  if (foreign !== undefined) {
    report(
      'LG6002',
      { file, start: tree.offset, end: tree.offset + 1 },
      {
        message: `This is ${foreign}, but not the settings of a service: it has none of their keys.`,
        advice: 'Name the settings.json of a service, or its folder.',
      },
    );
    return { root: undefined, misread: allSettings };
  }
  const refused: Span[] = [];
  const noting: Report = (code, span, finding) => {
    refused.push(span);
    // Behind the first fault it is not known what belongs to what.
    if (span.end <= sound) report(code, span, finding);
  };
  const root = checkSetting(tree, settingsTable, '', { file, report: noting, nearestKey });
  return { root, misread: first === undefined ? keysAround(refused, tree, nearestKey) : allSettings };
}

/** What another JSON file is: it has no key of ours by its right name, and few that are near to one. */
function foreignIn({ type, children = [] }: Node, name: string, nearestKey: NearestKey): string | undefined {
  if (type !== 'object' || name.toLowerCase() === 'settings.json') return undefined;
  const keys = children.map(({ children: [key] = [] }) => String(key?.value));
  const what = whatJson(keys);
  const own = keys.filter((key) => key !== '$schema');
  const near = own.filter((key) => nearestKey(settingsTable.keys, key) !== undefined);
  const isOther = own.length > 1 && !own.some((key) => allSettings.has(key)) && 2 * near.length < own.length;
  return isOther ? what : undefined;
}

function* tokensOf(text: string): Generator<{ readonly start: number; readonly end: number }> {
  const scanner = createScanner(text, true);
  for (;;) {
    scanner.scan();
    const start = scanner.getTokenOffset();
    if (start >= text.length) return;
    yield { start, end: start + scanner.getTokenLength() };
  }
}

/** Where the first bracket stands that is too deep. Looked for before the parser, which calls itself for each. */
function tooDeep(text: string): number | undefined {
  let depth = 0;
  for (const { start } of tokensOf(text)) {
    const first = text[start];
    if (first === '{' || first === '[') depth += 1;
    if (first === '}' || first === ']') depth -= 1;
    if (depth > DEPTH_LIMIT) return start;
  }
  return undefined;
}

/** What belongs behind the token before; the parser tells it at the one behind, which may be lines away. */
const MISSING: ReadonlySet<string> = new Set([
  'CommaExpected',
  'ColonExpected',
  'CloseBraceExpected',
  'CloseBracketExpected',
]);

/** @returns up to where the text is sound */
function reportFault(
  { error, offset, length }: ParseError,
  { file, text, report }: { file: string; text: string; report: Report },
): number {
  const name = printParseErrorCode(error);
  const before = tokenBefore(text, offset);
  // A text whose end stands too late begins the next one where that was to end.
  const isTooLong = before !== undefined && before.end === offset && text[before.start] === '"' && offset < text.length;
  if (isTooLong && !/^[\s,:\]}]/.test(text.slice(offset))) {
    report('LG6001', { file, ...before }, UNCLOSED);
    return before.start;
  }
  const end = Math.min(text.length, offset + length);
  const place = MISSING.has(name) ? before?.end : undefined;
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  const finding =
    name === 'UnexpectedEndOfString'
      ? UNCLOSED
      : { message: `The settings are not JSON: ${words}.`, advice: cureOf(name, text.slice(offset, end)) };
  report('LG6001', { file, start: place ?? offset, end: place ?? end }, finding);
  return offset;
}

const UNCLOSED = {
  message: 'The settings are not JSON: a text begins here and does not end where it should.',
  advice: 'Close it with a quotation mark: ".',
};

/** @param written what stands at the fault */
function cureOf(name: string, written: string): string {
  if (/^Invalid(?:EscapeCharacter|Unicode)$/.test(name)) {
    const text = written.replaceAll(/\\+/g, '\\\\');
    return `Write ${text.length > 100 ? 'two backslashes for one' : text}: a backslash stands twice in JSON.`;
  }
  if (/^['\u2018\u201c\u201d]/.test(written)) return 'Write straight double quotation marks: ".';
  if (name === 'InvalidSymbol' && /^[\w.-]+$/.test(written))
    return `Write "${written}", with quotation marks around it.`;
  return 'Correct it; comments and trailing commas are allowed.';
}

/** The last token that begins before the offset. */
function tokenBefore(text: string, offset: number): { readonly start: number; readonly end: number } | undefined {
  let before: { readonly start: number; readonly end: number } | undefined;
  for (const token of tokensOf(text)) {
    if (token.start >= offset) break;
    before = token;
  }
  return before;
}

/** The keys at the top that hold these places; for one that is not known, the one that was most likely meant. */
function keysAround(places: readonly Span[], tree: Node, nearestKey: NearestKey): ReadonlySet<string> {
  const starts = places.map(({ start }) => start).sort((one, other) => one - other);
  let next = 0;
  const properties = (tree.children ?? []).flatMap(({ offset, length, children: [name] = [] }) => {
    while ((starts[next] ?? offset) < offset) next += 1;
    return (starts[next] ?? Number.POSITIVE_INFINITY) < offset + length ? String(name?.value) : [];
  });
  return new Set(
    properties.flatMap((name) => (allSettings.has(name) ? name : (nearestKey(settingsTable.keys, name) ?? []))),
  );
}
