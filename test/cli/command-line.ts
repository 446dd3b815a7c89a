/** The command line inside the test process, with what it printed. */
import { stripVTControlCharacters } from 'node:util';
import { runCommandLine } from '../../src/cli/cli.ts';

export interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function commandLine(...args: string[]): Promise<Printed> {
  let out = '';
  let err = '';
  const code = await runCommandLine(args, {
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
  });
  return { code, out, err };
}

/** What a person sees in a terminal of so many columns, without styles. */
export async function inTerminal(columns: number, ...args: string[]): Promise<string> {
  let out = '';
  const stream = { isTTY: true, columns, write: (text: string) => (out += text) };
  await runCommandLine(args, { out: stream, err: { write: () => {} } });
  return stripVTControlCharacters(out);
}
