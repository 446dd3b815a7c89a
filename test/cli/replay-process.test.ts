/** `lychgate trace --log` as a process: standard input, a reader that goes away, a heap that a whole log would burst. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { writeIisLog } from '../../loadtest/iis-log.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'lychgate-replay-process-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LOG = '#Fields: cs-method cs-uri-stem s-port cs-host\nGET /a 443 meet.contoso.com\n';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Through a shell, as it is called. */
function shell(command: string, input?: Buffer): Promise<Ended> {
  return new Promise((resolve) => {
    const lychgate = `lychgate() { '${process.execPath}' src/main.ts "$@"; }`;
    const child = spawn('bash', ['-c', `set -o pipefail; ${lychgate}; ${command}`], { cwd: root });
    let out = '';
    let err = '';
    child.stdout.on('data', (piece) => (out += piece));
    child.stderr.on('data', (piece) => (err += piece));
    child.once('close', (code) => resolve({ code, out, err }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

test('standard input, plain and packed', async () => {
  for (const input of [Buffer.from(LOG), gzipSync(LOG)]) {
    const { code, out, err } = await shell('lychgate trace --log - --json', input);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ files: [{ name: '-', lines: 2 }], requests: 1, actions: { proxy: 1 } });
  }
});

test('a pipe of the shell in place of a file', async () => {
  const file = join(folder, 'a.log');
  writeFileSync(file, LOG);
  const { code, out } = await shell(`lychgate trace --json --log <(cat '${file}') '${file}'`);
  expect([code, JSON.parse(out).requests]).toEqual([0, 2]);
});

test('a reader that goes away', async () => {
  const { code, out, err } = await shell('lychgate trace --log - | true', Buffer.from(LOG));
  expect([code, out, err]).toEqual([0, '', '']);
});

test('a log that the heap cannot hold: the program itself takes half of it', async () => {
  const file = join(folder, 'large.log');
  expect(writeIisLog(file, 100_000)).toBeGreaterThan(22_000_000);
  const { code, out, err } = await shell(
    `NODE_OPTIONS=--max-old-space-size=40 lychgate trace --json --log '${file}' --against config/examples/one-farm-by-path`,
  );
  expect([code, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toMatchObject({ requests: 100_000, malformed: 0, changes: { requests: expect.any(Number) } });
});
