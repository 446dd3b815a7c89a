/** Farms and servers as a table that fits the terminal. */
import type { ReportedCounters, ReportedFarm, ReportedServer } from '../admin/control.ts';
import { printable } from '../rewrite/print-trace.ts';
import { charactersOf, fitted, type Terminal, widthOf } from '../terminal.ts';

interface Cell {
  readonly text: string;
  readonly style?: keyof typeof STYLES;
}

const STYLES = { bad: '31', odd: '33', faint: '2', strong: '1' } as const;

/** From left to right; `rank`: the highest is left out first where there is no room. */
const COLUMNS = [
  { title: 'FARM', rank: 0, right: false },
  { title: 'SERVER', rank: 0, right: false },
  { title: 'STATE', rank: 0, right: false },
  { title: 'HEALTHY', rank: 1, right: false },
  { title: 'NOW', rank: 2, right: true },
  { title: 'TOTAL', rank: 4, right: true },
  { title: 'FAILED', rank: 3, right: true },
  { title: 'PER SECOND', rank: 5, right: true },
  { title: 'ANSWERS IN', rank: 6, right: true },
] as const;

const GAP = '  ';
/** A name is cut where it takes more of the line than this; others are whole, since `drain` is to be told them. */
const GREATEST_SHARE = 0.4;
/** In a narrow terminal all are cut, but not to less than this. */
const SHORTEST_NAME = 12;
/** Behind the titles where columns are left out. */
const LEFT_OUT = '…';

export function printStatus(farms: readonly ReportedFarm[], terminal: Terminal): string[] {
  const { colour, columns } = terminal;
  const rows = farms.flatMap((farm) =>
    farm.servers.map((server, index) => rowOf(index === 0 ? farm.name : '', server)),
  );
  const width = columns ?? Number.POSITIVE_INFINITY;
  const shown = fitting(rows, width);
  const widths = widthsOf(rows, shown, width);
  const paint = ({ text, style }: Cell) =>
    colour && style !== undefined && text !== '' ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
  const line = (cells: readonly Cell[]) =>
    shown
      .map((column, position) => {
        const room = widths[position] ?? 0;
        const cell = cells[column] ?? { text: '' };
        const cut = { ...cell, text: shortened(cell.text, room) };
        const space = ' '.repeat(Math.max(0, room - widthOf(cut.text)));
        return COLUMNS[column]?.right ? space + paint(cut) : paint(cut) + space;
      })
      .join(GAP)
      .trimEnd();
  const indent = ' '.repeat((widths[0] ?? 0) + GAP.length);
  const reason = ({ note }: Row) =>
    note === '' ? [] : fitted([indent + note], terminal).map((text) => paint({ text, style: 'faint' }));
  const titles = line(COLUMNS.map(({ title }) => ({ text: title, style: 'strong' })));
  return [
    shown.length < COLUMNS.length ? titles + GAP + LEFT_OUT : titles,
    ...rows.flatMap((row) => [line(row.cells), ...reason(row)]),
  ];
}

interface Row {
  readonly cells: readonly Cell[];
  /** Why it gets no requests, and since when. */
  readonly note: string;
}

function rowOf(farm: string, server: ReportedServer): Row {
  const { address, enabled, isHealthy, counters } = server;
  const { responseTime, requestPerSecond, failedRequests, failedWebSocketRequests } = counters;
  const numbers = [
    number(underWay(counters)),
    number(counters.totalRequests + counters.totalWebSocketRequests),
    number(failedRequests + failedWebSocketRequests),
    requestPerSecond.toFixed(1),
    responseTime > 0 ? `${responseTime.toFixed(1)} ms` : '-',
  ];
  const unhealthy = enabled && !isHealthy;
  return {
    cells: [
      { text: printable(farm), style: 'strong' },
      { text: printable(address), ...(enabled ? {} : { style: 'faint' }) },
      stateOf(server),
      unhealthy ? { text: 'no', style: 'bad' } : { text: enabled ? 'yes' : '-' },
      ...numbers.map((text) => ({ text })),
    ],
    note: enabled ? noteOf(server) : '',
  };
}

function noteOf({ isHealthy, healthReason, healthSince, isReachable, takesRequests }: ReportedServer): string {
  const since = healthSince === null ? '' : `, since ${healthSince.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}`;
  const faults = [
    ...(isHealthy ? [] : [`unhealthy: ${printable(healthReason || 'nobody said why')}${since}`]),
    ...(isReachable ? [] : ['out of reach: no connection can be made']),
  ];
  if (faults.length > 0 && takesRequests) faults.push('it takes requests all the same (minServers)');
  return faults.join('; ');
}

function stateOf({ enabled, state }: ReportedServer): Cell {
  if (!enabled) return { text: 'switched off', style: 'faint' };
  return state === 'Active' ? { text: state } : { text: printable(state), style: 'odd' };
}

/** Requests and WebSockets. */
export function underWay({ currentRequests, currentWebSocketRequests }: ReportedCounters): number {
  return currentRequests + currentWebSocketRequests;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** Indexes of the columns that there is room for beside the names. */
function fitting(rows: readonly Row[], width: number): number[] {
  let shown = COLUMNS.map((_, index) => index);
  for (;;) {
    const least = widestOf(rows, shown).map((each, position) =>
      (shown[position] ?? 0) < 2 ? Math.min(each, Math.floor(GREATEST_SHARE * width)) : each,
    );
    if (lineWidth(least) <= roomFor(shown, width)) return shown;
    const rank = Math.max(...shown.map((column) => COLUMNS[column]?.rank ?? 0));
    if (rank === 0) return shown;
    shown = shown.filter((column) => COLUMNS[column]?.rank !== rank);
  }
}

function roomFor(shown: readonly number[], width: number): number {
  return shown.length < COLUMNS.length ? width - GAP.length - LEFT_OUT.length : width;
}

/** As wide as the widest cell, the names narrower where the line would not fit. */
function widthsOf(rows: readonly Row[], shown: readonly number[], width: number): number[] {
  const widths = widestOf(rows, shown);
  for (;;) {
    const over = lineWidth(widths) - roomFor(shown, width);
    const name = (widths[0] ?? 0) > (widths[1] ?? 0) ? 0 : 1;
    const room = (widths[name] ?? 0) - SHORTEST_NAME;
    if (over <= 0 || room <= 0) return widths;
    widths[name] = (widths[name] ?? 0) - 1;
  }
}

function widestOf(rows: readonly Row[], shown: readonly number[]): number[] {
  return shown.map((column) =>
    Math.max(COLUMNS[column]?.title.length ?? 0, ...rows.map(({ cells }) => widthOf(cells[column]?.text ?? ''))),
  );
}

function lineWidth(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each + GAP.length, -GAP.length);
}

/** In the middle: names that belong together differ at either end. */
function shortened(text: string, room: number): string {
  if (widthOf(text) <= room) return text;
  const characters = [...charactersOf(text)];
  const end = beginningOf(characters.toReversed(), (room - 1) >> 1).toReversed();
  return `${beginningOf(characters, room - 1 - widthOf(end.join(''))).join('')}…${end.join('')}`;
}

function beginningOf(characters: readonly string[], room: number): string[] {
  let width = 0;
  const over = characters.findIndex((each) => {
    width += widthOf(each);
    return width > room;
  });
  return characters.slice(0, over < 0 ? undefined : over);
}
