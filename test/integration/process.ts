/** The command line as a process of its own, with what it printed; it never outlives its test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export interface Running {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves when either output matches; rejects where the process ends without. */
  prints(pattern: RegExp): Promise<void>;
  /** Resolves with the exit code, or the name of the signal. */
  exit(): Promise<number | string>;
  /** Process ids of its workers. */
  workers(): number[];
}

interface Surroundings {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** The command line of this checkout. */
export function lychgate(args: readonly string[], options: Surroundings = {}): Running {
  return started([MAIN, ...args], options);
}

/** Node with these arguments. */
export function started(args: readonly string[], options: Surroundings = {}): Running {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  });
  let stdout = '';
  let stderr = '';
  let ended: number | string | undefined;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const each of [...waiting]) each();
  };
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    wake();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    wake();
  });
  child.once('close', (code, signal) => {
    ended = code ?? signal ?? 'unknown';
    wake();
  });
  const wait = <T>(look: () => T | undefined, fail: () => Error | undefined) =>
    new Promise<T>((resolve, reject) => {
      const check = () => {
        const found = look();
        const error = found === undefined ? fail() : undefined;
        if (found === undefined && error === undefined) return;
        waiting.delete(check);
        if (found === undefined) reject(error);
        else resolve(found);
      };
      waiting.add(check);
      check();
    });
  const exit = () =>
    wait<number | string>(
      () => ended,
      () => undefined,
    );
  onTestFinished(async () => {
    if (ended === undefined) child.kill('SIGKILL');
    await exit();
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    async prints(pattern) {
      await wait(
        () => (pattern.test(stdout) || pattern.test(stderr) ? true : undefined),
        () => (ended === undefined ? undefined : new Error(`ended with ${ended}: ${stdout}${stderr}`)),
      );
    },
    exit,
    workers: () => childrenOf(child.pid ?? 0),
  };
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** The most memory a process ever held, in bytes. */
export function peakMemory(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}
