/** What a person sees of a text in a terminal: the columns that it takes, words wrapped to them, and whether there are colours. */

/** What is known of an output stream. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface Terminal {
  readonly colour: boolean;
  /** Columns of a line; absent where nobody looks at it, since a file or the next program wants whole lines. */
  readonly columns?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Of a terminal that does not tell, and of quoted source in a file. */
export const USUAL_COLUMNS = 80;

/** Each stream is asked for itself: the other one may be a file. */
export function terminalOf(screen: Screen, environment: Environment = process.env): Terminal {
  if (screen.isTTY !== true) return { colour: false };
  // Some terminals without a known size say 0.
  const columns = [screen.columns, Number(environment.COLUMNS)].find((each) => each !== undefined && each >= 1);
  return { colour: wantsColour(environment), columns: Math.floor(columns ?? USUAL_COLUMNS) };
}

/** As https://no-color.org has it: any value but the empty one. */
function wantsColour({ NO_COLOR, TERM }: Environment): boolean {
  return (NO_COLOR ?? '') === '' && TERM !== 'dumb';
}

const segmenter = new Intl.Segmenter();
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const INVISIBLE = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u;

/** What a person takes for one character. */
export function* charactersOf(text: string): Iterable<string> {
  for (const { segment } of segmenter.segment(text)) yield segment;
}

const STYLES = /\u001b\[[\d;]*m/g;

/** Columns that a text takes: wide characters take two, combining ones and styles none. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const character of charactersOf(text.replace(STYLES, ''))) {
    if (!INVISIBLE.test(character)) columns += WIDE.test(character) ? 2 : 1;
  }
  return columns;
}

/**
 * Words in lines of at most so many columns; one that is longer stays whole on a line of its own.
 * @param words may hold blanks that are not to be broken at
 * @param hanging columns that lines behind the first begin with
 */
export function wrapped(words: readonly string[], columns: number, hanging: number): readonly (readonly string[])[] {
  const lines: string[][] = [[]];
  let taken = 0;
  for (const word of words) {
    const width = widthOf(word);
    const line = lines.at(-1) ?? [];
    if (line.length > 0 && taken + 1 + width > columns) {
      lines.push([word]);
      taken = hanging + width;
    } else {
      taken += width + (line.length > 0 ? 1 : 0);
      line.push(word);
    }
  }
  return lines;
}

/** What a line of a list begins with: blanks, and a mark or a number. */
const BEGINNING = /^ *(?:(?:=>|[+-]|[\d,]+) +)?/;

/** Lines, styled or not, in the width of a terminal; those that go on are indented below their text. Where nobody looks, as they are. */
export function fitted(lines: readonly string[], { columns }: Terminal): readonly string[] {
  if (columns === undefined) return lines;
  return lines.flatMap((line) => {
    if (widthOf(line) <= columns) return [line];
    const [beginning = ''] = BEGINNING.exec(line.replace(STYLES, '')) ?? [];
    const hanging = Math.min(beginning.length + 2, columns >> 1);
    const blanks = /^ */.exec(line)?.[0] ?? '';
    const [first = '', ...words] = line.slice(blanks.length).split(' ');
    return wrapped([blanks + first, ...words], columns, hanging).map(
      (each, index) => (index === 0 ? '' : ' '.repeat(hanging)) + each.join(' '),
    );
  });
}
