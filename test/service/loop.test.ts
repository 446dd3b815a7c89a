/** The endless loop of a missing hosts entry: seen at the start, and ended by the hop count where it was not. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { afterEach, expect, test, vi } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import { createResolver } from '../../src/connect/resolve.ts';
import { checkLoop } from '../../src/publication/check-loop.ts';
import { checkConfig } from '../../src/service/check-config.ts';
import { commandLine } from '../cli/command-line.ts';
import { ask } from '../integration/clients.ts';
import { applicationHost, authority, farmRules, startProxy, webFarm, writeFolder } from '../integration/environment.ts';
import { freePort } from '../integration/ports.ts';
import { isListening, marked } from './processes.ts';

const host = 'meet.contoso.com';
const member = 'pool01.contoso.local';

interface Loop {
  readonly binding?: string;
  readonly serverPort?: number;
  readonly port?: number;
  readonly settings?: Record<string, unknown>;
  readonly hosts?: Record<string, string>;
}

async function folderOf({ binding = '*', port, serverPort, settings, hosts = { [member]: '127.0.0.1' } }: Loop = {}) {
  const own = port ?? (await freePort());
  const folder = writeFolder({
    iis: applicationHost({
      bindings: [`https ${binding}:${own}:${host}`],
      farms: webFarm('fe', { servers: [{ address: member, httpsPort: serverPort ?? own }] }),
      rules: farmRules('fe', host),
    }),
    certificates: { meet: [host] },
    settings: { hosts, log: { level: 'info', access: { format: 'off' } }, ...settings },
  });
  return { ...folder, port: own, file: `${folder.configDir}/applicationHost.config` };
}

/** @param lookup in place of the system's resolver */
async function found(loop: Loop, lookup?: Parameters<typeof createResolver>[1]): Promise<Diagnostic[]> {
  const { configDir } = await folderOf(loop);
  const { config } = checkConfig(configDir);
  const diagnostics: Diagnostic[] = [];
  await checkLoop(config!, reportInto(diagnostics), createResolver(config!.settings, lookup));
  return diagnostics;
}

afterEach(() => {
  vi.useRealTimers();
});

test('a member that is this listener is refused at the start, with the hosts entry to write', async () => {
  const { configDir, port, file } = await folderOf();
  const service = marked(['run', '--config', configDir]);
  expect(await service.exit()).toBe(1);
  const line = readFileSync(file, 'utf8').split(member)[0]!.split('\n').length;
  expect(service.stderr()).toMatch(new RegExp(`applicationHost\\.config:${line}:\\d+: error LG3101 `));
  expect(service.stderr()).toContain(
    `server ${member} is this proxy itself: 127.0.0.1 port ${port} is the listener *:${port}`,
  );
  expect(service.stderr()).toContain(`"hosts": { "${member}": "10.0.0.20" }`);
  expect(service.family()).toEqual([]);
  expect(await isListening(port)).toBe(false);
  // validate asks nobody for names.
  expect((await commandLine('validate', configDir)).code).toBe(0);
});

test.each([
  ['127.0.0.1', '127.0.0.1', ['LG3101']],
  ['127.0.0.1', '127.0.0.2', []],
  ['*', '127.0.0.2', ['LG3101']],
])('listener on %s, member at %s, the same port: %j', async (binding, address, codes) => {
  expect((await found({ binding, hosts: { [member]: address } })).map(({ code }) => code)).toEqual(codes);
});

test('a member at an address of publicAddresses: a warning, whatever the port', async () => {
  const settings = { publicAddresses: ['203.0.113.5'] };
  const [only, ...more] = await found({ serverPort: 4443, hosts: { [member]: '203.0.113.5' }, settings });
  expect(more).toEqual([]);
  expect(only).toMatchObject({ code: 'LG3102', severity: 'warning' });
  expect(only?.advice).toContain(`"hosts": { "${member}": "10.0.0.20" }`);
});

const outer = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .filter(({ internal, address }) => !internal && !address.startsWith('fe80'));

test.each([...outer, { address: '127.0.0.1', internal: true }])(
  'a member at our own $address with another port: a warning, but for loopback',
  async ({ address, internal }) => {
    const codes = (await found({ serverPort: 4443, hosts: { [member]: address } })).map(({ code }) => code);
    expect(codes).toEqual(internal ? [] : ['LG3102']);
  },
);

test('a member that is the admin listener is refused', async () => {
  const admin = await freePort();
  const [only, ...more] = await found({ serverPort: admin, settings: { admin: { address: `127.0.0.1:${admin}` } } });
  expect(more).toEqual([]);
  expect(only).toMatchObject({ code: 'LG3101', severity: 'error' });
  expect(only?.message).toContain(`is the listener 127.0.0.1:${admin} (admin), so a request would come back to it`);
});

test('DNS that says nothing holds the start for five seconds, and is a warning then (F13)', async () => {
  const settled = vi.fn();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const asked = Promise.withResolvers<string>();
  const checked = found({ serverPort: 4443, hosts: {} }, (name) => {
    asked.resolve(name);
    return new Promise(() => undefined);
  });
  checked.then(settled, settled);
  expect(await asked.promise).toBe(member);
  await vi.advanceTimersByTimeAsync(4999);
  expect(settled).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  const [only, ...more] = await checked;
  expect(more).toEqual([]);
  expect(only).toMatchObject({ code: 'LG3103', severity: 'warning' });
  expect(only?.message).toBe(`the name ${member} does not resolve: no answer within 5 s`);
});

test('a name that does not resolve: a warning, and the service starts', async () => {
  // Nobody answers there: the request for the name is refused by the loopback itself.
  const { configDir } = await folderOf({
    serverPort: 4443,
    hosts: {},
    settings: { dns: [`127.0.0.1:${await freePort()}`] },
  });
  const service = marked(['run', '--config', configDir]);
  await service.prints(/Lychgate serves/);
  expect(service.stderr()).toMatch(
    /: warning LG3103 the name pool01\.contoso\.local does not resolve: no DNS server answers$/m,
  );
  expect(service.stderr()).toContain('in "hosts" of settings.json');
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
  expect(await commandLine('validate', configDir)).toMatchObject({ code: 0 });
});

test.each(['HTTP/1.1', 'HTTP/2'] as const)(
  '%s: two proxies that point at each other end with 400.605',
  async (protocol) => {
    const [first, second] = [await freePort(), await freePort()];
    const settings = { log: { level: 'silent', access: { format: 'off' } }, upstream: { ca: '../ca.pem' } };
    const contents = (port: number, serverPort: number) => ({
      iis: applicationHost({
        bindings: [`https 127.0.0.1:${port}:${host}`],
        farms: webFarm('fe', { servers: [{ address: member, httpsPort: serverPort }] }),
        rules: farmRules('fe', host),
      }),
      certificates: { meet: [host] },
      settings: { ...settings, hosts: { [member]: '127.0.0.1' } },
    });
    await startProxy(contents(first, second));
    await startProxy(contents(second, first));
    const told = await ask({ protocol, port: first, host, ca: authority.certPem });
    expect(told.status).toBe(400);
    expect(told.body.toString()).toContain('400.605');
    // Each proxy on the way back adds its line; the count starts behind the first one.
    expect(hops(told.headers['x-powered-by'])).toBe(11);
  },
);

function hops(line: string | string[] | undefined): number {
  return [line ?? []].flat().join(',').split('ARR').length - 1;
}
