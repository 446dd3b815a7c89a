/** Options as people write them: what is misspelt is told with the name that was most likely meant. */
import { parseArgs } from 'node:util';
import { nearest } from '../nearest.ts';
import { type Command, type CommandInput, textOption, UsageError } from './command.ts';

/** @throws UsageError */
export function readOptions(command: Command, args: readonly string[]): Omit<CommandInput, 'streams'> {
  const given = { args: [...args], options: command.options, allowPositionals: true };
  const { tokens } = parseArgs({ ...given, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    if (!Object.hasOwn(command.options, token.name))
      throw unknownOption(args[token.index] ?? '', Object.keys(command.options));
    checkValue(token, command);
  }
  const { values, positionals } = parseArgs(given);
  return { values, arguments: positionals };
}

interface OptionToken {
  readonly name: string;
  readonly value: string | undefined;
  /** It was written with the name: `--name=value`. */
  readonly inlineValue: boolean | undefined;
}

function checkValue({ name, value, inlineValue }: OptionToken, { options, optionHelp }: Command): void {
  if (options[name]?.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`--${name} takes no value`);
    return;
  }
  const [written = `--${name}`] = Object.keys(optionHelp).filter((each) => each.startsWith(`--${name} `));
  if (value === undefined || value === '') throw new UsageError(`${written}: the value is missing`);
  // The next option, most likely; standard input is a value.
  if (inlineValue === false && /^-./.test(value))
    throw new UsageError(`${written}: the value is missing; one that begins with "-" is written --${name}=${value}`);
}

/** @param written with its dashes, and maybe a value */
function unknownOption(written: string, names: readonly string[]): UsageError {
  const [, dashes = '', name = ''] = /^(-*)([^=]*)/.exec(written) ?? [];
  const near = meant(name, [...names, 'help']);
  return new UsageError(`unknown option ${dashes}${name}.${near === undefined ? '' : ` Did you mean --${near}?`}`);
}

/** One of several values, in any letter case; `undefined` where the option is not given. */
export function choiceOption<T extends string>(
  input: CommandInput,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = textOption(input, name);
  if (text === undefined) return undefined;
  const choice = choices.find((each) => each.toLowerCase() === text.toLowerCase());
  if (choice !== undefined) return choice;
  const near = meant(text, choices);
  throw new UsageError(
    `--${name} ${text}: ${near === undefined ? `one of ${choices.join(', ')} is wanted` : `did you mean "${near}"?`}`,
  );
}

/** Shorter words are too near to each other. */
const WORD_LENGTH = 4;

/** The name that a mistyped one is nearest to, else the only one that begins with it, or nearly so. */
export function meant(name: string, names: readonly string[]): string | undefined {
  const starts = names.map((each) => each.slice(0, name.length));
  const only = (begins: (start: string) => boolean) => {
    const found = names.filter((_, index) => begins(starts[index] ?? ''));
    return found.length === 1 ? found[0] : undefined;
  };
  return (
    nearest(name, names) ??
    only((start) => start.toLowerCase() === name.toLowerCase()) ??
    (name.length < WORD_LENGTH ? undefined : only((start) => nearest(name, [start]) !== undefined))
  );
}
