/**
 * The service log: pretty on a terminal, JSON otherwise. Field names are ours; credentials and cookies are never given to it.
 * Whoever reads it may stall: that neither holds up the process nor makes it larger.
 */
import pino, { type Logger } from 'pino';
import { boundedLines, type LineStream } from './bounded-lines.ts';
import { within } from './patience.ts';
import { stoppableTerminal } from './stoppable-terminal.ts';
import { terminalOf } from './terminal.ts';

export type { Logger };

export type LogStream = LineStream & { readonly isTTY?: boolean; readonly columns?: number };

const STDERR = 2;
/** What the reader of a log has not taken by so long after the end of a process is lost. */
const LAST_LINES_MS = 1000;

/** @param level a pino level; `silent` for none */
export async function createLog(level: string, stream: LogStream = process.stderr): Promise<Logger> {
  const isTerminal = stream.isTTY === true;
  const own = isTerminal && stream === process.stderr ? stoppableTerminal(STDERR) : undefined;
  const lines = boundedLines(own ?? stream, (leftOut) =>
    log.warn({ leftOut }, 'lines of this log were left out: its reader did not keep up'),
  );
  let log: Logger;
  if (isTerminal) {
    const { prettyFactory } = await import('pino-pretty');
    const pretty = prettyFactory({ colorize: terminalOf(stream).colour, ignore: 'pid,hostname' });
    const inWords = { ...lines, write: (line: string) => lines.write(pretty(line) ?? '') };
    log = pino({ level, base: null }, inWords);
  } else log = pino({ level }, lines);
  return log;
}

/** @returns false where its reader has not taken all of it in time */
export function lastLines(log: Pick<Logger, 'flush'>): Promise<boolean> {
  const written = new Promise<boolean>((resolve) => log.flush(() => resolve(true)));
  return within(LAST_LINES_MS, written, () => false);
}
