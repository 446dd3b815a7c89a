/** A port that somebody else has: told with the cure, exit code 3, and nothing is left running. */
import { createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { applicationHost, farmRules, webFarm, writeFolder } from '../integration/environment.ts';
import { freePort } from '../integration/ports.ts';
import { isListening, marked } from './processes.ts';

const host = 'meet.contoso.com';

function folderAt(httpsPort: number, httpPort: number, settings: Record<string, unknown> = {}): string {
  return writeFolder({
    iis: applicationHost({
      bindings: [`https *:${httpsPort}:${host}`, `http *:${httpPort}:${host}`],
      farms: webFarm('fe', { servers: [{ address: '127.0.0.9' }] }),
      rules: farmRules('fe', host),
    }),
    certificates: { meet: [host] },
    settings: { workers: 2, log: { level: 'info', access: { format: 'off' } }, ...settings },
  }).configDir;
}

async function occupy(): Promise<number> {
  const server: Server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return port;
}

async function refused(configDir: string): Promise<string> {
  const service = marked(['run', '--config', configDir]);
  expect(await service.exit()).toBe(3);
  expect(service.family()).toEqual([]);
  expect(service.stderr()).not.toMatch(/\n\s+at /);
  return service.stderr();
}

const told = (listener: string, port: number) =>
  `lychgate: cannot listen on ${listener}: another program uses port ${port}. Stop it ("ss -ltnp sport = :${port}" shows which), or change the binding.\n`;

test('the port of a TLS listener', async () => {
  const taken = await occupy();
  const other = await freePort();
  expect(await refused(folderAt(taken, other))).toContain(told(`*:${taken}`, taken));
  expect(await isListening(other)).toBe(false);
});

test('the port of a plain listener, behind one that could be opened', async () => {
  const taken = await occupy();
  const other = await freePort();
  expect(await refused(folderAt(other, taken))).toContain(told(`*:${taken}`, taken));
  expect(await isListening(other)).toBe(false);
});

test('the port of the admin listener', async () => {
  const taken = await occupy();
  const [httpsPort, httpPort] = [await freePort(), await freePort()];
  const text = await refused(folderAt(httpsPort, httpPort, { admin: { address: `127.0.0.1:${taken}` } }));
  expect(text).toContain(`cannot open the admin listener on 127.0.0.1:${taken}: another program uses port ${taken}.`);
  expect(await isListening(httpsPort)).toBe(false);
});

test('another Lychgate with several workers, whose sockets would share the port with anybody who asks', async () => {
  const [httpsPort, httpPort] = [await freePort(), await freePort()];
  const first = marked(['run', '--config', folderAt(httpsPort, httpPort)]);
  await first.prints(/Lychgate serves/);
  expect(await refused(folderAt(httpsPort, await freePort()))).toContain(told(`*:${httpsPort}`, httpsPort));
  expect(await refused(folderAt(await freePort(), httpPort))).toContain(told(`*:${httpPort}`, httpPort));
  expect(first.family()).toHaveLength(3);
  expect(await isListening(httpsPort)).toBe(true);
});
