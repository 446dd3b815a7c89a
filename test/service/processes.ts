/** Processes and sockets that a test must not leave behind: found by a mark that children inherit. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { lychgate, type Running } from '../integration/process.ts';

export interface Marked extends Running {
  /** Process ids of the program and everything it started, as far as they live. */
  family(): number[];
}

/** The command line as a process whose whole family can be found; none of it outlives the test. */
export function marked(args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Marked {
  const mark = `LYCHGATE_TEST_MARK=${randomUUID()}`;
  const [name = '', value] = mark.split('=');
  onTestFinished(() => {
    for (const pid of familyOf(mark)) process.kill(pid, 'SIGKILL');
  });
  const running = lychgate(args, { ...options, env: { ...options.env, [name]: value } });
  return { ...running, family: () => familyOf(mark) };
}

/** Processes with this piece in their environment; one that has ended has none. */
export function familyOf(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(mark))
    .map(Number);
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return ''; // Gone meanwhile.
  }
}

/** Files and sockets that a process has open. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Whether anybody takes connections there. */
export function isListening(port: number, address = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
