/**
 * Golden files of `lychgate trace`, one for each group of rows of the reference (sections 2, 3, 7 and 8): the rules, the
 * requests as lines `$ URL OPTIONS`, a line of dashes, and what is printed for each. `--json` prints the events alone,
 * without their times. UPDATE=1 writes the lower part anew.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeFiles } from '../config/written.ts';
import { commandLine } from './command-line.ts';

const folder = join(import.meta.dirname, 'golden');

async function told(input: string): Promise<string> {
  const [rules = '', ...commands] = input.split(/^\$ /m);
  const file = join(writeFiles({ 'web.config': rules }), 'web.config');
  const answers: string[] = [];
  for (const command of commands) {
    const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    const { out, err } = await commandLine('trace', '--rules', file, ...words);
    answers.push(`$ ${command.trim()}\n${words.includes('--json') ? events(out) : out}${err}`);
  }
  return answers.join('\n');
}

function events(json: string): string {
  const { events: all } = JSON.parse(json) as { events: Record<string, unknown>[] };
  return `${all.map((event) => JSON.stringify({ ...event, ElapsedMilliseconds: undefined })).join('\n')}\n`;
}

it.each(globSync('*.case', { cwd: folder }).sort())('%s', async (name) => {
  const file = join(folder, name);
  const [input = '', expected = ''] = readFileSync(file, 'utf8').split(/^-{4}\n/m);
  const result = await told(input);
  if (process.env.UPDATE === '1') writeFileSync(file, `${input}----\n${result}`);
  else expect(result).toBe(expected);
});
