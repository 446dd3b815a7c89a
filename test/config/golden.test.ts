/**
 * Golden files, one for each group of rows of the reference: the input, a line of dashes, and what `lychgate validate`
 * finds in it as `CODE line:column-line:column`, with `UI` where IIS Manager would refuse it, IIS's status and IIS's text.
 * Several files begin each with a line `=== NAME`; the first is the one that is checked, or the folder where some stand
 * below `sites`. UPDATE=1 writes the lower part anew.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/cli.ts';
import { writeFiles } from './written.ts';

const folder = join(import.meta.dirname, 'golden');

function filesIn(input: string): [name: string, content: string][] {
  if (!input.startsWith('=== ')) return [['rules.config', input]];
  const parts = input.split(/^=== (.+)\n/m).slice(1);
  return parts.flatMap((name, index) => (index % 2 === 0 ? [[name, parts[index + 1] ?? '']] : []));
}

interface Told {
  readonly code: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly iis?: { readonly status: string; readonly text: string };
  readonly ui?: true;
}

async function found(input: string): Promise<string> {
  const files = filesIn(input);
  const written = writeFiles(Object.fromEntries(files));
  const first = join(written, files[0]?.[0] ?? '');
  const levels = files.some(([name]) => name.startsWith('sites/'));
  let printed = '';
  const out = { write: (text: string) => (printed += text) };
  await runCommandLine(['validate', levels ? written : first, '--format', 'json'], { out, err: out });
  const { diagnostics } = JSON.parse(printed) as { readonly diagnostics: readonly Told[] };
  const lines = diagnostics.map(({ code, file, line, column, endLine, endColumn, iis, ui }) => {
    const where = file === first ? '' : `${file.slice(written.length + 1)} `;
    const words = iis === undefined ? '' : ` ${iis.status} ${iis.text}`;
    return `${code} ${where}${line}:${column}-${endLine}:${endColumn}${ui ? ' UI' : ''}${words}`.trimEnd();
  });
  return lines.map((line) => `${line}\n`).join('');
}

it.each(globSync('*.case', { cwd: folder }).sort())('%s', async (name) => {
  const file = join(folder, name);
  const [input = '', expected = ''] = readFileSync(file, 'utf8').split(/^-{3,}\n/m);
  const result = await found(input);
  if (process.env.UPDATE === '1') writeFileSync(file, `${input}----\n${result}`);
  else expect(result).toBe(expected);
});
