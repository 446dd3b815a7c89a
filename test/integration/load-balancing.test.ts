/** Which server of a farm gets a request, over real sockets and both lanes: RequestHash, least requests, ties by chance. */
import { describe, expect, test } from 'vitest';
import { HOST, type NamedServer, PROTOCOLS, publishServers, startServers } from './balanced-farm.ts';
import { openRaw, type Protocol, type RawClient } from './clients.ts';
import { targetOf } from './messages.ts';
import { ok } from './recording-server.ts';

const byHash = (attributes = '') => `<loadBalancing algorithm="RequestHash" ${attributes} />`;

/** The same configuration served twice, as by two workers or on two nodes. */
async function twins(routing: string) {
  const servers = await startServers(4);
  const [one, other] = [await publishServers({ servers, routing }), await publishServers({ servers, routing })];
  return {
    servers,
    /** The server that answers, whichever of the two is asked. */
    async served(protocol: Protocol, path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
      const server = await one.served(protocol, { path, headers });
      expect(await other.served(protocol, { path, headers })).toBe(server);
      return server;
    },
  };
}

describe.each(PROTOCOLS)('%s', (protocol) => {
  test('RequestHash by the URL: a URL always goes to the same server, and all servers are used', async () => {
    const farm = await twins(byHash());
    const paths = Array.from({ length: 24 }, (_, i) => `/meet/user${i}?sl=${i}`);
    const first = new Map<string, string>();
    for (const path of paths) first.set(path, await farm.served(protocol, path));
    for (const path of [...paths].reverse()) expect(await farm.served(protocol, path)).toBe(first.get(path));
    expect(new Set(first.values()).size).toBe(4);
  });

  test('RequestHash by a server variable: a header, whatever the URL', async () => {
    const farm = await twins(byHash('hashServerVariable="HTTP_X_TENANT"'));
    const met = new Map<string, Set<string>>();
    for (let i = 0; i < 24; i++) {
      const tenant = `tenant${i % 12}`;
      const server = await farm.served(protocol, `/${i}`, { 'X-Tenant': tenant });
      met.set(tenant, (met.get(tenant) ?? new Set()).add(server));
    }
    for (const servers of met.values()) expect(servers.size).toBe(1);
    expect(new Set([...met.values()].flatMap((servers) => [...servers])).size).toBeGreaterThan(1);
  });

  test('RequestHash by parts of the query, in any order, in any letter case of their names', async () => {
    const farm = await twins(byHash('queryStringNames="user, room"'));
    const met = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const server = await farm.served(protocol, `/a?user=u${i}&room=r${i}&t=1`);
      expect(await farm.served(protocol, `/b?x=1&ROOM=r${i}&User=u${i}`)).toBe(server);
      expect(await farm.served(protocol, `/?user=u${i}&room=r${i}&user=other`)).toBe(server);
      met.add(server);
    }
    expect(met.size).toBeGreaterThan(1);
  });

  test('RequestHash: a server that goes moves its own URLs alone, and has them again when it returns', async () => {
    const servers = await startServers(3);
    const farm = await publishServers({ servers, routing: byHash() });
    const paths = Array.from({ length: 20 }, (_, i) => `/${i}`);
    const look = async () => {
      const met = new Map<string, string>();
      for (const path of paths) met.set(path, await farm.served(protocol, { path }));
      return met;
    };
    const before = await look();
    const [gone] = servers as [NamedServer];
    farm.condition(gone, 'Inactive');
    const without = await look();
    for (const [path, server] of before) {
      if (server === gone.address) expect(without.get(path)).not.toBe(gone.address);
      else expect(without.get(path)).toBe(server);
    }
    farm.condition(gone, 'Active');
    expect(await look()).toEqual(before);
  });

  test('by weight, exactly over a round', async () => {
    const servers = await startServers(3);
    const farm = await publishServers({ servers, weights: [300, 100, 100] });
    for (let i = 0; i < 20; i++) await farm.ask(protocol);
    expect(servers.map(({ requests }) => requests.length)).toEqual([12, 4, 4]);
  });

  test('randomizeLBTies: the first of equal servers is not always the same', async () => {
    const routing = '<loadBalancing randomizeLBTies="true" />';
    const first = new Set<string>();
    const servers = await startServers(2);
    for (let i = 0; i < 40 && first.size < 2; i++) {
      first.add(await (await publishServers({ servers, routing })).served(protocol));
    }
    expect(first.size).toBe(2);
  });
});

test('least requests: long polls are spread by what is under way, and the next go where most have ended', async () => {
  const servers = await startServers(3, () => undefined);
  const farm = await publishServers({
    servers,
    weights: [200, 100, 100],
    settings: { farms: { algorithm: 'LeastRequests' } },
  });
  const underWay = () => servers.map(({ requests }) => requests.length);
  const clients = new Map<string, RawClient>();
  const begin = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const path = `/poll${clients.size}`;
      const client = openRaw(farm.httpPort);
      client.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
      clients.set(path, client);
    }
    const all = () => underWay().reduce((sum, each) => sum + each, 0) === clients.size;
    await Promise.race(servers.map((server) => server.until(all)));
  };
  await begin(40);
  expect(underWay()).toEqual([20, 10, 10]);
  const [, , third] = servers as [NamedServer, NamedServer, NamedServer];
  const ended = third.requests.map(targetOf);
  for (const { socket } of third.connections) socket.write(ok('done'));
  await Promise.all(ended.map((path) => clients.get(path)?.until(/done$/)));
  await begin(10);
  expect(underWay()).toEqual([20, 10, 20]);
});
