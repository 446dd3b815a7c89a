/** The arguments of `npm run loadtest`. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Competitor } from './competitors/competitor.ts';
import { COMPETITORS } from './competitors.ts';
import { LoadtestFailure, messageOf } from './failure.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { WIDTH, wrapWords } from './text-table.ts';

export interface Options {
  readonly help: boolean;
  readonly quick: boolean;
  readonly check: boolean;
  readonly scenarios: readonly Scenario[];
  readonly competitors: readonly Competitor[];
  /** Of a load; connections that are held have fewer. */
  readonly rounds: number;
  /** Of load in each round. */
  readonly seconds: number;
  /** Seconds of load before the first round. */
  readonly warmUp: { readonly native: number; readonly onNode: number };
  /** The most connections that a scenario may hold. */
  readonly connections: number;
  readonly out: string;
}

const BESIDE = COMPETITORS.slice(1);
const INDENT = ' '.repeat(25);
const list = (title: string, all: readonly { readonly name: string }[]) =>
  wrapWords(`${title}: ${all.map(({ name }) => name).join(', ')}`, WIDTH - INDENT.length).join(`\n${INDENT}`);

export const USAGE = `npm run loadtest -- [OPTIONS]

  --quick                some minutes: fewer scenarios and connections, short rounds
  --only NAME,NAME       ${list('scenarios', SCENARIOS)}
  --against NAME,NAME    ${list('competitors beside Lychgate', BESIDE)}
  --rounds N             rounds; the median counts, and a single one is not judged (3)
  --seconds S            seconds of load in each round (4)
  --connections N        the most connections that idle and polls hold (8000)
  --out DIR              where the results go (loadtest/results)
  --check                exit code 1 where a least bound is missed, 3 where one is not judged
`;

/** @param args without the program's name; a fault is thrown as LoadtestFailure */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args);
  const quick = values.quick ?? false;
  const seconds = numberOf('--seconds', values.seconds, quick ? 0.6 : 4);
  return {
    help: values.help ?? false,
    quick,
    check: values.check ?? false,
    scenarios: values.only === undefined ? chosenScenarios(quick) : named('--only', values.only, SCENARIOS),
    competitors: COMPETITORS.filter((each) => isChosen(each, values.against)),
    rounds: Math.ceil(numberOf('--rounds', values.rounds, 3)),
    seconds,
    warmUp: quick ? { native: 0.4, onNode: 2.5 } : { native: 1, onNode: 6 },
    connections: Math.ceil(numberOf('--connections', values.connections, 8000)),
    out: values.out ?? join(import.meta.dirname, 'results'),
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    help: flag,
    quick: flag,
    check: flag,
    only: text,
    against: text,
    rounds: text,
    seconds: text,
  } as const;
  try {
    return parseArgs({ args: [...args], options: { ...options, connections: text, out: text } }).values;
  } catch (thrown) {
    throw new LoadtestFailure(messageOf(thrown));
  }
}

function chosenScenarios(quick: boolean): readonly Scenario[] {
  return quick ? SCENARIOS.filter((each) => each.quick) : SCENARIOS;
}

/** Lychgate always runs: it is what is measured. */
function isChosen(competitor: Competitor, against: string | undefined): boolean {
  if (against === undefined || competitor === COMPETITORS[0]) return true;
  return named('--against', against, COMPETITORS).includes(competitor);
}

function named<Item extends { readonly name: string }>(option: string, list: string, all: readonly Item[]): Item[] {
  const names = list.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !all.some((each) => each.name === name));
  if (unknown !== undefined) {
    throw new LoadtestFailure(`${option}: no "${unknown}"; there are ${all.map(({ name }) => name).join(', ')}`);
  }
  return all.filter(({ name }) => names.includes(name));
}

function numberOf(option: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new LoadtestFailure(`${option}: "${text}" is no number above 0`);
  return value;
}
