/** Help that fits the terminal: the list of commands, and one command with its options, words and examples. */
import { typed } from '../program-name.ts';
import { terminalOf, USUAL_COLUMNS, wrapped } from '../terminal.ts';
import type { Command, Output } from './command.ts';

/** Commands that belong together. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly Command[];
}

/** Longer lines are hard to read, whatever the terminal can show. */
const GREATEST_WIDTH = 100;
const LEAST_WIDTH = 40;

/** How long lines may be where this goes. */
export function helpWidth(output: Output): number {
  return Math.min(GREATEST_WIDTH, Math.max(LEAST_WIDTH, terminalOf(output).columns ?? USUAL_COLUMNS));
}

/** @param version of Lychgate */
export function overview(groups: readonly CommandGroup[], version: string, width: number): string {
  const longest = Math.max(...groups.flatMap(({ commands }) => commands.map(({ name }) => name.length)));
  return [
    paragraph(`Lychgate ${version}: the reverse proxy that reads IIS ARR configuration`, width),
    'Usage: lychgate COMMAND [options]\n',
    ...groups.map(({ title, commands }) =>
      section(
        title,
        commands.map(({ name, summary }) => [name.padEnd(longest), summary]),
        width,
      ),
    ),
    paragraph(`"${typed('help COMMAND')}" tells more, with examples.`, width) +
      paragraph('Exit codes: 0 fine, 1 the answer is no, 2 wrong use, 3 could not do it.', width),
  ].join('\n');
}

export function commandHelp(command: Command, width: number): string {
  const { summary, optionHelp, words, examples } = command;
  return [
    paragraph(summary, width),
    usageOf(command, width),
    ...(Object.keys(optionHelp).length === 0 ? [] : [section('Options', Object.entries(optionHelp), width)]),
    ...(words === undefined ? [] : [section(words.title, Object.entries(words.meanings), width)]),
    `Examples\n${examples.map((each) => exampleOf(each, width)).join('\n')}`,
  ].join('\n');
}

/** Each form of the call, broken between its options. */
export function usageOf({ name, usage }: Command, width: number): string {
  const forms = usage.split('\n').map((form, index) => {
    const parts = form.match(/\[(?:[^[\]]|\[[^[\]]*\])*\](?:\.\.\.)?|\S+/g) ?? [];
    return filled([`lychgate ${name}`, ...parts], width, index === 0 ? 'Usage: ' : '       ', ' '.repeat(11));
  });
  return forms.join('');
}

function exampleOf({ does, line }: Command['examples'][number], width: number): string {
  return `${filled(does.split(' '), width, '  # ', '  # ')}  ${typed(line)}\n`;
}

/** Names in one column, what they mean in the next. */
function section(title: string, rows: readonly (readonly [name: string, text: string])[], width: number): string {
  const column = Math.max(...rows.map(([name]) => name.length)) + 4;
  const lines = rows.map(([name, text]) =>
    filled(text.split(' '), width, `  ${name}`.padEnd(column), ' '.repeat(column)),
  );
  return paragraph(title, width) + lines.join('');
}

function paragraph(text: string, width: number): string {
  return filled(text.split(' '), width, '', '');
}

/** Lines of whole words, no longer than `width` where the words allow it. */
function filled([word = '', ...words]: readonly string[], width: number, first: string, others: string): string {
  const lines = wrapped([first + word, ...words], width, others.length);
  return lines.map((line, index) => `${index === 0 ? '' : others}${line.join(' ')}\n`).join('');
}
