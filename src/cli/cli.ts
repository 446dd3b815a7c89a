/** Arguments to command; help; errors to exit codes. */
import { readFileSync } from 'node:fs';
import inspector from 'node:inspector';
import { StartError } from '../errors.ts';
import { typed } from '../program-name.ts';
import { outliveReaders } from '../service/closed-output.ts';
import { type Command, EXIT, type Streams, UsageError } from './command.ts';
import { demo } from './demo.ts';
import { drain } from './drain.ts';
import { type CommandGroup, commandHelp, helpWidth, overview, usageOf } from './help.ts';
import { init } from './init.ts';
import { meant, readOptions } from './options.ts';
import { run } from './run.ts';
import { status } from './status.ts';
import { tell } from './tell.ts';
import { trace } from './trace.ts';
import { validate } from './validate.ts';

const GROUPS: readonly CommandGroup[] = [
  { title: 'To set up and to serve', commands: [init, run, demo] },
  { title: 'To look at a configuration; nothing is opened, nothing is sent', commands: [validate, trace] },
  { title: 'To operate the running service', commands: [status, drain] },
];
export const COMMANDS: readonly Command[] = GROUPS.flatMap(({ commands }) => commands);

/**
 * @param argv without the name of the program
 * @returns the exit code
 */
export async function runCommandLine(
  argv: readonly string[],
  streams: Streams = { out: process.stdout, err: process.stderr },
): Promise<number> {
  if (streams.out === process.stdout) outliveReaders(process);
  closeInspector();
  const [name = '', ...rest] = argv;
  if (name === '' || name === 'help' || name === '--help' || name === '-h') return help(rest[0] ?? '', streams);
  if (name === '--version' || name === '-v') {
    streams.out.write(`${version()}\n`);
    return EXIT.fine;
  }
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) return unknown(name, streams);
  if (rest.includes('--help') || rest.includes('-h')) return help(name, streams);
  try {
    return await command.run({ ...readOptions(command, rest), streams });
  } catch (error) {
    return explain(error, command, streams);
  }
}

/** One that a signal has opened before the first line of ours ran; whoever wants it says so to Node. */
function closeInspector(): void {
  const wanted = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((each) => each.includes('--inspect'));
  if (!wanted && inspector.url() !== undefined) inspector.close();
}

function explain(error: unknown, command: Command, { err }: Streams): number {
  if (error instanceof StartError) {
    tell(err, 'lychgate:', error.message);
    return EXIT.failed;
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS')) {
    const message = error instanceof Error ? error.message : '';
    // What Node says behind its first sentence is about its own options.
    tell(err, `lychgate ${command.name}:`, message.split('\n', 1)[0] ?? '');
    err.write(usageOf(command, helpWidth(err)));
    return EXIT.wrongUse;
  }
  throw error;
}

function help(name: string, { out, err }: Streams): number {
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined && name !== '') return unknown(name, { out, err });
  const width = helpWidth(out);
  out.write(command ? commandHelp(command, width) : overview(GROUPS, version(), width));
  return EXIT.fine;
}

function unknown(name: string, { err }: Streams): number {
  const near = meant(
    name,
    COMMANDS.map((each) => each.name),
  );
  const advice = near === undefined ? '' : ` Did you mean "${near}"?`;
  tell(err, 'lychgate:', `there is no command "${name}".${advice} "${typed('help')}" lists them.`);
  return EXIT.wrongUse;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: string }).version);
}
