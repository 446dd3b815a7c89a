/** A quoted line of a file with carets under the place that is meant, cut so that both fit the terminal. */
import { charactersOf, widthOf } from '../terminal.ts';
import type { Span } from './diagnostic.ts';
import { type LineIndex, lineAt, positionAt } from './line-index.ts';

const TAB = 4;
/** Columns that a line keeps for its text, however narrow the terminal is. */
const LEAST_ROOM = 16;
const CUT = '…';

export interface Excerpt {
  /** The line with its number. */
  readonly line: string;
  /** What stands in the next line before the carets. */
  readonly margin: string;
  readonly carets: string;
}

/** The line of the span; one over several lines is shown to the end of its first. Nothing where there is no text. */
export function excerptOf(span: Span, index: LineIndex, columns: number): Excerpt | undefined {
  if (index.text === '') return undefined;
  const { line, column } = positionAt(index, span.start);
  const whole = lineAt(index, line);
  const gutter = `  ${line} | `;
  const room = Math.max(LEAST_ROOM, columns - gutter.length);
  const from = Math.min(column - 1, whole.length);
  const to = Math.max(from, Math.min(whole.length, from + span.end - span.start));
  const before = leftOf(whole, from, room);
  const marked = rightOf(whole.slice(from, to), room, before.width);
  const after = rightOf(whole.slice(to), room, before.width + marked.width);
  const carets = Math.max(1, marked.width);
  const free = room - carets;
  // What is short leaves its part to the other side.
  const left = cutLeft(before, Math.max(Math.floor(free / 2), free - after.width));
  const middle = marked.width > room - left.width ? cutRight(marked, room - left.width) : marked;
  const right = cutRight(after, Math.max(0, room - left.width - middle.width));
  return {
    line: gutter + [left, middle, right].map(({ characters }) => characters.join('')).join(''),
    margin: `${' '.repeat(gutter.length - 2)}| ${' '.repeat(left.width)}`,
    carets: '^'.repeat(Math.max(1, middle.width)),
  };
}

/** As it is shown: tabs are blanks, and nothing steers the terminal. */
interface Shown {
  readonly characters: readonly string[];
  readonly width: number;
}

/** More than can be shown, in UTF-16 units: lines may be as long as the file. */
function reach(room: number): number {
  return 8 * room;
}

function leftOf(line: string, end: number, room: number): Shown {
  return shownOf(line.slice(Math.max(0, end - reach(room)), end), 0);
}

function rightOf(text: string, room: number, startColumn: number): Shown {
  return shownOf(text.slice(0, reach(room)), startColumn);
}

/** Tabs become blanks up to the next stop, control characters become visible ones. */
function shownOf(text: string, startColumn: number): Shown {
  const characters: string[] = [];
  let width = 0;
  for (const character of charactersOf(text)) {
    const shown = character === '\t' ? ' '.repeat(TAB - ((startColumn + width) % TAB)) : visible(character);
    // The blanks of a tab are cut one by one.
    characters.push(...(character === '\t' ? shown : [shown]));
    width += widthOf(shown);
  }
  return { characters, width };
}

function cutLeft({ characters, width }: Shown, room: number): Shown {
  const { kept, taken } = fitting(characters.toReversed(), width, room);
  return { characters: kept.toReversed(), width: taken };
}

function cutRight({ characters, width }: Shown, room: number): Shown {
  const { kept, taken } = fitting(characters, width, room);
  return { characters: kept, width: taken };
}

/** As many as there is room for, with a mark where some are left out. */
function fitting(characters: readonly string[], width: number, room: number): { kept: string[]; taken: number } {
  if (width <= room) return { kept: [...characters], taken: width };
  if (room < 1) return { kept: [], taken: 0 };
  const kept: string[] = [];
  let taken = 1;
  for (const character of characters) {
    const more = widthOf(character);
    if (taken + more > room) break;
    kept.push(character);
    taken += more;
  }
  return { kept: [...kept, CUT], taken };
}

/** Text from a file must not steer the terminal. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
}
