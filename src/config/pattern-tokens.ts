/** A pattern of a rule cut into tokens, as far as it matters for the labels of a host: letters, dots, what may be anything, groups. */
import type { PatternSyntax } from './rewrite-model.ts';

interface Place {
  /** UTF-16 units of the pattern, the end exclusive. */
  readonly from: number;
  readonly to: number;
  /** What it stands for, where that is one character; else as it is written. */
  readonly text: string;
}

export type PatternToken = Place &
  (
    | { readonly kind: 'letter' | 'dot' | 'anchor' | 'other' }
    /** `.*`, or the star of a wildcard. */
    | { readonly kind: 'any' }
    | { readonly kind: 'open' | 'bar' | 'close'; readonly group: PatternGroup }
  );

/** Places in the list of tokens. Alternatives outside of any group make one that begins before the list and ends behind it. */
export interface PatternGroup {
  readonly open: number;
  readonly close: number;
  readonly bars: readonly number[];
  /** A look-ahead: it takes nothing of the text. */
  readonly looks: boolean;
  readonly optional: boolean;
  readonly repeats: boolean;
}

export function patternTokens(pattern: string, syntax: PatternSyntax): readonly PatternToken[] {
  if (syntax === 'ECMAScript') return regexTokens(pattern);
  return [...pattern.matchAll(/./gs)].map(({ 0: text, index }) => {
    const place = { from: index, to: index + 1, text };
    return syntax === 'Wildcard' && text === '*' ? { ...place, kind: 'any' } : { ...place, kind: kindOf(text) };
  });
}

function kindOf(char: string): 'letter' | 'dot' | 'other' {
  if (/^[.\u3002\uff0e\uff61]$/.test(char)) return 'dot';
  return /^[a-z0-9_\x80-\uffff-]$/i.test(char) ? 'letter' : 'other';
}

type Open<Type> = { -readonly [Key in keyof Type]: Type[Key] };
type OpenGroup = Open<Omit<PatternGroup, 'bars'>> & { bars: number[] };

/** Faults are told by who compiles the pattern; here they make tokens of some kind. */
const REGEX_TOKEN =
  /\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|.)|\[\^?\]?(?:\\.|\[[:.=][^\]]*[:.=]\]|[^\]\\])*\]|\((?:\?[:=!])?|./gis;
const QUANTIFIER = /(?:[*+?]|\{\d+(?:,\d*)?\})\??/y;

function regexTokens(pattern: string): readonly PatternToken[] {
  const tokens: PatternToken[] = [];
  const groups: OpenGroup[] = [newGroup(-1, false)];
  for (let at = 0; at < pattern.length; ) {
    REGEX_TOKEN.lastIndex = at;
    const written = REGEX_TOKEN.exec(pattern)?.[0] ?? '';
    const end = at + written.length;
    QUANTIFIER.lastIndex = end;
    const quantifier = QUANTIFIER.exec(pattern)?.[0] ?? '';
    const to = end + quantifier.length;
    tokens.push(tokenOf(written, quantifier, { from: at, to }, { groups, index: tokens.length }));
    at = to;
  }
  for (const group of groups) group.close = tokens.length;
  return tokens;
}

function newGroup(open: number, looks: boolean): OpenGroup {
  return { open, close: open, bars: [], looks, optional: false, repeats: false };
}

function tokenOf(
  written: string,
  quantifier: string,
  place: Pick<Place, 'from' | 'to'>,
  { groups, index }: { readonly groups: OpenGroup[]; readonly index: number },
): PatternToken {
  const whole = { ...place, text: written };
  const group = groups.at(-1) ?? newGroup(-1, false);
  if (written.startsWith('(')) {
    const opened = newGroup(index, /[=!]$/.test(written));
    groups.push(opened);
    return { ...whole, kind: 'open', group: opened };
  }
  if (written === '|') {
    group.bars.push(index);
    return { ...whole, kind: 'bar', group };
  }
  if (written === ')' && groups.length > 1) {
    groups.pop();
    group.close = index;
    group.optional = /^[*?]|^\{0/.test(quantifier);
    group.repeats = /^[*+]|^\{(?!0?,?1\}|0,1\})/.test(quantifier);
    return { ...whole, kind: 'close', group };
  }
  if (written === '.' && /^[*+]/.test(quantifier)) return { ...whole, kind: 'any' };
  if (/^(?:[\^$]|\\b)$/.test(written)) return { ...whole, kind: 'anchor' };
  const char = characterOf(written);
  if (char === undefined || quantifier !== '') return { ...whole, kind: 'other' };
  return { ...place, text: char, kind: kindOf(char) };
}

/** The one character that a token stands for; that of an unescaped dot is a dot, as people mean it. */
function characterOf(written: string): string | undefined {
  if (written === '[.]') return '.';
  const hex = /^\\[xu]([0-9a-f]+)$/i.exec(written)?.[1];
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
  if (/^\\[^a-z0-9]$/i.test(written)) return written.slice(1);
  return written.startsWith('\\') || written.length > 2 || written.startsWith('[') ? undefined : written;
}
