/** `lychgate init`: the administrator's folder, of which nothing is in the checkout. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { expect, onTestFinished, test } from 'vitest';
import { composeFile } from '../../src/cli/compose-file.ts';
import { configFolder } from '../../src/cli/named-place.ts';
import { settingsSchema } from '../../src/config/settings-schema.ts';
import { lychgate } from '../integration/process.ts';
import { commandLine } from './command-line.ts';

const root = join(import.meta.dirname, '../..');
const FILES = ['.env', 'README.md', 'compose.yaml', 'config/settings.json', 'config/settings.schema.json'];

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-init-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('it makes settings, schema, certificates folder, compose.yaml and .env, and tells so with three steps', async () => {
  const edge = join(emptyFolder(), 'new/edge');
  const { code, out, err } = await commandLine('init', edge);
  expect([code, err]).toEqual([0, '']);
  expect(filesIn(edge)).toEqual(FILES);
  expect(modeOf(join(edge, 'certs'))).toBe('700');
  for (const name of [...FILES, 'config/', 'certs/']) expect(out).toContain(`  ${name} `);
  expect(out.match(/^ {2}\d\. /gm)).toHaveLength(3);
  // A command that is to be copied stays whole.
  const lines = out.split('\n').filter((line) => !line.includes(edge));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(79);
  expect(out).toContain(`     npm run -s lychgate -- validate ${edge}/config\n`);

  const settings = readFileSync(join(edge, 'config/settings.json'), 'utf8');
  const { $schema } = parse(settings) as { $schema: string };
  expect(JSON.parse(readFileSync(join(edge, 'config', $schema), 'utf8'))).toEqual(settingsSchema());
  expect(readFileSync(join(edge, 'compose.yaml'), 'utf8')).toBe(composeFile());
  expect(readFileSync(join(edge, 'README.md'), 'utf8').trim().split('\n').length).toBe(10);
});

test('each suggestion of settings.json is valid as soon as its two slashes are away, alone and with the others', async () => {
  const edge = join(emptyFolder(), 'edge');
  await commandLine('init', edge);
  const file = join(edge, 'config/settings.json');
  const first = readFileSync(file, 'utf8').split('\n');
  const suggestions = first.flatMap((line, index) => (/^ *\/\/ "/.test(line) ? [index] : []));
  expect(suggestions.length).toBeGreaterThan(7);
  for (const some of [...suggestions.map((index) => [index]), suggestions]) {
    const lines = first.map((line, index) => (some.includes(index) ? line.replace('// ', '') : line));
    writeFileSync(file, lines.join('\n'));
    const { diagnostics } = JSON.parse((await commandLine('validate', file, '--format', 'json')).out);
    // Files that a suggestion names are not there.
    const codes = diagnostics.map(({ code }: { code: string }) => code);
    expect(codes.filter((code: string) => /^LG600/.test(code))).toEqual([]);
    const read = JSON.stringify(parse(lines.join('\n'), [], { allowTrailingComma: true }));
    for (const index of some) expect(read).toContain(`${/"[^"]+":/.exec(lines[index] ?? '')}`);
  }
});

test('.env has an entry for each address that compose.yaml asks for, empty, and whom the service runs as', async () => {
  const edge = join(emptyFolder(), 'edge');
  await commandLine('init', edge);
  const entries = [...readFileSync(join(edge, '.env'), 'utf8').matchAll(/^(\w+)=(.*)$/gm)].map(
    ([, name = '', value]) => [name, value],
  );
  const asked = [...composeFile().matchAll(/\$\{(\w+):\?[^}]+\}/g)].map(([, name]) => name);
  expect(entries.filter(([, value]) => value === '').map(([name]) => name)).toEqual([...new Set(asked)].sort(byPlace));
  function byPlace(one = '', other = '') {
    return entries.findIndex(([name]) => name === one) - entries.findIndex(([name]) => name === other);
  }
  // Whoever made the folder can read the keys in it; root gives it to the user of the image.
  const { uid, gid } = statSync(join(edge, 'certs'));
  expect(Object.fromEntries(entries)).toMatchObject({ SERVICE_USER: `${uid}:${gid}` });
  expect(uid).not.toBe(0);
  expect(composeFile()).toMatch(/^ {4}user: "\$\{SERVICE_USER:-1000:1000\}"$/m);
});

test('validate of a new folder says what to copy, once; with the IIS file there, it checks that', async () => {
  const edge = join(emptyFolder(), 'edge');
  await commandLine('init', edge);
  const { code, out } = await commandLine('validate', join(edge, 'config'), '--format', 'json');
  const { diagnostics } = JSON.parse(out) as { diagnostics: { code: string; message: string; advice: string }[] };
  expect([code, diagnostics.map((each) => each.code)]).toEqual([1, ['LG1001']]);
  expect(diagnostics[0]?.advice).toContain('%windir%\\System32\\inetsrv\\config');
  writeFileSync(
    join(edge, 'config/applicationHost.config'),
    '<configuration><system.applicationHost><sites><site name="a" id="1"><bindings><binding protocol="http" bindingInformation="*:80:" /></bindings></site></sites></system.applicationHost></configuration>',
  );
  expect(await commandLine('validate', join(edge, 'config'), '--strict')).toMatchObject({ code: 0 });
});

test.each(FILES)('it overwrites nothing: %s is there already', async (name) => {
  const edge = emptyFolder();
  mkdirSync(join(edge, 'config'));
  writeFileSync(join(edge, name), 'mine');
  const { code, out, err } = await commandLine('init', edge);
  expect([code, out]).toEqual([3, '']);
  expect(err).toMatch(/^lychgate: .* Nothing was overwritten and nothing made: .*\n$/);
  expect(err).toContain(`${edge} has ${name} already.`);
  expect(filesIn(edge)).toEqual([name]);
  expect(readFileSync(join(edge, name), 'utf8')).toBe('mine');
  expect(existsSync(join(edge, 'certs'))).toBe(false);
});

test('what is there already and is none of its files stays as it is', async () => {
  const edge = emptyFolder();
  mkdirSync(join(edge, 'config'));
  mkdirSync(join(edge, 'certs'), { mode: 0o750 });
  writeFileSync(join(edge, 'config/applicationHost.config'), 'mine');
  expect((await commandLine('init', edge)).code).toBe(0);
  expect(readFileSync(join(edge, 'config/applicationHost.config'), 'utf8')).toBe('mine');
  expect(modeOf(join(edge, 'certs'))).toBe('750');
});

/** The command line as a process that can write files of so many KiB. */
function initWithin(size: number, folder: string) {
  const script = 'ulimit -f "$1"; shift; exec "$@"';
  const main = join(root, 'src/main.ts');
  const args = ['-c', script, 'bash', String(size), process.execPath, main, 'init', folder];
  return spawnSync('bash', args, { encoding: 'utf8', env: { ...process.env, NODE_COMPILE_CACHE: '' } });
}

// The first file and one behind it.
test.each([1, 4])('a failure half-way leaves nothing behind but what was there (files of %i KiB at most)', (size) => {
  const folder = emptyFolder();
  mkdirSync(join(folder, 'old/config'), { recursive: true });
  for (const name of ['old', 'new/edge']) {
    const { status, stdout, stderr } = initWithin(size, join(folder, name));
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^lychgate: cannot make \S+\/config\/settings\S*json: .*\. Nothing was left behind\.\n$/);
  }
  expect(readdirSync(folder, { recursive: true })).toEqual(['old', 'old/config']);
});

test('names that the system refuses are a failure like any other', async () => {
  const folder = emptyFolder();
  for (const name of ['x'.repeat(300), 'a\0b']) {
    const { code, err } = await commandLine('init', join(folder, 'new', name));
    expect(code).toBe(3);
    expect(err).toMatch(/^lychgate: cannot make .*Nothing was left behind\.\n$/s);
  }
  expect(readdirSync(folder)).toEqual([]);
});

test('a folder of somebody else: exit 3, with what to do in a container', () => {
  const folder = emptyFolder();
  chmodSync(folder, 0o555);
  // Root may write anywhere: it is nobody, then.
  const script = `const { runCommandLine } = await import(process.argv[1]);
if (process.geteuid() === 0) { process.setegid(65534); process.seteuid(65534); }
process.exitCode = await runCommandLine(['init', process.argv[2]]);`;
  const args = ['--input-type=module', '-e', script, join(root, 'src/cli/cli.ts'), join(folder, 'edge')];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([status, readdirSync(folder)]).toEqual([3, []]);
  expect(stderr).toContain('this account may not write it. Nothing was left behind. In a container: docker run --user');
});

test('wrong use: no folder, two, an option; and a file in place of the folder', async () => {
  const folder = emptyFolder();
  expect(await commandLine('init')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Usage: lychgate init DIR'),
  });
  expect((await commandLine('init', folder, folder)).code).toBe(2);
  expect((await commandLine('init', '--config', folder)).code).toBe(2);
  writeFileSync(join(folder, 'file'), '');
  expect(await commandLine('init', join(folder, 'file'))).toMatchObject({
    code: 3,
    err: expect.stringContaining('is a file'),
  });
  expect(filesIn(folder)).toEqual(['file']);
});

test('a link that leads nowhere, or to itself, is told as one', async () => {
  const folder = emptyFolder();
  for (const [name, to] of [
    ['nowhere', 'none'],
    ['itself', 'itself'],
  ] as const) {
    symlinkSync(to, join(folder, name));
    for (const path of [join(folder, name), join(folder, name, 'edge')]) {
      const { code, err } = await commandLine('init', path);
      expect([code, err]).toEqual([
        3,
        `lychgate: cannot make ${join(folder, name)}: it is a link that leads nowhere.\n`,
      ]);
    }
  }
  expect(filesIn(folder)).toEqual([]);
});

test('the command that is shown can be pasted, whatever the name of the folder', async () => {
  const folder = emptyFolder();
  const { out } = await commandLine('init', join(folder, "it's a b"));
  expect(out).toContain(`     npm run -s lychgate -- validate '${folder}/it'\\''s a b/config'\n`);
});

test('config/settings.json of the repository differs from the first settings.json in its hosts alone', async () => {
  const edge = join(emptyFolder(), 'edge');
  await commandLine('init', edge);
  const withoutHosts = (text: string) => text.replace(/^ {2}\/\/ 192\..*\n/m, '').replace(/"hosts": \{[^}]*\}/, '');
  const shipped = readFileSync(join(root, 'config/settings.json'), 'utf8');
  expect(withoutHosts(shipped)).toBe(withoutHosts(readFileSync(join(edge, 'config/settings.json'), 'utf8')));
});

test('without --config it is "config" of the current folder, else that of the machine', async () => {
  const folder = emptyFolder();
  const [near, far] = [join(folder, 'config'), join(folder, 'etc/lychgate/config')];
  const input = { values: {}, arguments: [], streams: { out: process.stdout, err: process.stderr } };
  expect(() => configFolder(input, [near, far])).toThrow(
    /cannot read .*config or .*config: it does not exist\. .*"npm run -s lychgate -- init DIR"/,
  );
  mkdirSync(far, { recursive: true });
  expect(configFolder(input, [near, far])).toBe(far);
  mkdirSync(near);
  expect(configFolder(input, [near, far])).toBe(near);
  for (const command of ['run', 'validate', 'trace', 'status', 'drain']) {
    const { out } = await commandLine('help', command);
    expect(out.replace(/\s+/g, ' ')).toContain('(default: config, else /etc/lychgate/config)');
  }
});

test('the file that a command line without --config reads is that of its current folder', async () => {
  const edge = join(emptyFolder(), 'edge');
  await commandLine('init', edge);
  const checked = lychgate(['validate'], { cwd: edge });
  expect(await checked.exit()).toBe(1);
  expect(checked.stdout()).toMatch(/^config\/applicationHost\.config:1:1: error LG1001 /);
});

test.each(['/proc/x', '/proc/self/x', '/proc/x/y/z'])(
  '%s: nothing can be made there, and the folder is not said to be missing',
  async (folder) => {
    const { code, err } = await commandLine('init', folder);
    const above = folder.startsWith('/proc/self') ? '/proc/self' : '/proc';
    expect([code, err]).toEqual([
      3,
      `lychgate: cannot make ${folder}: nothing can be made in ${above}. Nothing was left behind.\n`,
    ]);
  },
);
