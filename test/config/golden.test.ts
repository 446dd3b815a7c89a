/**
 * Golden files, one for each group of rows of the reference: the input, a line of dashes, and what is found in it as
 * `CODE line:column-line:column`, IIS's status and IIS's text. Several files begin each with a line `=== NAME`; the first
 * is the one that is checked, or the folder where some stand below `sites`. UPDATE=1 writes the lower part anew.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig, loadFile } from '../../src/config/load-config.ts';
import { placesIn } from '../../src/config/print-diagnostic.ts';
import { writeFiles } from './written.ts';

const folder = join(import.meta.dirname, 'golden');

function filesIn(input: string): [name: string, content: string][] {
  if (!input.startsWith('=== ')) return [['rules.config', input]];
  const parts = input.split(/^=== (.+)\n/m).slice(1);
  return parts.flatMap((name, index) => (index % 2 === 0 ? [[name, parts[index + 1] ?? '']] : []));
}

function found(input: string): string {
  const files = filesIn(input);
  const written = writeFiles(Object.fromEntries(files));
  const first = join(written, files[0]?.[0] ?? '');
  const levels = files.some(([name]) => name.startsWith('sites/'));
  const { diagnostics, sources } = levels ? loadConfig(written) : loadFile(first);
  const placeOf = placesIn(sources);
  const lines = diagnostics.map(({ code, span, iis }) => {
    const { line, column, endLine, endColumn } = placeOf(span);
    const file = span.file === first ? '' : `${span.file.slice(written.length + 1)} `;
    const words = iis === undefined ? '' : ` ${iis.status} ${iis.text}`;
    return `${code} ${file}${line}:${column}-${endLine}:${endColumn}${words}`.trimEnd();
  });
  return lines.map((line) => `${line}\n`).join('');
}

it.each(globSync('*.case', { cwd: folder }).sort())('%s', (name) => {
  const file = join(folder, name);
  const [input = '', expected = ''] = readFileSync(file, 'utf8').split(/^-{3,}\n/m);
  const result = found(input);
  if (process.env.UPDATE === '1') writeFileSync(file, `${input}----\n${result}`);
  else expect(result).toBe(expected);
});
