/**
 * International names in patterns that are compared with the host of a request. A Host is ASCII on its way, so each label that
 * stands whole in a pattern is read as clients send it: `^bücher\.` as `^xn--bcher-kva\.`.
 */
import { asciiName, internationalAuthority, isInternational } from '../host-name.ts';
import { type Replacement, withReplacements } from './host-text.ts';
import { type PatternToken, patternTokens } from './pattern-tokens.ts';
import type { PatternSyntax } from './rewrite-model.ts';
import type { Text } from './text.ts';

/** Where the host stands in what a condition looks at: at its start, behind `//`, or somewhere. */
type HostPlace = 'start' | 'url' | 'somewhere';

const HOST = String.raw`(?:\{(?:HTTP_HOST|SERVER_NAME|HTTP_X_(?:FORWARDED_|ORIGINAL_)?HOST)\})`;
const HOST_OR_LOWER = String.raw`(?:${HOST}|\{ToLower:${HOST}\})`;
const BEGINS_WITH_HOST = new RegExp(`^${HOST_OR_LOWER}`, 'i');
const HOLDS_URL = new RegExp(String.raw`//${HOST_OR_LOWER}|^\{(?:HTTP_REFERER|HTTP_ORIGIN|CACHE_URL)\}`, 'i');
const NAMES_HOST = new RegExp(HOST, 'i');

function hostPlace(input: string): HostPlace | undefined {
  if (BEGINS_WITH_HOST.test(input)) return 'start';
  if (HOLDS_URL.test(input)) return 'url';
  return NAMES_HOST.test(input) ? 'somewhere' : undefined;
}

/** The pattern of a condition as it is compared. A label of which not all is text stays as it is; `leavesLetters` finds it. */
export function hostPattern(input: string, pattern: Text, syntax: PatternSyntax): Text {
  const place = hostPlace(input);
  if (place === undefined || place === 'somewhere' || !holdsLetters(pattern.value)) return pattern;
  const tokens = hostTokens(pattern.value, syntax, place);
  return withReplacements(
    pattern,
    syntax === 'ExactMatch' ? wholeName(tokens, pattern.value) : labelsIn(tokens, syntax),
  );
}

function wholeName(tokens: readonly PatternToken[], pattern: string): Replacement[] {
  const [first, ...more] = tokens.filter(({ text }) => text !== '');
  if (!first) return [];
  const { from, to } = { from: first.from, to: (more.at(-1) ?? first).to };
  const by = internationalAuthority(pattern.slice(from, to));
  return by === undefined ? [] : [{ from, to, by }];
}

/** Whether what is compared with a host still holds letters beyond ASCII: no host has any. */
export function leavesLetters(input: string, pattern: string, syntax: PatternSyntax): boolean {
  const place = hostPlace(input);
  return place !== undefined && hostTokens(pattern, syntax, place).some(({ text }) => holdsLetters(text));
}

/** As they are, or as escapes such as `\u00fc`. */
function holdsLetters(text: string): boolean {
  return isInternational(text) || /\\x[89a-f]|\\u(?!00[0-7])[0-9a-f]{4}/i.test(text);
}

/** Those that are compared with the host, and not with the path behind it. */
function hostTokens(pattern: string, syntax: PatternSyntax, place: HostPlace): readonly PatternToken[] {
  const tokens = patternTokens(pattern, syntax);
  if (place === 'somewhere') return tokens;
  const isSlash = (at: number) => tokens[at]?.text === '/';
  const begin = place === 'start' ? 0 : tokens.findIndex((_, at) => isSlash(at - 2) && isSlash(at - 1));
  if (begin < 0) return [];
  const end = tokens.findIndex((_, at) => at >= begin && isSlash(at));
  // Places in the list stay what they are: groups know them.
  return (end < 0 ? [...tokens] : [...tokens.slice(0, end), PATH]).fill(PATH, 0, begin);
}

/** Stands for what is not compared with the host: there it begins, or ends. */
const PATH: PatternToken = { kind: 'anchor', from: 0, to: 0, text: '' };

function labelsIn(tokens: readonly PatternToken[], syntax: PatternSyntax): Replacement[] {
  const found: Replacement[] = [];
  // A wildcard is compared with all of a host; an expression may be found anywhere in it.
  const borders = { tokens, tied: syntax === 'Wildcard' };
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token?.kind === 'dot' && isInternational(token.text))
      found.push({ from: token.from, to: token.to, by: syntax === 'Wildcard' ? '.' : '\\.' });
    if (token?.kind !== 'letter') continue;
    const first = at;
    let label = token.text;
    for (let next = tokens[at + 1]; next?.kind === 'letter'; next = tokens[at + 1]) {
      label += next.text;
      at++;
    }
    const ascii = isInternational(label) ? asciiName(label) : undefined;
    if (ascii === undefined || !standsWhole(borders, first, at)) continue;
    found.push({ from: token.from, to: tokens[at]?.to ?? token.to, by: ascii });
  }
  return found;
}

interface Borders {
  readonly tokens: readonly PatternToken[];
  /** The ends of the pattern are those of the host. */
  readonly tied: boolean;
}

/** Whether no match can have more letters in the label; at one of its ends the pattern may be open, as people leave it. */
function standsWhole(borders: Borders, first: number, last: number): boolean {
  const [before, behind] = [borderAt(borders, first - 1, -1), borderAt(borders, last + 1, 1)];
  return before !== 'none' && behind !== 'none' && (before === 'certain' || behind === 'certain');
}

type Border = 'certain' | 'open' | 'none';

/** How a label ends at the token before it (step -1) or behind it (step 1), whichever way a match goes. */
function borderAt(borders: Borders, at: number, step: -1 | 1): Border {
  const token = borders.tokens[at];
  switch (token?.kind) {
    case 'dot':
    case 'anchor':
      return 'certain';
    case 'letter':
      return 'none';
    case 'other':
      // Behind a colon stands the port.
      return step > 0 && token.text === ':' ? 'certain' : 'none';
    case 'any':
      return isOutermost(borders.tokens, at, step) ? 'open' : 'none';
    case 'open':
    case 'bar':
    case 'close':
      return borderAtGroup(borders, token, step);
    default:
      return borders.tied ? 'certain' : 'open';
  }
}

function borderAtGroup(borders: Borders, { kind, group }: PatternToken & { kind: GroupToken }, step: -1 | 1): Border {
  const { open, close, bars, looks, optional, repeats } = group;
  const outside = () => borderAt(borders, step < 0 ? open - 1 : close + 1, step);
  const isInside = kind === 'bar' || kind === (step < 0 ? 'open' : 'close');
  if (isInside) return repeats ? 'none' : outside();
  if (looks && step < 0) return outside();
  const ends = [step < 0 ? close : open, ...bars].map((end) => borderAt(borders, end + step, step));
  return weakest(optional ? [...ends, outside()] : ends);
}

type GroupToken = 'open' | 'bar' | 'close';

function weakest(borders: readonly Border[]): Border {
  if (borders.includes('none')) return 'none';
  return borders.includes('open') ? 'open' : 'certain';
}

/** Nothing but groups and anchors stands between it and that end of the pattern. */
function isOutermost(tokens: readonly PatternToken[], at: number, step: -1 | 1): boolean {
  const further = step < 0 ? tokens.slice(0, at) : tokens.slice(at + 1);
  return further.every(({ kind }) => kind === 'anchor' || kind === (step < 0 ? 'open' : 'close'));
}
