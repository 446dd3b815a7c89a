/** Host-name affinity over real sockets and both lanes, with a supervisor that the test plays. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FromServing } from '../../src/service/messages.ts';
import {
  type BalancedFarm,
  type BalancedOptions,
  cookieHeader,
  HOST,
  keptClient,
  type NamedServer,
  PROTOCOLS,
  publishServers,
  startServers,
} from './balanced-farm.ts';
import { openRaw } from './clients.ts';

/** The time that a request waits for the supervisor passes only where a test says so. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const BY_HOST = '<affinity useHostName="true" />';

interface Played {
  readonly farm: BalancedFarm;
  readonly servers: readonly NamedServer[];
  /** Hosts that were asked for, in order. */
  readonly asked: readonly string[];
  /** Resolves when so many questions have come. */
  questions(count: number): Promise<void>;
  tell(host: string, ...servers: readonly NamedServer[]): void;
}

/** @param answers what the supervisor says at once; hosts that are not there are left for the test */
async function played(
  answers: Readonly<Record<string, readonly number[]>> = {},
  options: Partial<BalancedOptions> = {},
): Promise<Played> {
  const servers = options.servers ?? (await startServers(3));
  const asked: string[] = [];
  let wake: () => void = () => undefined;
  const tell = (message: FromServing) => {
    if (message.type !== 'askHost') return;
    asked.push(message.host);
    wake();
    const known = answers[message.host];
    if (known) queueMicrotask(() => say(message.host, ...known.map((i) => servers[i]!)));
  };
  const farm = await publishServers({ routing: BY_HOST, ...options, servers, tell });
  const say = (host: string, ...told: readonly NamedServer[]) =>
    farm.proxy.serving.heard({ type: 'hostServers', farm: 'fe', host, servers: told.map(({ address }) => address) });
  return {
    ...{ farm, servers, asked, tell: say },
    async questions(count) {
      while (asked.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

const address = ({ servers }: Played, i: number) => servers[i]?.address;

describe.each(PROTOCOLS)('%s', (protocol) => {
  test('a host is asked for once, and its requests go to its server', async () => {
    const front = await played({ 'a.contoso.com': [1], 'b.contoso.com': [2] });
    for (let i = 0; i < 3; i++) {
      expect(await front.farm.served(protocol, { host: 'a.contoso.com' })).toBe(address(front, 1));
      expect(await front.farm.served(protocol, { host: 'B.contoso.com:8443' })).toBe(address(front, 2));
      expect(await front.farm.served(protocol, { host: 'b.contoso.com.' })).toBe(address(front, 2));
    }
    expect(front.asked).toEqual(['a.contoso.com', 'b.contoso.com']);
  });

  test('requests for a host wait for the answer, those for other hosts do not', async () => {
    const front = await played({ 'b.contoso.com': [2] });
    const waiting = front.farm.served(protocol, { host: 'a.contoso.com' });
    await front.questions(1);
    // Over another connection: answers of one keep their order.
    const other = keptClient({ https: front.farm.httpsPort, http: front.farm.httpPort });
    expect((await other(protocol, { host: 'b.contoso.com' })).body).toBe(address(front, 2));
    front.tell('a.contoso.com', front.servers[1]!);
    expect(await waiting).toBe(address(front, 1));
  });

  test('without an answer a request is balanced like any other, and the next ones do not wait', async () => {
    const front = await played();
    const first = front.farm.served(protocol, { host: 'a.contoso.com' });
    await front.questions(1);
    vi.advanceTimersByTime(1000);
    const met = [await first];
    for (let i = 0; i < 5; i++) met.push(await front.farm.served(protocol, { host: 'a.contoso.com' }));
    expect(new Set(met).size).toBe(3);
    expect(front.asked).toEqual(['a.contoso.com']);
  });

  test('equivalent hosts and ignoreSubDomain: one host', async () => {
    const routing = `<affinity useHostName="true" ignoreSubDomain="true">
      <host name="contoso.com" servers="2"><equivalentHost name="fabrikam.com" /></host></affinity>`;
    const front = await played({ 'contoso.com': [1], 'litware.com': [2] }, { routing });
    for (const host of ['contoso.com', 'www.contoso.com', 'a.b.contoso.com:444', 'fabrikam.com', 'www.fabrikam.com'])
      expect(await front.farm.served(protocol, { host })).toBe(address(front, 1));
    for (const host of ['litware.com', 'www.litware.com'])
      expect(await front.farm.served(protocol, { host })).toBe(address(front, 2));
    expect(front.asked).toEqual(['contoso.com', 'litware.com']);
  });

  test('among several servers of a host the algorithm chooses', async () => {
    const answers = { [HOST]: [0, 2] };
    const byWeight = await played(answers, { weights: [300, 100, 100] });
    for (let i = 0; i < 8; i++) await byWeight.farm.ask(protocol);
    expect(byWeight.servers.map(({ requests }) => requests.length)).toEqual([6, 0, 2]);
    const byHash = await played(answers, { routing: `${BY_HOST}<loadBalancing algorithm="RequestHash" />` });
    const met = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const server = await byHash.farm.served(protocol, { path: `/${i}` });
      expect(await byHash.farm.served(protocol, { path: `/${i}` })).toBe(server);
      met.add(server);
    }
    expect([...met].sort()).toEqual([address(byHash, 0), address(byHash, 2)]);
  });

  test('a cookie goes before the host; a client without one is bound to a server of the host', async () => {
    const routing = '<affinity useCookie="true" useHostName="true" />';
    const front = await played({ 'a.contoso.com': [1], 'b.contoso.com': [2] }, { routing });
    const told = await front.farm.ask(protocol, { host: 'a.contoso.com' });
    expect(told.body).toBe(address(front, 1));
    const bound = { host: 'b.contoso.com', headers: { Cookie: cookieHeader(told) } };
    expect(await front.farm.ask(protocol, bound)).toEqual({ status: 200, body: address(front, 1), cookies: [] });
    // Nobody had to be asked for that.
    expect(front.asked).toEqual(['a.contoso.com']);
    expect(await front.farm.served(protocol, { host: 'b.contoso.com' })).toBe(address(front, 2));
  });

  test('a Draining server goes on to serve its hosts', async () => {
    const front = await played({ [HOST]: [1] });
    await front.farm.ask(protocol);
    front.farm.condition(front.servers[1]!, 'Draining');
    for (let i = 0; i < 4; i++) expect(await front.farm.served(protocol)).toBe(address(front, 1));
    expect(front.asked).toEqual([HOST]);
  });

  test.each([
    ['Inactive', true],
    ['Active', false],
  ] as const)(
    'a server that is %s, healthy %s: the others of the host, then what the supervisor says',
    async (state, healthy) => {
      const answers: Record<string, readonly number[]> = { [HOST]: [0, 1] };
      const front = await played(answers);
      await front.farm.ask(protocol);
      front.farm.condition(front.servers[0]!, state, healthy);
      for (let i = 0; i < 3; i++) expect(await front.farm.served(protocol)).toBe(address(front, 1));
      expect(front.asked).toHaveLength(1);
      answers[HOST] = [2];
      front.farm.condition(front.servers[1]!, state, healthy);
      for (let i = 0; i < 3; i++) expect(await front.farm.served(protocol)).toBe(address(front, 2));
      expect(front.asked).toHaveLength(2);
      // They are back, and the host stays where it is.
      front.farm.condition(front.servers[0]!, 'Active');
      front.farm.condition(front.servers[1]!, 'Active');
      for (let i = 0; i < 3; i++) expect(await front.farm.served(protocol)).toBe(address(front, 2));
    },
  );

  test('a server that this worker cannot reach: the others of the host, else any other', async () => {
    const front = await played({ [HOST]: [0, 1], 'alone.contoso.com': [0] });
    await front.farm.ask(protocol);
    await front.servers[0]!.stop();
    for (let i = 0; i < 6; i++) expect(await front.farm.served(protocol)).toBe(address(front, 1));
    for (let i = 0; i < 6; i++) {
      const server = await front.farm.served(protocol, { host: 'alone.contoso.com' });
      expect([address(front, 1), address(front, 2)]).toContain(server);
    }
  });

  test('a farm without a server that could be given hosts: 502.4 as ever', async () => {
    const front = await played({ [HOST]: [] });
    for (const server of front.servers) front.farm.condition(server, 'Inactive');
    const told = await front.farm.ask(protocol);
    expect([told.status, told.body.includes('502.4')]).toEqual([502, true]);
  });
});

test('a client that leaves while its host is asked for: no server is troubled', async () => {
  const front = await played({ 'b.contoso.com': [0] });
  const client = openRaw(front.farm.httpPort);
  client.socket.write('GET /left HTTP/1.1\r\nHost: a.contoso.com\r\n\r\n');
  await front.questions(1);
  client.socket.resetAndDestroy();
  await client.closed();
  // The next one comes behind the end of the first on the same listener.
  expect(await front.farm.served('HTTP/1.1', { host: 'b.contoso.com', plain: true })).toBe(address(front, 0));
  front.tell('a.contoso.com', front.servers[1]!);
  expect(await front.farm.served('HTTP/1.1', { host: 'a.contoso.com', plain: true })).toBe(address(front, 1));
  expect(front.servers.flatMap(({ requests }) => requests.map(({ startLine }) => startLine))).not.toContain(
    'GET /left HTTP/1.1',
  );
});

test('a body that comes meanwhile is not lost', async () => {
  const front = await played();
  const client = openRaw(front.farm.httpPort);
  client.socket.write('POST / HTTP/1.1\r\nHost: a.contoso.com\r\nContent-Length: 10\r\n\r\n01234');
  await front.questions(1);
  client.socket.write('56789');
  front.tell('a.contoso.com', front.servers[2]!);
  await client.until(/fe03\.contoso\.local$/);
  expect(front.servers[2]?.requests.map(({ body }) => body)).toEqual(['0123456789']);
});

test('the proxy stops while a host is asked for: the request is served all the same', async () => {
  const front = await played();
  const client = openRaw(front.farm.httpPort);
  client.socket.write('GET / HTTP/1.1\r\nHost: a.contoso.com\r\n\r\n');
  await front.questions(1);
  const stopped = front.farm.proxy.serving.stop(30);
  vi.advanceTimersByTime(1000);
  await client.until(/fe0\d\.contoso\.local$/);
  expect(await stopped).toBe(0);
});
