/** Waits until a program that was just started answers over TLS. */

import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:tls';
import type { StartedProcess } from './child-processes.ts';
import { LoadtestFailure } from './failure.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** SNI and Host. */
  readonly host: string;
}

const DEADLINE = 30_000;
/** Between two attempts: long enough not to take the CPU from what starts. */
const PAUSE = 50;

/** Asks for `path` again and again until the answer is 200; fails as soon as one of the processes has ended. */
export async function waitReady(endpoint: Endpoint, path: string, processes: readonly StartedProcess[]): Promise<void> {
  const deadline = performance.now() + DEADLINE;
  let seen = 'no connection';
  while (performance.now() < deadline) {
    const dead = processes.find((each) => each.hasEnded());
    if (dead) throw new LoadtestFailure(`${dead.name} did not start: ${dead.lastWords()}`);
    seen = await statusLine(endpoint, path);
    if (/^HTTP\/1\.1 200\b/.test(seen)) return;
    await pause(PAUSE);
  }
  throw new LoadtestFailure(`not ready after ${DEADLINE / 1000} s: ${seen} ${processes[0]?.lastWords() ?? ''}`);
}

/** The first line of the answer, or what went wrong. */
function statusLine({ address, port, host }: Endpoint, path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, servername: host, rejectUnauthorized: false });
    const done = (text: string) => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(5000, () => done('no answer'));
    socket.on('error', ({ message }) => done(message));
    socket.on('close', () => done('closed'));
    socket.on('data', (bytes: Buffer) => done(bytes.toString('latin1').split('\r\n', 1)[0] ?? ''));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  });
}
