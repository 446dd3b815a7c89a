/** The examples of docs/admin-api.md, asked of a service with curl as they stand there. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { problem } from '../src/admin/problem.ts';
import { writeFiles } from './config/written.ts';
import { applicationHost, farmRules, webFarm, writeFolder } from './integration/environment.ts';
import { freePort } from './integration/ports.ts';
import { marked } from './service/processes.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/admin-api.md'), 'utf8');
const examples = [...page.matchAll(/^```sh\n(.*?)^```\n\n```json\n(.*?)^```$/gms)].map(
  ([, command = '', answer = '']) => ({
    command,
    answer: JSON.parse(answer) as unknown,
  }),
);

/** Numbers, times and reasons differ from run to run; what is asked for, weights and statuses do not. */
function comparable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, each: unknown) => {
    if (key === 'healthReason' && each !== '') return 'a reason';
    if (typeof each === 'string') return each.replace(/^\d{4}-\d\d-\d\dT.*Z$/, 'a time');
    return typeof each === 'number' && key !== 'weight' && key !== 'status' ? 0 : each;
  });
}

function printed(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.once('error', reject);
    child.once('close', () => resolve(out));
  });
}

test('every example gives what the page shows', async () => {
  const [port, httpPort] = [await freePort(), await freePort()];
  const folder = writeFiles({ 'admin.token': '0123456789abcdef0123456789abcdef\n' });
  const { configDir } = writeFolder({
    iis: applicationHost({
      bindings: [`http 127.0.0.1:${httpPort}:meet.contoso.com`],
      farms: webFarm('Lync', { servers: [{ address: 'pool01.contoso.local' }, { address: 'pool02.contoso.local' }] }),
      rules: farmRules('Lync', 'meet.contoso.com'),
    }),
    settings: {
      workers: 2,
      hosts: { 'pool01.contoso.local': '127.0.0.1', 'pool02.contoso.local': '127.0.0.1' },
      admin: { address: `127.0.0.1:${port}`, tokenFile: join(folder, 'admin.token') },
      stateFile: join(folder, 'states.json'),
      log: { level: 'info', access: { format: 'off' } },
    },
  });
  await marked(['run', '--config', configDir]).prints(/Lychgate serves/);
  expect(examples.length).toBe([...page.matchAll(/^```sh$/gm)].length);
  for (const { command, answer } of examples) {
    const here = command.replaceAll('127.0.0.1:9443', `127.0.0.1:${port}`).replaceAll('/etc/lychgate', folder);
    expect(here).not.toBe(command);
    expect(comparable(JSON.parse(await printed(here))), command).toEqual(comparable(answer));
  }
});

test('the table of problems has them all, with their statuses', () => {
  const rows = [...page.matchAll(/^\| ([\d, ]+) \| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap(
    ([, statuses = '', types = '']) => {
      const numbers = statuses.split(', ').map(Number);
      const names = types.split(', ').map((each) => each.slice(1, -1));
      return names.map((name, index) => [name, numbers[index] ?? numbers[0]]);
    },
  );
  const source = readFileSync(join(import.meta.dirname, '../src/admin/problem.ts'), 'utf8');
  const kinds = [...source.matchAll(/^ {2}(\w+): \[(\d+), /gm)].map(([, name, status]) => [name, Number(status)]);
  expect(rows.toSorted()).toEqual(kinds.toSorted());
  expect(problem('tooSlow', '').type).toBe('urn:problem-type:lychgate:tooSlow');
});
