/** `lychgate validate settings.json`: settings are read as settings, under any name, and as the check of the folder tells it. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/cli.ts';
import { writeFiles } from '../config/written.ts';
import { commandLine } from './command-line.ts';

interface Told {
  readonly code: string;
  readonly file: string;
}

async function told(place: string): Promise<{ code: number; ok: boolean; files: string[]; diagnostics: Told[] }> {
  const { code, out } = await commandLine('validate', place, '--format', 'json');
  return { code, ...JSON.parse(out) };
}

const IIS = `<configuration>
  <system.applicationHost><sites><site name="a" id="1"><application path="/" />
    <bindings><binding protocol="http" bindingInformation="*:80:" /></bindings></site></sites></system.applicationHost>
  <webFarms><webFarm name="Exchange"><server address="192.0.2.1" /></webFarm></webFarms>
  <system.webServer><rewrite><globalRules><rule name="r" stopProcessing="true"><match url="(" />
    <action type="Rewrite" url="http://Exchange/{R:0}" /></rule></globalRules></rewrite></system.webServer>
</configuration>`;

describe.each(['settings.json', 'staging.json', 'old.jsonc', 'SETTINGS.JSON'])('%s', (name) => {
  test('in order, with comments', async () => {
    const file = join(writeFiles({ [name]: '// ours\n{ "workers": 2, /* two */ }' }), name);
    expect(await told(file)).toEqual({ code: 0, ok: true, files: [file], diagnostics: [] });
  });

  test('with faults of the table', async () => {
    const file = join(writeFiles({ [name]: '{\n  "wrokers": 2, "http2": 1, "limits": { "connections": 0 }\n}' }), name);
    const { code, diagnostics } = await told(file);
    expect([code, diagnostics.map((each) => each.code)]).toEqual([1, ['LG6002', 'LG6003', 'LG6004']]);
  });

  test('that is no JSON', async () => {
    const file = join(writeFiles({ [name]: '{ "workers": ' }), name);
    expect((await told(file)).diagnostics.map((each) => each.code)).toEqual(['LG6001']);
  });
});

test('what needs no IIS file is told without one', async () => {
  const settings = {
    certificates: ['none', 'damaged.pfx'],
    upstream: { ca: 'no-ca.pem' },
    tls: { ciphers: 'nonsense', clientCertificates: { mode: 'request', ca: [] } },
    affinitySecretFile: 'short',
    admin: { address: '0.0.0.0:9443', tokenFile: 'none' },
    farms: { f: { clientCertificate: { pfx: 'none.pfx' } } },
  };
  const folder = writeFiles({ 'settings.json': JSON.stringify(settings), 'damaged.pfx': 'x', short: 'x' });
  const { diagnostics } = await told(join(folder, 'settings.json'));
  expect(diagnostics.map(({ code }) => code).sort()).toEqual(
    ['LG4001', 'LG4001', 'LG4001', 'LG4002', 'LG4030', 'LG4034', 'LG6020', 'LG6030'].sort(),
  );
});

test('the folder says the same of them, and more of the IIS files', async () => {
  const settings = '{ "farms": { "Exchagne": {} }, "bindings": [], "affinitySecretFile": "none", "http3": true }';
  const folder = writeFiles({ 'settings.json': settings, 'applicationHost.config': IIS });
  const file = join(folder, 'settings.json');
  const [alone, whole] = [await told(file), await told(folder)];
  expect(alone.diagnostics.map(({ code }) => code)).toEqual(['LG6006', 'LG6007', 'LG6020', 'LG6002']);
  expect(alone.diagnostics).toEqual(whole.diagnostics.filter((each) => each.file === file));
  expect(whole.diagnostics.map(({ code }) => code)).toContain('LG2200');
  expect(alone.files).toEqual([file]);
});

test('a person is told that the IIS file beside it was not judged, a program is not', async () => {
  const folder = writeFiles({ 'settings.json': '{}', 'applicationHost.config': IIS });
  const file = join(folder, 'settings.json');
  const { out } = await commandLine('validate', file);
  expect(out.split('\n').at(-2)).toBe(
    `${join(folder, 'applicationHost.config')} was not judged: "npm run -s lychgate -- validate ${folder}" does that.`,
  );
  expect((await commandLine('validate', folder)).out).not.toContain('was not judged');
  expect((await commandLine('validate', file, folder)).out).not.toContain('was not judged');
  const alone = join(writeFiles({ 'settings.json': '{ "iis": [] }' }), 'settings.json');
  expect((await commandLine('validate', alone)).out).not.toContain('was not judged');
});

test('the place is shown as a person reads it', async () => {
  const file = join(writeFiles({ 'settings.json': '{ "wrokers": 2 }' }), 'settings.json');
  const { out } = await commandLine('validate', file);
  expect(out.split('\n').slice(0, 4)).toEqual([
    `${file}:1:3: error LG6002 The settings have no key "wrokers".`,
    '  1 | { "wrokers": 2 }',
    '    |   ^^^^^^^^^',
    '  Did you mean "workers"?',
  ]);
});

describe('a terminal', () => {
  const long = `<rules>${' '.repeat(300)}<rule name="A" foo="1"><match url=".*" /><action type="None" /></rule>${' '.repeat(300)}</rules>`;

  async function shown(columns: number, isTTY: boolean): Promise<string> {
    const file = join(writeFiles({ 'a.config': long }), 'a.config');
    let out = '';
    const stream = { isTTY, columns, write: (text: string) => (out += text) };
    await runCommandLine(['validate', file], { out: stream, err: stream });
    return out.replaceAll(/\u001b\[[\d;]*m/g, '').replaceAll(file, 'a.config');
  }

  test.each([60, 80, 120])('of %d columns: no line is longer, and the carets point at the place', async (columns) => {
    const lines = (await shown(columns, true)).split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    const caret = lines.findIndex((line) => /^ +\| +\^\^\^$/.test(line));
    expect(lines[caret - 1]?.slice(lines[caret]?.indexOf('^')).startsWith('foo')).toBe(true);
    // The cure is longer than the terminal is wide, but for the widest.
    if (columns < 100) expect(lines.some((line) => /^ {4}\S/.test(line) && line.endsWith('.'))).toBe(true);
  });

  test('without one, sentences are lines, and source has 80 columns', async () => {
    const lines = (await shown(40, false)).split('\n');
    expect(lines[0]).toMatch(/^a\.config:1:323: error LG2001 <rule> has no attribute "foo"\.$/);
    expect(lines[1]?.length).toBe(80);
    expect(lines[4]).toBe(
      '  Remove it, or use one of: name, enabled, stopProcessing, patternSyntax, responseCacheDirective.',
    );
  });
});
