/** Bar charts as SVG, drawn by ourselves: one bar for each competitor, and a line where nginx stands. */

export interface Bar {
  readonly label: string;
  /** Undefined where there is no figure; the row stays, with a dash. */
  readonly value: number | undefined;
  /** The value as it is written beside the bar. */
  readonly text: string;
  /** The product that the report is about. */
  readonly own: boolean;
}

export interface Chart {
  readonly title: string;
  /** What is better, as "lower is better". */
  readonly note: string;
  readonly bars: readonly Bar[];
  /** The value that others are compared with. */
  readonly reference: number | undefined;
}

const WIDTH = 440;
const LABEL = 132;
/** Room for the figure behind the longest bar. */
const FIGURE = 64;
const ROW = 28;
const BAR = 16;
const TOP = 4;

export function drawChart({ title, note, bars, reference }: Chart): string {
  const largest = Math.max(...bars.map(({ value }) => value ?? 0), reference ?? 0, Number.MIN_VALUE);
  const scale = (WIDTH - LABEL - FIGURE) / largest;
  const height = TOP * 2 + bars.length * ROW;
  const rows = bars.map((bar, index) => drawBar(bar, TOP + index * ROW, scale)).join('');
  const described = bars.map(({ label, text }) => `${label} ${text}`).join(', ');
  return `<figure><figcaption>${escapeText(title)} <span>${escapeText(note)}</span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeText(`${title}: ${described}`)}">${drawReference(reference, scale, height)}${rows}</svg></figure>`;
}

function drawBar({ label, value, text, own }: Bar, top: number, scale: number): string {
  const middle = top + ROW / 2;
  // A value that is not nothing shows as at least a line.
  const width = value === undefined ? 0 : Math.max(2, value * scale);
  const kind = own ? ' class="own"' : '';
  const bar = `<rect x="${LABEL}" y="${middle - BAR / 2}" width="${width.toFixed(1)}" height="${BAR}" rx="3"/>`;
  return `<g${kind}><text x="${LABEL - 10}" y="${middle}" class="label">${escapeText(label)}</text>${bar}<text x="${(LABEL + width + 7).toFixed(1)}" y="${middle}" class="figure">${escapeText(text)}</text></g>`;
}

function drawReference(reference: number | undefined, scale: number, height: number): string {
  if (reference === undefined) return '';
  const x = (LABEL + reference * scale).toFixed(1);
  return `<line x1="${x}" x2="${x}" y1="0" y2="${height}"/>`;
}

export function escapeText(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => names[character] ?? character);
}
