/** Every command that README.md shows is run as it stands there; the commands that others run are at least named. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const file = join(root, 'README.md');

interface ShownCommand {
  readonly line: number;
  readonly command: string;
  readonly exit: number;
}

/** Lines of the blocks marked `sh`; a backslash at the end goes on, a comment alone is none, `# exit N` says the code. */
function shownCommands(readme: string): ShownCommand[] {
  const found: ShownCommand[] = [];
  let inside = false;
  let begun: { line: number; text: string } | undefined;
  for (const [index, text] of readme.split(/\r?\n/).entries()) {
    if (/^\s*```/.test(text)) {
      inside = !inside && /^\s*```sh\s*$/.test(text);
      begun = undefined;
      continue;
    }
    if (!inside) continue;
    begun = { line: begun?.line ?? index + 1, text: `${begun?.text ?? ''}${text.replace(/\\$/, '')}` };
    if (text.endsWith('\\')) continue;
    const command = begun.text.trim().replace(/^\$ /, '');
    const exit = Number(/\s#\s*exit (\d+)\b/.exec(command)?.[1] ?? 0);
    if (command !== '' && !command.startsWith('#')) found.push({ line: begun.line, command, exit });
    begun = undefined;
  }
  return found;
}

/** Containers, fetching the repository, and the commands that .ci/run and the demo test run. */
function runElsewhere(command: string): boolean {
  return /^(sudo )?(docker|podman|git clone|cd|npm (ci|test|start))\b/.test(command);
}

/**
 * A copy of what the commands read, so that none of them changes the checkout; they run in the order of the page. Room beside
 * it, for what is made outside the checkout.
 */
let around: string;
let copy: string;
beforeAll(() => {
  around = mkdtempSync(join(tmpdir(), 'lychgate-readme-'));
  copy = join(around, 'checkout');
  mkdirSync(copy);
  for (const each of ['package.json', 'README.md', 'src', 'config', 'certs', 'loadtest']) {
    if (existsSync(join(root, each))) cpSync(join(root, each), join(copy, each), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  mkdirSync(join(copy, 'tmp'));
});
afterAll(() => rmSync(around, { recursive: true, force: true }));

function run(command: string): Promise<{ exit: number | string; printed: string }> {
  return new Promise((resolve) => {
    const path = `${dirname(process.execPath)}:${process.env.PATH}`;
    const child = spawn('bash', ['-c', command], {
      cwd: copy,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, PATH: path, TMPDIR: join(copy, 'tmp') },
    });
    let printed = '';
    child.stdout.on('data', (chunk) => (printed += chunk));
    child.stderr.on('data', (chunk) => (printed += chunk));
    child.once('close', (code, signal) => resolve({ exit: code ?? signal ?? '', printed }));
    onTestFinished(() => {
      if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
    });
  });
}

const readme = existsSync(file) ? readFileSync(file, 'utf8') : '';
const commands = shownCommands(readme);

test('README.md is there and has commands in blocks marked sh', () => {
  expect(existsSync(file), 'README.md is missing').toBe(true);
  expect(commands.length, 'README.md has no command in a block marked ```sh').toBeGreaterThan(0);
});

test('npm ci, npm test and npm start are what CI and package.json run', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(scripts).toMatchObject({
    start: expect.stringContaining(' demo'),
    test: expect.stringContaining('vitest run'),
  });
  const lines = readFileSync(join(root, '.ci/run'), 'utf8').split('\n');
  expect(lines).toContain('npm ci');
  expect(lines).toContain('npm test');
  for (const { command } of commands) {
    const script = /^npm (?:run (?:-s |--silent )?)?(start|test|\w+)\b/.exec(command)?.[1];
    if (script !== undefined && script !== 'ci') expect(Object.keys(scripts), command).toContain(script);
  }
});

test('a service manager starts what the npm script of the command line does, without npm, which hands on no signal', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const [, program, args] = /^ *ExecStart=\S+\/node_modules\/\.bin\/(\S+) (.*)$/m.exec(readme) ?? [];
  expect(`${program} ${args?.replace('/opt/lychgate/', '')}`).toBe(`${scripts.lychgate} run --config /srv/edge/config`);
});

for (const { line, command, exit } of commands.filter(({ command }) => !runElsewhere(command))) {
  test(`line ${line}: ${command}`, async () => {
    const ended = await run(command);
    expect(ended.exit, ended.printed).toBe(exit);
  });
}

test('blocks are read as they are written', () => {
  const text =
    '```sh\n# a comment\nnpm ci && npm start\na \\\n  --b   # exit 1: no\n\n```\n```json\nno\n```\n   ```sh\n$ c\n   ```\n';
  expect(shownCommands(text)).toEqual([
    { line: 3, command: 'npm ci && npm start', exit: 0 },
    { line: 4, command: 'a   --b   # exit 1: no', exit: 1 },
    { line: 12, command: 'c', exit: 0 },
  ]);
});
