/** Measures one competitor once: load on the one side, CPU time and memory of its processes on the other. */
import { setTimeout as pause } from 'node:timers/promises';
import { ask, type StartedProcess } from './child-processes.ts';
import type { Running } from './competitors/competitor.ts';
import { LoadtestFailure } from './failure.ts';
import type { LoadJob, LoadResult } from './load/load.ts';
import { type ProcessStat, readMemory, readTree } from './proc.ts';
import type { HoldQuestion } from './programs/holding-client.ts';
import type { OriginQuestion } from './programs/origin.ts';
import type { Figures } from './results.ts';
import type { ConnectionScenario, LoadScenario } from './scenarios.ts';

export type RunLoad = (job: LoadJob) => Promise<LoadResult>;

export function jobFor(scenario: LoadScenario, running: Running, amount: number): LoadJob {
  const { path, method, uploadBytes, connections, duty } = scenario;
  const endpoint = duty === 'http2' ? (running.http2Endpoint ?? running.endpoint) : running.endpoint;
  return { endpoint, path, method, uploadBytes, connections, reconnect: duty === 'handshake', amount };
}

/** Parts of the time to warm up: the first one guesses the rate, the last one tells it. */
const WARM_UP_PARTS = 3;

/** How long an instance is warmed up: this long, and until it has answered so many requests. */
export interface WarmUp {
  readonly seconds: number;
  readonly requests: number;
}

/** @returns requests per second at the end */
export async function warmUp(
  scenario: LoadScenario,
  running: Running,
  { seconds, requests }: WarmUp,
  run: RunLoad,
): Promise<number> {
  let rate = 0;
  const deadline = performance.now() + seconds * 1000;
  let amount = 0;
  let answered = 0;
  do {
    // Ever more, since what is cold tells a rate that is far too low.
    amount = roundAmount(scenario, Math.max((rate * seconds) / WARM_UP_PARTS, amount * 2));
    const result = await run(jobFor(scenario, running, amount));
    if (result.succeeded === 0) throw new LoadtestFailure('not one good answer while warming up');
    rate = result.succeeded / Math.max(result.seconds, 0.001);
    answered += result.succeeded;
  } while (performance.now() < deadline || answered < requests);
  return rate;
}

/** The same number for each connection, so that all are busy to the end. */
export function roundAmount({ connections, streams }: LoadScenario, amount: number): number {
  const step = connections * streams;
  return Math.max(1, Math.round(amount / step)) * step;
}

/** An amount, not a time: so every request has ended when the CPU time is read, and none has to be cut off. */
export async function measureLoad(
  scenario: LoadScenario,
  running: Running,
  amount: number,
  run: RunLoad,
): Promise<Figures> {
  const before = processesOf(running);
  const result = await run(jobFor(scenario, running, amount));
  const after = processesOf(running);
  const units = result.succeeded * scenario.unitsPerRequest;
  if (units === 0) throw new LoadtestFailure('not one good answer');
  return {
    throughput: units / result.seconds,
    p50: result.p50,
    p99: result.p99,
    cpu: (cpuBetween(before, after) * 1e6) / units,
    memory: memoryOf(after),
    failed: result.failed,
  };
}

/** Connections opened and closed before the first look at memory, so that what grows once has grown. */
const WARM_UP_CONNECTIONS = 200;

/** Opens the connections, reads the memory while they wait, then finds out whether each is still alive. */
export async function measureConnections(
  scenario: ConnectionScenario,
  running: Running,
  with_: { readonly count: number; readonly client: StartedProcess; readonly origin: StartedProcess },
): Promise<Figures> {
  const { count, client, origin } = with_;
  const polls = scenario.duty === 'polls';
  const tell = (question: HoldQuestion) => ask<number>(client, question);
  const path = polls ? '/hold' : '/1k';
  const open = async (connections: number) => {
    if (polls) await ask(origin, { act: 'hold' } satisfies OriginQuestion);
    return await tell({ act: 'open', endpoint: running.endpoint, path, count: connections, answered: !polls });
  };

  await open(Math.min(WARM_UP_CONNECTIONS, count));
  await finish(polls, tell, origin);
  await tell({ act: 'close' });

  const idle = await settledMemory(running);
  const before = processesOf(running);
  const began = performance.now();
  await open(count);
  if (polls) await untilHeld(origin, count, running);
  const seconds = (performance.now() - began) / 1000;
  const cpu = cpuBetween(before, processesOf(running));
  const memory = await settledMemory(running);
  const alive = await finish(polls, tell, origin);
  await tell({ act: 'close' });
  return {
    throughput: count / seconds,
    cpu: (cpu * 1e6) / count,
    memory,
    memoryPerConnection: (memory - idle) / count,
    failed: count - alive,
  };
}

/** @returns how many connections were still good for an answer */
async function finish(polls: boolean, tell: (question: HoldQuestion) => Promise<number>, origin: StartedProcess) {
  if (!polls) return await tell({ act: 'repeat' });
  await ask<number>(origin, { act: 'release' } satisfies OriginQuestion);
  return await tell({ act: 'await' });
}

const HOLD_DEADLINE = 30_000;

/** Those that never reach the origin are counted as lost later. */
async function untilHeld(origin: StartedProcess, count: number, running: Running): Promise<void> {
  const deadline = performance.now() + HOLD_DEADLINE;
  while (performance.now() < deadline) {
    if ((await ask<number>(origin, { act: 'count' } satisfies OriginQuestion)) >= count) return;
    if (running.processes.some((each) => each.hasEnded())) return;
    await pause(50);
  }
}

/** Looks until memory has stopped moving, for a few seconds at most. */
async function settledMemory(running: Running): Promise<number> {
  let last = memoryOf(processesOf(running));
  for (let looks = 0; looks < 20; looks++) {
    await pause(250);
    const now = memoryOf(processesOf(running));
    if (Math.abs(now - last) < last * 0.002) return now;
    last = now;
  }
  return last;
}

function processesOf({ processes }: Running): ProcessStat[] {
  const dead = processes.find((each) => each.hasEnded());
  if (dead) throw new LoadtestFailure(`${dead.name} ended: ${dead.lastWords()}`);
  return readTree(processes.map(({ pid }) => pid));
}

/** Seconds of those that were there before; what a new process used counts too. */
export function cpuBetween(before: readonly ProcessStat[], after: readonly ProcessStat[]): number {
  const sum = (list: readonly ProcessStat[]) => list.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0);
  const gone = before.filter(({ pid }) => !after.some((each) => each.pid === pid));
  if (gone.length > 0) throw new LoadtestFailure(`a process of it ended under load (${gone.length})`);
  return sum(after) - sum(before);
}

function memoryOf(processes: readonly ProcessStat[]): number {
  return processes.reduce((total, { pid }) => total + readMemory(pid), 0);
}
