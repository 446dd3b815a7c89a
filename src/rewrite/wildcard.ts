/** Wildcard patterns: `*` is any run, `?` exactly one character; each `*` takes as little as it can, from left to right. */
import { fold } from './character-set.ts';

export interface Wildcard {
  readonly stars: number;
  /** The whole input and what each `*` took, or nothing. Takes at most pattern times input steps. */
  readonly match: (input: string) => readonly string[] | undefined;
  /** Whether it matches; nothing is captured. */
  readonly finds: (input: string) => boolean;
}

const ANY_ONE = -1;

/** A piece between stars: character codes, or `ANY_ONE`. */
type Piece = readonly number[];

const NOTHING: Piece = [];

export function compileWildcard(pattern: string, ignoreCase: boolean): Wildcard {
  const code = (char: string) => (ignoreCase ? fold(char.charCodeAt(0)) : char.charCodeAt(0));
  const pieces = pattern
    .split('*')
    .map((piece) => piece.split('').map((char) => (char === '?' ? ANY_ONE : code(char))));
  return {
    stars: pieces.length - 1,
    match: (input) => {
      const captures = [input];
      return matchPieces(pieces, input, ignoreCase, captures) ? captures : undefined;
    },
    finds: (input) => matchPieces(pieces, input, ignoreCase, undefined),
  };
}

/** Appends what each `*` took to `captures`, where they are wanted. */
function matchPieces(
  pieces: readonly Piece[],
  input: string,
  ignoreCase: boolean,
  captures: string[] | undefined,
): boolean {
  const first = pieces[0] ?? NOTHING;
  const last = pieces[pieces.length - 1] ?? NOTHING;
  if (!standsAt(first, input, 0, ignoreCase)) return false;
  if (pieces.length === 1) return input.length === first.length;
  const lastAt = input.length - last.length;
  let at = first.length;
  // The earliest place for each piece leaves the most room for the rest, so no place has to be tried again.
  for (let i = 1; i < pieces.length - 1; i++) {
    const piece = pieces[i] ?? NOTHING;
    let place = at;
    while (place + piece.length <= lastAt && !standsAt(piece, input, place, ignoreCase)) place++;
    if (place + piece.length > lastAt) return false;
    captures?.push(input.slice(at, place));
    at = place + piece.length;
  }
  if (lastAt < at || !standsAt(last, input, lastAt, ignoreCase)) return false;
  captures?.push(input.slice(at, lastAt));
  return true;
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
