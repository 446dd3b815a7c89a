/** `lychgate trace --log`: runs the requests of IIS logs through the rules, and sums up. Sends nothing. */
import { statSync } from 'node:fs';
import { notLog } from '../config/foreign-file.ts';
import type { Config } from '../config/model.ts';
import type { AskedRequest } from '../decide/asked-request.ts';
import { firstBindings } from '../decide/entrances.ts';
import { imaginedDecider, imaginedRequest } from '../decide/imagined-request.ts';
import type { Output } from './command.ts';
import { readLines } from './log-lines.ts';
import { createProgressBar } from './progress-bar.ts';
import { createCounter, type Summary } from './replay-summary.ts';
import { createW3cReader, type LogEntry } from './w3c-log.ts';

export interface ReplayInput {
  readonly files: readonly string[];
  readonly config: Config;
  readonly against: Config | undefined;
  /** For the progress bar. */
  readonly err: Output;
}

export interface ReplayedFile {
  readonly name: string;
  readonly lines: number;
  /** Why it is no log, or could not be read to its end. */
  readonly error?: string;
}

export interface Replay extends Summary {
  readonly files: readonly ReplayedFile[];
  /** Lines that are no request and no directive. */
  readonly malformed: number;
  /** What the log does not tell, and what was taken for granted instead. */
  readonly notes: readonly string[];
}

const NO_LOG = 'it is no IIS log in W3C extended format';

export async function replayLogs({ files, config, against, err }: ReplayInput): Promise<Replay> {
  const decide = imaginedDecider(config);
  const decideOther = against && imaginedDecider(against);
  const { summary, count } = createCounter(config, against);
  const asRequest = requestMaker(config);
  const bar = createProgressBar(err, sizeOf(files));
  const notes = new Set<string>();
  const read: ReplayedFile[] = [];
  let malformed = 0;
  let lines = 0;
  let bytesBefore = 0;
  for (const name of files) {
    const reader = createW3cReader();
    const linesBefore = lines;
    let bytesOfFile = 0;
    const fault = await readLines(name, {
      head(text) {
        const format = notLog(text);
        return format && `${NO_LOG}, but ${format}`;
      },
      line(text) {
        lines++;
        const entry = text === undefined ? 'malformed' : reader.read(text);
        if (entry === 'malformed') malformed++;
        if (entry === undefined || entry === 'malformed') return;
        const request = asRequest(entry);
        count(entry, request, decide(request), decideOther?.(request));
      },
      progress(bytes) {
        bytesOfFile = bytes;
        bar.show(bytesBefore + bytes, lines);
      },
    });
    const trouble = lines === linesBefore ? undefined : reader.trouble();
    const error = fault ?? (trouble && `${NO_LOG}: ${trouble}`);
    if (error === undefined) for (const column of reader.missing()) notes.add(missingNote(column, config));
    bytesBefore += bytesOfFile;
    read.push({ name, lines: lines - linesBefore, ...(error === undefined ? {} : { error }) });
  }
  bar.clear();
  return { ...summary, files: withoutEmpty(read), malformed, notes: [...notes] };
}

/** IIS leaves empty files beside others where nobody asked anything; where there is nothing else, a log is missing. */
function withoutEmpty(files: readonly ReplayedFile[]): readonly ReplayedFile[] {
  if (files.some(({ lines, error }) => lines > 0 && error === undefined)) return files;
  return files.map((file) => ({ ...file, error: file.error ?? `${NO_LOG}: it is empty` }));
}

function sizeOf(files: readonly string[]): number | undefined {
  let size = 0;
  for (const name of files) {
    const status = name === '-' ? undefined : statSync(name, { throwIfNoEntry: false });
    if (!status?.isFile()) return undefined;
    size += status.size;
  }
  return size;
}

const HTTPS_PORT = 443;

/** What the log does not tell is taken from the bindings: the scheme from the port, the host from its first binding. */
function requestMaker(config: Config): (entry: LogEntry) => AskedRequest {
  const bindings = firstBindings(config.sites);
  return (entry) => {
    const port = entry.port ?? HTTPS_PORT;
    const binding = bindings.get(port);
    return imaginedRequest({
      method: entry.method,
      scheme: binding?.scheme ?? (port === HTTPS_PORT ? 'https' : 'http'),
      authority: entry.host ?? binding?.host ?? '',
      target: entry.target,
      headers: entry.headers,
      protocol: entry.protocol,
      connection: {
        remoteAddress: entry.clientAddress,
        remotePort: 0,
        localAddress: entry.serverAddress,
        localPort: port,
      },
    });
  };
}

function missingNote(column: string, config: Config): string {
  switch (column) {
    case 'cs-host': {
      const hosts = [...firstBindings(config.sites)].map(
        ([port, { host }]) => `${port}: ${host === '' ? 'any' : host}`,
      );
      const taken =
        hosts.length === 0
          ? 'the host is empty'
          : `each port stands for the host of its first binding (${hosts.slice(0, 10).join(', ')})`;
      return `no column cs-host: ${taken}. Rules that look at the host cannot be told apart`;
    }
    case 's-port':
      return `no column s-port: every request is taken for one to port ${HTTPS_PORT}`;
    case 'cs-uri-query':
      return 'no column cs-uri-query: every request is taken for one without a query';
    default:
      return `no column ${column} in a part of it: the lines there cannot be read`;
  }
}
