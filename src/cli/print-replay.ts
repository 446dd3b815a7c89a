/** The summary of a replayed log: as lines that a person reads, and as JSON. */
import { textOfBytes } from '../rewrite/percent-coding.ts';
import { printable } from '../rewrite/print-trace.ts';
import type { Action } from './fate-words.ts';
import type { Replay } from './replay-log.ts';
import type { Change, RuleCount } from './replay-summary.ts';
import type { Tally } from './tally.ts';

/** Rows that are shown of each list. */
const SHOWN = 20;
const SHOWN_PATHS = 5;

const ACTIONS: readonly (readonly [Action, string])[] = [
  ['proxy', 'proxied'],
  ['redirect', 'redirected'],
  ['respond', 'answered by a rule'],
  ['abort', 'connection dropped by a rule'],
  ['none', 'no rule took it (404)'],
  ['error', 'a rule failed (500)'],
  ['refused', 'refused before or after the rules'],
];

export interface PrintReplayOptions {
  /** The folder that was compared with. */
  readonly against: string | undefined;
  readonly colour?: boolean;
}

export function printReplay(replay: Replay, { against, colour = false }: PrintReplayOptions): string[] {
  const strong = (text: string) => (colour ? `\u001b[1m${text}\u001b[0m` : text);
  const section = (title: string, rows: readonly string[]) => (rows.length > 0 ? ['', strong(title), ...rows] : []);
  const farms = [...replay.farms].map(([name, { count }]) => ({ name, count }));
  const { changes } = replay;
  return [
    strong(headline(replay)),
    ...replay.notes.map((note) => `Note: ${printable(note)}.`),
    ...section('What became of them', actionRows(replay)),
    ...section('Farms', rows(farms)),
    ...section('Directly, without a farm', tallyRows(replay.direct)),
    ...section('Rules', rows(replay.rules.map(({ count, ...rule }) => ({ name: ruleName(rule), count })))),
    ...section('Not counted: rules that hand the request on', handingOnRows(replay)),
    ...section('No rule took it, by path', untakenRows(replay.untaken)),
    ...section('Refused', tallyRows(replay.refused)),
    ...section('Rules that failed', tallyRows(replay.failed)),
    ...(against === undefined
      ? []
      : [
          '',
          strong(
            `Another fate with ${printable(against)}: ${number(changes.count)} of ${number(replay.requests)} requests`,
          ),
          ...byCount([...changes.groups.values()])
            .slice(0, SHOWN)
            .flatMap(changeRows),
          ...more(changes.groups.size - SHOWN, changes.others),
        ]),
  ];
}

function headline({ requests, files, malformed }: Replay): string {
  const read = files.filter(({ error }) => error === undefined);
  const from = read.length === 1 ? printable(read[0]?.name) : `${read.length} files`;
  const unread = malformed === 0 ? '' : `, ${number(malformed)} lines could not be read`;
  return `${number(requests)} requests from ${from === '-' ? 'standard input' : from}${unread}`;
}

function actionRows({ actions, requests }: Replay): string[] {
  return ACTIONS.flatMap(([action, words]) => {
    const count = actions.get(action) ?? 0;
    return count > 0 ? [`${row(count, words)} (${((100 * count) / requests).toFixed(1)} %)`] : [];
  });
}

function ruleName({ name, site }: Omit<RuleCount, 'count'>): string {
  return site === undefined ? name : `${name} (site ${site})`;
}

/** What took nothing is told too: that is what one looks for. */
function rows(list: readonly { readonly name: string; readonly count: number }[]): string[] {
  const sorted = byCount(list);
  const used = sorted.filter(({ count }) => count > 0);
  const shown = sorted.slice(0, Math.max(SHOWN, Math.min(used.length, SHOWN * 5)));
  return [...shown.map(({ name, count }) => row(count, printable(name))), ...more(list.length - shown.length, 0)];
}

function handingOnRows({ handingOn }: Replay): string[] {
  const shown = handingOn.slice(0, SHOWN).map((rule) => `${' '.repeat(14)}${printable(ruleName(rule))}`);
  return [...shown, ...more(handingOn.length - shown.length, 0)];
}

function tallyRows(tally: Tally): string[] {
  const shown = tally.top(SHOWN).map(({ name, count }) => row(count, readable(name)));
  return [...shown, ...more(tally.names - SHOWN, tally.others)];
}

function untakenRows(tally: Tally): string[] {
  const shown = tally.top(SHOWN).map(({ name, count, marked }) => {
    const before = marked === 0 ? '' : `  (the log has ${number(marked)} of them answered below 400)`;
    return row(count, readable(name)) + before;
  });
  return [...shown, ...more(tally.names - SHOWN, tally.others)];
}

function changeRows({ from, to, count, example, paths }: Change): string[] {
  const shown = paths.top(SHOWN_PATHS).map(({ name, count: each }) => `${readable(name)} (${number(each)})`);
  const rest = paths.names - shown.length;
  return [
    row(count, `${readable(from)} -> ${readable(to)}`),
    `${' '.repeat(14)}for example ${readable(example.request)}`,
    `${' '.repeat(18)}now  ${readable(example.from)}`,
    `${' '.repeat(18)}then ${readable(example.to)}`,
    `${' '.repeat(14)}paths: ${shown.join(', ')}${rest > 0 || paths.others > 0 ? ', …' : ''}`,
  ];
}

function more(names: number, others: number): string[] {
  if (names <= 0 && others === 0) return [];
  const uncounted = others === 0 ? '' : ` (${number(others)} requests for names beyond those that are kept)`;
  return [`${' '.repeat(14)}and ${number(Math.max(names, 0))} more${uncounted}`];
}

function row(count: number, text: string): string {
  return `${number(count).padStart(12)}  ${text}`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function byCount<Row extends { readonly count: number }>(list: readonly Row[]): Row[] {
  return [...list].sort((a, b) => b.count - a.count);
}

/** Bytes of a log as text, fit for a terminal. */
function readable(bytes: string): string {
  return printable(decoded(bytes));
}

function decoded(bytes: string): string {
  return /[^\x00-\xff]/.test(bytes) ? bytes : textOfBytes(bytes);
}

// ---- JSON ------------------------------------------------------------------------------------------------------

/** @param against the folder that was compared with */
export function replayJson(replay: Replay, against: string | undefined): object {
  const { files, requests, malformed, notes, actions, rules, farms, changes } = replay;
  return {
    files,
    requests,
    malformed,
    notes,
    actions: Object.fromEntries(ACTIONS.map(([action]) => [action, actions.get(action) ?? 0])),
    rules: rules.map(({ count, ...rule }) => ({ ...rule, requests: count })),
    notCounted: replay.handingOn,
    farms: [...farms].map(([name, { count }]) => ({ name, requests: count })),
    direct: tallyJson(replay.direct, 'origin'),
    notTaken: {
      urls: replay.untaken
        .top(SHOWN)
        .map(({ name, count, marked }) => ({ path: decoded(name), requests: count, answeredBefore: marked })),
      ...restJson(replay.untaken),
    },
    refused: tallyJson(replay.refused, 'message'),
    failed: tallyJson(replay.failed, 'message'),
    ...(against === undefined
      ? {}
      : {
          changes: {
            against,
            requests: changes.count,
            groups: byCount([...changes.groups.values()]).map(changeJson),
            otherRequests: changes.others,
          },
        }),
  };
}

function changeJson({ from, to, count, example, paths }: Change): object {
  return {
    from: decoded(from),
    to: decoded(to),
    requests: count,
    example: { request: decoded(example.request), from: decoded(example.from), to: decoded(example.to) },
    urls: paths.top(SHOWN).map(({ name, count: each }) => ({ path: decoded(name), requests: each })),
    ...restJson(paths),
  };
}

function tallyJson(tally: Tally, key: string): object {
  return {
    list: tally.top(SHOWN).map(({ name, count }) => ({ [key]: decoded(name), requests: count })),
    ...restJson(tally),
  };
}

/** How much there is in all, and what was counted without its name. */
function restJson(tally: Tally): object {
  return { requests: tally.total, names: tally.names, otherRequests: tally.others };
}
