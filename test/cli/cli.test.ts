/** The command line: its names, its help, and what is wrong use. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lychgate } from '../integration/process.ts';
import { commandLine } from './command-line.ts';

const NAMES = ['run', 'demo', 'validate', 'trace', 'status', 'drain', 'certs', 'doctor', 'reload'];
const LATER = NAMES.slice(6);
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));

test.each([['help'], ['--help'], ['-h'], []])('help lists exactly the commands (%s)', async (...args) => {
  const { code, out, err } = await commandLine(...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect([...out.matchAll(/^ {2}(\w+) +\S/gm)].map(([, name]) => name)).toEqual(NAMES);
  expect(out).toContain('Exit codes: 0 fine, 1 the answer is no, 2 wrong use, 3 could not do it.');
});

test.each(['--version', '-v'])('%s', async (flag) => {
  expect(await commandLine(flag)).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

test.each(NAMES)('help %s, and %s --help', async (name) => {
  const help = await commandLine('help', name);
  expect(help.code).toBe(0);
  expect(help.out).toContain(`Usage: lychgate ${name}`);
  expect(await commandLine(name, '--help')).toEqual(help);
});

test.each(LATER)('%s comes later, whatever stands behind it', async (name) => {
  const told = { code: 2, out: '', err: `lychgate ${name}: this command comes with a later version of Lychgate.\n` };
  expect(await commandLine(name)).toEqual(told);
  expect(await commandLine(name, 'fe01', '--all', '--farm=fe')).toEqual(told);
});

describe('wrong use: exit code 2, and how it is used', () => {
  test.each([
    ['valdate', /^lychgate: there is no command "valdate"\. Did you mean "validate"\?/],
    ['--strict', /^lychgate: there is no command "--strict"\./],
    ['help nope', /^lychgate: there is no command "nope"\./],
    ['run extra', /^lychgate run: "extra" is one word too many\nUsage: lychgate run \[--config DIR\]\n$/],
    ['demo extra', /^lychgate demo: "extra" is one word too many\nUsage: lychgate demo \[--ports N\]\n$/],
    ['run --confg x', /^lychgate run: Unknown option '--confg'\nUsage: /],
    ['run --config', /^lychgate run: Option '--config <value>' argument missing\nUsage: /],
    ['validate --format xml', /^lychgate validate: --format is one of text, json, github, sarif\nUsage: /],
    ['validate --strict=yes', /^lychgate validate: Option '--strict' does not take an argument\nUsage: /],
    ['trace', /^lychgate trace: exactly one URL is wanted\nUsage: /],
    ['trace http://a http://b', /^lychgate trace: exactly one URL is wanted\n/],
    ['trace ftp://a/', /^lychgate trace: "ftp:\/\/a\/" is no http or https URL\n/],
    ['trace http://a/ --config config --rules web.config', /^lychgate trace: --config and --rules exclude each other/],
    ['trace http://a/ --rules config', /^lychgate trace: --rules config: this is a folder, a file is wanted\n/],
  ])('%s', async (line, err) => {
    const printed = await commandLine(...line.split(' '));
    expect(printed).toMatchObject({ code: 2, out: '' });
    expect(printed.err).toMatch(err);
    expect(printed.err).not.toContain('    at ');
  });
});

test('the exit code of the process is that of the command', async () => {
  expect(await lychgate(['--version']).exit()).toBe(0);
  expect(await lychgate(['nope']).exit()).toBe(2);
  expect(await lychgate(['validate', '/nowhere/at/all']).exit()).toBe(3);
});

test.each([['help'], ['validate', 'config'], ['trace', 'https://meet.contoso.com/', '--json']])(
  'a reader that closes early does not crash it (%s)',
  async (...args) => {
    const closed = lychgate(args, { cwd: join(import.meta.dirname, '../..') });
    closed.child.stdout?.destroy();
    expect(await closed.exit()).toBe(args[0] === 'validate' ? 1 : 0);
    expect(closed.stderr()).toBe('');
  },
);
