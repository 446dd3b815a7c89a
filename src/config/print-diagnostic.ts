/** Diagnostics as text for a terminal, with the source line and a caret, and as JSON. */
import { type Terminal, USUAL_COLUMNS, wrapped } from '../terminal.ts';
import type { Diagnostic, IisRefusal, Severity, Span } from './diagnostic.ts';
import { type LineIndex, lineIndex, positionAt } from './line-index.ts';
import { excerptOf, visible } from './source-excerpt.ts';

export interface JsonDiagnostic extends Place {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly advice: string;
  readonly iis?: { readonly status: string; readonly text: string };
  readonly ui?: true;
  readonly more?: number;
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
  return diagnostics.map(({ code, severity, message, advice, iis, ui, more, span }) => ({
    code,
    severity,
    message,
    advice,
    ...(iis === undefined ? {} : { iis }),
    ...(ui === undefined ? {} : { ui }),
    ...(more === undefined ? {} : { more }),
    file: span.file,
    ...placeOf(span),
  }));
}

/** Everything that one finding says, where there is no room for its source line. */
export function wholeMessage({ message, advice, iis, ui }: Diagnostic): string {
  const words = iis === undefined ? [] : [wordsOfIis(iis)];
  return [message, ...words, ...(ui === true ? ['IIS Manager would refuse it.'] : []), advice].join('\n');
}

/** Where it has no text for this, or none that is known, the status alone. */
function wordsOfIis({ status, text }: IisRefusal): string {
  return `IIS: ${status} ${text}`.trimEnd();
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
  terminal: Partial<Terminal> = {},
): string {
  const indexOf = indexes(sources);
  const blocks = diagnostics.map((diagnostic) => printOne(diagnostic, indexOf, terminal));
  return `${[...blocks, summary(diagnostics)].join('\n\n')}\n`;
}

/** `2 errors, 1 warning`, or that there is nothing to find. */
export function summary(diagnostics: readonly Diagnostic[]): string {
  const countOf = (wanted: Severity) =>
    diagnostics.reduce((sum, { severity, more = 1 }) => sum + (severity === wanted ? more : 0), 0);
  if (diagnostics.length === 0) return 'No errors, no warnings.';
  const count = (number: number, noun: string) => `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
  return `${count(countOf('error'), 'error')}, ${count(countOf('warning'), 'warning')}.`;
}

function printOne(
  diagnostic: Diagnostic,
  indexOf: (file: string) => LineIndex,
  { colour = false, columns }: Partial<Terminal>,
): string {
  const paint =
    (codes: string): Paint =>
    (text) =>
      colour ? `\u001b[${codes}m${text}\u001b[0m` : text;
  const strong = paint(diagnostic.severity === 'error' ? '1;31' : '1;33');
  const { severity, code, message, advice, iis, ui, span, related } = diagnostic;
  const kind = `${severity} ${code}`;
  const said = (text: string) => paragraph(visible(text).split(' '), INDENT, columns);
  const quoted = (place: Span, mark: Paint) => {
    const found = excerptOf(place, indexOf(place.file), columns ?? USUAL_COLUMNS);
    return found === undefined ? [] : [found.line, found.margin + mark(found.carets)];
  };
  const head = [`${placeOf(span, indexOf)}:`, kind, ...visible(message).split(' ')];
  const lines = paragraph(head, '', columns).map((line) => line.replace(kind, strong));
  if (diagnostic.more !== undefined) return lines.join('\n');
  lines.push(...quoted(span, strong));
  if (iis !== undefined) lines.push(...said(wordsOfIis(iis)));
  if (ui === true) lines.push(...said('IIS Manager would refuse it.'));
  if (related !== undefined) {
    lines.push(...said(`${placeOf(related.span, indexOf)}: ${related.message}`), ...quoted(related.span, paint('1')));
  }
  return [...lines, ...said(advice)].join('\n');
}

/** The columns that all but the first line of a finding begin with, and once more those behind the first of a paragraph. */
const INDENT = '  ';

/** Words in the lines of a terminal; where there is none, a line for all of them. */
function paragraph(words: readonly string[], indent: string, columns: number | undefined): string[] {
  if (columns === undefined) return [indent + words.join(' ')];
  const hanging = indent === '' ? INDENT + INDENT : INDENT;
  return wrapped(words, columns - indent.length, hanging.length).map(
    (line, index) => indent + (index === 0 ? '' : hanging) + line.join(' '),
  );
}

function placeOf(span: Span, indexOf: (file: string) => LineIndex): string {
  const { line, column } = positionAt(indexOf(span.file), span.start);
  return `${visible(span.file)}:${line}:${column}`;
}
