/** Messages on the error stream, one for each line, wrapped where a person reads them. */
import { terminalOf, wrapped } from '../terminal.ts';
import type { Output } from './command.ts';

/** @param from who says it, in front of each message */
export function tell(err: Output, from: string, messages: string): void {
  const { columns = Number.POSITIVE_INFINITY } = terminalOf(err);
  for (const message of messages.split('\n')) {
    const lines = wrapped(`${from} ${message}`.split(' '), columns, INDENT.length);
    err.write(`${lines.map((line) => line.join(' ')).join(`\n${INDENT}`)}\n`);
  }
}

const INDENT = '  ';
