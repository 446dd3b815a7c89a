/** The access log: one line per request, in batches. Never holds up traffic. */
import { constants, fstatSync, openSync, statSync } from 'node:fs';
import pino from 'pino';
import { writeFault } from '../file-fault.ts';
import type { Logger } from '../log.ts';
import { within } from '../patience.ts';
import { createLimitedLog } from '../telling-limit.ts';
import { type AccessRecord, lineMaker, w3cHeader } from './access-line.ts';

export interface AccessLog {
  write(record: AccessRecord): void;
  /** Resolves when what was written is on its way, or when it is clear that nobody takes it. */
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
const STDOUT = 1;
/** A pipe takes this much in one piece (PIPE_BUF), so that the lines of several workers never mix. */
const PIPE_BYTES = 4096;
/** A write costs as much as a request, so that a file gets few and large ones. */
const FILE_BYTES = 32 * 1024;
/** No line waits longer for others. */
const LONGEST_WAIT_MS = 1000;
/** What a reader or a disk has not taken so long after the end is lost: the supervisor waits 5 seconds for a worker. */
const LAST_LINES_MS = 3000;

/**
 * Opens the file for lines behind those that it has. A pipe with a name is opened for both directions: whoever only wrote to it
 * would wait for a reader to come, and have a broken one when it goes; this way its lines wait for the next one.
 * @throws the error of the file system
 */
export function openLogFile(file: string): number {
  const isPipe = statSync(file, { throwIfNoEntry: false })?.isFIFO() === true;
  return openSync(file, isPipe ? constants.O_RDWR : 'a');
}

/** @throws the error of the file system where the file cannot be opened */
export function openAccessLog(options: AccessLogOptions, log: Logger): AccessLog {
  if (options.format === 'off') return { write: () => undefined, close: () => Promise.resolve() };
  const toLine = lineMaker(options.format, options.fields);
  const descriptor = options.file === undefined ? STDOUT : openLogFile(options.file);
  const pipe = isPipe(descriptor);
  const destination = pino.destination({
    dest: descriptor,
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
  const loss = reportLoss(destination, log);
  const send = (lines: string) => {
    loss.sent(lines);
    destination.write(lines);
  };
  if (options.format === 'w3c') send(w3cHeader(options.fields));
  const atOnce = options.file === undefined && process.stdout.isTTY;
  const batch = createBatch(atOnce ? 0 : pipe ? PIPE_BYTES : FILE_BYTES, send);
  let ended: Promise<void> | undefined;
  return {
    write: (record) => batch.add(toLine(record)),
    close() {
      if (ended) return ended;
      batch.flush();
      const closed = new Promise<void>((resolve) => destination.once('close', resolve));
      // It would be tried again with the next line only.
      const failed = new Promise<void>((resolve) => destination.once('error', () => resolve())).then(loss.atEnd);
      destination.end();
      ended = within(LAST_LINES_MS, Promise.race([closed, readerGone, failed]), loss.atEnd);
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

interface Loss {
  sent(lines: string): void;
  /** Tells what was not taken, where nothing is taken any more. */
  atEnd(): void;
}

/** Lost lines are told once a second at most, with their number; a failing file when it begins to fail, and when it is well again. */
function reportLoss(destination: Destination, log: Logger): Loss {
  let dropped = 0;
  let waiting = false;
  let bytes = 0;
  const failing = new Set<string>();
  let fault = '';
  const limitedLog = createLimitedLog(log);
  const tell = () => {
    waiting = false;
    if (dropped > 0) log.warn({ lost: dropped }, 'access-log lines were lost: the log cannot keep up');
    dropped = 0;
  };
  destination.on('drop', (lines: string) => {
    dropped += lines.split('\n').length - 1;
    bytes -= lines.length;
    if (waiting) return;
    waiting = true;
    setTimeout(tell, 1000).unref();
  });
  destination.on('write', (written: number) => {
    bytes -= written;
    if (failing.size === 0) return;
    failing.clear();
    fault = '';
    limitedLog.tell('info', 'well', {}, 'access log: it is written again');
  });
  destination.on('error', (error: NodeJS.ErrnoException) => {
    const { code = '' } = error;
    fault = writeFault(error);
    if (failing.has(code)) return;
    failing.add(code);
    limitedLog.tell('error', code, { code }, `access log: ${fault}`);
  });
  return {
    sent(lines) {
      bytes += lines.length;
    },
    atEnd() {
      tell();
      log.warn({ bytes }, `the last lines of the access log are lost: ${fault === '' ? 'nobody took them' : fault}`);
    },
  };
}
