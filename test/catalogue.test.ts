import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../src/cli/cli.ts';
import { CATALOGUE, type Code } from '../src/config/diagnostic.ts';
import { writeFiles } from './config/written.ts';

/** Codes whose example would be a certificate, a huge file or a running service: the page tells them in words. */
const inWords: readonly Code[] = [
  ...(['LG1004', 'LG1006', 'LG3101', 'LG3102', 'LG3103', 'LG4002', 'LG4003', 'LG4004', 'LG4005', 'LG4006'] as const),
  ...(['LG4007', 'LG4008', 'LG4009', 'LG4020', 'LG4021', 'LG4022', 'LG4023', 'LG4024', 'LG4026', 'LG4027'] as const),
  ...(['LG4028', 'LG4029', 'LG4031', 'LG4032', 'LG4033', 'LG4035', 'LG4036', 'LG4038', 'LG4039'] as const),
  ...(['LG6010', 'LG6021', 'LG6034', 'LG6035'] as const),
];

const page = readFileSync(join(import.meta.dirname, '../docs/diagnostics.md'), 'utf8');
const entries = page
  .split(/^### /m)
  .slice(1)
  .map((text) => {
    const [, code = '', severity, title] = /^(LG\d{4}) \((\w+)\): (.+)$/m.exec(text) ?? [];
    const files = [...text.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(([, name = '', content = '']) => [
      name,
      content,
    ]);
    return { code, severity, title, text, files: Object.fromEntries(files) as Record<string, string> };
  });

async function findings(files: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = writeFiles(files);
  const place = 'settings.json' in files ? folder : join(folder, Object.keys(files)[0] ?? '');
  let printed = '';
  const out = { write: (text: string) => (printed += text) };
  await runCommandLine(['validate', place, '--format', 'json'], { out, err: out });
  const { diagnostics } = JSON.parse(printed) as { diagnostics: { code: string; severity: string }[] };
  return diagnostics.map(({ code, severity }) => `${code} ${severity}`);
}

describe('docs/diagnostics.md', () => {
  it('has an entry for every code of the catalogue, in its order, and no other', () => {
    const wanted = Object.entries(CATALOGUE).map(([code, [severity, title]]) => `${code} (${severity}): ${title}`);
    expect(entries.map(({ code, severity, title }) => `${code} (${severity}): ${title}`)).toEqual(wanted);
  });

  it('has meaning and cure for each, and an example for all but those listed here', () => {
    for (const { code, text } of entries)
      expect(text, code).toMatch(/^.+\n\n(?!```)[^*#\n].*(\n.+)*\n\n(.*\n)*\*\*Cure:\*\* .+\.\n/);
    expect(entries.filter(({ files }) => Object.keys(files).length === 0).map(({ code }) => code)).toEqual(inWords);
  });

  const examples = entries.filter(({ files }) => Object.keys(files).length > 0);
  it.each(examples)('the example of $code gives just this', async ({ code, severity, files }) => {
    expect([...new Set(await findings(files))]).toEqual([`${code} ${severity}`]);
  });
});
