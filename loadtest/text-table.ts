/** Text for a terminal: tables and words that keep to its width. */

/** Columns that nothing printed by the load test goes beyond. */
export const WIDTH = 100;
const GAP = '  ';
/** Less than this no first column is given, whatever stands behind it. */
const NARROWEST = 4;

/** Lines no longer than `width`, broken at blanks; in the middle of a word where it has no room otherwise. */
export function wrapWords(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    let current = '';
    for (const word of line.split(' ').flatMap((each) => pieces(each, width))) {
      const longer = current === '' ? word : `${current} ${word}`;
      if (longer.length <= width) {
        current = longer;
      } else {
        lines.push(current);
        current = word;
      }
    }
    return [...lines, current];
  });
}

function pieces(word: string, width: number): string[] {
  const count = Math.max(1, Math.ceil(word.length / width));
  return Array.from({ length: count }, (_, index) => word.slice(index * width, (index + 1) * width));
}

/**
 * Columns as wide as they must be, words in the first and the last one to the left, figures to the right. Heads have a second
 * line from their last blank on; the first column is wrapped into what the others leave it.
 */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const upper = head.map((text) => text.slice(0, Math.max(0, text.lastIndexOf(' '))));
  const lower = head.map((text) => text.slice(text.lastIndexOf(' ') + 1));
  const all = [upper, lower, ...rows];
  const [first = 0, ...others] = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const left = WIDTH - others.reduce((sum, each) => sum + GAP.length + each, 0);
  const widths = [Math.min(first, Math.max(left, NARROWEST)), ...others];
  const body = rows.flatMap((row) => printRow(row, widths));
  const heads = [upper, lower].filter((row) => row.some((text) => text !== '')).flatMap((row) => printRow(row, widths));
  const rule = '-'.repeat(Math.max(...[...heads, ...body].map(({ length }) => length)));
  return [...heads, rule, ...body];
}

function printRow([name = '', ...cells]: readonly string[], [first = 0, ...widths]: readonly number[]): string[] {
  const [begin = '', ...rest] = wrapWords(name, first);
  const padded = cells.map((cell, index) => (index === cells.length - 1 ? cell : cell.padStart(widths[index] ?? 0)));
  return [[begin.padEnd(first), ...padded].join(GAP).trimEnd(), ...rest];
}
