/** Expressions with `{…}`: read once into parts, evaluated per request. */
import type { Captures } from './pattern.ts';
import { decodeComponent, encodeComponent, encodePath } from './percent-coding.ts';
import type { RewriteMap, RewriteMaps } from './rewrite-map.ts';
import { isPathVariable, type VariableSource, variableReader } from './server-variables.ts';
import { type TraceRecorder, takeNote } from './trace.ts';

export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly from: number; readonly to: number }
  | { readonly kind: 'rule' | 'condition'; readonly index: number; readonly from: number; readonly to: number }
  | { readonly kind: 'variable'; readonly name: string; readonly from: number; readonly to: number }
  | {
      readonly kind: 'call';
      /** As written. */
      readonly name: string;
      readonly argument: readonly Part[];
      readonly from: number;
      readonly to: number;
    };

export interface TemplateSyntax {
  readonly source: string;
  readonly parts: readonly Part[];
  /** Places of `{` that nothing closes. */
  readonly unclosed: readonly number[];
}

const MAX_NESTING = 50;

/** Reads an expression; a `}` that closes nothing is text, so is a `{` that nothing closes (and it is noted). */
export function readTemplate(source: string): TemplateSyntax {
  const unclosed: number[] = [];
  const reader = { source, at: 0, unclosed };
  const parts = readParts(reader, 0);
  return { source, parts, unclosed };
}

interface Reader {
  readonly source: string;
  at: number;
  readonly unclosed: number[];
}

function readParts(reader: Reader, depth: number): Part[] {
  const parts: Part[] = [];
  const { source } = reader;
  while (reader.at < source.length) {
    const char = source[reader.at];
    if (char === '}' && depth > 0) break;
    if (char === '{') {
      parts.push(readBraces(reader, depth));
      continue;
    }
    const from = reader.at;
    while (reader.at < source.length) {
      const next = source[reader.at];
      if (next === '{' || (next === '}' && depth > 0)) break;
      reader.at++;
    }
    parts.push({ kind: 'text', text: source.slice(from, reader.at), from, to: reader.at });
  }
  return parts;
}

function readBraces(reader: Reader, depth: number): Part {
  const { source } = reader;
  const from = reader.at;
  const stop = source.slice(from + 1).search(/[:{}]/) + from + 1;
  const name = stop > from ? source.slice(from + 1, stop) : '';
  if (stop > from && source[stop] === '}') {
    reader.at = stop + 1;
    return { kind: 'variable', name, from, to: reader.at };
  }
  if (stop > from && source[stop] === ':' && depth < MAX_NESTING) {
    reader.at = stop + 1;
    const unclosedBefore = reader.unclosed.length;
    const argument = readParts(reader, depth + 1);
    if (source[reader.at] === '}') {
      reader.at++;
      return reference(name, argument, from, reader.at);
    }
    reader.unclosed.length = unclosedBefore;
  }
  reader.unclosed.push(from);
  reader.at = source.length;
  return { kind: 'text', text: source.slice(from), from, to: source.length };
}

function reference(name: string, argument: readonly Part[], from: number, to: number): Part {
  const [only] = argument;
  const letter = name.toUpperCase();
  if ((letter === 'R' || letter === 'C') && argument.length === 1 && only?.kind === 'text' && /^\d+$/.test(only.text)) {
    return { kind: letter === 'R' ? 'rule' : 'condition', index: Number(only.text), from, to };
  }
  return { kind: 'call', name, argument, from, to };
}

// ---- evaluation ------------------------------------------------------------------------------------------------

/** Everything that an expression can look at while a rule runs. */
export interface Evaluation extends VariableSource {
  /** Takes note of what rewrite maps are asked for. */
  readonly recorder?: TraceRecorder | undefined;
  ruleCaptures: Captures | undefined;
  conditionCaptures: Captures | undefined;
}

/**
 * For what a template is evaluated: `text` as it is; `path`: a `?` or `#` that a path brought with it is marked, so that
 * it is not taken for the border of the query; `location`: what comes from a path is percent-encoded.
 */
export type Purpose = 'text' | 'path' | 'location';

export type Segment = (evaluation: Evaluation) => string;

export interface Template {
  readonly source: string;
  readonly syntax: TemplateSyntax;
  readonly evaluate: (evaluation: Evaluation) => string;
  /** Set when the expression cannot be expanded: an unknown map or function, a provider, an unclosed brace. */
  readonly broken: boolean;
}

const NAMED = {
  ToLower: (text: string) => text.toLowerCase(),
  UrlEncode: encodeComponent,
  UrlDecode: decodeComponent,
  HtmlEncode: encodeHtml,
};

/** In the letters of the documentation. */
export const functionNames: readonly string[] = Object.keys(NAMED);

const FUNCTIONS: ReadonlyMap<string, (text: string) => string> = new Map(
  Object.entries(NAMED).map(([name, encode]) => [name.toUpperCase(), encode]),
);

export function isFunction(name: string): boolean {
  return FUNCTIONS.has(name.toUpperCase());
}

/** Whether `{R:n}` (rule) or `{C:n}` (condition) stands somewhere in an expression. */
export function refersTo(kind: 'rule' | 'condition', parts: readonly Part[]): boolean {
  return parts.some((part) => part.kind === kind || (part.kind === 'call' && refersTo(kind, part.argument)));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function encodeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** Stand for `?` and `#` inside a path; halves of a pair that no decoded text holds. */
const MARKED_QUESTION = '\udc3f';
const MARKED_HASH = '\udc23';

function markPath(text: string): string {
  return /[?#]/.test(text) ? text.replaceAll('?', MARKED_QUESTION).replaceAll('#', MARKED_HASH) : text;
}

/** Takes the marks of purpose `path` away again. */
export function unmark(text: string): string {
  return /[\udc3f\udc23]/.test(text) ? text.replaceAll(MARKED_QUESTION, '?').replaceAll(MARKED_HASH, '#') : text;
}

/** Evaluates some parts of an expression. */
export function compileParts(parts: readonly Part[], maps: RewriteMaps, purpose: Purpose): Segment {
  return joined(parts, maps, purpose, { broken: false });
}

export function compileTemplate(source: string, maps: RewriteMaps, purpose: Purpose = 'text'): Template {
  const syntax = readTemplate(source);
  const state = { broken: syntax.unclosed.length > 0 };
  const evaluate = joined(syntax.parts, maps, purpose, state);
  return { source, syntax, evaluate, broken: state.broken };
}

function joined(parts: readonly Part[], maps: RewriteMaps, purpose: Purpose, state: { broken: boolean }): Segment {
  const segments = parts.map((part) => segment(part, maps, purpose, state));
  const [only] = segments;
  if (!only) return () => '';
  if (segments.length === 1) return only;
  return (evaluation) => {
    let text = '';
    for (const one of segments) text += one(evaluation);
    return text;
  };
}

function segment(part: Part, maps: RewriteMaps, purpose: Purpose, state: { broken: boolean }): Segment {
  const plain = plainSegment(part, maps, state);
  if (purpose === 'text' || !givesPath(part)) return plain;
  const protect = purpose === 'path' ? markPath : encodePath;
  return (evaluation) => protect(plain(evaluation));
}

function plainSegment(part: Part, maps: RewriteMaps, state: { broken: boolean }): Segment {
  switch (part.kind) {
    case 'text':
      return () => part.text;
    case 'rule':
      return ({ ruleCaptures }) => ruleCaptures?.[part.index] ?? '';
    case 'condition':
      return ({ conditionCaptures }) => conditionCaptures?.[part.index] ?? '';
    case 'variable':
      return variableReader(part.name);
    case 'call': {
      const argument = joined(part.argument, maps, 'text', state);
      const call = FUNCTIONS.get(part.name.toUpperCase());
      if (call) return (evaluation) => call(argument(evaluation));
      const map = maps.get(part.name.toLowerCase());
      if (map) return (evaluation) => ask(map, argument(evaluation), evaluation.recorder);
      state.broken = true;
      return () => '';
    }
  }
}

function ask({ name, find, defaultValue }: RewriteMap, key: string, recorder: TraceRecorder | undefined): string {
  const found = find(key);
  const value = found ?? defaultValue;
  if (recorder) takeNote(recorder, { kind: 'asked', map: name, key, value, known: found !== undefined });
  return value;
}

/** Whether all that is computed in a part comes from decoded paths. */
function givesPath(part: Part): boolean {
  switch (part.kind) {
    case 'rule':
      return true;
    case 'variable':
      return isPathVariable(part.name);
    case 'call':
      return part.name.toUpperCase() === 'TOLOWER' && part.argument.length > 0 && part.argument.every(givesPath);
    default:
      return false;
  }
}
