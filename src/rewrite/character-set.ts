/** Sets of UTF-16 units as sorted, disjoint ranges: what one place of a pattern may match, and its upper and lower case. */

export type Ranges = readonly (readonly [number, number])[];

export const ANY: Ranges = [[0, 0xffff]];
export const DIGIT: Ranges = [[0x30, 0x39]];
export const WORD: Ranges = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
export const SPACE: Ranges = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const LINE_END: Ranges = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];
export const NOT_DIGIT: Ranges = complement(DIGIT);
export const NOT_WORD: Ranges = complement(WORD);
export const NOT_SPACE: Ranges = complement(SPACE);
/** What `.` matches. */
export const NOT_LINE_END: Ranges = complement(LINE_END);

/** The classes that stand as `[:name:]` inside brackets. */
export const POSIX: ReadonlyMap<string, Ranges> = new Map<string, Ranges>([
  ['alnum', normalize([...DIGIT, [0x41, 0x5a], [0x61, 0x7a]])],
  ['alpha', normalize([[0x41, 0x5a], [0x61, 0x7a]])], // biome-ignore format: pairs read better on one line
  ['blank', normalize([[0x09, 0x09], [0x20, 0x20]])], // biome-ignore format: pairs read better on one line
  ['cntrl', normalize([[0x00, 0x1f], [0x7f, 0x7f]])], // biome-ignore format: pairs read better on one line
  ['d', DIGIT],
  ['digit', DIGIT],
  ['graph', [[0x21, 0x7e]]],
  ['lower', [[0x61, 0x7a]]],
  ['print', [[0x20, 0x7e]]],
  ['punct', normalize([[0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e]])], // biome-ignore format: pairs read better on one line
  ['s', SPACE],
  ['space', SPACE],
  ['upper', [[0x41, 0x5a]]],
  ['w', WORD],
  ['xdigit', normalize([[0x30, 0x39], [0x41, 0x46], [0x61, 0x66]])], // biome-ignore format: pairs read better on one line
]);

/** Sorts and joins. */
export function normalize(ranges: Ranges): Ranges {
  const sorted = ranges.toSorted((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** Everything that is not in a normalized set. */
export function complement(ranges: Ranges): Ranges {
  const rest: [number, number][] = [];
  let next = 0;
  for (const [from, to] of ranges) {
    if (from > next) rest.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= 0xffff) rest.push([next, 0xffff]);
  return rest;
}

/** By halves: letters that ignore case make sets of hundreds of ranges, and a client chooses how often they are asked. */
export function includes(ranges: Ranges, unit: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (!range || unit < range[0]) high = middle;
    else if (unit > range[1]) low = middle + 1;
    else return true;
  }
  return false;
}

/**
 * The letter under which upper and lower case meet, by the rule that the `i` flag of ECMAScript uses: simple upper
 * case, but never from beyond ASCII into ASCII, so that neither a Turkish dotless i nor a Kelvin sign equals a letter.
 */
export function fold(unit: number): number {
  if (unit < 0x80) return unit >= 0x61 && unit <= 0x7a ? unit - 32 : unit;
  const upper = String.fromCharCode(unit).toUpperCase();
  const code = upper.length === 1 ? upper.charCodeAt(0) : unit;
  return code < 0x80 ? unit : code;
}

/** Folds a whole text; two texts are equal while ignoring case when their folded forms are equal. */
export function foldText(text: string): string {
  let folded = '';
  for (let i = 0; i < text.length; i++) folded += String.fromCharCode(fold(text.charCodeAt(i)));
  return folded;
}

/** Every unit beyond ASCII that has another case, with the units that it equals. Built once, when first needed. */
let variantsBeyondAscii: [number, number[]][] | undefined;

function variants(): [number, number[]][] {
  if (variantsBeyondAscii) return variantsBeyondAscii;
  const groups = new Map<number, number[]>();
  for (let unit = 0x80; unit <= 0xffff; unit++) {
    const key = fold(unit);
    const group = groups.get(key);
    if (group) group.push(unit);
    else groups.set(key, [unit]);
  }
  variantsBeyondAscii = [];
  for (const group of groups.values()) {
    if (group.length > 1) for (const unit of group) variantsBeyondAscii.push([unit, group]);
  }
  return variantsBeyondAscii;
}

/** Sets beyond ASCII that were asked for before: they are constants, and take long. */
const known = new WeakMap<Ranges, Ranges>();

/** Adds the other case of everything in the set. */
export function ignoringCase(ranges: Ranges): Ranges {
  if (ranges.every(([, to]) => to < 0x80)) return addOtherCase(ranges);
  const before = known.get(ranges);
  if (before) return before;
  const cased = addOtherCase(ranges);
  known.set(ranges, cased);
  return cased;
}

function addOtherCase(ranges: Ranges): Ranges {
  const added: [number, number][] = [];
  for (const [from, to] of ranges) {
    for (let unit = Math.max(from, 0x41); unit <= Math.min(to, 0x7a); unit++) {
      if (unit <= 0x5a) added.push([unit + 32, unit + 32]);
      else if (unit >= 0x61) added.push([unit - 32, unit - 32]);
    }
  }
  if (ranges.some(([, to]) => to >= 0x80)) {
    for (const [unit, group] of variants()) {
      if (includes(ranges, unit)) for (const other of group) added.push([other, other]);
    }
  }
  return normalize([...ranges, ...added]);
}
