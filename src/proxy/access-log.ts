/** The access log: one line per request, in batches. Never holds up traffic. */
import { fstatSync } from 'node:fs';
import pino from 'pino';
import type { Logger } from '../log.ts';
import { type AccessRecord, lineMaker, w3cHeader } from './access-line.ts';

export interface AccessLog {
  write(record: AccessRecord): void;
  /** Resolves when what was written is on its way. */
  close(): Promise<void>;
}

export interface AccessLogOptions {
  readonly format: 'json' | 'w3c' | 'off';
  /** Absent: standard output. */
  readonly file?: string;
  /** Names of fields. */
  readonly fields: readonly string[];
}

/** What may wait for a slow disk or pipe before lines are dropped and counted. */
const BUFFER_BYTES = 16 * 1024 * 1024;
/** A pipe takes this much in one piece (PIPE_BUF), so that the lines of several workers never mix. */
const PIPE_BYTES = 4096;
/** A write costs as much as a request, so that a file gets few and large ones. */
const FILE_BYTES = 32 * 1024;
/** No line waits longer for others. */
const LONGEST_WAIT_MS = 1000;

/** @throws the error of the file system where the file cannot be opened */
export function openAccessLog(options: AccessLogOptions, log: Logger): AccessLog {
  if (options.format === 'off') return { write: () => undefined, close: () => Promise.resolve() };
  const toLine = lineMaker(options.format, options.fields);
  const pipe = options.file === undefined && isPipe(1);
  const destination = pino.destination({
    dest: options.file ?? 1,
    sync: false,
    mkdir: false,
    // Batches come whole: pino would count the bytes of all that waits anew with each line.
    minLength: 0,
    maxWrite: pipe ? PIPE_BYTES : 2 * FILE_BYTES,
    maxLength: BUFFER_BYTES,
  });
  const readerGone = new Promise<void>((resolve) => {
    destination.on('error', ({ code }: NodeJS.ErrnoException) => {
      // pino takes nothing more from here on, and would never tell of its end.
      if (code === 'EPIPE') resolve();
    });
  });
  reportLoss(destination, log);
  if (options.format === 'w3c') destination.write(w3cHeader(options.fields));
  const atOnce = options.file === undefined && process.stdout.isTTY;
  const batch = createBatch(atOnce ? 0 : pipe ? PIPE_BYTES : FILE_BYTES, (lines) => void destination.write(lines));
  let ended: Promise<void> | undefined;
  return {
    write: (record) => batch.add(toLine(record)),
    close() {
      if (ended) return ended;
      batch.flush();
      const closed = new Promise<void>((resolve) => destination.once('close', resolve));
      destination.end();
      ended = Promise.race([closed, readerGone]);
      return ended;
    },
  };
}

/** Gathers lines up to a number of bytes, or for as long as one may wait. No batch is larger, unless a single line is. */
function createBatch(bytes: number, send: (lines: string) => void): { add(line: string): void; flush(): void } {
  let lines = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (lines !== '') send(lines);
    lines = '';
  };
  return {
    add(line) {
      if (lines.length + line.length > bytes) flush();
      lines += line;
      if (lines.length >= bytes) flush();
      else timer ??= setTimeout(flush, LONGEST_WAIT_MS).unref();
    },
    flush,
  };
}

function isPipe(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFIFO();
  } catch {
    return false; // Standard output is closed: there is nothing to keep apart.
  }
}

type Destination = ReturnType<typeof pino.destination>;

/** Lost lines are told once a second at most, with their number; a failing file once per kind of error. */
function reportLoss(destination: Destination, log: Logger): void {
  let lost = 0;
  const told = new Set<string>();
  let waiting = false;
  destination.on('drop', (lines: string) => {
    lost += lines.split('\n').length - 1;
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      log.warn({ lost }, 'access-log lines were lost: the log cannot keep up');
      lost = 0;
      waiting = false;
    }, 1000).unref();
  });
  destination.on('error', (error: NodeJS.ErrnoException) => {
    if (told.has(error.code ?? '')) return;
    told.add(error.code ?? '');
    log.error({ code: error.code }, `access log: ${error.message}`);
  });
}
