/** Servers that die, come back and are taken out under load, with two worker processes: nobody is to notice who need not. */
import { describe, expect, test } from 'vitest';
import type { ServerAction } from '../../src/admin/control.ts';
import { commandLine } from '../cli/command-line.ts';
import { type BalancedFarm, cookieHeader, keptClient, PROTOCOLS } from '../integration/balanced-farm.ts';
import type { Protocol } from '../integration/clients.ts';
import { type CrowdOptions, expectShares, openCrowd } from '../integration/crowd.ts';
import { authority, type FarmParts } from '../integration/environment.ts';
import { askLane } from '../integration/lane-client.ts';
import { type MortalServer, mortalServer } from '../integration/mortal-server.ts';
import { httpServer } from '../integration/one-farm.ts';
import { freePort } from '../integration/ports.ts';
import { openFiles } from './processes.ts';
import { adminApi, HOST, type PublishedService, publish } from './published.ts';

const addressOf = (name: string) => `${name}.contoso.local`;

interface TwoWorkers extends PublishedService {
  readonly tls: { readonly host: string; readonly ca: string };
  readonly admin: ReturnType<typeof adminApi>;
  /** Open files of each worker before there were clients. */
  readonly idle: ReadonlyMap<number, number>;
}

async function twoWorkers(
  servers: readonly { readonly name: string; readonly httpPort: number; readonly weight?: number }[],
  farm: Partial<FarmParts> = {},
  fe: Record<string, unknown> = {},
): Promise<TwoWorkers> {
  const port = await freePort();
  const published = await publish(
    {
      workers: 2,
      admin: { address: `127.0.0.1:${port}` },
      farms: { fe: { slowStart: 0, circuit: { failures: 3, pause: 0.05, longestPause: 0.1 }, ...fe } },
      // Longer than a test may take: a client that waited for it would not be answered in time.
      timeouts: { connect: 300 },
    },
    { ...farm, servers: servers.map(({ name, ...more }) => ({ address: addressOf(name), ...more })) },
  );
  const workers = published.service.workers();
  expect(workers).toHaveLength(2);
  return {
    ...published,
    tls: { host: HOST, ca: authority.certPem },
    admin: adminApi(port),
    idle: new Map(workers.map((pid) => [pid, openFiles(pid)])),
  };
}

/** Both workers have clients. */
function expectSpread({ idle }: TwoWorkers): void {
  for (const [pid, files] of idle) expect(openFiles(pid)).toBeGreaterThan(files + 1);
}

/** A worker that is slow to say that it has taken a change up is asked again. */
async function actEverywhere({ admin }: TwoWorkers, name: string, action: ServerAction): Promise<void> {
  let told: Record<string, unknown>;
  do {
    told = await admin.act(addressOf(name), action);
    expect(told).toMatchObject({ status: 200 });
  } while (told.everywhere !== true);
}

const named = (name: string, dead = false): Promise<MortalServer> =>
  mortalServer((request, response) => response.end(`${name} ${request.url}`), dead);

/** So many connections all at one of two workers as good as never happen. */
const crowdOf = (protocol: Protocol): CrowdOptions =>
  protocol === 'HTTP/2'
    ? { plain: 0, secure: 0, sessions: 20, streams: 2 }
    : { plain: 16, secure: 16, sessions: 0, streams: 0 };

const openCrowdOf = (protocol: Protocol, at: TwoWorkers, mayFail = false) =>
  openCrowd({ ...at, host: HOST }, { ...crowdOf(protocol), mayFail });

/** Clients that ask all the time: those that keep their affinity cookie, and those that are new with each request. */
function openVisitors(protocol: Protocol, { httpsPort, httpPort }: TwoWorkers, count: number) {
  interface Visit {
    readonly visitor: number;
    readonly kept: boolean;
    readonly status: number;
    readonly server: string;
    /** It was given a cookie. */
    readonly bound: boolean;
    /** When it was sent. */
    readonly phase: string;
  }
  const visits: Visit[] = [];
  let phase = 'first';
  let ended = false;
  let look: (last: Visit) => void = () => undefined;
  const visit = async (visitor: number, kept: boolean, ask: BalancedFarm['ask']) => {
    let Cookie = '';
    while (!ended) {
      const began = phase;
      const headers = Cookie === '' ? {} : { Cookie };
      const told = await ask(protocol, { headers, plain: protocol === 'HTTP/1.1' && visitor % 2 === 0 });
      const bound = told.cookies.length > 0;
      if (kept && bound) Cookie = cookieHeader(told);
      const [server = ''] = told.body.split(' ');
      const last = { visitor, kept, status: told.status, server, bound, phase: began };
      visits.push(last);
      look(last);
    }
  };
  const ports = { https: httpsPort, http: httpPort };
  const work = Array.from({ length: 2 * count }, (_, i) => visit(i, i < count, keptClient(ports, HOST)));
  /** Resolves once each visitor has had so many answers in a new phase of this name, with all that were sent and answered in it. */
  const during = async (name: string, times: number): Promise<readonly Visit[]> => {
    phase = name;
    const start = visits.length;
    const left = new Map(work.map((_, i) => [i, times]));
    await new Promise<void>((resolve) => {
      look = (last) => {
        if (last.phase !== name) return;
        const more = (left.get(last.visitor) ?? 0) - 1;
        if (more > 0) left.set(last.visitor, more);
        else left.delete(last.visitor);
        if (left.size === 0) resolve();
      };
    });
    phase = `after ${name}`;
    return visits.slice(start).filter((each) => each.phase === name);
  };
  return {
    visits,
    during,
    async end() {
      ended = true;
      await Promise.all(work);
    },
  };
}

describe.each(PROTOCOLS)('two workers, over %s', (protocol) => {
  test('servers die and return in turn: nobody fails or waits long, and shares follow the weights', async () => {
    const weights = { a: 200, b: 100, c: 100 };
    const names = ['a', 'b', 'c'] as const;
    const servers = { a: await named('a'), b: await named('b'), c: await named('c') };
    const at = await twoWorkers(names.map((name) => ({ name, ...servers[name], weight: weights[name] })));
    const crowd = openCrowdOf(protocol, at);
    await crowd.everyone('a');
    expectSpread(at);
    for (const name of names) {
      await servers[name].kill();
      // What it has answered may still be on its way.
      await crowd.next(100);
      await expectShares(crowd, { ...weights, [name]: 0 }, 600);
      await servers[name].revive();
      await crowd.everyone(name);
      await expectShares(crowd, weights, 1500);
    }
    await crowd.stop();
    expect(crowd.faults).toEqual([]);
  });

  test('a request with a body that one server refuses is answered by the other, which nobody blames', async () => {
    const servers = [await named('a', true), await named('b')] as const;
    const at = await twoWorkers(
      [
        { name: 'a', ...servers[0] },
        { name: 'b', ...servers[1] },
      ],
      {},
      { circuit: false },
    );
    const { httpsPort: port, tls } = at;
    const post = (target: string) =>
      askLane(protocol, { port, ...tls, method: 'POST', target, headers: [], body: 'hello', length: 5 });
    for (let i = 0; i < 60; i++) expect(await post(`/${i}`)).toMatchObject({ status: 200, body: `b /${i}` });
    const counted = async () => (await at.admin.farm()).servers[1]?.counters;
    await expect.poll(counted).toMatchObject({ totalRequests: 60, failedRequests: 0 });
  });

  test('Drain keeps every client and takes none; GracefulStop moves them all, each with its answer', async () => {
    const servers = [await named('a'), await named('b')] as const;
    const at = await twoWorkers(
      [
        { name: 'a', ...servers[0] },
        { name: 'b', ...servers[1] },
      ],
      { routing: '<affinity useCookie="true" />' },
    );
    const visitors = openVisitors(protocol, at, 20);
    const before = await visitors.during('bound', 5);
    expectSpread(at);
    const homes = new Map(before.filter(({ kept }) => kept).map(({ visitor, server }) => [visitor, server]));
    expect(new Set(homes.values())).toEqual(new Set(['a', 'b']));
    const serversOf = (all: typeof before, kept: boolean) =>
      [...new Set(all.filter((each) => each.kept === kept).map(({ server }) => server))].toSorted();
    expect(serversOf(before, false)).toEqual(['a', 'b']);

    await actEverywhere(at, 'a', 'Drain');
    const drained = await visitors.during('drained', 20);
    expect(serversOf(drained, false)).toEqual(['b']);
    for (const { visitor, kept, server, bound } of drained) {
      if (kept) expect([visitor, server, bound]).toEqual([visitor, homes.get(visitor), false]);
    }

    await actEverywhere(at, 'a', 'GracefulStop');
    const stopped = await visitors.during('stopped', 20);
    expect(serversOf(stopped, true)).toEqual(['b']);
    expect(serversOf(stopped, false)).toEqual(['b']);
    await visitors.end();
    expect(visitors.visits.filter(({ status }) => status !== 200)).toEqual([]);
    // Bound once at first; whoever was moved, once more.
    for (const [visitor, home] of homes) {
      const times = visitors.visits.filter((each) => each.visitor === visitor && each.bound).length;
      expect([visitor, times]).toEqual([visitor, home === 'a' ? 2 : 1]);
    }
  });

  test('ForcefulStop ends the requests of the server in both workers at once, and no others', async () => {
    const held: { readonly name: string; readonly path: string; readonly release: () => void }[] = [];
    const holding = (name: string) =>
      httpServer((request, response) => {
        const { url: path = '' } = request;
        if (!path.startsWith('/held/')) return response.end(name);
        // Of every other one the answer has begun.
        if (path.endsWith('/begun')) response.write('half');
        held.push({ name, path, release: () => response.end('rest') });
      });
    const servers = [await holding('a'), await holding('b')] as const;
    const at = await twoWorkers([
      { name: 'a', httpPort: servers[0].port },
      { name: 'b', httpPort: servers[1].port },
    ]);
    const { httpsPort: port, tls } = at;
    const send = (target: string) => askLane(protocol, { port, ...tls, method: 'GET', target, headers: [] });
    const paths = Array.from({ length: 64 }, (_, i) => `/held/${i}${i % 4 < 2 ? '/begun' : ''}`);
    const outcomes = new Map(paths.map((path) => [path, send(path)]));
    await expect.poll(() => held.length).toBe(paths.length);
    expectSpread(at);
    const ofServer = (name: string) => held.filter((each) => each.name === name);
    const begun = ofServer('a').filter(({ path }) => path.endsWith('/begun')).length;
    expect(begun).toBeGreaterThan(0);
    expect(ofServer('a').length).toBeGreaterThan(begun);
    const bytes = async () => (await at.admin.farm()).counters.bytesReceived;
    await expect.poll(bytes).toBe('half'.length * paths.filter((path) => path.endsWith('/begun')).length);

    await actEverywhere(at, 'a', 'ForcefulStop');
    for (const { path } of ofServer('a')) {
      const { status, body, whole } = (await outcomes.get(path))!;
      if (path.endsWith('/begun')) expect([path, status, body, whole]).toEqual([path, 200, 'half', false]);
      else expect([path, status, /502\.3/.test(body), whole]).toEqual([path, 502, true, true]);
    }
    const failed = () => at.logged().filter(({ code }) => code !== undefined);
    await expect.poll(failed).toHaveLength(ofServer('a').length);
    expect(new Set(failed().map(({ code, win32, msg }) => `${code} ${win32} ${msg}`))).toEqual(
      new Set(['502.3 12030 a.contoso.local was stopped (ForcefulStop)']),
    );
    expect(new Set(failed().map(({ pid }) => pid))).toEqual(new Set(at.service.workers()));

    for (let i = 0; i < 20; i++) expect((await send('/')).body).toBe('b');
    for (const { release } of ofServer('b')) release();
    for (const { path } of ofServer('b')) {
      const body = path.endsWith('/begun') ? 'halfrest' : 'rest';
      expect(await outcomes.get(path)).toMatchObject({ status: 200, body, whole: true });
    }
    expect(failed()).toHaveLength(ofServer('a').length);
  });

  test('the last server dies: 502.3, then 502.4 from both workers, and both serve as soon as it is back', async () => {
    const servers = [await named('a'), await named('b')] as const;
    const at = await twoWorkers([
      { name: 'a', ...servers[0] },
      { name: 'b', ...servers[1] },
    ]);
    const crowd = openCrowdOf(protocol, at, true);
    await crowd.everyone('a');
    expectSpread(at);
    await servers[0].kill();
    await crowd.next(200);
    await expectShares(crowd, { b: 1 }, 300);
    await servers[1].kill();
    await crowd.everyone('502.4');
    // What failed before may still be on its way.
    await crowd.next(100);
    expect(await crowd.next(400)).toEqual(new Map([['502.4', 400]]));
    const gone = { state: 'Active', isHealthy: true, isReachable: false, takesRequests: false };
    expect((await at.admin.farm()).servers).toMatchObject([gone, gone]);
    const status = await commandLine('status', '--config', at.configDir);
    expect(status).toMatchObject({ code: 1, err: '' });
    expect(status.out).toContain('out of reach: no connection can be made');
    expect(status.out).toContain('No server of fe takes requests of new clients.');
    await servers[1].revive();
    await crowd.everyone('b');
    await crowd.next(100);
    expect(await crowd.next(400)).toEqual(new Map([['b', 400]]));
    const back = { isReachable: true, takesRequests: true };
    await expect.poll(async () => (await at.admin.farm()).servers).toMatchObject([gone, back]);
    expect(await commandLine('status', '--config', at.configDir)).toMatchObject({ code: 0 });
    await crowd.stop();
    // A 503, which is what tells a client to wait, would be among these, and so would a connection that has ended.
    expect(crowd.faults).toEqual([]);
    for (const pid of at.service.workers()) {
      const codes = () => at.logged().flatMap((each) => (each.pid === pid && each.code ? [each.code] : []));
      await expect.poll(codes).toContain('502.4');
      expect(codes()[0]).toBe('502.3');
      expect(new Set(codes())).toEqual(new Set(['502.3', '502.4']));
    }
  });
});
