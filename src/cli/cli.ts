/** Arguments to command; help; errors to exit codes. */
import { readFileSync } from 'node:fs';
import inspector from 'node:inspector';
import { StartError } from '../errors.ts';
import { writeFault } from '../file-fault.ts';
import { typed } from '../program-name.ts';
import { outliveReaders, wholeOutput } from '../service/closed-output.ts';
import { type Command, EXIT, type Streams, UsageError } from './command.ts';
import { type CommandGroup, commandHelp, helpWidth, overview, usageOf } from './help.ts';
import { meant, readOptions } from './options.ts';
import { tell } from './tell.ts';

/** Only the one that is asked for is loaded: `validate` need not wait for all that serves. */
const GROUPS: readonly { readonly title: string; readonly loaders: Record<string, () => Promise<Command>> }[] = [
  {
    title: 'To set up and to serve',
    loaders: {
      init: async () => (await import('./init.ts')).init,
      run: async () => (await import('./run.ts')).run,
      demo: async () => (await import('./demo.ts')).demo,
    },
  },
  {
    title: 'To look at a configuration; nothing is opened, nothing is sent',
    loaders: {
      validate: async () => (await import('./validate.ts')).validate,
      trace: async () => (await import('./trace.ts')).trace,
    },
  },
  {
    title: 'To operate the running service',
    loaders: {
      status: async () => (await import('./status.ts')).status,
      drain: async () => (await import('./drain.ts')).drain,
    },
  },
];
const LOADERS = new Map(GROUPS.flatMap(({ loaders }) => Object.entries(loaders)));

async function commandGroups(): Promise<readonly CommandGroup[]> {
  return await Promise.all(
    GROUPS.map(async ({ title, loaders }) => ({
      title,
      commands: await Promise.all(Object.values(loaders).map((load) => load())),
    })),
  );
}

/** In the order of the help. */
export async function allCommands(): Promise<readonly Command[]> {
  return (await commandGroups()).flatMap(({ commands }) => commands);
}

/**
 * @param argv without the name of the program
 * @returns the exit code
 */
export async function runCommandLine(argv: readonly string[], streams: Streams = standardStreams()): Promise<number> {
  closeInspector();
  const [name = '', ...rest] = argv;
  if (name === '' || name === 'help' || name === '--help' || name === '-h') return await help(rest[0] ?? '', streams);
  if (name === '--version' || name === '-v') {
    streams.out.write(`${version()}\n`);
    return EXIT.fine;
  }
  const command = await LOADERS.get(name)?.();
  if (command === undefined) return unknown(name, streams);
  if (rest.includes('--help') || rest.includes('-h')) return await help(name, streams);
  try {
    return await command.run({ ...readOptions(command, rest), streams });
  } catch (error) {
    return explain(error, command, streams);
  }
}

function standardStreams(): Streams {
  outliveReaders(process, lostOutput);
  return { out: wholeOutput(process.stdout, lostOutput), err: process.stderr };
}

let outputIsLost = false;

/** Whoever keeps an answer that is not there, or not whole, must not take it for a good one. */
function lostOutput(error: unknown): void {
  if (outputIsLost) return;
  outputIsLost = true;
  tell(process.stderr, 'lychgate:', `the output cannot be written: ${writeFault(error)}.`);
  process.once('exit', () => {
    process.exitCode = EXIT.failed;
  });
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
  if (error instanceof UsageError) {
    tell(err, `lychgate ${command.name}:`, error.message);
    err.write(usageOf(command, helpWidth(err)));
    return EXIT.wrongUse;
  }
  throw error;
}

async function help(name: string, { out, err }: Streams): Promise<number> {
  const command = await LOADERS.get(name)?.();
  if (command === undefined && name !== '') return unknown(name, { out, err });
  const width = helpWidth(out);
  out.write(command ? commandHelp(command, width) : overview(await commandGroups(), version(), width));
  return EXIT.fine;
}

function unknown(name: string, { err }: Streams): number {
  const near = meant(name, name.startsWith('-') ? ['--help', '--version'] : ['help', ...LOADERS.keys()]);
  const advice = near === undefined ? '' : ` Did you mean "${near}"?`;
  tell(err, 'lychgate:', `there is no command "${name}".${advice} "${typed('help')}" lists them.`);
  return EXIT.wrongUse;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: string }).version);
}
