/** A supervisor that has gone while a worker starts: the worker ends too, and has nothing to say. */
import { spawn } from 'node:child_process';
import cluster from 'node:cluster';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTeam, type TeamOptions } from '../../src/service/team.ts';
import { publish } from './published.ts';

test('before the first line of ours', async () => {
  const nothing = () => undefined;
  createTeam({ count: 0, heard: nothing, lost: nothing } as unknown as TeamOptions);
  const { exec = '', execArgv = [] } = cluster.settings;
  const env = {
    ...process.env,
    NODE_UNIQUE_ID: '1',
    NODE_CHANNEL_FD: '3',
    NODE_CHANNEL_SERIALIZATION_MODE: 'advanced',
  };
  // It begins when the other end of its channel is known to be closed.
  const child = spawn('bash', ['-c', 'read -r; exec "$@"', 'bash', process.execPath, ...execArgv, exec], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk));
  const channel = child.stdio[3];
  channel?.once('close', () => child.stdin?.end('\n'));
  channel?.destroy();
  const how = await new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
  expect([said, how]).toEqual(['', 'SIGKILL']);
});

test('before it says that it is ready', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-gone-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'preload.cjs');
  // The second worker, which takes the place of the first, ends the supervisor and speaks when it is gone.
  writeFileSync(
    file,
    `const { worker } = require('node:cluster');
     if (worker?.id === 2) {
       const { send, ppid } = process;
       process.send = (message, ...more) => {
         if (message.type === 'ready') process.kill(ppid, 'SIGKILL');
         while (message.type === 'ready' && process.ppid === ppid);
         return send.call(process, message, ...more);
       };
     }`,
  );
  const { service } = await publish({}, {}, { NODE_OPTIONS: `--require=${file}` });
  const before = service.stderr().length;
  process.kill(service.workers()[0] ?? 0, 'SIGKILL');
  // The streams close with the last process that holds them.
  expect(await service.exit()).toBe('SIGKILL');
  const said = service
    .stderr()
    .slice(before)
    .split('\n')
    .filter((line) => !/^(\{.*)?$/.test(line));
  expect([said, service.family()]).toEqual([[], []]);
});
