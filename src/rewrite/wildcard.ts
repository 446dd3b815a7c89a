/** Wildcard patterns: `*` is any run, `?` exactly one character; each `*` takes as little as it can, from left to right. */
import { fold } from './character-set.ts';

export interface Wildcard {
  readonly stars: number;
  /** The whole input and what each `*` took, or nothing. Takes at most pattern times input steps. */
  readonly match: (input: string) => readonly string[] | undefined;
}

const ANY_ONE = -1;

/** A piece between stars: character codes, or `ANY_ONE`. */
type Piece = readonly number[];

export function compileWildcard(pattern: string, ignoreCase: boolean): Wildcard {
  const code = (char: string) => (ignoreCase ? fold(char.charCodeAt(0)) : char.charCodeAt(0));
  const pieces = pattern
    .split('*')
    .map((piece) => piece.split('').map((char) => (char === '?' ? ANY_ONE : code(char))));
  return { stars: pieces.length - 1, match: (input) => matchPieces(pieces, input, ignoreCase) };
}

function matchPieces(pieces: readonly Piece[], input: string, ignoreCase: boolean): readonly string[] | undefined {
  const first = pieces[0] ?? [];
  const last = pieces.at(-1) ?? [];
  if (!standsAt(first, input, 0, ignoreCase)) return undefined;
  if (pieces.length === 1) return input.length === first.length ? [input] : undefined;
  const captures = [input];
  const lastAt = input.length - last.length;
  let at = first.length;
  // The earliest place for each piece leaves the most room for the rest, so no place has to be tried again.
  for (const piece of pieces.slice(1, -1)) {
    let place = at;
    while (place + piece.length <= lastAt && !standsAt(piece, input, place, ignoreCase)) place++;
    if (place + piece.length > lastAt) return undefined;
    captures.push(input.slice(at, place));
    at = place + piece.length;
  }
  if (lastAt < at || !standsAt(last, input, lastAt, ignoreCase)) return undefined;
  captures.push(input.slice(at, lastAt));
  return captures;
}

function standsAt(piece: Piece, input: string, at: number, ignoreCase: boolean): boolean {
  if (at + piece.length > input.length) return false;
  for (let i = 0; i < piece.length; i++) {
    const wanted = piece[i];
    if (wanted === ANY_ONE) continue;
    const unit = input.charCodeAt(at + i);
    if (unit !== wanted && !(ignoreCase && fold(unit) === wanted)) return false;
  }
  return true;
}
