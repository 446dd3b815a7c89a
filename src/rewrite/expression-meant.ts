/** What an expression was meant to be whose star, plus or question mark has nothing before it to repeat. */
import { readRegex } from './regex-syntax.ts';

/** Written as wildcards are, such as `*.contoso.com`. */
const AS_WILDCARD = /^[\w\-./:~*?]*$/;

/** Whether a pattern could be a wildcard as well: an expression has more to it than stars and question marks. */
export function couldBeWildcard(pattern: string): boolean {
  return AS_WILDCARD.test(pattern) && !/\.[*?]/.test(pattern);
}

/** More than these are not one slip. */
const MOST_FAULTS = 8;

/** Nothing where it is not plain. */
export function expressionMeant(pattern: string): string | undefined {
  const [, start = '', inner = '', end = ''] = /^(\^(?=\*))?([*?].*?)(\$?)$/.exec(pattern) ?? [];
  if (inner !== '' && couldBeWildcard(inner)) return ofWildcard(start, inner, end);
  let text = pattern;
  for (let turn = 0; turn < MOST_FAULTS; turn++) {
    const read = readRegex(text);
    if (!('kind' in read)) return text === pattern ? undefined : text;
    const mended = read.kind === 'badrepeat' ? withoutFault(text, read.from) : undefined;
    if (mended === undefined) return undefined;
    text = mended;
  }
  return undefined;
}

/** A name or path with this ending, or beginning: a star at the end takes whatever follows, as no end does. */
function ofWildcard(start: string, pattern: string, end: string): string {
  const runs = pattern.replace(/\*+/g, '*');
  const text = runs.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
  return `${start}${text}${runs.endsWith('*') ? end : '$'}`;
}

/** @param at of the mark that repeats nothing */
function withoutFault(text: string, at: number): string | undefined {
  const [before, mark, after] = [text.slice(0, at), text[at], text.slice(at + 1)];
  if (mark !== '*' && mark !== '+') return undefined;
  if (/(^|[(|^]|\(\?[:=!])$/.test(before) && !/\\[(|^]$/.test(before)) {
    // A dot behind it is that of a name, unless it is repeated itself.
    return mark === '*' ? `${before}.*${after.replace(/^\.(?![*+?{])/, '\\.')}` : undefined;
  }
  // As in docs/**: all that is below.
  if (mark === '*' && /[\w/]\*$/.test(before) && !/\\\w\*$/.test(before)) return `${before.slice(0, -1)}.*${after}`;
  // A loop over a loop is too much as well.
  if (/[*+]\)[*+]$/.test(before)) return before.slice(0, -1) + after;
  return /[.\])][*+]\??$/.test(before) ? before + after : undefined;
}
