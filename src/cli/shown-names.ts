/** Findings as they are shown: file names as short as they can be, and each said once. */
import { isAbsolute, relative, sep } from 'node:path';
import type { Diagnostic, Span } from '../config/diagnostic.ts';

export interface Findings {
  readonly diagnostics: readonly Diagnostic[];
  /** The text of every file, by its name. */
  readonly sources: ReadonlyMap<string, string>;
}

/** @param folder names of files inside it are told from there; `undefined`: names stay as they are */
export function withShownNames({ diagnostics, sources }: Findings, folder: string | undefined): Findings {
  const shorten = shortener(folder);
  const inText = textShortener(folder);
  const place = (span: Span): Span => ({ ...span, file: shorten(span.file) });
  return {
    diagnostics: diagnostics.map(({ message, advice, span, related, ...rest }) => ({
      ...rest,
      message: inText(withoutFile(message, span.file)),
      advice: inText(advice),
      span: place(span),
      ...(related && { related: { message: inText(related.message), span: place(related.span) } }),
    })),
    sources: new Map([...sources].map(([file, text]) => [shorten(file), text])),
  };
}

/** The place before the message names the file already. */
function withoutFile(message: string, file: string): string {
  if (file === '' || !message.startsWith(file)) return message;
  const rest = message.slice(file.length);
  if (rest.startsWith(': ')) return rest.slice(2);
  return rest.startsWith(' ') ? `this file${rest}` : message;
}

function shortener(folder: string | undefined): (file: string) => string {
  if (folder === undefined) return (file) => file;
  return (file) => {
    if (!isAbsolute(file)) return file;
    const short = relative(folder, file);
    return short === '' || short === '..' || short.startsWith(`..${sep}`) || isAbsolute(short) ? file : short;
  };
}

/** For names in the middle of a sentence. */
function textShortener(folder: string | undefined): (text: string) => string {
  if (folder === undefined || folder === sep) return (text) => text;
  const prefix = folder.endsWith(sep) ? folder : folder + sep;
  const named = new RegExp(`(?<![^\\s("'])${prefix.replace(/[^\w/]/g, '\\$&')}`, 'g');
  return (text) => text.replace(named, '');
}
