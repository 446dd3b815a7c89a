/** How requests are balanced by the whole service: two worker processes behave as one, and a restart changes nothing for clients. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import {
  type BalancedFarm,
  type BalancedOptions,
  balancedFolder,
  cookieHeader,
  keptClient,
  type NamedServer,
  startServers,
} from '../integration/balanced-farm.ts';
import { type Folder, writeFolder } from '../integration/environment.ts';
import { freePort } from '../integration/ports.ts';
import { type Marked, marked } from './processes.ts';

/** Supervisors and their workers start one after the other, on a machine that may be busy. */
vi.setConfig({ testTimeout: 120_000 });

interface Node extends Folder {
  readonly servers: readonly NamedServer[];
  /** Over a connection of its own, which one of the workers has. */
  client(): BalancedFarm['ask'];
  /** Resolves when it serves. */
  run(): Promise<Marked>;
}

async function prepare(options: BalancedOptions, workers = 2): Promise<Node> {
  const ports = { https: await freePort(), http: await freePort() };
  const { settings, ...contents } = balancedFolder(options, ports);
  const folder = writeFolder({
    ...contents,
    settings: { ...settings, workers, log: { level: 'info', access: { format: 'off' } } },
  });
  return {
    ...folder,
    servers: options.servers,
    client: () => keptClient(ports),
    async run() {
      const service = marked(['run', '--config', folder.configDir]);
      await service.prints(/Lychgate serves/);
      return service;
    },
  };
}

async function end(service: Marked): Promise<void> {
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
}

const WITH_COOKIE = '<affinity useCookie="true" />';

test('shares by weight hold over two workers, within 2 %', async () => {
  const node = await prepare({ servers: await startServers(3), weights: [300, 200, 100] });
  await node.run();
  await Promise.all(
    Array.from({ length: 30 }, async () => {
      const ask = node.client();
      for (let i = 0; i < 40; i++) expect((await ask('HTTP/1.1', { plain: true })).status).toBe(200);
    }),
  );
  for (const [i, share] of [600, 400, 200].entries()) {
    expect(Math.abs((node.servers[i]?.requests.length ?? 0) / share - 1)).toBeLessThan(0.02);
  }
});

test('RequestHash: both workers send a URL to the same server', async () => {
  const node = await prepare({
    servers: await startServers(3),
    routing: '<loadBalancing algorithm="RequestHash" />',
  });
  await node.run();
  const met = new Map<string, Set<string>>();
  // The kernel spreads connections over the workers.
  for (let i = 0; i < 16; i++) {
    const ask = node.client();
    for (let url = 0; url < 12; url++) {
      const path = `/${url}`;
      const { body } = await ask('HTTP/1.1', { plain: true, path });
      met.set(path, (met.get(path) ?? new Set()).add(body));
    }
  }
  for (const servers of met.values()) expect(servers.size).toBe(1);
  expect(new Set([...met.values()].flatMap((servers) => [...servers])).size).toBe(3);
});

test('host-name affinity: every host has the same server, whichever worker is asked', async () => {
  const hosts = Array.from({ length: 9 }, (_, i) => `h${i}.contoso.com`);
  const node = await prepare({
    servers: await startServers(3),
    routing: '<affinity useHostName="true"><host name="h0.contoso.com" servers="2" /></affinity>',
  });
  await node.run();
  const [twice, ...once] = hosts as [string, ...string[]];
  const round = async (ask: BalancedFarm['ask'], asked: readonly string[]) => {
    const servers: string[] = [];
    for (const host of asked) servers.push((await ask('HTTP/1.1', { plain: true, host })).body);
    return servers;
  };
  /** A worker that was not told in time balances: two rounds that agree are those of one that was. */
  const settled = async (ask: BalancedFarm['ask']) => {
    // The supervisor answers in order: who knows the others then knows this one.
    await round(ask, [twice]);
    let last: string[] = [];
    for (;;) {
      const next = await round(ask, once);
      if (JSON.stringify(next) === JSON.stringify(last)) return next;
      last = next;
    }
  };
  const expected = await settled(node.client());
  const ofTwice = new Set<string>();
  for (let i = 0; i < 16; i++) {
    const ask = node.client();
    expect(await settled(ask)).toEqual(expected);
    for (const server of await round(ask, Array(4).fill(twice))) ofTwice.add(server);
  }
  expect(ofTwice.size).toBe(2);
  // By turns: no server has more hosts than another but for one.
  const counts = node.servers.map(({ address }) => expected.filter((each) => each === address).length);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
});

test('a client stays with its server over a restart, as the values come from the private key', async () => {
  const node = await prepare({ servers: await startServers(3), routing: WITH_COOKIE }, 1);
  const first = await node.run();
  const clients: { server: string; Cookie: string }[] = [];
  for (let i = 0; i < 3; i++) {
    const told = await node.client()('HTTP/1.1');
    clients.push({ server: told.body, Cookie: cookieHeader(told) });
  }
  await end(first);
  await node.run();
  for (const { server, Cookie } of clients) {
    expect(await node.client()('HTTP/1.1', { headers: { Cookie } })).toEqual({
      status: 200,
      body: server,
      cookies: [],
    });
  }
});

test('nodes with other certificates know each other’s clients by affinitySecretFile', async () => {
  const servers = await startServers(2);
  const settings = { affinitySecretFile: '../affinity.secret' };
  const nodes = [
    await prepare({ servers, routing: WITH_COOKIE, settings }, 1),
    await prepare({ servers, routing: WITH_COOKIE, settings }, 1),
  ] as const;
  for (const { dir } of nodes)
    writeFileSync(join(dir, 'affinity.secret'), 'a secret that all nodes have\n', { mode: 0o600 });
  for (const node of nodes) await node.run();
  for (let i = 0; i < 2; i++) {
    const told = await nodes[0].client()('HTTP/1.1');
    const headers = { Cookie: cookieHeader(told) };
    expect(await nodes[1].client()('HTTP/1.1', { headers })).toEqual({ status: 200, body: told.body, cookies: [] });
  }
});
