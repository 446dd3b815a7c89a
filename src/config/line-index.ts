/** Offsets of a text turned into lines and columns, both counted from 1 in UTF-16 units. */

export interface LineIndex {
  readonly text: string;
  /** Offset at which each line begins. */
  readonly starts: readonly number[];
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Finds where the lines of `text` begin; CR LF, LF and CR each end a line. */
export function lineIndex(text: string): LineIndex {
  const starts = [0];
  const ends = /\r\n?|\n/g;
  while (ends.exec(text) !== null) starts.push(ends.lastIndex);
  return { text, starts };
}

/** The line and column of an offset; offsets outside the text are moved to its nearest end. */
export function positionAt(index: LineIndex, offset: number): Position {
  const wanted = Math.max(0, Math.min(offset, index.text.length));
  let low = 0;
  let high = index.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((index.starts[middle] ?? 0) <= wanted) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: wanted - (index.starts[low] ?? 0) + 1 };
}

/** The text of a line, without its line end. */
export function lineAt({ text, starts }: LineIndex, line: number): string {
  const start = starts[line - 1] ?? text.length;
  let end = starts[line] ?? text.length;
  while (end > start && '\r\n'.includes(text[end - 1] ?? '')) end -= 1;
  return text.slice(start, end);
}
