/** The admin listener of a running service: through a rule, and with a token. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandLine } from '../cli/command-line.ts';
import { writeFiles } from '../config/written.ts';
import { ask } from '../integration/clients.ts';
import { applicationHost, farmRules, webFarm, writeFolder } from '../integration/environment.ts';
import { freePort } from '../integration/ports.ts';
import { marked } from './processes.ts';

const HOST = 'meet.contoso.com';

/** @param rules by the port of the admin listener */
async function folderOf(rules: (admin: number) => string, admin = {}) {
  const [port, adminPort] = [await freePort(), await freePort()];
  const folder = writeFolder({
    iis: applicationHost({
      bindings: [`http 127.0.0.1:${port}:${HOST}`],
      farms: webFarm('fe', { servers: [{ address: '127.0.0.1', httpPort: 1 }] }),
      rules: rules(adminPort),
      more: '<proxy enabled="true" />',
    }),
    settings: {
      admin: { address: `127.0.0.1:${adminPort}`, ...admin },
      workers: 1,
      log: { level: 'info', access: { format: 'off' } },
    },
  });
  return { ...folder, port, adminPort };
}

test('a rule that leads there opens it to nobody', async () => {
  const rule = (admin: number) =>
    `<rule name="admin" stopProcessing="true"><match url=".*" /><action type="Rewrite" url="http://127.0.0.1:${admin}/{R:0}" /></rule>`;
  const { configDir, port } = await folderOf(rule);
  await marked(['run', '--config', configDir]).prints(/Lychgate serves/);
  const told = await ask({ protocol: 'HTTP/1.1', port, host: HOST, plain: true, path: '/api/v1/farms' });
  expect([403, 502]).toContain(told.status);
  expect(told.body.toString()).not.toContain('farms');
});

test('with a token', async () => {
  const token = '0123456789abcdef';
  const file = join(writeFiles({ token }), 'token');
  chmodSync(file, 0o600);
  const { configDir, adminPort } = await folderOf(() => farmRules('fe', HOST), { tokenFile: file });
  const service = marked(['run', '--config', configDir]);
  await service.prints(/Lychgate serves/);
  const get = async (headers: Record<string, string>) =>
    (
      await ask({
        protocol: 'HTTP/1.1',
        port: adminPort,
        host: 'localhost',
        plain: true,
        path: '/api/v1/farms',
        headers,
      })
    ).status;
  expect(await get({})).toBe(401);
  expect(await get({ Authorization: `Bearer ${token}` })).toBe(200);
  expect((await commandLine('status', '--config', configDir)).code).toBe(0);
  await service.prints(/"msg":"admin request refused: A token is wanted"/);
  expect(service.stderr()).not.toContain(token);
});
