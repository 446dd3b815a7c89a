/** The command line: its names, its help, and what is wrong use. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lychgate } from '../integration/process.ts';
import { commandLine } from './command-line.ts';

const NAMES = ['init', 'run', 'demo', 'validate', 'trace', 'status', 'drain'];
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

describe('wrong use: exit code 2, and how it is used', () => {
  test.each([
    ['valdate', /^lychgate: there is no command "valdate"\. Did you mean "validate"\?/],
    [
      'stat',
      /^lychgate: there is no command "stat"\. Did you mean "status"\? "npm run -s lychgate -- help" lists them\.\n$/,
    ],
    ['certs', /^lychgate: there is no command "certs"\. "npm run -s lychgate -- help" lists them\.\n$/],
    ['doctor --all', /^lychgate: there is no command "doctor"\./],
    ['reload', /^lychgate: there is no command "reload"\./],
    ['--strict', /^lychgate: there is no command "--strict"\./],
    ['--verison', /^lychgate: there is no command "--verison"\. Did you mean "--version"\?/],
    ['--hlep', /^lychgate: there is no command "--hlep"\. Did you mean "--help"\?/],
    ['hlep', /^lychgate: there is no command "hlep"\. Did you mean "help"\?/],
    ['hepl run', /^lychgate: there is no command "hepl"\. Did you mean "help"\?/],
    ['help nope', /^lychgate: there is no command "nope"\./],
    ['run extra', /^lychgate run: "extra" is one word too many\nUsage: lychgate run \[--config DIR\]\n$/],
    ['demo extra', /^lychgate demo: "extra" is one word too many\nUsage: lychgate demo \[--ports N\]\n$/],
    ['run --confg x', /^lychgate run: unknown option --confg\. Did you mean --config\?\nUsage: /],
    ['validate --fromat json', /^lychgate validate: unknown option --fromat\. Did you mean --format\?\nUsage: /],
    ['validate --fromat=json', /^lychgate validate: unknown option --fromat\. Did you mean --format\?\nUsage: /],
    ['validate -format json', /^lychgate validate: unknown option -format\. Did you mean --format\?\nUsage: /],
    ['validate --FORMAT json', /^lychgate validate: unknown option --FORMAT\. Did you mean --format\?\nUsage: /],
    ['trace --again x', /^lychgate trace: unknown option --again\. Did you mean --against\?\nUsage: /],
    ['status --jsn', /^lychgate status: unknown option --jsn\. Did you mean --json\?\nUsage: /],
    ['trace https://a/ --josn', /^lychgate trace: unknown option --josn\. Did you mean --json\?\nUsage: /],
    ['demo --port 1', /^lychgate demo: unknown option --port\. Did you mean --ports\?\nUsage: /],
    ['drain a b --all-farm', /^lychgate drain: unknown option --all-farm\. Did you mean --all-farms\?\nUsage: /],
    ['drain --hepl', /^lychgate drain: unknown option --hepl\. Did you mean --help\?\nUsage: /],
    ['run --constructor', /^lychgate run: unknown option --constructor\.\nUsage: /],
    ['run -x', /^lychgate run: unknown option -x\.\nUsage: /],
    ['run --config', /^lychgate run: --config DIR: the value is missing\nUsage: /],
    ['run --config=', /^lychgate run: --config DIR: the value is missing\nUsage: /],
    ['trace --rules --json', /^lychgate trace: --rules FILE: the value is missing; .* --rules=--json\nUsage: /],
    ['validate --config a b', /^lychgate validate: --config names the folder where no other is named\nUsage: /],
    ['validate --format xml', /^lychgate validate: --format xml: one of text, json, github, sarif is wanted\nUsage: /],
    ['validate --format jsn', /^lychgate validate: --format jsn: did you mean "json"\?\nUsage: /],
    ['validate --format git', /^lychgate validate: --format git: did you mean "github"\?\nUsage: /],
    ['drain a b --state Gracefull', /^lychgate drain: --state Gracefull: did you mean "GracefulStop"\?\nUsage: /],
    ['validate --strict=yes', /^lychgate validate: --strict takes no value\nUsage: /],
    ['trace', /^lychgate trace: exactly one URL is wanted\nUsage: /],
    ['trace http://a http://b', /^lychgate trace: exactly one URL is wanted\n/],
    [
      'trace a.contoso.com/x',
      /^lychgate trace: "a\.contoso\.com\/x" is no http or https URL\. Write "https:\/\/a\.contoso\.com\/x"\n/,
    ],
    ['trace htp://a/', /^lychgate trace: "htp:\/\/a\/" is no http or https URL\. Write "http:\/\/a\/"\n/],
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

test('a name that is empty is no place', async () => {
  const { code, err } = await commandLine('validate', '');
  expect([code, err]).toEqual([
    2,
    expect.stringMatching(/^lychgate validate: the name of a file or folder is empty\n/),
  ]);
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
