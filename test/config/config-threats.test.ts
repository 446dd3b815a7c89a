/** Rows R10 and R11 of the list of threats: hostile XML, and names of files that lead elsewhere. */
import { closeSync, ftruncateSync, openSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadFile } from '../../src/config/load-config.ts';
import { printText } from '../../src/config/print-diagnostic.ts';
import { cpuTime } from '../cpu-time.ts';
import { writeFiles } from './written.ts';

const RULES = '<rules><rule name="a"><match url="x" /></rule></rules>';

function load(content: string | Uint8Array) {
  const file = join(writeFiles({ 'rules.config': content }), 'rules.config');
  const { value, milliseconds } = cpuTime(() => loadFile(file));
  return { ...value, file, took: milliseconds };
}

describe('R10: XML', () => {
  test.each([
    [
      'an external entity',
      '<!DOCTYPE rules [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<rules>&x;</rules>',
      'LG1005',
      1,
    ],
    ['a parameter entity', '\n<!DOCTYPE rules [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]><rules />', 'LG1005', 2],
    [
      'entities that multiply',
      `<!DOCTYPE l [<!ENTITY a "aa">${'<!ENTITY b "&a;&a;&a;">'.repeat(50)}]><rules>&b;</rules>`,
      'LG1005',
      1,
    ],
    ['an entity without a definition', '<rules>\n\n&lol;</rules>', 'LG1002', 3],
    ['elements that nest without end', `${'<a>'.repeat(100_000)}`, 'LG1006', 1],
  ])('%s: refused at its line, nothing is fetched or expanded', (_, xml, code, line) => {
    // biome-ignore format: one line
    const { diagnostics, file, sources, took } = load(xml);
    expect(diagnostics[0]?.code).toBe(code);
    expect(printText(diagnostics, sources, {})).toContain(`${file}:${line}:`);
    expect(JSON.stringify(diagnostics)).not.toContain('root:');
    expect(took).toBeLessThan(1000);
  });

  test('xinclude is an unknown attribute and element, and includes nothing', () => {
    const { diagnostics } = load('<rules xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd" parse="text" /></rules>'); // biome-ignore format: one line
    expect(diagnostics.map(({ code }) => code)).toContain('LG2002');
    expect(JSON.stringify(diagnostics)).not.toContain('root:');
  });

  test('a file of 100 MB is not read', () => {
    const folder = writeFiles({});
    const file = join(folder, 'applicationHost.config');
    const descriptor = openSync(file, 'w');
    ftruncateSync(descriptor, 100 * 1024 * 1024);
    closeSync(descriptor);
    const { value, milliseconds } = cpuTime(() => loadFile(file));
    expect(value.diagnostics.map(({ code, span }) => [code, span.file])).toEqual([['LG1001', file]]);
    expect(milliseconds).toBeLessThan(500);
  });

  test('encodings: by their mark, by their declaration, and refused where neither can be read', () => {
    expect(load(`\ufeff${RULES}`).diagnostics).toEqual([]);
    expect(load(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(RULES, 'utf16le')])).diagnostics).toEqual([]);
    expect(load(`<?xml version="1.0" encoding="iso-8859-1"?>${RULES}`).diagnostics).toEqual([]);
    expect(load(Buffer.from('<rules>\xff</rules>', 'latin1')).diagnostics[0]?.code).toBe('LG1003');
    expect(load(`<?xml version="1.0" encoding="utf-7"?>${RULES}`).diagnostics[0]?.code).toBe('LG1003');
  });
});

describe('R11: names of files', () => {
  const secret = '<rules><rule name="stolen"><match url="x" /></rule></rules>';
  const config = (source: string) => `<configuration><system.webServer><rewrite><rules configSource="${source}" /></rewrite></system.webServer></configuration>`; // biome-ignore format: one line
  const read = (folder: string) => {
    const { diagnostics, config: loaded } = loadFile(join(folder, 'in', 'web.config'));
    const rules = loaded?.sites.flatMap(({ scopes }) => scopes.flatMap(({ ruleSet }) => ruleSet.rules)) ?? [];
    return { codes: diagnostics.map(({ code }) => code), rules: rules.map(({ name }) => name.value) };
  };

  test.each(['../secret.config', '..\\secret.config', 'a/../../secret.config', '/etc/passwd', 'C:\\secret.config', '\\\\server\\secret.config', `${tmpdir()}/secret.config`])(
    'configSource="%s" leaves the folder',
    (source) => {
      const folder = writeFiles({ 'secret.config': secret, 'in/a/x': '', 'in/web.config': config(source) });
      expect(read(folder)).toEqual({ codes: ['LG1013'], rules: [] });
    },
  ); // biome-ignore format: one line

  test('a link that leaves the folder does too, one within it does not', () => {
    const folder = writeFiles({ 'secret.config': secret, 'in/web.config': config('link.config'), 'in/data/own.config': secret }); // biome-ignore format: one line
    symlinkSync('../secret.config', join(folder, 'in/link.config'));
    expect(read(folder)).toEqual({ codes: ['LG1013'], rules: [] });
    const inside = writeFiles({ 'in/web.config': config('link.config'), 'in/data/own.config': secret });
    symlinkSync('data/own.config', join(inside, 'in/link.config'));
    expect(read(inside)).toEqual({ codes: [], rules: ['stolen'] });
  });

  test('a folder that is itself reached by a link is the folder', () => {
    const folder = writeFiles({ 'real/web.config': config('own.config'), 'real/own.config': secret });
    symlinkSync('real', join(folder, 'in'));
    expect(read(folder)).toEqual({ codes: [], rules: ['stolen'] });
  });

  test('links in a circle end', () => {
    const folder = writeFiles({ 'in/web.config': config('link.config') });
    symlinkSync('link.config', join(folder, 'in/link.config'));
    expect(read(folder).codes).toEqual(['LG1001']);
  });
});
