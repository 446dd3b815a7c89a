/** Counts by name in bounded memory: beyond a number of names, new ones are counted together. */

export interface TallyRow {
  readonly name: string;
  readonly count: number;
  /** How many of them were marked. */
  readonly marked: number;
}

export interface Tally {
  add(name: string, marked?: boolean): void;
  /** The most frequent first, equal ones by name. */
  top(number: number): readonly TallyRow[];
  /** All that was added. */
  readonly total: number;
  /** Names that are kept. */
  readonly names: number;
  /** What was added under names that are not kept. */
  readonly others: number;
}

/** A longer name is cut, so that memory stays bounded whatever a client sends. */
const NAME_LENGTH = 500;

export function createTally(limit: number): Tally {
  const counts = new Map<string, { count: number; marked: number }>();
  let total = 0;
  let others = 0;
  return {
    add(name, marked = false) {
      total++;
      const short = name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH)}…` : name;
      let row = counts.get(short);
      if (row === undefined) {
        if (counts.size >= limit) {
          others++;
          return;
        }
        row = { count: 0, marked: 0 };
        counts.set(ownCopy(short), row);
      }
      row.count++;
      if (marked) row.marked++;
    },
    top: (number) =>
      [...counts]
        .map(([name, row]) => ({ name, ...row }))
        .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
        .slice(0, number),
    get total() {
      return total;
    },
    get names() {
      return counts.size;
    },
    get others() {
      return others;
    },
  };
}

/** A part of a string keeps the whole alive in V8; one path would hold on to its whole piece of the log. */
export function ownCopy(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
