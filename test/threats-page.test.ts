import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const page = readFileSync(join(import.meta.dirname, '../docs/threats.md'), 'utf8');

interface Row {
  readonly id: string;
  readonly tests: readonly { readonly file: string; readonly name: string | undefined }[];
  readonly reason: string;
}

const rows: readonly Row[] = [...page.matchAll(/^\| ([A-Z]\d\d) +\|[^|]*\|([^|]*)\|([^|]*)\|$/gm)].map(
  ([, id = '', tests = '', reason = '']) => ({
    id,
    tests: [...tests.matchAll(/`([\w./-]+\.ts)`(?: "([^"]+)")?/g)].map(([, file = '', name]) => ({ file, name })),
    reason: reason.trim(),
  }),
);

const range = (letter: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${letter}${String(from + i).padStart(2, '0')}`);

test('the page has every row once', () => {
  const wanted = [
    ...range('H', 1, 26),
    ...['T01', 'T05', 'T07', 'T08', 'T09', 'R08', 'R14', 'R15', 'R16', 'R19', 'R20'],
    ...range('W', 1, 7),
    ...range('U', 1, 12),
    ...range('F', 1, 20),
  ];
  expect(rows.map(({ id }) => id)).toEqual(wanted);
});

test.each(rows.map((row) => [row.id, row] as const))('%s: its tests exist, or the reason is told', (_id, row) => {
  expect(row.tests.length > 0 || row.reason !== '').toBe(true);
  for (const { file, name } of row.tests) {
    const path = join(import.meta.dirname, file);
    const text = readFileSync(path, 'utf8');
    if (name !== undefined) expect(text.includes(`'${name}'`), `${file}: ${name}`).toBe(true);
  }
});
