/** The first file: which Node is told what, and that even an old one can read it. */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts } from './integration/ports.ts';
import { started } from './integration/process.ts';

const root = join(import.meta.dirname, '..');
const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'lychgate-package-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The package as it is installed, and its files once more for a Node of 2019. */
beforeAll(() => {
  for (const each of ['package.json', 'config']) cpSync(join(root, each), join(folder, each), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const tsc = (...args: string[]) =>
    execFileSync(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', ...args],
      { cwd: root },
    );
  tsc('--outDir', join(folder, 'dist'));
  tsc('--outDir', join(folder, 'es2019'), '--target', 'es2019', '--noCheck');
});

interface Ended {
  readonly code: unknown;
  readonly out: string;
  readonly err: string;
}

const run = (node: string, ...args: string[]) =>
  new Promise<Ended>((resolve) =>
    execFile(node, args, { cwd: folder }, (error, out, err) => resolve({ code: error?.code ?? 0, out, err })),
  );

/** A preload that makes Node say it is another version. */
const posingAs = (version: string) =>
  `--import=data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`,
  )}`;

const told = (version: string) => ({
  code: 3,
  out: '',
  err: `lychgate needs Node 24 or newer, this is ${version}.\n`,
});

test('package.json alone says which Node is needed', () => {
  expect(engines.node).toBe('>=24');
});

test.each(['20.20.2', '22.23.4', '23.11.1', '12.22.12'])('Node %s: one sentence, exit code 3', async (version) => {
  for (const main of ['dist/main.js', join(root, 'src/main.ts')])
    expect(await run(process.execPath, posingAs(version), main, 'run')).toEqual(told(version));
});

test.each(['24.0.0', '26.10.0', '100.0.0'])('Node %s: starts', async (version) => {
  expect(await run(process.execPath, posingAs(version), join(root, 'src/main.ts'), 'validate', '/nowhere')).toEqual({
    code: 3,
    out: '',
    err: 'lychgate: cannot read /nowhere: it does not exist.\n',
  });
});

/** Those of this machine beside the pinned one; a machine that has none has none to try. */
const others = (process.env.PATH ?? '')
  .split(delimiter)
  .map((each) => join(each, 'node'))
  .filter((each) => existsSync(each));

test('an older Node of this machine', async () => {
  for (const node of new Set(others)) {
    const version = execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
    if (Number.parseInt(version, 10) < 24) expect(await run(node, 'dist/main.js')).toEqual(told(version));
  }
});

/** `import … from`, and what stands in place of it when names are not wanted. */
function importedBy(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^import [^;(]*?'([^']+)';$/gm)].map(([, from = '']) => from);
}

test('what is loaded before the check is ES2019 and imports node:fs alone', () => {
  const files = ['main.js'];
  const packages = new Set<string>();
  for (const file of files) {
    // The compiler writes anew whatever is younger than its target.
    const [installed, old] = ['dist', 'es2019'].map((each) => readFileSync(join(folder, each, file), 'utf8'));
    expect(installed, file).toBe(old);
    for (const from of importedBy(join(folder, 'dist', file))) {
      if (from.startsWith('.')) files.push(join(file, '..', from));
      else packages.add(from);
    }
  }
  expect(files).toEqual(['main.js', 'service/ignored-signals.js']);
  expect([...packages]).toEqual(['node:fs']);
});

test('as installed it calls itself lychgate', async () => {
  const { out } = await run(process.execPath, 'dist/main.js', 'help', 'drain');
  expect(out).toContain('\n  lychgate drain fe02 --all-farms --state Start\n');
  expect(out).not.toContain('npm run');
  expect((await run(process.execPath, 'dist/main.js', 'stat')).err).toBe(
    'lychgate: there is no command "stat". Did you mean "status"? "lychgate help" lists them.\n',
  );
});

test('the installed demo tells how to ask it, too', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 'lychgate-installed-'));
  const [first = 0] = await freePorts(6);
  const main = join(folder, 'dist/main.js');
  const demo = started([main, 'demo', '--ports', String(first)], { env: { TMPDIR: temporary } });
  await demo.prints(/Ctrl-C ends it\./);
  const [demoFolder = ''] = readdirSync(temporary);
  expect(demo.stdout()).toContain(`\nlychgate status --config ${join(temporary, demoFolder, 'config')}\n`);
  demo.child.kill('SIGTERM');
  expect(await demo.exit()).toBe(0);
  expect(readdirSync(temporary)).toEqual([]);
  rmSync(temporary, { recursive: true });
});
