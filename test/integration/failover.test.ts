/** Servers that die and come back while many clients ask: nobody is to notice. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { expectShares, openCrowd } from './crowd.ts';
import { type MortalServer, mortalServer } from './mortal-server.ts';
import { httpServer, type OneFarm, publishFarm } from './one-farm.ts';
import { freePort } from './ports.ts';

const host = 'app.contoso.com';
const WEIGHTS = { a: 200, b: 100, c: 100 } as const;
type Name = keyof typeof WEIGHTS;
const NAMES: readonly Name[] = ['a', 'b', 'c'];
const SIZE = { plain: 16, secure: 8, sessions: 4, streams: 4 };

interface Published {
  readonly servers: Readonly<Record<Name, MortalServer>>;
  readonly farm: OneFarm;
}

async function publish(settings: Record<string, unknown>, dead = false): Promise<Published> {
  const made = await Promise.all(
    NAMES.map((name) => mortalServer((request, response) => response.end(`${name} ${request.url}`), dead)),
  );
  const servers = Object.fromEntries(NAMES.map((name, i) => [name, made[i]])) as Published['servers'];
  const farm = await publishFarm({
    host,
    servers: NAMES.map((name) => ({ ...servers[name], weight: WEIGHTS[name] })),
    settings: { farms: { fe: { circuit: { failures: 3, pause: 0.05, longestPause: 0.1 }, ...settings } } },
  });
  return { servers, farm };
}

const without = (name: Name) => Object.fromEntries(Object.entries(WEIGHTS).filter(([each]) => each !== name));

describe('servers die and return in turn under load', () => {
  test('no request fails, is lost or is answered for another; shares follow the weights at each step', async () => {
    const { servers, farm } = await publish({ slowStart: 0 });
    const crowd = openCrowd(farm, SIZE);
    await expectShares(crowd, WEIGHTS);
    for (const name of NAMES) {
      await servers[name].kill();
      // What it has answered may still be on its way.
      await crowd.next(200);
      await expectShares(crowd, without(name));
      await servers[name].revive();
      await crowd.until(name);
      await expectShares(crowd, WEIGHTS);
    }
    await crowd.stop();
    expect(crowd.faults).toEqual([]);
  });

  test('slow start: one that returns gets a tenth of its share at first, and all of it in the end', async () => {
    const never = await publish({ slowStart: 1_000_000 });
    const first = openCrowd(never.farm, SIZE);
    await never.servers.b.kill();
    await first.next(200);
    await never.servers.b.revive();
    await first.until('b');
    await expectShares(first, { ...WEIGHTS, b: WEIGHTS.b / 10 });
    await first.stop();

    const soon = await publish({ slowStart: 1 });
    const second = openCrowd(soon.farm, SIZE);
    await soon.servers.b.kill();
    await second.next(200);
    await soon.servers.b.revive();
    // However slow this machine is, there comes a time when all of its share is there.
    let share = 0;
    while (share < 0.24) share = ((await second.next(400)).get('b') ?? 0) / 400;
    await expectShares(second, WEIGHTS);
    await second.stop();
    expect([...first.faults, ...second.faults]).toEqual([]);
  });

  test('a server whose process is killed', async () => {
    const port = await freePort();
    const code = `require('node:http').createServer((q, r) => r.end('process ' + q.url)).listen(${port}, '127.0.0.1', () => console.log('up'))`;
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    await once(child.stdout, 'data');
    const other = await httpServer((request, response) => response.end(`other ${request.url}`));
    const farm = await publishFarm({ host, servers: [{ httpPort: port }, { httpPort: other.port }] });
    const crowd = openCrowd(farm, { ...SIZE, secure: 0, sessions: 0 });
    expect([...(await crowd.next(200)).keys()].toSorted()).toEqual(['other', 'process']);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await crowd.next(100);
    expect(await crowd.next(400)).toEqual(new Map([['other', 400]]));
    await crowd.stop();
    expect(crowd.faults).toEqual([]);
  });
});

describe('all servers of a farm are down (U11)', () => {
  test('502.4 at once; the first one back gets all requests, over no more connections than it may have', async () => {
    const { servers, farm } = await publish({ slowStart: 1_000_000, maxConnections: 4 }, true);
    const crowd = openCrowd(farm, { ...SIZE, mayFail: true });
    await crowd.next(300);
    // Nobody waits for a connection any more: those who do get 502.3 with 12029.
    expect(await crowd.next(300)).toEqual(new Map([['502.4', 300]]));
    // The log tells it for each of the two rules, though not 600 times.
    const told = farm.proxy.logged.filter(({ code, win32 }) => code === '502.4' && win32 === 0);
    expect([told.length, new Set(told.map(({ rule }) => rule)).size]).toEqual([20, 2]);
    await servers.a.revive();
    await crowd.until('a');
    // What failed before may still be on its way.
    await crowd.next(100);
    await expectShares(crowd, { a: 1 });
    expect(servers.a.opened).toBeLessThanOrEqual(8);
    await servers.b.revive();
    await crowd.until('b');
    await crowd.next(100);
    expect([...(await crowd.next(400)).keys()].toSorted()).toEqual(['a', 'b']);
    await crowd.stop();
    expect(crowd.faults).toEqual([]);
  });
});
