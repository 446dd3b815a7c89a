/** Diagnostics as text for a terminal, with the source line and a caret, and as JSON. */
import type { Diagnostic, Span } from './diagnostic.ts';
import { type LineIndex, lineAt, lineIndex, positionAt } from './line-index.ts';

export interface PrintOptions {
  /** Colours for a terminal; none by default. */
  readonly colour?: boolean;
}

export interface JsonDiagnostic extends Place {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly advice: string;
  readonly iis?: { readonly status: string; readonly text: string };
  readonly ui?: true;
  readonly file: string;
}

export type Sources = ReadonlyMap<string, string>;
type Paint = (text: string) => string;

/** Finds the lines of each file once. */
function indexes(sources: Sources): (file: string) => LineIndex {
  const known = new Map<string, LineIndex>();
  return (file) => {
    const found = known.get(file) ?? lineIndex(sources.get(file) ?? '');
    known.set(file, found);
    return found;
  };
}

export interface Place {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** Turns offsets to lines and columns: both count from 1 in UTF-16 units, the end is exclusive. */
export function placesIn(sources: Sources): (span: Span) => Place {
  const indexOf = indexes(sources);
  return (span) => {
    const start = positionAt(indexOf(span.file), span.start);
    const end = positionAt(indexOf(span.file), span.end);
    return { line: start.line, column: start.column, endLine: end.line, endColumn: end.column };
  };
}

export function toJson(diagnostics: readonly Diagnostic[], sources: Sources): readonly JsonDiagnostic[] {
  const placeOf = placesIn(sources);
  return diagnostics.map(({ code, severity, message, advice, iis, ui, span }) => ({
    code,
    severity,
    message,
    advice,
    ...(iis === undefined ? {} : { iis }),
    ...(ui === undefined ? {} : { ui }),
    file: span.file,
    ...placeOf(span),
  }));
}

/** Everything that one finding says, where there is no room for its source line. */
export function wholeMessage({ message, advice, iis, ui }: Diagnostic): string {
  const words = iis === undefined ? [] : [`IIS: ${iis.status}${iis.text === '' ? '' : ` ${iis.text}`}`];
  return [message, ...words, ...(ui === true ? ['IIS Manager would refuse it.'] : []), advice].join('\n');
}

/** The whole answer of `validate --format json`. */
export function printJson(diagnostics: readonly Diagnostic[], sources: Sources, files: readonly string[]): string {
  const ok = !diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  return JSON.stringify({ ok, files, diagnostics: toJson(diagnostics, sources) });
}

/** Every diagnostic with its source line, and a summary line at the end. */
export function printText(
  diagnostics: readonly Diagnostic[],
  sources: Sources,
  { colour = false }: PrintOptions = {},
): string {
  const indexOf = indexes(sources);
  const blocks = diagnostics.map((diagnostic) => printOne(diagnostic, indexOf, colour));
  return `${[...blocks, summary(diagnostics)].join('\n\n')}\n`;
}

/** `2 errors, 1 warning`, or that there is nothing to find. */
export function summary(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length;
  const warnings = diagnostics.length - errors;
  if (diagnostics.length === 0) return 'No errors, no warnings.';
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
  return `${count(errors, 'error')}, ${count(warnings, 'warning')}.`;
}

function printOne(diagnostic: Diagnostic, indexOf: (file: string) => LineIndex, colour: boolean): string {
  const paint =
    (codes: string): Paint =>
    (text) =>
      colour ? `\u001b[${codes}m${text}\u001b[0m` : text;
  const strong = paint(diagnostic.severity === 'error' ? '1;31' : '1;33');
  const { severity, code, message, advice, iis, ui, span, related } = diagnostic;
  const lines = [`${placeOf(span, indexOf)}: ${strong(`${severity} ${code}`)} ${visible(message)}`];
  lines.push(...excerpt(span, indexOf, strong));
  if (iis !== undefined) lines.push(`  IIS: ${iis.status}${iis.text === '' ? ' (no text)' : ` ${visible(iis.text)}`}`);
  if (ui === true) lines.push('  IIS Manager would refuse it.');
  if (related !== undefined) {
    lines.push(
      `  ${placeOf(related.span, indexOf)}: ${visible(related.message)}`,
      ...excerpt(related.span, indexOf, paint('1')),
    );
  }
  lines.push(`  ${visible(advice)}`);
  return lines.join('\n');
}

function placeOf(span: Span, indexOf: (file: string) => LineIndex): string {
  const { line, column } = positionAt(indexOf(span.file), span.start);
  return `${visible(span.file)}:${line}:${column}`;
}

const WIDTH_LIMIT = 160;
const TAB = 4;

/** The line of the span and carets under it; a span over several lines is shown to the end of its first. */
function excerpt(span: Span, indexOf: (file: string) => LineIndex, strong: Paint): readonly string[] {
  const index = indexOf(span.file);
  if (index.text === '') return [];
  const { line, column } = positionAt(index, span.start);
  const whole = lineAt(index, line);
  const from = Math.min(column - 1, whole.length);
  const to = Math.max(from, Math.min(whole.length, from + span.end - span.start));
  // Long lines are cut around the span, at whole characters.
  const cut = wholeCharacter(whole, from > WIDTH_LIMIT / 2 ? from - WIDTH_LIMIT / 4 : 0);
  const end = wholeCharacter(whole, Math.min(whole.length, cut + WIDTH_LIMIT));
  const before = expand((cut > 0 ? '…' : '') + whole.slice(cut, from), 0);
  const marked = expand(whole.slice(from, Math.min(to, end)), width(before));
  const after = whole.slice(Math.min(to, end), end) + (end < whole.length ? '…' : '');
  const shown = before + marked + expand(after, width(before + marked));
  const gutter = String(line);
  const carets = '^'.repeat(Math.max(1, width(marked)));
  return [`  ${gutter} | ${shown}`, `  ${' '.repeat(gutter.length)} | ${' '.repeat(width(before))}${strong(carets)}`];
}

function wholeCharacter(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff && at > 0 ? at - 1 : at;
}

/** Tabs become blanks up to the next stop, control characters become visible ones. */
function expand(text: string, startColumn: number): string {
  let shown = '';
  for (const character of text) {
    shown += character === '\t' ? ' '.repeat(TAB - ((startColumn + width(shown)) % TAB)) : visible(character);
  }
  return shown;
}

/** Text from a file must not steer the terminal. */
function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** Columns on a terminal: wide characters take two, combining ones none. */
function width(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{Mark}|\u200d|\ufe0f/u.test(character)) continue;
    columns +=
      /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return columns;
}
