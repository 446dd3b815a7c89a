/** What an administrator gets wrong: each is told with its place and its cure, and nothing is left half-started. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { issueCertificate } from '../../src/tls/issue.ts';
import {
  applicationHost,
  authority,
  certificateFor,
  type Folder,
  type FolderContents,
  farmRules,
  webFarm,
  writeFolder,
} from '../integration/environment.ts';
import { freePort } from '../integration/ports.ts';
import { isListening, marked } from '../service/processes.ts';
import { exportPfx } from '../tls/material.ts';
import { commandLine } from './command-line.ts';

const host = 'meet.contoso.com';

interface Parts {
  readonly farms?: string;
  readonly rules?: string;
  readonly more?: string;
  readonly settings?: FolderContents['settings'];
  readonly certificates?: FolderContents['certificates'];
}

/** A folder that would start, but for what a case puts into it. */
async function folderWith(parts: Parts = {}): Promise<Folder & { port: number }> {
  const port = await freePort();
  const folder = writeFolder({
    iis: applicationHost({
      bindings: [`https 127.0.0.1:${port}:${host}`],
      farms: parts.farms ?? webFarm('fe', { servers: [{ address: '127.0.0.9' }] }),
      rules: parts.rules ?? farmRules('fe', host),
      ...(parts.more === undefined ? {} : { more: parts.more }),
    }),
    certificates: parts.certificates ?? { meet: [host] },
    settings: { workers: 2, ...parts.settings },
  });
  // The authority beside it, so that the chain is known to be complete.
  writeFileSync(join(folder.dir, 'certs', 'authority.pem'), authority.certPem);
  return { ...folder, port };
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(
    file,
    text.replace(from, () => to),
  );
}

interface Case {
  readonly title: string;
  readonly code: string;
  readonly severity?: 'warning';
  readonly parts?: Parts;
  /** Makes the fault. */
  readonly spoil?: (folder: Folder) => void;
  /** The file that the message names, from the folder of the test. */
  readonly file: string;
  /** A piece of the line that it names; `undefined` where the file is no text of ours. */
  readonly line?: string;
  readonly message: RegExp;
  readonly cure: RegExp;
}

const IIS = 'config/applicationHost.config';
const SETTINGS = 'config/settings.json';
const expired = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };

const cases: readonly Case[] = [
  {
    title: 'XML that is not well-formed',
    code: 'LG1002',
    spoil: ({ dir }) => edit(join(dir, IIS), '</webFarms>', '<webFarm name="a&b" /></webFarms>'),
    file: IIS,
    line: 'a&b',
    message: /&/,
    cure: /&amp;/,
  },
  {
    title: 'an unknown attribute',
    code: 'LG2001',
    spoil: ({ dir }) => edit(join(dir, IIS), 'stopProcessing=', 'stopProcesing='),
    file: IIS,
    line: 'stopProcesing',
    message: /stopProcesing/,
    cure: /stopProcessing/,
  },
  {
    title: 'two rules of one name',
    code: 'LG2005',
    parts: { rules: farmRules('fe', host) + farmRules('fe', host).replaceAll('<rule ', '<rule  ') },
    file: IIS,
    line: '<rule  name="ARR_fe_loadbalance_SSL"',
    message: /ARR_fe_loadbalance_SSL/,
    cure: /name/,
  },
  {
    title: 'a web farm without a server',
    code: 'LG3110',
    parts: { farms: webFarm('fe', { servers: [] }) },
    file: IIS,
    line: 'webFarm name="fe"',
    message: /"fe" has no server/,
    cure: /<server address/,
  },
  {
    title: 'a web farm whose servers are all switched off',
    code: 'LG3111',
    severity: 'warning',
    parts: {
      farms: webFarm('fe', { servers: [{ address: '127.0.0.9' }] }).replace('9" enabled="true"', '9" enabled="false"'),
    },
    file: IIS,
    line: 'webFarm name="fe"',
    message: /"fe" is switched off/,
    cure: /enabled="true"/,
  },
  {
    title: 'a rule to a host that is no farm while the proxy is off',
    code: 'LG2230',
    parts: { rules: farmRules('elsewhere.contoso.local', host), more: '<proxy enabled="false" />' },
    file: IIS,
    line: 'https://elsewhere.contoso.local/{R:0}',
    message: /elsewhere\.contoso\.local/,
    cure: /farm/,
  },
  {
    title: 'a certificate that does not fit its key',
    code: 'LG4005',
    spoil: ({ dir }) => writeFileSync(join(dir, 'certs/meet.key'), certificateFor(host).key),
    file: 'certs/meet.crt',
    message: /meet\.key: the private key does not fit/,
    cure: /replace both files/,
  },
  {
    title: 'a PFX with the wrong password',
    code: 'LG4003',
    spoil: ({ dir }) => {
      exportPfx(join(dir, 'certs/mail.pfx'), issueCertificate(authority, { names: [host] }), '-passout', 'pass:right');
      writeFileSync(join(dir, 'certs/mail.pfx.pass'), 'wrong\n');
    },
    file: 'certs/mail.pfx',
    message: /mail\.pfx\.pass/,
    cure: /Correct the password/,
  },
  {
    title: 'an expired certificate',
    code: 'LG4020',
    severity: 'warning',
    spoil: ({ dir }) => {
      const { certPem, keyPem } = issueCertificate(authority, { names: [host], ...expired });
      writeFileSync(join(dir, 'certs/meet.crt'), certPem);
      writeFileSync(join(dir, 'certs/meet.key'), keyPem);
    },
    file: 'certs/meet.crt',
    message: /expired on 2021-01-01/,
    cure: /Renew/,
  },
  {
    title: 'a binding that no certificate covers',
    code: 'LG4023',
    parts: { certificates: { other: ['other.contoso.com'] } },
    file: IIS,
    line: '<binding protocol="https"',
    message: /no certificate covers meet\.contoso\.com/,
    cure: /meet\.contoso\.com/,
  },
  {
    title: 'an IIS file that is missing',
    code: 'LG1001',
    parts: { settings: { iis: ['applicationHost.config', 'more.config'] } },
    file: SETTINGS,
    line: 'more.config',
    message: /more\.config cannot be read: it does not exist/,
    cure: /name/,
  },
  {
    title: 'a certificate file that is missing',
    code: 'LG4001',
    parts: { settings: { certificates: ['../certs', '../certs/mail.pfx'] } },
    file: SETTINGS,
    line: 'certs/mail.pfx',
    message: /mail\.pfx/,
    cure: /./,
  },
  {
    title: 'a key of the settings with a typo',
    code: 'LG6002',
    parts: { settings: { wrokers: 3 } },
    file: SETTINGS,
    line: 'wrokers',
    message: /no key "wrokers"/,
    cure: /Did you mean "workers"\?/,
  },
  {
    title: 'settings that are not JSON',
    code: 'LG6001',
    spoil: ({ dir }) => edit(join(dir, SETTINGS), '"workers": 2', '"workers" 2'),
    file: SETTINGS,
    line: '"workers"',
    message: /./,
    cure: /./,
  },
];

/** Line numbers from 1. */
function lineOf(file: string, piece: string): number {
  return readFileSync(file, 'utf8').split(piece)[0]!.split('\n').length;
}

describe.each(cases)('$title', (each) => {
  test('is told by validate, as JSON and as text', async () => {
    const folder = await folderWith(each.parts);
    each.spoil?.(folder);
    const file = join(folder.dir, each.file);
    const expected = each.severity === 'warning' ? 0 : 1;

    const json = await commandLine('validate', folder.configDir, '--format', 'json');
    expect(json.code).toBe(expected);
    const { ok, diagnostics } = JSON.parse(json.out);
    expect(ok).toBe(expected === 0);
    const found = diagnostics.find(({ code }: { code: string }) => code === each.code);
    expect(found, json.out).toMatchObject({ file, severity: each.severity ?? 'error' });
    expect(found.message).toMatch(each.message);
    expect(found.advice).toMatch(each.cure);
    expect(found.line).toBe(each.line === undefined ? 1 : lineOf(file, each.line));

    const text = await commandLine('validate', folder.configDir);
    expect(text.code).toBe(expected);
    expect(text.out).toContain(
      `${file}:${found.line}:${found.column}: ${found.severity} ${each.code} ${found.message}`,
    );
    expect(text.out).toContain(found.advice);
    expect((await commandLine('validate', folder.configDir, '--strict')).code).toBe(1);
  });
});

test.each(cases.filter(({ severity }) => severity !== 'warning'))('$title keeps run from starting', async (each) => {
  const folder = await folderWith(each.parts);
  each.spoil?.(folder);
  const service = marked(['run', '--config', folder.configDir]);
  expect(await service.exit()).toBe(1);
  expect(service.stderr()).toContain(`error ${each.code} `);
  expect(service.stderr()).toContain(join(folder.dir, each.file));
  expect(service.stderr()).not.toMatch(/\n\s+at .*\.ts:/);
  expect(service.stdout()).toBe('');
  expect(service.family()).toEqual([]);
  expect(await isListening(folder.port)).toBe(false);
});

test('the folder of these cases is sound where nothing is spoiled', async () => {
  const { configDir } = await folderWith();
  expect(await commandLine('validate', configDir)).toEqual({ code: 0, out: 'No errors, no warnings.\n', err: '' });
});

test('what is named on the command line and is not there: exit code 3', async () => {
  const { dir, configDir } = await folderWith();
  const missing = join(dir, 'no such folder');
  const told = `lychgate: cannot read ${missing}: it does not exist.\n`;
  for (const args of [
    ['validate', missing],
    ['run', '--config', missing],
    ['trace', 'https://a/', '--rules', missing],
  ]) {
    expect(await commandLine(...args)).toEqual({ code: 3, out: '', err: told });
  }
  expect(await commandLine('validate', configDir, missing)).toMatchObject({ code: 3, out: '' });
  expect(await commandLine('run', '--config', join(configDir, 'settings.json'))).toMatchObject({ code: 2, out: '' });
});

test('a folder without applicationHost.config: the answer is no', async () => {
  const { configDir } = await folderWith();
  rmSync(join(configDir, 'applicationHost.config'));
  const { code, out } = await commandLine('validate', configDir);
  expect(code).toBe(1);
  expect(out).toContain(
    `${join(configDir, 'applicationHost.config')}:1:1: error LG1001 this file cannot be read: it does not exist.`,
  );
});
