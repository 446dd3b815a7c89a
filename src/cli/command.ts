/** What a command of the command line is, and what its exit codes mean. */
import type { ParseArgsOptionsConfig } from 'node:util';

export const EXIT = {
  fine: 0,
  /** The answer is "no": diagnostics with errors, a failing check. */
  no: 1,
  wrongUse: 2,
  /** Could not do it: port taken, file unreadable. */
  failed: 3,
} as const;

export interface Output {
  readonly isTTY?: boolean;
  /** Of the terminal. */
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Streams {
  readonly out: Output;
  readonly err: Output;
}

export interface CommandInput {
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  readonly arguments: readonly string[];
  readonly streams: Streams;
}

export interface Command {
  readonly name: string;
  /** What stands behind the name in the help; a line for each form of the call. */
  readonly usage: string;
  readonly summary: string;
  readonly options: ParseArgsOptionsConfig;
  /** One line for each option. */
  readonly optionHelp: Readonly<Record<string, string>>;
  /** What the words mean that the command takes or shows. */
  readonly words?: { readonly title: string; readonly meanings: Readonly<Record<string, string>> };
  /** Calls that do what they say; `line` as one types it behind the name of the program. */
  readonly examples: readonly { readonly does: string; readonly line: string }[];
  /** Resolves with the exit code. */
  run(input: CommandInput): Promise<number> | number;
}

/** A wrong call: told with the usage of the command, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The value of a string option. */
export function textOption(input: CommandInput, name: string): string | undefined {
  const value = input.values[name];
  return typeof value === 'string' ? value : undefined;
}

/** The values of an option that may be given several times. */
export function listOption(input: CommandInput, name: string): string[] {
  const value = input.values[name];
  return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string');
}

/** For commands that take options only. */
export function refuseArguments({ arguments: [first] }: CommandInput): void {
  if (first !== undefined) throw new UsageError(`"${first}" is one word too many`);
}
