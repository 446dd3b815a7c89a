/** A file that is no configuration is told as what it is, once, with what to do with it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import { writeFiles } from '../config/written.ts';
import { exportPfx } from '../tls/material.ts';
import { commandLine } from './command-line.ts';

const shipped = (name: string) => readFileSync(join(import.meta.dirname, '../..', name));
const issued = issueCertificate(createAuthority('Foreign'), { names: ['a.contoso.com'] });
const LOG = '#Software: Microsoft Internet Information Services 10.0\n#Fields: date time\n';

async function only(name: string, content: string | Uint8Array): Promise<string[]> {
  const file = join(writeFiles({ [name]: content }), name);
  const { code, out } = await commandLine('validate', file, '--format', 'json');
  expect(code).toBe(1);
  const { diagnostics } = JSON.parse(out);
  expect(diagnostics).toHaveLength(1);
  const [{ code: told, message, advice, line }] = diagnostics;
  expect(line).toBe(1);
  return [told, message, advice];
}

describe('in place of an IIS file', () => {
  const anyFile = 'Name applicationHost.config, a web.config or a file of rules.';
  test.each<[string, string | Uint8Array, string, RegExp | string]>([
    ['u_ex261126.log', LOG, 'an IIS log', /trace --log/],
    ['utf16.log', Buffer.from(`\ufeff${LOG}`, 'utf16le'), 'an IIS log', /trace --log/],
    ['compose.yaml', shipped('compose.yaml'), 'YAML', anyFile],
    ['.env', '# ours\n\nLYCHGATE_PORT=443\n', 'a file of variables', anyFile],
    ['README.md', '# Lychgate\n\nA `<site>` is …\n', 'Markdown', anyFile],
    ['a.pem', `Bag Attributes\n${issued.chainPem}`, 'a PEM file', /"certificates" of settings.json/],
    ['a.zip', 'PK\u0003\u0004\u0000', 'a ZIP archive', 'Unpack it first.'],
    ['a.txt', 'hello\n', 'text without an element', anyFile],
    ['settings', '{ "workers": 2 }', 'JSON', /validate settings\.json/],
  ])('%s', async (name, content, what, advice) => {
    const [code, message, cure] = await only(name, content);
    expect([code, message]).toEqual(['LG1002', `This is ${what}, not an IIS configuration file.`]);
    expect(cure).toEqual(typeof advice === 'string' ? advice : expect.stringMatching(advice));
  });

  test.each(['hello <configuration />', 'onfiguration><rules /></configuration>', '# hello\n<configuration />'])(
    'what stands before an element is told as that: %s',
    async (text) => {
      expect(await only('web.config', text)).not.toContain('This is');
      expect((await only('web.config', text))[1]).toMatch(/^Text stands before the root element/);
    },
  );

  test('a PFX', async () => {
    const target = join(writeFiles({}), 'a.pfx');
    exportPfx(target, issued, '-passout', 'pass:secret');
    const [code, message, cure] = await only('b.pfx', readFileSync(target));
    expect([code, message]).toEqual(['LG1002', 'This is a PFX file, not an IIS configuration file.']);
    expect(cure).toMatch(/"certificates" of settings.json/);
  });

  test('of trace', async () => {
    const file = join(writeFiles({ 'x.json': '{ "a": 1 }' }), 'x.json');
    const { code, err } = await commandLine('trace', 'http://a/', '--rules', file);
    expect([code, err]).toEqual([1, expect.stringContaining('LG1002 This is JSON, not an IIS configuration file.')]);
  });
});

describe('in place of settings', () => {
  const none = (what: string) => `This is ${what}, but not the settings of a service: it has none of their keys.`;
  const notJson = (what: string) => `This is ${what}, not the settings of a service in JSON.`;
  test.each<[string, string | Uint8Array, string, string]>([
    ['package.json', shipped('package.json'), 'LG6002', none('the package.json of a Node package')],
    [
      'settings.schema.json',
      shipped('config/settings.schema.json'),
      'LG6002',
      none('a JSON schema, by which editors check settings.json'),
    ],
    ['tsconfig.json', shipped('tsconfig.json'), 'LG6002', none('the settings of the TypeScript compiler')],
    [
      'found.json',
      '{ "ok": true, "files": [], "diagnostics": [] }',
      'LG6002',
      none('what "validate --format json" has found'),
    ],
    ['found.sarif.json', '{ "$schema": "x", "version": "2.1.0", "runs": [] }', 'LG6002', none('a report in SARIF')],
    ['trace.json', '{ "request": {}, "outcome": {}, "events": [] }', 'LG6002', none('a traced request')],
    ['other.json', '{ "a": 1, "b": 2 }', 'LG6002', none('JSON')],
    ['host.json', '<configuration />', 'LG6001', notJson('XML or HTML')],
    ['compose.json', 'services:\n  a: 1\n', 'LG6001', notJson('YAML')],
    ['log.json', LOG, 'LG6001', notJson('an IIS log')],
  ])('%s', async (name, content, code, message) => {
    expect((await only(name, content)).slice(0, 2)).toEqual([code, message]);
  });

  test('of the IIS files beside it nothing is said', async () => {
    const folder = writeFiles({ 'x.json': '{ "a": 1, "b": 2 }', 'applicationHost.config': '<configuration />' });
    expect((await commandLine('validate', join(folder, 'x.json'))).out).not.toContain('applicationHost.config');
  });

  test('keys that are misspelt are told one by one', async () => {
    const file = join(writeFiles({ 'a.json': '{ "wrokers": 2, "limts": {}, "x": 1 }' }), 'a.json');
    const { out } = await commandLine('validate', file, '--format', 'json');
    expect(JSON.parse(out).diagnostics.map(({ code }: { code: string }) => code)).toEqual([
      'LG6002',
      'LG6002',
      'LG6002',
    ]);
  });
});

test('the program is named as it is called', async () => {
  const pem = '-----BEGIN CERTIFICATE-----\n';
  const cures = ['a.pem', 'a.log', 'a.config', 'a.gz.config'].map(async (name, index) => {
    const content = [pem, LOG, '{ "a": 1 }', new Uint8Array([0x1f, 0x8b])][index] ?? '';
    return (await only(name, content))[2];
  });
  for (const cure of await Promise.all(cures)) {
    expect(cure).toContain('"npm run -s lychgate -- ');
    expect(cure).not.toContain('"lychgate ');
  }
});
