/** The folder that `lychgate init` makes is not that of the configuration, which stands in it: whoever names it is told so. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeFiles } from '../config/written.ts';
import { commandLine } from './command-line.ts';

const settings = { 'config/settings.json': '{}' };

test.each([
  ['validate'],
  ['run', '--config'],
  ['status', '--config'],
  ['drain', 'a', 'b', '--config'],
  ['trace', 'https://a/', '--config'],
  ['validate', '--config'],
])('%s %s', async (...args) => {
  const edge = writeFiles({ ...settings, 'compose.yaml': '' });
  const { code, out, err } = await commandLine(...args, edge);
  expect([code, out]).toEqual([2, '']);
  expect(err.split('\n')[0]).toBe(
    `lychgate ${args[0]}: ${edge} holds no configuration. Did you mean ${join(edge, 'config')}?`,
  );
});

test('the folder of certificates beside it', async () => {
  const edge = writeFiles({ ...settings, 'certs/a.txt': '' });
  const { code, err } = await commandLine('validate', join(edge, 'certs'));
  expect([code, err]).toEqual([2, expect.stringContaining(`Did you mean ${join(edge, 'config')}?`)]);
});

test('trace --log … --against', async () => {
  const edge = writeFiles(settings);
  const rules = join(writeFiles({ 'a.config': '<rules />' }), 'a.config');
  const { code, err } = await commandLine('trace', '--log', rules, '--rules', rules, '--against', edge);
  expect([code, err]).toEqual([2, expect.stringContaining(`Did you mean ${join(edge, 'config')}?`)]);
});

test.each([
  ['has settings of its own', { ...settings, 'settings.json': '{ "iis": [] }' }],
  ['has an IIS file', { ...settings, 'applicationHost.config': '<configuration />' }],
  ['holds no settings further in', { 'config/compose.yaml': '' }],
])('one that %s is judged as it is', async (_, files: Record<string, string>) => {
  const { code, err } = await commandLine('validate', writeFiles(files));
  expect([code, err]).toEqual([1, '']);
});
