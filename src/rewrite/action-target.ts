/**
 * Where the URL of a Rewrite or Redirect leads, read once from its text: scheme, host and what follows, each of them text or
 * computed. Running a rule, tracing it and every check of it go by this reading.
 */
import type { ActionConfig } from '../config/rewrite-model.ts';
import { beginsWithSlash } from './server-variables.ts';
import { type Part, readTemplate } from './template.ts';

export type TargetSyntax =
  /** A path of the site, or nothing at all. */
  | { readonly kind: 'path' }
  /** Begins with something computed: only the request, or a rewrite map, tells whether a path or a URL comes out. */
  | { readonly kind: 'open'; readonly parts: readonly Part[] }
  /** Neither of both: a physical path, or another scheme. */
  | { readonly kind: 'other'; readonly from: number; readonly to: number }
  | AbsoluteSyntax;

export interface AbsoluteSyntax {
  readonly kind: 'absolute';
  /** What stands before `://`; empty where a Redirect begins with `//`, and keeps the scheme of the request. */
  readonly scheme: readonly Part[];
  /** What stands before the path. */
  readonly host: readonly Part[];
  readonly rest: readonly Part[];
  /** Of the host, in units of the source. */
  readonly from: number;
  readonly to: number;
}

export function readTarget(parts: readonly Part[], type: 'Rewrite' | 'Redirect'): TargetSyntax {
  const absolute = readAbsolute(parts, type);
  if (absolute) return absolute;
  const [first] = parts;
  if (!first) return { kind: 'path' };
  if (first.kind !== 'text') return { kind: 'open', parts };
  const other = (type === 'Rewrite' ? /^(?:[a-z][a-z0-9+.-]*:[/\\]|\\\\)/i : /^(?!https?:)[a-z][a-z0-9+.-]*:/i).exec(
    first.text,
  );
  return other ? { kind: 'other', from: 0, to: other[0].length } : { kind: 'path' };
}

const SCHEME_CHARS = /^[a-z0-9+.-]*$/i;

function readAbsolute(parts: readonly Part[], type: 'Rewrite' | 'Redirect'): AbsoluteSyntax | undefined {
  const scheme: Part[] = [];
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'text') {
      const end = part.text.indexOf('://');
      const before = end < 0 ? part.text : part.text.slice(0, end);
      if (end >= 0 && SCHEME_CHARS.test(before)) {
        if (before !== '') scheme.push(piece(part, 0, end));
        return scheme.length > 0 && isWeb(scheme)
          ? splitHost(scheme, part, end + 3, parts.slice(index + 1))
          : undefined;
      }
      if (!SCHEME_CHARS.test(part.text)) break;
    }
    scheme.push(part);
  }
  const [first, ...others] = parts;
  if (type === 'Redirect' && first?.kind === 'text' && first.text.startsWith('//'))
    return splitHost([], first, 2, others);
  return undefined;
}

/** Nothing but `http` and `https` is known; what is computed may come to be one of them. */
function isWeb(scheme: readonly Part[]): boolean {
  const [only, ...more] = scheme;
  return more.length > 0 || only?.kind !== 'text' || /^https?$/i.test(only.text);
}

function splitHost(
  scheme: readonly Part[],
  first: Part & { kind: 'text' },
  begin: number,
  others: readonly Part[],
): AbsoluteSyntax {
  const host: Part[] = [];
  const from = first.from + begin;
  const all = [piece(first, begin, first.text.length), ...others];
  for (const [index, part] of all.entries()) {
    const rest = all.slice(index);
    // What begins with a slash for sure ends a host that is there.
    if (part.kind === 'variable' && host.length > 0 && beginsWithSlash(part.name))
      return { kind: 'absolute', scheme, host, rest, from, to: part.from };
    const end = part.kind === 'text' ? part.text.search(/[/?#\\]/) : -1;
    if (part.kind !== 'text' || end < 0) {
      if (part.kind !== 'text' || part.text !== '') host.push(part);
      continue;
    }
    if (end > 0) host.push(piece(part, 0, end));
    return {
      kind: 'absolute',
      scheme,
      host,
      rest: [piece(part, end, part.text.length), ...rest.slice(1)],
      from,
      to: part.from + end,
    };
  }
  return { kind: 'absolute', scheme, host, rest: [], from, to: all.at(-1)?.to ?? from };
}

/** A part of a text, with its place. */
function piece({ text, from }: Part & { kind: 'text' }, start: number, end: number): Part & { kind: 'text' } {
  return { kind: 'text', text: text.slice(start, end), from: from + start, to: from + end };
}

/** Whether a Rewrite names a scheme and a host, and so sends the request away. */
export function sendsAway({ type, url }: Pick<ActionConfig, 'type' | 'url'>): boolean {
  return type === 'Rewrite' && url !== undefined && readTarget(readTemplate(url.value).parts, type).kind === 'absolute';
}

/** Whether a Rewrite may send requests away: one that is computed from its begin may, too. */
export function mayLeave({ type, url }: Pick<ActionConfig, 'type' | 'url'>): boolean {
  if (type !== 'Rewrite' || url === undefined) return false;
  const { kind } = readTarget(readTemplate(url.value).parts, type);
  return kind === 'absolute' || kind === 'open';
}

/** The text where nothing is computed. */
export function textOf(parts: readonly Part[]): string | undefined {
  let text = '';
  for (const part of parts) {
    if (part.kind !== 'text') return undefined;
    text += part.text;
  }
  return text;
}
