/** What makes a server unhealthy and healthy again: URL tests over real sockets, live traffic, latency, administrators. */
import { describe, expect, test } from 'vitest';
import { type Message, targetOf } from '../integration/messages.ts';
import { rawServer } from '../integration/one-farm.ts';
import { ok, type RecordingServer, startRecordingServer } from '../integration/recording-server.ts';
import { FARM, SERVER, type WatchedFarm, type WatchOptions, watchFarm } from './watched-farm.ts';

const OTHER = 'fe02.contoso.local';
const URL_TEST = `http://${FARM}/health`;
const QUICK = { url: URL_TEST, interval: 0.05, retries: 0, timeout: 20 };
const FAILED = `${SERVER}: unhealthy, ${URL_TEST} was answered 503`;
const PASSED = `${SERVER}: healthy, ${URL_TEST} was answered 200`;

const failed = 'HTTP/1.1 503 Failed\r\nContent-Length: 0\r\n\r\n';

/** A server whose answers a test turns over: 503 to the targets in `bad`. */
async function switched(more: Partial<WatchOptions> = {}) {
  const bad = new Set<string>();
  const server = await startRecordingServer({
    answer: (request) => (bad.has(targetOf(request)) ? failed : ok('well')),
  });
  const farm = watchFarm({ servers: [{ address: SERVER, httpPort: server.httpPort }], quick: QUICK, ...more });
  return { server, farm, bad };
}

/** So many more requests. */
function more(server: RecordingServer, count: number, fits: (request: Message) => boolean = () => true): Promise<void> {
  const of = ({ requests }: RecordingServer) => requests.filter(fits).length;
  const wanted = of(server) + count;
  return server.until((each) => of(each) >= wanted);
}

describe('URL tests', () => {
  test('healthy until a test has failed, and again with the first that is passed; each change is told once', async () => {
    const { server, farm, bad } = await switched();
    expect(farm.of()).toEqual({ healthy: true, reason: '', since: undefined });
    await more(server, 2);
    expect(farm.changes).toEqual([]);
    bad.add('/health');
    const before = Date.now();
    await farm.until(({ changes }) => changes.length === 1);
    expect(farm.of()).toMatchObject({ healthy: false, reason: `${URL_TEST} was answered 503` });
    const { since } = farm.of();
    expect(since).toBeGreaterThanOrEqual(before);
    await more(server, 3);
    expect(farm.of().since).toBe(since);
    bad.clear();
    await farm.until(({ changes }) => changes.length === 2);
    await more(server, 2);
    expect(farm.changes).toEqual([FAILED, PASSED]);
    expect(farm.logged).toEqual([
      `40 ${FARM} ${SERVER}: the server is unhealthy and gets no requests: ${URL_TEST} was answered 503`,
      `30 ${FARM} ${SERVER}: the server is healthy again: ${URL_TEST} was answered 200`,
    ]);
  });

  test('one that flips at every request never changes where there is another try, and always without (U10)', async () => {
    let turn = 0;
    const answer = () => (turn++ % 2 === 0 ? failed : ok('well'));
    const server = await startRecordingServer({ answer });
    const servers = [{ address: SERVER, httpPort: server.httpPort }];
    const calm = watchFarm({ servers, quick: { ...QUICK, retries: 1 } });
    await more(server, 20);
    expect(calm.changes).toEqual([]);
    const nervous = await startRecordingServer({ answer });
    const farm = watchFarm({ servers: [{ address: SERVER, httpPort: nervous.httpPort }], quick: QUICK });
    await farm.until(({ changes }) => changes.length === 4);
    expect(farm.changes.map((each) => each.split(',')[0])).toEqual(
      ['unhealthy', 'healthy', 'unhealthy', 'healthy'].map((state) => `${SERVER}: ${state}`),
    );
  });

  test('retries are further tries: one failure less changes nothing', async () => {
    const answers = [failed, failed, failed, ok('well'), failed, failed, failed, failed];
    const server = await startRecordingServer({ answer: () => answers.shift() ?? failed });
    const servers = [{ address: SERVER, httpPort: server.httpPort }];
    const farm = watchFarm({ servers, quick: { ...QUICK, interval: 0.2, retries: 3 } });
    await farm.until(({ changes }) => changes.length === 1);
    expect(farm.changes).toEqual([FAILED]);
    expect(server.requests).toHaveLength(8);
  });

  test('one that hangs is not asked again meanwhile, and holds up nobody else', async () => {
    const hanging = await rawServer(() => undefined);
    const good = await startRecordingServer();
    const farm = watchFarm({
      servers: [
        { address: SERVER, httpPort: hanging.port },
        { address: OTHER, httpPort: good.httpPort },
      ],
      quick: QUICK,
    });
    await hanging.opened();
    const asked = [farm.test(), farm.test()];
    // Many times the interval of both.
    await more(good, 20);
    expect([hanging.sockets.size, farm.changes]).toEqual([1, []]);
    for (const socket of hanging.sockets) socket.destroy();
    expect(await Promise.all(asked)).toEqual(['ConnectionFailure', 'ConnectionFailure']);
    expect(farm.changes).toHaveLength(1);
  });

  test('a server that is switched off is not asked', async () => {
    const server = await startRecordingServer();
    const off = await startRecordingServer();
    const farm = watchFarm({
      servers: [
        { address: SERVER, httpPort: server.httpPort },
        { address: OTHER, httpPort: off.httpPort, enabled: false },
      ],
      quick: QUICK,
    });
    await more(server, 5);
    expect(await farm.test(OTHER)).toBeUndefined();
    expect(farm.of(OTHER)).toEqual({ healthy: true, reason: '', since: undefined });
    expect(off.connections).toEqual([]);
  });

  test('a farm without any has no test', async () => {
    const { server, farm } = await switched({ quick: { ...QUICK, url: '' } });
    expect(await farm.test()).toBeUndefined();
    expect(server.connections).toEqual([]);
  });
});

describe('probes of the settings', () => {
  const probes = [{ url: `http://${FARM}/a` }, { url: `http://${FARM}/b`, statusCodeMatch: '503' }];

  test('a server is healthy while it passes all of them, and the reason names the one that fails', async () => {
    const { farm, bad } = await switched({ settings: { probes }, quick: { ...QUICK, interval: 0 } });
    const testedWith = async (...targets: string[]) => {
      bad.clear();
      for (const each of targets) bad.add(each);
      return [await farm.test(), farm.of().reason];
    };
    expect(await testedWith('/b')).toEqual(['Success', '']);
    expect(await testedWith('/b', '/a')).toEqual(['StatusCodeFailure', `http://${FARM}/a was answered 503`]);
    expect(await testedWith('/b', '/a', '/health')).toEqual(['StatusCodeFailure', `${URL_TEST} was answered 503`]);
    expect(await testedWith('/b', '/health')).toEqual(['StatusCodeFailure', `${URL_TEST} was answered 503`]);
    expect(await testedWith('/b')).toEqual(['Success', `${URL_TEST} was answered 200`]);
    expect(await testedWith()).toEqual(['StatusCodeFailure', `http://${FARM}/b was answered 200`]);
    expect(farm.changes).toEqual([
      `${SERVER}: unhealthy, http://${FARM}/a was answered 503`,
      PASSED,
      `${SERVER}: unhealthy, http://${FARM}/b was answered 200`,
    ]);
  });

  test('what they do not set is as in healthCheck, which needs no url of its own', async () => {
    const { server, farm, bad } = await switched({
      settings: { probes: [{ url: `http://${FARM}/a` }, { url: 'http://x/b', hostName: 'pool', retries: 1 }] },
      quick: { ...QUICK, url: '', statusCodeMatch: '503', interval: 0 },
    });
    bad.add('/a').add('/b');
    expect(await farm.test()).toBe('Success');
    expect(server.requests.map((request) => [targetOf(request), request.headers[0]?.[1]]).sort()).toEqual([
      ['/a', FARM],
      ['/b', 'pool'],
    ]);
    bad.clear();
    expect(await farm.test()).toBe('StatusCodeFailure');
    // One of them was tried again.
    expect(server.requests.map(targetOf).slice(2).sort()).toEqual(['/a', '/b', '/b']);
  });

  test('a port of its own goes before that of the server', async () => {
    const beside = await startRecordingServer();
    const { server, farm } = await switched({
      settings: { probes: [{ url: 'http://x:1/', port: beside.httpPort }] },
      quick: { ...QUICK, url: '', interval: 0 },
    });
    expect(await farm.test()).toBe('Success');
    expect([server.requests.length, beside.requests.length]).toEqual([0, 1]);
  });

  test('the worst result of all is told', async () => {
    const hanging = await rawServer((socket) => void socket.resetAndDestroy());
    const entity = { url: `http://${FARM}/entity`, responseMatch: 'never there' };
    const status = { url: `http://${FARM}/status`, statusCodeMatch: '404' };
    const connection = { url: `http://${FARM}:${hanging.port}/` };
    const results = [[], [entity], [entity, status], [connection, status, entity]].map(async (each) => {
      const { farm } = await switched({ settings: { probes: each }, quick: { ...QUICK, interval: 0 } });
      return farm.test();
    });
    expect(await Promise.all(results)).toEqual([
      ...['Success', 'ResponseEntityFailure', 'StatusCodeFailure', 'ConnectionFailure'],
    ]);
  });
});

describe('live traffic', () => {
  const live = { url: '', maxLiveTrafficFailures: 3, liveTrafficFailurePeriod: 20 };
  const servers = [{ address: SERVER }, { address: OTHER }];
  const OUT = `${SERVER}: unhealthy, 3 requests failed within 20 s`;

  test('as many failures as may not be: out, until the time of the settings has passed', async () => {
    const farm = watchFarm({ servers, quick: live, settings: { liveTraffic: { recovery: 0.2 } } });
    farm.fails(2);
    farm.fails(2, OTHER);
    farm.fails(0);
    expect(farm.changes).toEqual([]);
    farm.fails(1);
    expect(farm.changes).toEqual([OUT]);
    // Of requests that were under way.
    farm.fails(50);
    await farm.until(({ changes }) => changes.length === 2);
    expect(farm.changes).toEqual([OUT, `${SERVER}: healthy, 0.2 s have passed`]);
    // What was counted is forgotten, and the next time takes longer.
    farm.fails(2);
    expect(farm.of().healthy).toBe(true);
    farm.fails(1);
    await farm.until(({ changes }) => changes.length === 4);
    expect(farm.changes.slice(2)).toEqual([OUT, `${SERVER}: healthy, 0.4 s have passed`]);
  });

  test('a period of 0: no failure counts', () => {
    const farm = watchFarm({ servers, quick: { ...live, liveTrafficFailurePeriod: 0 } });
    farm.fails(1000);
    expect(farm.changes).toEqual([]);
  });

  describe('requests in a row that got no valid answer', () => {
    const quick = { ...live, liveTrafficFailurePeriod: 0 };
    const ROW = `${SERVER}: unhealthy, 10 requests in a row got no valid answer`;

    /** Workers that are asked have told all there is to tell. */
    const told = () => new Promise(setImmediate);

    test('ten, whatever the period: out, and back by itself', async () => {
      const farm = watchFarm({ servers, quick, settings: { liveTraffic: { recovery: 0.2 } } });
      farm.breaks(9);
      farm.fails(1000);
      await told();
      expect(farm.changes).toEqual([]);
      farm.breaks(1);
      await told();
      expect(farm.changes).toEqual([ROW]);
      await farm.until(({ changes }) => changes.length === 2);
      expect(farm.changes).toEqual([ROW, `${SERVER}: healthy, 0.2 s have passed`]);
    });

    test('those that were under way when it was taken out do not count when it is back', async () => {
      const farm = watchFarm({ servers, quick, settings: { liveTraffic: { recovery: 0.2 } } });
      farm.breaks(10);
      await told();
      farm.breaks(50);
      await farm.until(({ changes }) => changes.length === 2);
      farm.breaks(9);
      await told();
      expect(farm.changes).toHaveLength(2);
      farm.breaks(1);
      await told();
      expect(farm.changes).toEqual([ROW, `${SERVER}: healthy, 0.2 s have passed`, ROW]);
    });

    test('an answer that another worker tells of only when it is asked: none of them counts', async () => {
      let answers = 0;
      const farm: WatchedFarm = watchFarm({
        servers,
        quick,
        counters: () => ({ answers, answerTime: 0 }),
        allTold() {
          answers++;
          farm.breaks(0);
        },
      });
      for (let i = 0; i < 30; i++) {
        farm.breaks(10);
        await told();
      }
      expect(farm.changes).toEqual([]);
    });

    test('answers that another worker told of since this one last did: what this one tells now may have come before them', async () => {
      let answers = 0;
      const farm = watchFarm({ servers, quick, counters: () => ({ answers, answerTime: 0 }) });
      for (const worker of [1, 2]) farm.breaks(0, { worker });
      for (let i = 0; i < 10; i++) {
        answers++;
        farm.breaks(0, { worker: 2 });
        farm.breaks(30, { worker: 1 });
        await told();
      }
      expect(farm.changes).toEqual([]);
      farm.breaks(9, { worker: 1 });
      // One that takes the place of another has nothing to tell.
      farm.breaks(0, { worker: 3 });
      farm.breaks(1, { worker: 1 });
      await told();
      expect(farm.changes).toEqual([ROW]);
    });

    test('an answer in between: none of them counts', async () => {
      let answers = 0;
      const farm = watchFarm({ servers, quick, counters: () => ({ answers, answerTime: 0 }) });
      for (let i = 0; i < 10; i++) {
        farm.breaks(9);
        answers++;
        await told();
      }
      expect(farm.changes).toEqual([]);
    });

    test('SetHealthy: none of those before counts', async () => {
      const farm = watchFarm({ servers, quick });
      farm.breaks(9);
      farm.setHealthy();
      farm.breaks(9);
      await told();
      expect(farm.changes).toEqual([]);
    });

    test('the last healthy one stays', async () => {
      const farm = watchFarm({ servers, quick });
      farm.setUnhealthy(OTHER);
      farm.breaks(1000);
      await told();
      expect(farm.of().healthy).toBe(true);
      farm.setHealthy(OTHER);
      farm.breaks(1);
      await told();
      expect(farm.of().healthy).toBe(false);
    });

    test('the last one that takes requests stays, however healthy others are', async () => {
      const takes = new Set([SERVER]);
      const farm = watchFarm({ servers, quick, takes: (server) => takes.has(server) });
      farm.breaks(1000);
      await told();
      expect(farm.of().healthy).toBe(true);
      takes.add(OTHER);
      farm.breaks(1);
      await told();
      expect(farm.of().healthy).toBe(false);
    });

    test.each([{ failuresInARow: 0 }, { recovery: 'never' }])('not with %j', async (liveTraffic) => {
      const farm = watchFarm({ servers, quick, settings: { liveTraffic } });
      farm.breaks(1000);
      await told();
      expect(farm.changes).toEqual([]);
    });
  });

  test('what is told of a server that nobody knows is passed over', () => {
    const farm = watchFarm({ servers, quick: live });
    farm.fails(1000, 'fe09.contoso.local');
    expect(farm.changes).toEqual([]);
  });

  test('"never": only an administrator or the URL test, where it began afterwards, brings it back', async () => {
    let hold = false;
    let release: (() => void) | undefined;
    const server = await startRecordingServer({
      answer(_, { socket }) {
        if (!hold) return ok('well');
        release = () => socket.write(ok('late'));
        return '';
      },
    });
    const farm = watchFarm({
      servers: [{ address: SERVER, httpPort: server.httpPort }],
      quick: { ...QUICK, maxLiveTrafficFailures: 3, liveTrafficFailurePeriod: 20 },
      settings: { liveTraffic: { recovery: 'never' } },
    });
    hold = true;
    await server.until(() => release !== undefined);
    farm.fails(3);
    expect(farm.changes).toEqual([OUT]);
    const early = farm.test();
    release?.();
    expect(await early).toBe('Success');
    expect(farm.changes).toEqual([OUT]);
    hold = false;
    await farm.until(({ changes }) => changes.length === 2);
    expect(farm.changes).toEqual([OUT, PASSED]);
  });

  test('"never", and no URL test: an administrator', () => {
    const farm = watchFarm({ servers, quick: live, settings: { liveTraffic: { recovery: 'never' } } });
    farm.fails(3);
    farm.setHealthy();
    expect(farm.changes).toEqual([OUT, `${SERVER}: healthy, set by an administrator`]);
  });

  test('the URL tests bring it back together: each has to be passed', async () => {
    const { farm, bad } = await switched({
      quick: { ...QUICK, interval: 0, maxLiveTrafficFailures: 3, liveTrafficFailurePeriod: 20 },
      settings: { probes: [{ url: `http://${FARM}/b` }] },
    });
    farm.fails(3);
    bad.add('/b');
    expect(await farm.test()).toBe('StatusCodeFailure');
    expect(farm.of()).toMatchObject({ healthy: false, reason: `http://${FARM}/b was answered 503` });
    bad.clear();
    expect(await farm.test()).toBe('Success');
    expect(farm.changes.map((each) => each.split(',')[0])).toEqual([`${SERVER}: unhealthy`, `${SERVER}: healthy`]);
  });

  test('its time passes, and the URL test still fails: the server stays out', async () => {
    const quick = { ...QUICK, interval: 0, maxLiveTrafficFailures: 3, liveTrafficFailurePeriod: 20 };
    const settings = { liveTraffic: { recovery: 2 } };
    const { farm, bad } = await switched({ quick, settings });
    expect(await farm.test()).toBe('Success');
    farm.fails(3);
    bad.add('/health');
    expect(await farm.test()).toBe('StatusCodeFailure');
    // Out for as long, and later.
    const other = watchFarm({ servers, quick: live, settings });
    other.fails(3);
    await other.until(({ changes }) => changes.length === 2);
    expect(farm.changes).toEqual([OUT]);
    expect(farm.of()).toMatchObject({ healthy: false, reason: `${URL_TEST} was answered 503` });
  });
});

describe('latency', () => {
  const servers = [{ address: SERVER }, { address: OTHER }, { address: 'fe03.contoso.local' }];

  test('a server that answers much later than the others is out for a time', async () => {
    const averages = new Map([[SERVER, 500]]);
    const counted = new Map<string, { answers: number; answerTime: number }>();
    const farm = watchFarm({
      servers,
      quickSettings: { outlierLatency: { factor: 3, requests: 100, period: 0.1 }, liveTrafficRecovery: 0.3 },
      // Each look at them is one period later.
      counters(server) {
        const { answers, answerTime } = counted.get(server) ?? { answers: 0, answerTime: 0 };
        const next = { answers: answers + 200, answerTime: answerTime + 200 * (averages.get(server) ?? 40) };
        counted.set(server, next);
        return next;
      },
    });
    await farm.until(({ changes }) => changes.length === 1);
    averages.clear();
    await farm.until(({ changes }) => changes.length === 2);
    expect(farm.changes).toEqual([
      `${SERVER}: unhealthy, answered after 500 ms on average, much later than the others`,
      `${SERVER}: healthy, 0.3 s have passed`,
    ]);
  });
});

describe('administrators', () => {
  test('unhealthy, whatever tests find, until somebody says healthy; tests then go on', async () => {
    const { server, farm, bad } = await switched();
    farm.setUnhealthy();
    farm.setUnhealthy();
    expect(farm.of()).toMatchObject({ healthy: false, reason: 'set by an administrator' });
    await more(server, 5);
    expect(await farm.test()).toBe('Success');
    expect(farm.changes).toEqual([`${SERVER}: unhealthy, set by an administrator`]);
    farm.setHealthy();
    expect(farm.of()).toMatchObject({ healthy: true, reason: 'set by an administrator' });
    bad.add('/health');
    await farm.until(({ changes }) => changes.length === 3);
    farm.setHealthy();
    await farm.until(({ changes }) => changes.length === 5);
    expect(farm.changes.slice(2)).toEqual([FAILED, `${SERVER}: healthy, set by an administrator`, FAILED]);
  });

  test('unhealthy on top of a test that fails: it stays so when the test is passed', async () => {
    const { server, farm, bad } = await switched();
    bad.add('/health');
    await farm.until(({ changes }) => changes.length === 1);
    farm.setUnhealthy();
    expect(farm.of().reason).toBe('set by an administrator');
    bad.clear();
    await more(server, 3);
    expect(await farm.test()).toBe('Success');
    expect(farm.changes).toEqual([FAILED]);
  });

  test('a healthy server that is set healthy has not changed', async () => {
    const { farm } = await switched({ quick: { ...QUICK, url: '' } });
    farm.setHealthy();
    expect(farm.changes).toEqual([]);
    expect(farm.of()).toEqual({ healthy: true, reason: '', since: undefined });
  });
});
