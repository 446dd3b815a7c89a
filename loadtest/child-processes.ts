/** Starts the programs of a run, and ends every one of them again, by its own number. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LoadtestFailure } from './failure.ts';
import { type ProcessStat, readTree } from './proc.ts';

export interface StartedProcess {
  readonly name: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
  hasEnded(): boolean;
  /** The last lines that it wrote, to explain a failure. */
  lastWords(): string;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Where standard output goes; a file in the run's folder where it is left out. */
  readonly output?: string;
}

export interface ChildProcesses {
  start(command: string, args: readonly string[], options?: StartOptions): StartedProcess;
  /** A program of `programs/`, which can be asked (see `ask`). */
  startProgram(name: string, args: readonly string[], options?: StartOptions): StartedProcess;
  /** Nothing can be started any more. */
  stopAll(): Promise<void>;
  isStopping(): boolean;
}

/** How long a program may take to end on a signal, in milliseconds. */
const PATIENCE = 3000;

export function createChildProcesses(folder: string): ChildProcesses {
  const running = new Set<StartedProcess>();
  let count = 0;
  let stopping = false;
  const keep = (name: string, launch: (output: number) => ChildProcess, output: string): StartedProcess => {
    if (stopping) throw new LoadtestFailure(`the run is being stopped, ${name} is not started`);
    const descriptor = openSync(output, 'a');
    const child = launch(descriptor);
    closeSync(descriptor);
    const started = follow(name, child, output);
    running.add(started);
    void started.ended.then(() => running.delete(started));
    return started;
  };
  const outputFile = (name: string) => join(folder, `${name}-${++count}.out`);
  return {
    start(command, args, { env, output = outputFile(basename(command)) } = {}) {
      return keep(
        basename(command),
        (out) => spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', out, out] }),
        output,
      );
    },
    startProgram(name, args, { env, output = outputFile(name) } = {}) {
      const file = join(import.meta.dirname, 'programs', `${name}.ts`);
      const options = { env: { ...process.env, ...env } };
      return keep(name, (out) => fork(file, args, { ...options, stdio: ['ignore', out, out, 'ipc'] }), output);
    },
    isStopping: () => stopping,
    async stopAll() {
      stopping = true;
      await Promise.all([...running].map((each) => each.stop()));
    },
  };
}

function follow(name: string, child: ChildProcess, output: string): StartedProcess {
  let over = false;
  const ended = new Promise<void>((resolve) => {
    // `error` alone where it could not even start.
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  }).then(() => {
    over = true;
  });
  const started: StartedProcess = {
    name,
    pid: child.pid ?? 0,
    child,
    ended,
    hasEnded: () => over,
    lastWords: () => readFileSync(output, 'utf8').trimEnd().split('\n').slice(-4).join('\n').slice(-800),
    async stop() {
      if (!over && child.pid !== undefined) await end(child, child.pid, ended);
    },
  };
  return started;
}

/** SIGTERM; a second one, at which Lychgate ends at once; and what is left of it and its children by SIGKILL. */
async function end(child: ChildProcess, pid: number, ended: Promise<void>): Promise<void> {
  const tree = readTree([pid]);
  for (const signal of ['SIGTERM', 'SIGTERM'] as const) {
    child.kill(signal);
    if (await endsWithin(ended, PATIENCE)) break;
  }
  const left = readTree(tree.map((each) => each.pid)).filter((now) => tree.some((before) => isSame(before, now)));
  for (const each of left) killQuietly(each.pid);
  if (left.length > 0) await endsWithin(ended, PATIENCE);
}

function isSame(before: ProcessStat, now: ProcessStat): boolean {
  return before.pid === now.pid && before.started === now.started;
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended on its own.
  }
}

async function endsWithin(ended: Promise<void>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, milliseconds, false);
  });
  const inTime = await Promise.race([ended.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

/** Answers of programs: `{ok}` or `{failed}`. */
export type Reply = { readonly ok: unknown } | { readonly failed: string };

/** Sends a program one question and waits for its one answer. Programs are our own, so the answer is what they say it is. */
export async function ask<Answer>(program: StartedProcess, question: object): Promise<Answer> {
  const { child, name } = program;
  const reply = await new Promise<Reply>((resolve) => {
    const onMessage = (message: Reply) => resolve(message);
    child.once('message', onMessage);
    void program.ended.then(() => resolve({ failed: `${name} ended: ${program.lastWords()}` }));
    child.send(question, (error) => {
      if (error) resolve({ failed: `${name} cannot be asked: ${error.message}` });
    });
  });
  if ('failed' in reply) throw new LoadtestFailure(reply.failed);
  return reply.ok as Answer;
}
