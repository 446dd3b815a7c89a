/** Output that cannot be written is no success; a reader that has gone is none of our business. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** A script for bash in which `lychgate` is this one. */
function shell(script: string) {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-output-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `lychgate() { "$NODE" "$MAIN" "$@"; }; ${script}`], {
    cwd: root,
    encoding: 'utf8',
    // What is compiled is kept in files too, which a script may have no room for.
    env: {
      ...process.env,
      NODE: process.execPath,
      MAIN: join(root, 'src/main.ts'),
      OUT: join(folder, 'out'),
      NODE_COMPILE_CACHE: '',
    },
  });
  return { status, stdout, stderr };
}

const TRACE = 'trace https://meet.contoso.com/alice --config config';

test.each(['validate config/applicationHost.config', 'validate --format sarif config', TRACE, 'help'])(
  '%s onto a full disk: exit 3 and one line',
  (line) => {
    expect(shell(`lychgate ${line} >/dev/full`)).toEqual({
      status: 3,
      stdout: '',
      stderr: 'lychgate: the output cannot be written: the disk is full.\n',
    });
  },
);

test('a file that takes a part of the output only', () => {
  const { status, stdout, stderr } = shell(
    'trap "" XFSZ; ulimit -f 1; lychgate help drain >"$OUT"; code=$?; wc -c <"$OUT"; exit $code',
  );
  expect([status, stdout.trim()]).toEqual([3, '1024']);
  expect(stderr).toBe('lychgate: the output cannot be written: the file may not become larger.\n');
});

test('what fits is written whole, and appended where that is asked for', () => {
  const { status, stdout } = shell(
    'echo first >"$OUT"; lychgate help drain >>"$OUT" && lychgate help drain | cat - "$OUT"',
  );
  expect(status).toBe(0);
  const [piped, filed] = stdout.split('first\n');
  expect(filed).toBe(piped);
});

test('neither stream can be written: exit 3 without a word', () => {
  expect(shell('lychgate help >/dev/full 2>&1').status).toBe(3);
});

test('a reader that has gone: the exit code is the answer', () => {
  // It goes before anything is written.
  const script =
    'exec 3> >(exec <&-; echo gone >"$OUT"); until [ -s "$OUT" ]; do read -rt 0.01 <> <(:); done; lychgate LINE >&3';
  for (const [line, code] of [
    ['help', 0],
    ['validate config/applicationHost.config', 0],
    ['trace https://no.example/ --config config', 1],
  ] as const)
    expect(shell(script.replace('LINE', line)), line).toEqual({ status: code, stdout: '', stderr: '' });
});
