/** `lychgate validate`: the fixed JSON, what a person reads, and names of files. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { writeFolder } from '../integration/environment.ts';
import { lychgate } from '../integration/process.ts';
import { commandLine } from './command-line.ts';

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'lychgate-validate-')));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

function put(name: string, text: string): string {
  const file = join(dir, name);
  writeFileSync(file, text);
  return file;
}

const FAULTY = `<rules>
  <rule name="A" foo="1">
    <match url=".*" />
    <action type="None" />
  </rule>
</rules>
`;

const FINDING = {
  code: 'LG2001',
  severity: 'error',
  message: '<rule> has no attribute "foo".',
  advice: 'Remove it, or use one of: name, enabled, stopProcessing, patternSyntax, responseCacheDirective.',
  iis: { status: '500.52', text: "Unrecognized attribute 'foo'" },
  line: 2,
  column: 18,
  endLine: 2,
  endColumn: 21,
};

test('JSON: exactly the fixed shape', async () => {
  const file = put('rules.config', FAULTY);
  const { code, out, err } = await commandLine('validate', file, '--format', 'json');
  expect({ code, err }).toEqual({ code: 1, err: '' });
  expect(JSON.parse(out)).toEqual({ ok: false, files: [file], diagnostics: [{ ...FINDING, file }] });
});

test('JSON of a file in order', async () => {
  const file = put('rules.config', FAULTY.replace(' foo="1"', ''));
  const { code, out } = await commandLine('validate', '--format=json', file);
  expect([code, JSON.parse(out)]).toEqual([0, { ok: true, files: [file], diagnostics: [] }]);
});

test('text: place, line, caret, IIS, cure, and a count', async () => {
  const file = put('rules.config', FAULTY);
  const { code, out } = await commandLine('validate', file);
  expect(code).toBe(1);
  expect(out).toBe(
    [
      `${file}:2:18: error LG2001 ${FINDING.message}`,
      '  2 |   <rule name="A" foo="1">',
      '    |                  ^^^',
      "  IIS: 500.52 Unrecognized attribute 'foo'",
      `  ${FINDING.advice}`,
      '',
      '1 error, 0 warnings.',
      '',
    ].join('\n'),
  );
});

test('several files and folders at once', async () => {
  const one = put('one.config', FAULTY);
  const two = put('two.config', FAULTY.replace(' foo="1"', ''));
  const { configDir } = writeFolder({ iis: '<configuration></configuration>' });
  const { code, out } = await commandLine('validate', one, two, configDir, '--format', 'json');
  const { files, diagnostics } = JSON.parse(out);
  expect(code).toBe(1);
  expect(files).toEqual([one, two, join(configDir, 'settings.json'), join(configDir, 'applicationHost.config')]);
  expect(diagnostics.map((each: { code: string; file: string }) => [each.code, each.file])).toEqual([
    ['LG2001', one],
    ['LG5011', join(configDir, 'settings.json')],
  ]);
});

test('--strict makes errors of warnings', async () => {
  const warned = put(
    'warned.config',
    '<rules><rule name="A"><match url="a" /><action type="Rewrite" url="http://10.0.0.9/{R:3}" /></rule></rules>',
  );
  const lax = await commandLine('validate', warned, '--format', 'json');
  const strict = await commandLine('validate', warned, '--strict', '--format', 'json');
  const severities = ({ out }: { out: string }) =>
    JSON.parse(out).diagnostics.map(({ severity, code }: Record<string, string>) => `${severity} ${code}`);
  expect([lax.code, JSON.parse(lax.out).ok, severities(lax)]).toEqual([0, true, ['warning LG2213']]);
  expect([strict.code, JSON.parse(strict.out).ok, severities(strict)]).toEqual([1, false, ['error LG2213']]);
});

test('names inside the working directory are told from there; full names given to a program come back full', async () => {
  mkdirSync(join(dir, 'config'));
  put('config/settings.json', '{ "workers": 2, "wrokers": 3, "certificates": ["../certs/none.pfx"] }');
  put('config/applicationHost.config', '<configuration><webFarms></webFarms></configuration>');
  const run = async (...args: string[]) => {
    const command = lychgate(args, { cwd: dir });
    expect(await command.exit()).toBe(1);
    return command.stdout() + command.stderr();
  };
  const text = await run('validate');
  expect(text).toContain('config/settings.json:1:17: error LG6002 ');
  expect(text).toMatch(/^config\/settings\.json:1:\d+: error LG4001 certs\/none\.pfx /m);
  expect(text).not.toContain(dir);
  expect(await run('validate', join(dir, 'config'))).toBe(text);
  expect(await run('run')).toContain(text);
  const files = async (...args: string[]) => JSON.parse(await run('validate', '--format', 'json', ...args)).files;
  expect(await files()).toEqual(['config/settings.json', 'config/applicationHost.config']);
  expect(await files(join(dir, 'config'))).toEqual([
    join(dir, 'config/settings.json'),
    join(dir, 'config/applicationHost.config'),
  ]);
});
