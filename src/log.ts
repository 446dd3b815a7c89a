/** The service log: pretty on a terminal, JSON otherwise. Field names are ours; credentials and cookies are never given to it. */
import pino, { type Logger } from 'pino';
import { terminalOf } from './terminal.ts';

export type { Logger };

/** @param level a pino level; `silent` for none */
export async function createLog(
  level: string,
  stream: NodeJS.WritableStream & { isTTY?: boolean } = process.stderr,
): Promise<Logger> {
  if (stream.isTTY === true) {
    const { default: pretty } = await import('pino-pretty');
    return pino(
      { level, base: null },
      pretty({ colorize: terminalOf(stream).colour, destination: stream, ignore: 'pid,hostname', sync: true }),
    );
  }
  return pino({ level }, stream);
}
