/** Cures that, done literally, mend: each of these once named something else than was meant. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import { decode } from '../../src/config/files.ts';
import { loadFile } from '../../src/config/load-config.ts';
import { checkPublication } from '../../src/publication/check-publication.ts';
import { writeFiles } from './written.ts';

function found(xml: string): readonly Diagnostic[] {
  const { config, diagnostics } = loadFile(
    join(writeFiles({ 'applicationHost.config': xml }), 'applicationHost.config'),
  );
  const all = [...diagnostics];
  if (config) checkPublication(config, reportInto(all));
  return all;
}

const told = (xml: string) => found(xml).map(({ code, advice }) => `${code} ${advice}`);

test.each(['\u00a0', '\u2009', '\u3000', '\u200b'])('%j in a tag: a blank is wanted', (unit) => {
  const [only, more] = found(`<rules><rule name="a"><match${unit}url="x" /></rule></rules>`);
  const name = `U+${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  expect([only?.code, only?.advice, more]).toEqual(['LG1002', 'Write a blank in its place.', undefined]);
  expect(only?.message).toContain(`${name}, which looks like a blank,`);
});

test.each(['Path', 'paht', 'pth'])('<location %s>: what stands in it is not that of the file', (name) => {
  const section = '<system.webServer><defaultDocument enabled="false" /></system.webServer>';
  const xml = `<configuration>${section}<location ${name}="Lync">${section}</location></configuration>`;
  expect(told(xml).filter((each) => /LG10(09|14)/.test(each))).toEqual([
    'LG1014 Did you mean "path"? Use one of: path, overrideMode, allowOverride, inheritInChildApplications.',
  ]);
});

test.each(['utf-16le', 'utf-16be'])('%s without a mark is told as that', (encoding) => {
  const bytes = Buffer.from('<configuration />', 'utf16le');
  const { text, encodingFault } = decode(encoding === 'utf-16be' ? bytes.swap16() : bytes);
  expect([text, encodingFault?.message]).toEqual(['<configuration />', 'This is UTF-16 without a byte order mark.']);
});

test.each([
  ['^meet\\.contoso\\.com$', 'LG2203 Write "meet.contoso.com".'],
  ['^meet.*$', 'LG2203 Write "meet*".'],
  ['^(meet|dialin)\\.contoso\\.com$', 'LG2203 Use patternSyntax="ECMAScript" if this is a regular expression, and write ".*" for each "*" in the patterns of the rule.'], // biome-ignore format: one line
])('%s in a wildcard rule', (pattern, expected) => {
  const rule = `<rule name="a" patternSyntax="Wildcard"><match url="*" /><conditions><add input="{HTTP_HOST}" pattern="${pattern}" /></conditions><action type="AbortRequest" /></rule>`;
  expect(told(`<rules>${rule}</rules>`).filter((each) => each.startsWith('LG2203'))).toEqual([expected]);
});

test('a letter that looks like that of a farm: the farm is meant', () => {
  const rule =
    '<rule name="a"><match url="(.*)" /><action type="Rewrite" url="https://m\u0435et.contoso.com/{R:1}" /></rule>';
  const xml = `<configuration><system.webServer><proxy enabled="true" /><rewrite><globalRules>${rule}</globalRules></rewrite></system.webServer>
    <webFarms><webFarm name="meet.contoso.com"><server address="10.0.0.1" /></webFarm></webFarms></configuration>`;
  expect(found(xml).map(({ code }) => code).filter((code) => /LG1030|LG2237/.test(code))).toEqual(['LG2237']); // biome-ignore format: one line
});
