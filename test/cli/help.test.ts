/** Help: it fits the terminal, tells every option, and its examples do what they say. */
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allCommands, runCommandLine } from '../../src/cli/cli.ts';
import { readOptions } from '../../src/cli/options.ts';
import { prepareDemo } from '../../src/demo/demo.ts';
import { reportedFarm, reportedServer, startListener } from '../admin/listener.ts';
import { lychgate } from '../integration/process.ts';

const PREFIX = 'npm run -s lychgate -- ';
const COMMANDS = await allCommands();
const names = COMMANDS.map(({ name }) => name);
const pages = [[], ...names.map((name) => [name])].map((each) => ['help', ...each]);

async function shown(args: readonly string[], terminal: { isTTY?: boolean; columns?: number } = {}): Promise<string> {
  let out = '';
  await runCommandLine(args, {
    out: { ...terminal, write: (text) => (out += text) },
    err: { write: () => undefined },
  });
  return out;
}

describe.each(pages.map((page) => page.join(' ')))('%s', (page) => {
  test.each([
    [80, {}],
    [80, { columns: 200 }],
    [80, { isTTY: true, columns: 80 }],
    [80, { isTTY: true }],
    [100, { isTTY: true, columns: 120 }],
    [60, { isTTY: true, columns: 60 }],
  ])('no line is longer than %d: %j', async (width, terminal) => {
    const lines = (await shown(page.split(' '), terminal)).split('\n');
    // A command that is to be copied stays whole, whatever the width.
    for (const line of lines.filter((each) => width >= 80 || !each.includes(PREFIX)))
      expect(line.length, line).toBeLessThanOrEqual(width);
    expect(lines.filter((line) => /\s$/.test(line))).toEqual([]);
  });
});

test('what a command takes wraps below itself', async () => {
  const text = await shown(['help', 'drain']);
  expect(text).toContain(`
Usage: lychgate drain FARM SERVER [--state STATE] [--wait [--timeout SECONDS]]
           [--config DIR]
       lychgate drain SERVER --all-farms [--state STATE]
           [--wait [--timeout SECONDS]] [--config DIR]
`);
  expect(text).toContain(`
  --wait             returns when no request is under way there; with Drain,
                     clients that are bound to it go on
`);
  for (const state of ['Start', 'Drain', 'GracefulStop', 'ForcefulStop', 'SetHealthy', 'SetUnhealthy'])
    expect(text).toMatch(new RegExp(`^  ${state} +It |^  ${state} +N`, 'm'));
  for (const state of ['Active', 'Draining', 'Inactive', 'healthy', 'unhealthy'])
    expect(text.replace(/\n +/g, ' ')).toContain(`Status shows ${state}. `);
});

test.each(COMMANDS)('$name: each option is told, and no other', ({ options, optionHelp }) => {
  const told = Object.keys(optionHelp).map((each) => /^--([\w-]+)(?: \S.*)?$/.exec(each)?.[1]);
  expect(told.sort()).toEqual(Object.keys(options).sort());
  for (const [name, { type }] of Object.entries(options))
    expect(Object.keys(optionHelp).some((each) => each === `--${name}`)).toBe(type === 'boolean');
});

const examples = COMMANDS.flatMap((command) =>
  command.examples.map(({ line }) => ({ command, line, args: line.split(' ') })),
);

test.each(examples)('example: $line', async ({ command, line, args }) => {
  expect(args[0]).toBe(command.name);
  expect(() => readOptions(command, args.slice(1))).not.toThrow();
  expect(await shown(['help', command.name])).toContain(`\n  ${PREFIX}${line}\n`);
});

test('each command has an example', () => {
  expect([...new Set(examples.map(({ command }) => command.name))]).toEqual(names);
});

describe('run as they stand there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-examples-'));
  beforeAll(() => {
    const demo = prepareDemo();
    for (const each of ['config', 'certs']) cpSync(join(demo.folder, each), join(folder, each), { recursive: true });
    rmSync(demo.folder, { recursive: true });
    cpSync(join(folder, 'config'), join(folder, 'new'), { recursive: true });
    writeFileSync(
      join(folder, 'web.config'),
      '<configuration><system.webServer><rewrite><rules><rule name="A"><match url=".*" /><action type="None" /></rule></rules></rewrite></system.webServer></configuration>',
    );
    writeFileSync(
      join(folder, 'u_ex261126.log'),
      '#Fields: cs-method cs-uri-stem cs-uri-query s-port cs-host\nGET /meet/a - 8443 meet.contoso.com\n',
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(examples.filter(({ command: { name } }) => name === 'init'))('$line', async ({ args }) => {
    const ended = lychgate(args, { cwd: join(folder, 'config') });
    expect([await ended.exit(), ended.stderr()]).toEqual([0, '']);
    expect(existsSync(join(folder, 'edge/config/settings.json'))).toBe(true);
  });

  test.each(examples.filter(({ command: { name } }) => name === 'validate' || name === 'trace'))(
    '$line',
    async ({ args }) => {
      const ended = lychgate(args, { cwd: folder });
      expect([await ended.exit(), ended.stderr()]).toEqual([0, '']);
      expect(ended.stdout()).not.toBe('');
    },
  );

  test.each(examples.filter(({ command: { name } }) => name === 'status' || name === 'drain'))(
    '$line',
    async ({ args }) => {
      const servers = [reportedServer('fe01'), reportedServer('fe02', { takesRequests: false })];
      const { port } = await startListener({ farms: [reportedFarm('Lync', servers), reportedFarm('meet', servers)] });
      writeFileSync(join(folder, 'config/settings.json'), `{ "admin": { "address": "127.0.0.1:${port}" } }`);
      const ended = lychgate(args, { cwd: folder });
      expect([await ended.exit(), ended.stderr()]).toEqual([0, '']);
      expect(ended.stdout()).not.toBe('');
    },
  );
});
