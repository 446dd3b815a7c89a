/** States of servers in a running service: over the API and the command line, in all workers, over deaths and restarts. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ReportedFarm, ServerAction } from '../../src/admin/control.ts';
import { commandLine } from '../cli/command-line.ts';
import { freePort } from '../integration/ports.ts';
import { lychgate } from '../integration/process.ts';
import { marked } from './processes.ts';
import { adminApi, type HeldServer, heldServer, type PublishedService, publish } from './published.ts';

const FIRST = 'fe01.contoso.local';
const SECOND = 'fe02.contoso.local';

/** A busy worker may tell its counters a little later than it is asked. */

interface Administered extends PublishedService {
  readonly servers: readonly [HeldServer, HeldServer];
  readonly farm: () => Promise<ReportedFarm>;
  /** Over the API. */
  readonly act: (server: string, action: ServerAction) => Promise<Record<string, unknown>>;
  /** How many of so many requests, each on a connection of its own, go to each server. */
  readonly served: (count?: number) => Promise<Record<string, number>>;
}

/** @param routing elements of the farm beside its protocol */
async function administered(settings: Record<string, unknown> = {}, routing = ''): Promise<Administered> {
  const admin = await freePort();
  const servers = [await heldServer(FIRST), await heldServer(SECOND)] as const;
  const published = await publish(
    { workers: 2, admin: { address: `127.0.0.1:${admin}` }, ...settings },
    {
      servers: [
        { address: FIRST, httpPort: servers[0].port },
        { address: SECOND, httpPort: servers[1].port },
      ],
      routing,
    },
  );
  return {
    ...published,
    servers,
    ...adminApi(admin),
    async served(count = 40) {
      const sum: Record<string, number> = {};
      for (let i = 0; i < count; i++) {
        const { headers } = await published.get();
        const by = String(headers['x-served-by']);
        sum[by] = (sum[by] ?? 0) + 1;
      }
      return sum;
    },
  };
}

/** The same configuration and ports again. */
async function restart(configDir: string) {
  const service = marked(['run', '--config', configDir]);
  await service.prints(/Lychgate serves/);
  return service;
}

const WAYS: readonly (readonly [string, (at: Administered, action: ServerAction) => Promise<unknown>])[] = [
  ['the API', (at, action) => at.act(FIRST, action)],
  ['the command line', (at, action) => commandLine('drain', 'FE', FIRST, '--state', action, '--config', at.configDir)],
];

test.each(WAYS)('what is asked over %s holds in both workers when the answer comes', async (_way, act) => {
  const at = await administered();
  for (const [out, back] of [
    ['Drain', 'Start'],
    ['GracefulStop', 'Start'],
    ['ForcefulStop', 'Start'],
    ['SetUnhealthy', 'SetHealthy'],
  ] as const) {
    await act(at, out);
    expect([out, await at.served()]).toEqual([out, { [SECOND]: 40 }]);
    await act(at, back);
    expect([back, Object.keys(await at.served(20)).sort()]).toEqual([back, [FIRST, SECOND]]);
  }
  expect((await at.farm()).servers.map(({ state, isHealthy }) => [state, isHealthy])).toEqual([
    ['Active', true],
    ['Active', true],
  ]);
  const by = expect.stringMatching(/^127\.0\.0\.1:\d+$/);
  const actions = () => at.logged().filter((each) => 'by' in each);
  await expect.poll(actions).toHaveLength(8);
  expect(actions()[0]).toMatchObject({ level: 30, msg: 'Drain by an administrator', farm: 'fe', server: FIRST, by });
});

test('a farm with no server for new clients: 502.4, and status says so', async () => {
  const at = await administered();
  for (const server of [FIRST, SECOND])
    expect(await at.act(server, 'Drain')).toMatchObject({ status: 200, kept: null });
  expect((await at.get()).status).toBe(502);
  const status = await commandLine('status', '--config', at.configDir);
  expect(status).toMatchObject({ code: 1, err: '' });
  expect(status.out).toContain('No server of fe takes requests of new clients.');
  await at.act(FIRST, 'Start');
  expect((await commandLine('status', '--config', at.configDir)).code).toBe(0);
  expect((await at.get()).status).toBe(200);
});

test('a server that is unhealthy already, and serves for want of others, gets no more requests once it is marked', async () => {
  // Nobody passes the test; one of the two has to serve all the same.
  const at = await administered(
    {},
    '<healthCheck url="http://fe/health" interval="00:00:01" responseMatch="never" minServers="1" />',
  );
  const serving = async () =>
    (await at.farm()).servers.filter(({ takesRequests }) => takesRequests).map(({ address }) => address);
  const healthy = async () => (await at.farm()).servers.filter(({ isHealthy }) => isHealthy);
  await expect.poll(healthy).toEqual([]);
  const [last = '', ...others] = await serving();
  expect(others).toEqual([]);
  await expect.poll(() => at.served(10)).toEqual({ [last]: 10 });
  await at.act(last, 'SetUnhealthy');
  expect(await at.served()).toEqual({ [last === FIRST ? SECOND : FIRST]: 40 });
});

test('a worker that takes the place of another knows the states, and counters never go back', async () => {
  const at = await administered();
  await at.served(20);
  await at.act(FIRST, 'Drain');
  const held = at.get('/held').catch((error: Error) => error);
  await at.servers[1].held();
  const counters = async () => (await at.farm()).counters;
  await expect.poll(counters).toMatchObject({ totalRequests: 21, currentRequests: 1 });
  const before = await at.farm();
  for (let turn = 1; turn <= 2; turn++) {
    process.kill(at.service.workers()[0]!, 'SIGKILL');
    await at.service.prints(new RegExp(`(a worker took its place[^]*){${turn}}`));
    expect((await at.farm()).counters.totalRequests).toBe(21);
  }
  expect(await held).toBeInstanceOf(Error);
  expect((await at.farm()).counters.currentRequests).toBe(0);
  expect(await at.served()).toEqual({ [SECOND]: 40 });
  await expect.poll(counters).toMatchObject({ totalRequests: 61, currentRequests: 0 });
  const after = await at.farm();
  expect(after.counters.bytesReceived).toBeGreaterThanOrEqual(60 * 'answer'.length);
  // What comes per second is of now; all else stays.
  const counted = { ...before.servers[0]!.counters, requestPerSecond: expect.any(Number) };
  expect(after.servers[0]).toMatchObject({ state: 'Draining', counters: counted });
});

test('a worker that hangs keeps nobody from asking, and takes a change up when it goes on', async () => {
  const at = await administered();
  const [hung = 0] = at.service.workers();
  process.kill(hung, 'SIGSTOP');
  const drained = at.act(FIRST, 'Drain');
  await at.service.prints(/Drain by an administrator/);
  expect((await at.farm()).servers[0]).toMatchObject({ address: FIRST, state: 'Draining' });
  expect(await drained).toMatchObject({ status: 200, everywhere: false, kept: null });
  await at.service.prints(/a worker does not answer: Drain counts there when it does again/);
  const told = await commandLine('status', '--config', at.configDir);
  expect(told).toMatchObject({ code: 0, err: expect.stringMatching(/^lychgate: A worker does not answer: /) });
  process.kill(hung, 'SIGCONT');
  await at.service.prints(/a worker that did not answer does again/);
  expect(await at.act(SECOND, 'Start')).toMatchObject({ everywhere: true });
  expect(await commandLine('status', '--config', at.configDir)).toMatchObject({ err: '' });
  expect(await at.served()).toEqual({ [SECOND]: 40 });
});

test('states and marks are there again after SIGTERM and after SIGKILL', async () => {
  const at = await administered({ stateFile: 'states.json' });
  expect(await at.act(FIRST, 'GracefulStop')).toMatchObject({ kept: true, server: { state: 'Inactive' } });
  expect(await at.act(SECOND, 'SetUnhealthy')).toMatchObject({ kept: true, server: { isHealthy: false } });
  at.service.child.kill('SIGTERM');
  expect(await at.service.exit()).toBe(0);
  const again = await restart(at.configDir);
  expect((await at.farm()).servers.map(({ state, isHealthy }) => [state, isHealthy])).toEqual([
    ['Inactive', true],
    ['Active', false],
  ]);
  expect(again.stderr()).toMatch(
    /"state":"Inactive","unhealthy":false,"msg":"as an administrator left it before the start"/,
  );
  expect((await at.get()).status).toBe(502);
  await at.act(SECOND, 'SetHealthy');
  expect(await at.served()).toEqual({ [SECOND]: 40 });
  await at.act(FIRST, 'Start');
  again.child.kill('SIGKILL');
  await again.exit();
  await restart(at.configDir);
  expect(Object.keys(await at.served(20)).sort()).toEqual([FIRST, SECOND]);
});

test('SIGKILL between two changes: the last one that was answered holds', async () => {
  const at = await administered({ stateFile: 'states.json', workers: 1 });
  let { service } = at as Pick<Administered, 'service'>;
  const path = join(at.configDir, 'states.json');
  for (const answered of ['Drain', 'Start'] as const) {
    expect(await at.act(FIRST, answered)).toMatchObject({ kept: true });
    const unanswered = at.act(SECOND, answered === 'Drain' ? 'GracefulStop' : 'Start').catch((error: Error) => error);
    service.child.kill('SIGKILL');
    await service.exit();
    await unanswered;
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ servers: expect.any(Array) });
    service = await restart(at.configDir);
    expect((await at.farm()).servers[0]!.state).toBe(answered === 'Drain' ? 'Draining' : 'Active');
    expect(service.stderr()).not.toContain('cannot be read');
  }
});

test('a state file that can no longer be written: the change counts, and everybody is told', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lychgate-states-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const at = await administered({ stateFile: join(dir, 'states.json'), workers: 1 });
  rmSync(dir, { recursive: true });
  const drained = await commandLine('drain', 'fe', FIRST, '--config', at.configDir);
  expect(drained.code).toBe(1);
  expect(drained.err).toContain('could not be written to the state file, so a restart would undo it');
  expect(await at.served(10)).toEqual({ [SECOND]: 10 });
  await at.service.prints(/"level":50,.*its folder does not exist/);
  const status = () => commandLine('status', '--config', at.configDir);
  expect((await status()).err).toMatch(/^lychgate: The states of servers cannot be written to /);
  mkdirSync(dir);
  expect(await at.act(FIRST, 'Start')).toMatchObject({ kept: true });
  expect((await status()).err).toBe('');
});

test('a state file that cannot be one stops the start, and loses nothing', async () => {
  const { configDir, service: first } = await publish();
  first.child.kill('SIGTERM');
  await first.exit();
  const file = join(configDir, 'settings.json');
  const settings = JSON.parse(readFileSync(file, 'utf8'));
  for (const [stateFile, why] of [
    ['settings.json', 'it is a file of the configuration'],
    ['none/states.json', 'its folder does not exist'],
  ] as const) {
    const text = JSON.stringify({ ...settings, stateFile });
    writeFileSync(file, text);
    const service = marked(['run', '--config', configDir]);
    expect(await service.exit()).toBe(3);
    expect(service.stderr()).toMatch(new RegExp(`lychgate: cannot keep the states of servers in .*: ${why}\\.`));
    expect(service.family()).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(text);
  }
});

/** A request to the first server that the test ends, and what a process prints that waits for it. */
async function waiting(at: Administered, ...args: string[]) {
  await at.act(SECOND, 'Drain');
  const request = at.get('/held');
  const response = await at.servers[0].held();
  await at.act(SECOND, 'Start');
  const waits = lychgate(['drain', 'fe', FIRST, '--wait', '--config', at.configDir, ...args]);
  await waits.prints(/One request is under way/);
  return { request, response, waits };
}

test('drain --wait returns when the last request has ended', async () => {
  const at = await administered();
  const { request, response, waits } = await waiting(at);
  expect(waits.stdout()).not.toContain('no request is under way');
  response.end('late');
  expect((await request).body.toString()).toBe('late');
  expect(await waits.exit()).toBe(0);
  expect(waits.stdout()).toMatch(/fe01\.contoso\.local of fe: no request is under way\.\n$/);
  // With nothing under way, at once.
  const told = await commandLine('drain', 'fe', FIRST, '--wait', '--timeout', '0', '--config', at.configDir);
  expect(told).toMatchObject({ code: 0, err: '' });
});

test('drain --wait gives up at the time-out, and where somebody brings the server back', async () => {
  const at = await administered();
  const { request, response, waits } = await waiting(at, '--timeout', '0.2');
  expect(await waits.exit()).toBe(1);
  expect(waits.stderr()).toBe(
    'lychgate: fe01.contoso.local of fe is not idle at the time-out. One request is under way.\n',
  );
  const stopped = lychgate(['drain', 'fe', FIRST, '--state', 'gracefulstop', '--wait', '--config', at.configDir]);
  await stopped.prints(/Inactive\. No request goes there any more/);
  await at.act(FIRST, 'Start');
  expect(await stopped.exit()).toBe(1);
  expect(stopped.stderr()).toContain('takes requests again: somebody has brought it back');
  response.end();
  await request;
});
