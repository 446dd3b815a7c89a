import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/cli.ts';
import { CATALOGUE, type Diagnostic } from '../../src/config/diagnostic.ts';
import { printGithub } from '../../src/config/print-github.ts';
import { printSarif } from '../../src/config/print-sarif.ts';
import { writeFiles } from './written.ts';

const text = '<rules>\n  <rule name="a"\n  foo="1" />\n</rules>';
const place = (start: number, end: number, file = 'sub dir/a,b:c.config') => ({ file, start, end });
const finding: Diagnostic = {
  code: 'LG2001',
  severity: 'error',
  message: '50% wrong.',
  advice: 'Mend it.',
  iis: { status: '500.52', text: "Unrecognized attribute 'foo'" },
  span: place(27, 30),
};
const sources = new Map([[finding.span.file, text]]);

describe('workflow commands', () => {
  it('escape what would end a property or the line', () => {
    expect(printGithub([finding], sources)).toBe(
      '::error file=sub dir/a%2Cb%3Ac.config,line=3,col=3,endLine=3,endColumn=6,title=LG2001::' +
        "50%25 wrong.%0AIIS: 500.52 Unrecognized attribute 'foo'%0AMend it.\n",
    );
  });

  it('tell warnings from errors, and have a place for files without text', () => {
    const { iis: _, ...plain } = finding;
    const warning: Diagnostic = {
      ...plain,
      severity: 'warning',
      ui: true,
      message: 'a\r\nb',
      span: place(0, 0, '/x/y'),
    };
    expect(printGithub([warning, finding], sources).split('\n')[0]).toBe(
      '::warning file=/x/y,line=1,col=1,endLine=1,endColumn=1,title=LG2001::a%0D%0Ab%0AIIS Manager would refuse it.%0AMend it.',
    );
    expect(printGithub([], sources)).toBe('');
  });
});

describe('SARIF', () => {
  const log = (...findings: Diagnostic[]) => JSON.parse(printSarif(findings, sources));

  it('has every code as a rule, and regions counted as the other formats count', () => {
    const { version, $schema, runs } = log({ ...finding, related: { span: place(10, 14), message: 'the first one' } });
    expect([version, $schema]).toEqual(['2.1.0', 'https://json.schemastore.org/sarif-2.1.0.json']);
    const [{ tool, columnKind, results }] = runs;
    expect(columnKind).toBe('utf16CodeUnits');
    expect(tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(Object.keys(CATALOGUE));
    for (const rule of tool.driver.rules) {
      expect([rule.id, rule.shortDescription.text.length > 0, rule.help.text.length > 0]).toEqual([
        rule.id,
        true,
        true,
      ]);
    }
    const artifactLocation = { uri: 'sub%20dir/a%2Cb%3Ac.config', uriBaseId: '%SRCROOT%' };
    expect(results).toEqual([
      {
        ruleId: 'LG2001',
        ruleIndex: Object.keys(CATALOGUE).indexOf('LG2001'),
        level: 'error',
        message: { text: "50% wrong.\nIIS: 500.52 Unrecognized attribute 'foo'\nMend it." },
        locations: [
          {
            physicalLocation: {
              artifactLocation,
              region: { startLine: 3, startColumn: 3, endLine: 3, endColumn: 6 },
            },
          },
        ],
        relatedLocations: [
          {
            id: 1,
            message: { text: 'the first one' },
            physicalLocation: { artifactLocation, region: { startLine: 2, startColumn: 3, endLine: 2, endColumn: 7 } },
          },
        ],
      },
    ]);
  });

  it('names files outside of the checkout by their URL', () => {
    const [run] = log({ ...finding, span: place(0, 1, resolve('../x y.config')) }).runs;
    const { uri } = run.results[0].locations[0].physicalLocation.artifactLocation;
    expect(uri).toMatch(/^file:\/\/\/.*\/x%20y\.config$/);
  });
});

describe('validate', () => {
  async function validate(...args: string[]) {
    let printed = '';
    const out = { write: (text: string) => (printed += text) };
    return { code: await runCommandLine(['validate', ...args], { out, err: out }), printed };
  }

  it('prints either format, with the exit code of the others', async () => {
    const file = join(
      writeFiles({ 'web.config': '<rules><rule name="a" foo="1"><match url="x" /><action /></rule></rules>' }),
      'web.config',
    );
    const github = await validate(file, '--format', 'github');
    expect([github.code, github.printed.startsWith(`::error file=${file},line=1,col=23,`)]).toEqual([1, true]);
    const sarif = await validate(file, '--format', 'sarif');
    expect([sarif.code, JSON.parse(sarif.printed).runs[0].results[0].ruleId]).toEqual([1, 'LG2001']);
    expect((await validate(file, '--format', 'xml')).code).toBe(2);
  });
});

describe('the pre-commit hook', () => {
  const hook = readFileSync(join(import.meta.dirname, '../../.pre-commit-hooks.yaml'), 'utf8');

  it('calls a program and an option that exist, for the files of IIS', () => {
    expect(hook).toMatch(/^- id: lychgate-validate$/m);
    expect(hook).toMatch(/^ {2}entry: lychgate validate$/m);
    const pattern = /^ {2}files: \(\?i\)(.*)$/m.exec(hook)?.[1] ?? '';
    const files = new RegExp(pattern, 'i');
    expect(['web.config', 'a/Web.Config', 'x/applicationHost.config'].filter((file) => !files.test(file))).toEqual([]);
    expect(['app.config', 'web.config.bak', 'myweb.config'].filter((file) => files.test(file))).toEqual([]);
  });
});
