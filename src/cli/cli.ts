/** Arguments to command; help; errors to exit codes. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { nearest } from '../config/nearest.ts';
import { StartError } from '../errors.ts';
import { outliveReaders } from '../service/closed-output.ts';
import { type Command, EXIT, type Streams, UsageError } from './command.ts';
import { demo } from './demo.ts';
import { drain } from './drain.ts';
import { later } from './later.ts';
import { run } from './run.ts';
import { status } from './status.ts';
import { trace } from './trace.ts';
import { validate } from './validate.ts';

const COMMANDS: readonly Command[] = [run, demo, validate, trace, status, drain, ...later];

/**
 * @param argv without the name of the program
 * @returns the exit code
 */
export async function runCommandLine(
  argv: readonly string[],
  streams: Streams = { out: process.stdout, err: process.stderr },
): Promise<number> {
  if (streams.out === process.stdout) outliveReaders(process);
  const [name = '', ...rest] = argv;
  if (name === '' || name === 'help' || name === '--help' || name === '-h') return help(rest[0] ?? '', streams);
  if (name === '--version' || name === '-v') {
    streams.out.write(`${version()}\n`);
    return EXIT.fine;
  }
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) {
    return unknown(name, streams);
  }
  if (rest.includes('--help') || rest.includes('-h')) return help(name, streams);
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      options: command.options,
      allowPositionals: true,
      strict: command.anyArguments !== true,
    });
    return await command.run({ values, arguments: positionals, streams });
  } catch (error) {
    return explain(error, command, streams);
  }
}

function explain(error: unknown, command: Command, { err }: Streams): number {
  if (error instanceof StartError) {
    err.write(`lychgate: ${error.message}\n`);
    return EXIT.failed;
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS')) {
    err.write(
      `lychgate ${command.name}: ${error instanceof Error ? withoutHint(error.message) : ''}\n${usageOf(command)}\n`,
    );
    return EXIT.wrongUse;
  }
  throw error;
}

/** Node's hint about arguments that begin with a dash fits none of ours. */
function withoutHint(message: string): string {
  return message.replace(/\. To specify a positional argument.*$/s, '');
}

function help(name: string, { out, err }: Streams): number {
  const command = COMMANDS.find((each) => each.name === name);
  if (command) {
    const options = Object.entries(command.optionHelp).map(([option, text]) => `  ${option.padEnd(22)} ${text}\n`);
    out.write(`${command.summary}\n\n${usageOf(command)}\n${options.length > 0 ? `\n${options.join('')}` : ''}`);
    return EXIT.fine;
  }
  if (name !== '') {
    return unknown(name, { out, err });
  }
  const list = COMMANDS.map((each) => `  ${each.name.padEnd(10)} ${each.summary}\n`).join('');
  out.write(
    `Lychgate ${version()}: the reverse proxy that reads IIS ARR configuration\n\nUsage: lychgate COMMAND [options]\n\n${list}\n"lychgate help COMMAND" tells more.\nExit codes: 0 fine, 1 the answer is no, 2 wrong use, 3 could not do it.\n`,
  );
  return EXIT.fine;
}

function unknown(name: string, { err }: Streams): number {
  const near = nearest(
    name,
    COMMANDS.map((each) => each.name),
  );
  const advice = near === undefined ? '' : ` Did you mean "${near}"?`;
  err.write(`lychgate: there is no command "${name}".${advice} "lychgate help" lists them.\n`);
  return EXIT.wrongUse;
}

function usageOf(command: Command): string {
  return `Usage: lychgate ${command.name} ${command.usage}`.trimEnd();
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: string }).version);
}
