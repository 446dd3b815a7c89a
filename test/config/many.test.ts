/** What is found often in a file: told at one place, or a hundred times, and counted. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Diagnostic, type Finding, inOrder, reportInto } from '../../src/config/diagnostic.ts';
import { loadFile } from '../../src/config/load-config.ts';
import { printJson, printText } from '../../src/config/print-diagnostic.ts';
import { printGithub } from '../../src/config/print-github.ts';
import { printSarif } from '../../src/config/print-sarif.ts';
import { checkConfig } from '../../src/service/check-config.ts';
import { commandLine } from '../cli/command-line.ts';
import { leastCpuTime } from '../cpu-time.ts';
import { writeFiles } from './written.ts';

const at = (start: number, file = 'f') => ({ file, start, end: start + 1 });
const words: Finding = { message: 'Wrong.', advice: 'Mend it.' };

describe('the cap', () => {
  it('a hundred of a code in a file are told, the rest is one that counts', () => {
    const found: Diagnostic[] = [];
    const report = reportInto(found);
    for (let index = 0; index < 250; index += 1) report('LG2002', at(index), words);
    for (let index = 0; index < 3; index += 1) report('LG2001', at(index), words);
    report('LG2002', at(0, 'g'), words);
    expect(found.filter(({ more }) => more === undefined)).toHaveLength(104);
    const rest = found.filter(({ more }) => more !== undefined);
    expect(rest.map(({ code, severity, more, span, message }) => ({ code, severity, more, span, message }))).toEqual([
      {
        code: 'LG2002',
        severity: 'error',
        more: 150,
        span: at(100),
        message: '… and 150 more of LG2002 in this file.',
      },
    ]);
    expect(inOrder(found, ['f', 'g']).findIndex(({ more }) => more !== undefined)).toBe(103);
  });

  it('makes no words of what is left out', () => {
    let made = 0;
    const report = reportInto([]);
    const make = () => {
      made += 1;
      return words;
    };
    for (let index = 0; index < 5000; index += 1) report('LG2002', at(index), make);
    expect(made).toBe(100);
  });

  it('makes no cure of what is left out, where the subject is asked for', () => {
    let made = 0;
    const report = reportInto([]);
    for (let index = 0; index < 5000; index += 1) {
      report('LG1008', at(index), () => ({
        subject: `s${index}`,
        message: `Wrong: ${index}.`,
        get advice() {
          made += 1;
          return 'Mend it.';
        },
      }));
    }
    expect(made).toBe(100);
  });

  it('sections that are all unknown, each by another name, cost little more than to read them', async () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `<x${index}/>`).join('');
    const text = `<configuration><system.webServer>${names}</system.webServer></configuration>`;
    const file = join(writeFiles({ 'web.config': text }), 'web.config');
    expect(await leastCpuTime(() => loadFile(file), 900)).toBeLessThan(900);
  });

  it('counts each once, also those that are left out', () => {
    const found: Diagnostic[] = [];
    const report = reportInto(found);
    for (let scope = 0; scope < 3; scope += 1)
      for (let index = 0; index < 150; index += 1) report('LG2002', at(index), words);
    expect(found.map(({ more }) => more ?? 1).reduce((sum, more) => sum + more)).toBe(150);
  });

  it('goes on counting in a later stage, and leaves the list of the earlier one alone', () => {
    const first: Diagnostic[] = [];
    for (let index = 0; index < 150; index += 1) reportInto(first)('LG2002', at(index), words);
    const second = [...first];
    const report = reportInto(second);
    for (let index = 200; index < 220; index += 1) report('LG2002', at(index), words);
    expect([first.at(-1)?.more, second.at(-1)?.more]).toEqual([50, 70]);
  });

  const many = (count: number) => `<rules>${'<x/>'.repeat(count)}</rules>`;

  it('every format tells the rest, and the counts are those of all', async () => {
    const file = join(writeFiles({ 'rules.config': many(12_345) }), 'rules.config');
    const text = await commandLine('validate', file);
    expect(text.code).toBe(1);
    expect(text.out).toContain(
      ': error LG2002 … and 12,245 more of LG2002 in this file.\n\n12,345 errors, 0 warnings.\n',
    );
    const strict = await commandLine('validate', file, '--strict', '--format', 'json');
    const { ok, diagnostics } = JSON.parse(strict.out);
    expect([ok, diagnostics.length, diagnostics.at(-1).more, diagnostics.at(-1).code]).toEqual([
      false,
      101,
      12_245,
      'LG2002',
    ]);
    const github = (await commandLine('validate', file, '--format', 'github')).out.trim().split('\n');
    expect([github.length, github.at(-1)?.includes('::… and 12,245 more of LG2002 in this file.')]).toEqual([
      101,
      true,
    ]);
    const sarif = JSON.parse((await commandLine('validate', file, '--format', 'sarif')).out);
    const result = sarif.runs[0].results.at(-1);
    expect([result.ruleId, result.occurrenceCount]).toEqual(['LG2002', 12_245]);
  });

  it('warnings alone stay warnings', () => {
    const found: Diagnostic[] = [];
    const report = reportInto(found);
    for (let index = 0; index < 101; index += 1) report('LG2232', at(index), words);
    const sources = new Map([['f', 'x'.repeat(200)]]);
    expect(printText(found, sources)).toContain('0 errors, 101 warnings.');
    expect(JSON.parse(printJson(found, sources, [])).ok).toBe(true);
    expect(printGithub(found, sources).match(/^::warning/gm)).toHaveLength(101);
    expect(printSarif(found, sources)).toContain('"occurrenceCount":1');
  });

  it('an attribute is looked at in its own tag, however many there are', async () => {
    const attributes = Array.from({ length: 100_000 }, (_, index) => `a${index}=""`).join(' ');
    const file = join(writeFiles({}), 'rules.config');
    writeFileSync(file, `<rules><rule name="r" ${attributes}><match url="x" /><action type="None" /></rule></rules>`);
    const { diagnostics } = JSON.parse((await commandLine('validate', file, '--format', 'json')).out);
    expect(diagnostics.at(-1).more).toBe(99_900);
  });
});

describe('once in a file', () => {
  const site = (rules: string, more = '') => `<configuration><system.applicationHost><sites>
    <site name="a" id="1"><application path="/" /><bindings><binding protocol="http" bindingInformation="*:80:" /></bindings></site>
    </sites></system.applicationHost>${more}
    <location path="a"><system.webServer><rewrite><rules>${rules}</rules></rewrite></system.webServer></location></configuration>`;
  const rule = (name: string, variable: string) =>
    `<rule name="${name}"><match url="^${name}" /><serverVariables><set name="${variable}" value="1" /></serverVariables><action type="None" /></rule>`;
  const found = (iis: string, settings = '{}') =>
    checkConfig(writeFiles({ 'applicationHost.config': iis, 'settings.json': settings })).diagnostics;
  const told = (iis: string) =>
    found(iis).map(({ code, message }) => `${code} ${/\(and at .*?\)/.exec(message)?.[0] ?? ''}`);

  it('LG2226 for each variable, whatever its case', () => {
    const rules =
      ['p', 'q', 'r'].map((name) => rule(name, name === 'q' ? 'http_x_a' : 'HTTP_X_A')).join('') +
      rule('s', 'HTTP_X_B');
    expect(told(site(rules))).toEqual(['LG2226 (and at 2 more places)', 'LG2226 ']);
    expect(told(site(rule('p', 'HTTP_X_A') + rule('q', 'HTTP_X_A')))).toEqual(['LG2226 (and at 1 more place)']);
  });

  it('LG2226 at the first place of the file, also where that is found last', () => {
    const iis = site(rule('p', 'HTTP_X_A'));
    const inner = `<location path="a/inner"><system.webServer><rewrite><rules>${rule('q', 'HTTP_X_A')}</rules></rewrite></system.webServer></location>`;
    const whole = iis.replace('</configuration>', `${inner}</configuration>`);
    const [finding, ...others] = found(whole);
    expect([finding?.span.start, others]).toEqual([whole.indexOf('HTTP_X_A'), []]);
    expect(finding?.message).toContain('(and at 1 more place)');
  });

  it('LG1016 for each section', () => {
    const redirect =
      '<system.webServer><httpRedirect enabled="true" destination="/x" /><webSocket enabled="false" /></system.webServer>';
    const places = ['a', 'a/b', 'a/c', 'a/d'].map((path) => `<location path="${path}">${redirect}</location>`).join('');
    const iis = site('', '').replace('</configuration>', `${places.replace('path="a"', 'path="a/a"')}</configuration>`);
    expect(told(iis)).toEqual(['LG1016 (and at 3 more places)', 'LG1016 (and at 3 more places)']);
  });
});
