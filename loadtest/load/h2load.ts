/** Load by h2load of nghttp2 where it is installed: HTTP/2, and HTTP/1.1 at a rate. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildProcesses } from '../child-processes.ts';
import { LoadtestFailure } from '../failure.ts';
import { CIPHER_SUITE } from '../run-folder.ts';
import { type LoadJob, type LoadResult, loadResult } from './load.ts';

export interface H2loadJob extends LoadJob {
  readonly command: string;
  readonly http1: boolean;
  /** Streams at once on each connection. */
  readonly streams: number;
  /** Requests per second of all connections together, where it is not as many as there can be. */
  readonly rate?: number | undefined;
  readonly folder: string;
}

/** The arguments of h2load, which is told the rate of one connection. */
export function h2loadArguments({ endpoint, path, connections, amount, ...job }: H2loadJob, log: string): string[] {
  const { address, port, host } = endpoint;
  return [
    ...[`--clients=${connections}`, `--max-concurrent-streams=${job.streams}`, `--requests=${amount}`],
    ...[`--connect-to=${address}:${port}`, `--tls13-ciphers=${CIPHER_SUITE}`, `--log-file=${log}`],
    ...(job.http1 ? ['--h1'] : []),
    ...(job.rate === undefined ? [] : [`--rps=${job.rate / connections}`]),
    // Without the port, as the published hosts have none in their rules.
    `https://${host}${path}`,
  ];
}

export async function runH2load(job: H2loadJob, processes: ChildProcesses): Promise<LoadResult> {
  const log = join(job.folder, 'h2load.log');
  const output = join(job.folder, 'h2load.out');
  for (const file of [log, output]) rmSync(file, { force: true });
  const started = processes.start(job.command, h2loadArguments(job, log), { output });
  await started.ended;
  const text = readFileSync(output, 'utf8');
  const seconds = parseFinished(text);
  if (seconds === undefined) throw new LoadtestFailure(`h2load: ${started.lastWords()}`);
  return loadResult(job, parseRequestLog(readFileSync(log, 'utf8')), seconds);
}

/** The seconds of the line "finished in 1.02s, 9803.92 req/s, 10.11MB/s"; undefined where h2load did not get that far. */
export function parseFinished(text: string): number | undefined {
  const [, digits, unit = ''] = /^finished in ([\d.]+)(us|ms|s|m)?,/m.exec(text) ?? [];
  const scale: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60 };
  return digits === undefined ? undefined : Number(digits) * (scale[unit] ?? 1);
}

/** Milliseconds of the answers with a status of 2xx. Each line: start, status, microseconds. */
export function parseRequestLog(text: string): number[] {
  return text.split('\n').flatMap((line) => {
    const [, status = '', microseconds] = line.split('\t');
    return status.startsWith('2') ? [Number(microseconds) / 1000] : [];
  });
}
