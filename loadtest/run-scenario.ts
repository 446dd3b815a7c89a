/** Runs one scenario for all competitors: round by round in turn, so that a machine that drifts hits all alike. */
import { join } from 'node:path';
import type { ChildProcesses, StartedProcess } from './child-processes.ts';
import { ask } from './child-processes.ts';
import type { Competitor, Running, Setup } from './competitors/competitor.ts';
import { messageOf } from './failure.ts';
import { findCommand } from './find-command.ts';
import { runH2load } from './load/h2load.ts';
import type { LoadResult } from './load/load.ts';
import { measureConnections, measureLoad, type RunLoad, roundAmount, warmUp } from './measure.ts';
import type { Options } from './options.ts';
import { type Origin, startOrigin } from './origin.ts';
import { openFilesLimit } from './proc.ts';
import type { LoadQuestion } from './programs/load-generator.ts';
import type { Progress } from './progress.ts';
import { type Figures, medianFigures, type Row, type ScenarioResult } from './results.ts';
import type { RunFolder } from './run-folder.ts';
import type { ConnectionScenario, LoadScenario, Scenario } from './scenarios.ts';

export interface RunContext {
  readonly options: Options;
  readonly folder: RunFolder;
  readonly processes: ChildProcesses;
  readonly progress: Progress;
  /** The process for the HTTP/1.1 load. */
  readonly generator: StartedProcess;
  /** The origin of everything but long polls. */
  readonly origin: Origin;
}

/** A competitor in a scenario, with its rounds so far. */
interface Entrant {
  readonly competitor: Competitor;
  readonly version: string;
  readonly rounds: Figures[];
  failure?: string;
  running?: Running;
  /** Requests of one round. */
  amount: number;
}

export function rounds(scenario: Scenario, { rounds: wanted }: Options): number {
  // Memory moves little from round to round, and thousands of handshakes take their time; one alone would tell of no spread.
  return scenario.kind === 'connections' ? Math.min(wanted, 2) : wanted;
}

export function entrants(scenario: Scenario, { competitors }: Options): Competitor[] {
  return competitors.filter(({ duties, version }) => duties.includes(scenario.duty) && version() !== undefined);
}

/** @returns undefined where what makes the load is not installed */
export async function runScenario(scenario: Scenario, context: RunContext): Promise<ScenarioResult | undefined> {
  if (scenario.kind === 'load' && scenario.tool === 'h2load' && findCommand('h2load') === undefined) {
    context.progress.note(`${scenario.title}: left out, h2load is not installed (Debian: nghttp2-client)`);
    return undefined;
  }
  const all: Entrant[] = entrants(scenario, context.options).map((competitor) => ({
    competitor,
    version: competitor.version() ?? '',
    rounds: [],
    amount: 0,
  }));
  if (scenario.kind === 'load') await runLoadRounds(scenario, all, context);
  else await runConnectionRounds(scenario, all, context);
  return resultOf(scenario, all.map(rowOf), context.options);
}

async function runLoadRounds(scenario: LoadScenario, all: readonly Entrant[], context: RunContext): Promise<void> {
  const { options, progress } = context;
  const run = loadRunner(scenario, context);
  const wanted = rounds(scenario, options);
  const setup = setupFor(scenario, context.origin);
  for (const each of all) {
    await attempt(each, scenario, context, async () => {
      progress.show(`${scenario.title}: ${each.competitor.label} starts and warms up`);
      const running = await each.competitor.start({ setup, ...context });
      each.running = running;
      for (const before of scenario.after) await warm(before, each, running, context, loadRunner(before, context));
      const rate = await warm(scenario, each, running, context, run);
      each.amount = roundAmount(scenario, rate * options.seconds);
    });
  }
  for (let round = 0; round < wanted; round++) {
    for (const each of inTurn(all, round)) {
      progress.step(`${scenario.title}: ${each.competitor.label}, round ${round + 1} of ${wanted}`);
      const { running } = each;
      if (!running || each.failure !== undefined) continue;
      await attempt(each, scenario, context, async () => {
        each.rounds.push(await measureLoad(scenario, running, each.amount, run));
      });
    }
  }
  for (const each of all) await stop(each);
}

/** Forth and back, so that neighbours of the table are neighbours in time, and none is always the first of them. */
export function inTurn<Item>(all: readonly Item[], round: number): Item[] {
  return round % 2 === 0 ? [...all] : [...all].reverse();
}

function warm(
  scenario: LoadScenario,
  { competitor }: Entrant,
  running: Running,
  { options }: RunContext,
  run: RunLoad,
): Promise<number> {
  const { native, onNode } = options.warmUp;
  const asked = competitor.onNode
    ? { seconds: onNode, requests: scenario.warmUpRequests }
    : { seconds: native, requests: 0 };
  return warmUp(scenario, running, asked, run);
}

/** Each round has an instance of its own: memory that one has taken for many connections it keeps. */
async function runConnectionRounds(scenario: ConnectionScenario, all: readonly Entrant[], context: RunContext) {
  const { folder, processes, progress, options } = context;
  const polls = scenario.duty === 'polls';
  const origin = polls ? await startOrigin(folder, processes, true) : context.origin;
  const setup = setupFor(scenario, origin);
  const count = connectionCount(scenario, options);
  const wanted = rounds(scenario, options);
  for (let round = 0; round < wanted; round++) {
    for (const each of inTurn(all, round)) {
      progress.step(
        `${scenario.title}: ${each.competitor.label}, ${count} connections, round ${round + 1} of ${wanted}`,
      );
      if (each.failure !== undefined) continue;
      const client = processes.startProgram('holding-client', []);
      await attempt(each, scenario, context, async () => {
        each.running = await each.competitor.start({ setup, ...context });
        const process = origin.process;
        each.rounds.push(await measureConnections(scenario, each.running, { count, client, origin: process }));
      });
      await client.stop();
      await stop(each);
    }
  }
  if (polls) await origin.process.stop();
}

/** A competitor that fails is told and left out; the others go on. */
async function attempt(
  each: Entrant,
  { title }: Scenario,
  { progress, processes }: RunContext,
  work: () => Promise<void>,
) {
  try {
    await work();
  } catch (thrown) {
    // Interrupted: what fails now says nothing, and the handler of the signal ends the process.
    if (processes.isStopping()) await new Promise(() => undefined);
    each.failure = messageOf(thrown);
    progress.note(`${title}: ${each.competitor.label} failed: ${each.failure}`);
  }
}

async function stop({ running }: Entrant): Promise<void> {
  await Promise.all((running?.processes ?? []).map((each) => each.stop()));
}

function setupFor({ workers, hosts }: Scenario, origin: Origin): Setup {
  return { workers, hosts, origin: origin.endpoint };
}

function loadRunner(
  { tool, streams, rate, duty }: LoadScenario,
  { folder, generator, processes }: RunContext,
): RunLoad {
  if (tool !== 'h2load') {
    return (job) => ask<LoadResult>(generator, { tool, job } satisfies LoadQuestion);
  }
  const command = findCommand('h2load') ?? 'h2load';
  const own = join(folder.subfolder('h2load'));
  return (job) => runH2load({ ...job, command, http1: duty !== 'http2', streams, rate, folder: own }, processes);
}

/** A competitor in one process needs two descriptors for a poll, and some to spare. */
export function connectionCount(scenario: ConnectionScenario, { quick, connections }: Options): number {
  const wanted = quick ? Math.min(scenario.quickConnections, connections) : Math.min(scenario.connections, connections);
  return Math.min(wanted, Math.floor((openFilesLimit() - 1000) / 2));
}

function resultOf(scenario: Scenario, rows: readonly Row[], options: Options): ScenarioResult {
  const { name, title, about } = scenario;
  if (scenario.kind === 'load') {
    const { kind, unit, rate } = scenario;
    return { name, title, about, kind, unit, ...(rate === undefined ? {} : { rate }), rows };
  }
  const held = { count: connectionCount(scenario, options), full: scenario.connections };
  const all = { name, title, about: `${held.count.toLocaleString('en-US')}; ${about}`, held, rows };
  return { ...all, kind: scenario.kind, unit: 'connection' };
}

function rowOf({ competitor, version, rounds: done, failure }: Entrant): Row {
  const figures = medianFigures(done);
  return {
    competitor: competitor.name,
    label: competitor.label,
    version,
    rounds: done,
    ...(figures ? { median: figures } : {}),
    ...(failure === undefined ? {} : { failure }),
  };
}
