/** The command line inside the test process, with what it printed. */
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
