/** Pools come and go with the endpoints that are asked for. What they do with sockets: test/integration. */

import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Connections, createConnections } from '../../src/connect/connections.ts';
import type { Endpoint } from '../../src/connect/endpoint.ts';
import type { ResolvedName } from '../../src/connect/resolved-name.ts';
import type { AnswerSink, SentRequest, ServerConnection } from '../../src/connect/server-connection.ts';
import type { ServerRoutes } from '../../src/connect/server-routes.ts';
import { readBegins } from '../../src/loop-turn.ts';
import { freePort } from '../integration/ports.ts';

let followed: number;
let made: number;
let connections: Connections;

/** Routes to a server of which only is asked how often its name is followed. */
const routes: ServerRoutes = {
  key: '',
  name: () => {
    followed++;
    const name: Pick<ResolvedName, 'watch' | 'version' | 'again' | 'has' | 'tend'> = {
      watch: () => () => followed--,
      version: 0,
      again: () => false,
      has: () => true,
      tend: () => undefined,
    };
    return name as ResolvedName;
  },
  to: () => {
    made++;
    return { lookup: (_name, _options, callback) => callback(null, '127.0.0.1', 4), refusal: () => undefined };
  },
  close: () => undefined,
};

async function endpoint(): Promise<Endpoint> {
  const times = { connectTimeout: 10, timeout: 30, queueTimeout: 10 };
  const limits = { maxResponseHeaderSize: 65_536, maxConnections: undefined, queueLength: 10 };
  const place = { address: '127.0.0.1', port: await freePort(), tls: undefined, localAddress: undefined };
  return { routes, ...place, computedHost: true, ...times, ...limits };
}

/** Nobody listens there. */
function refused(at: Endpoint): Promise<Error> {
  return new Promise((resolve, reject) => {
    const taker = { server: undefined, onLittleHope: () => undefined, onNoConnection: resolve };
    connections.lease(at, { ...taker, onConnection: () => reject(new Error('somebody listens')) });
  });
}

/** As by a request that was just read. */
function leased(at: Endpoint, fresh: boolean): Promise<ServerConnection> {
  readBegins();
  return leasedAnyhow(at, fresh);
}

function leasedAnyhow(at: Endpoint, fresh: boolean): Promise<ServerConnection> {
  return new Promise((onConnection, onNoConnection) => {
    const taker = { server: undefined, onLittleHope: () => undefined, onNoConnection, onConnection };
    connections.lease(at, taker, { fresh });
  });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  followed = 0;
  made = 0;
  connections = createConnections({ upgradeIdle: 3600 });
});

afterEach(() => {
  connections.destroy();
  vi.useRealTimers();
});

test('a pool that nobody has to do with for a minute goes, and is made anew where it is asked for again', async () => {
  const at = await endpoint();
  await refused(at);
  vi.advanceTimersByTime(59_000);
  expect([followed, made]).toEqual([1, 1]);
  vi.advanceTimersByTime(2000);
  expect([followed, made]).toEqual([0, 1]);
  expect((await refused(at)).message).toContain('ECONNREFUSED');
  expect([followed, made]).toEqual([1, 2]);
});

test('one that a farm watches stays', async () => {
  const at = await endpoint();
  const unwatch = connections.watch(at, () => undefined);
  vi.advanceTimersByTime(600_000);
  expect([followed, made]).toEqual([1, 1]);
  unwatch();
  vi.advanceTimersByTime(61_000);
  expect(followed).toBe(0);
});

test('none is opened any more once the service stops', async () => {
  const at = await endpoint();
  await refused(at);
  connections.destroy();
  expect((await refused(at)).message).toBe('the service stops');
  expect((await refused(await endpoint())).message).toBe('the service stops');
  expect(followed).toBe(0);
});

describe('a tunnel that is silent', () => {
  /** Whether it is open after so many seconds, and whether its sink heard of that it is not. */
  async function tunnel(upgradeIdle: number, half: 'client' | 'server' | 'neither') {
    connections.destroy();
    connections = createConnections({ upgradeIdle });
    const at = await endpoint();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      if (half === 'server') socket.end();
      onTestFinished(() => {
        socket.destroy();
      });
    }).listen(at.port, '127.0.0.1');
    onTestFinished(() => {
      server.close();
    });
    const connection = await leased(at, false);
    const heard: string[] = [];
    await new Promise<void>((resolve) => {
      const sink: AnswerSink = {
        server: undefined,
        onInformation: () => undefined,
        onHead: () => half !== 'server' && resolve(),
        onData: () => undefined,
        onEnd: () => resolve(),
        onReadEnd: () => true,
        onDrain: () => undefined,
        onError: ({ message }) => heard.push(message),
      };
      const request = {
        method: 'GET',
        complete: true,
        expectsContinue: false,
        upgrade: 'websocket',
        version: 'HTTP/1.1',
      } as const;
      connection.send({ ...request, bytes: 'GET / HTTP/1.1\r\n\r\n' }, sink);
    });
    if (half === 'client') connection.endTunnel();
    return (seconds: number) => {
      vi.advanceTimersByTime(seconds * 1000);
      return [connection.isTunnel, ...heard];
    };
  }

  test.each(['client', 'server'] as const)('is given half a minute where its %s has ended its side', async (half) => {
    const open = await tunnel(3600, half);
    expect(open(29)).toEqual([true]);
    expect(open(2).slice(1)).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+: an idle tunnel of 30 s$/)]);
  });

  test('is given upgradeIdle, and never more', async () => {
    const whole = await tunnel(60, 'neither');
    expect(whole(59)).toEqual([true]);
    expect(whole(2).slice(1)).toEqual([expect.stringContaining('an idle tunnel of 60 s')]);
    const half = await tunnel(10, 'client');
    expect(half(9)).toEqual([true]);
    expect(half(2).slice(1)).toEqual([expect.stringContaining('an idle tunnel of 10 s')]);
  });
});

/** A server that does nothing by itself. */
function silentServer(at: Endpoint, onSocket: (socket: Socket) => void = () => undefined): void {
  const server = createServer(onSocket).listen(at.port, '127.0.0.1');
  onTestFinished(() => {
    server.close();
  });
}

const REQUEST: SentRequest = {
  method: 'GET',
  bytes: 'GET / HTTP/1.1\r\n\r\n',
  complete: true,
  expectsContinue: false,
  upgrade: '',
  version: 'HTTP/1.1',
};

/** Resolves with the status of the answer, or with what went wrong. */
function asked(connection: ServerConnection): Promise<number | string> {
  return new Promise((resolve) => {
    const sink: AnswerSink = {
      server: undefined,
      onInformation: () => undefined,
      onHead: ({ status }) => resolve(status),
      onData: () => undefined,
      onEnd: () => undefined,
      onReadEnd: () => true,
      onDrain: () => undefined,
      onError: ({ message }) => resolve(message),
    };
    connection.send(REQUEST, sink);
  });
}

test('bytes that came on a connection before its first request are no answer to that', async () => {
  const at = await endpoint();
  const accepted = new Promise<Socket>((resolve) => silentServer(at, resolve));
  const connection = await leased(at, false);
  connection.giveBack();
  const server = await accepted;
  const elsewhere = await endpoint();
  const outcome = new Promise<number | string>((resolve) => {
    silentServer(elsewhere, (socket) =>
      socket.once('data', () => {
        // Both are there when the event loop looks for the next time, and it finds them in this order.
        socket.once('data', () => void leased(at, false).then(asked).then(resolve));
        client.write('ask');
        server.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      }),
    );
  });
  const client = connectTcp(elsewhere.port, '127.0.0.1');
  client.write('begin');
  onTestFinished(() => {
    client.destroy();
  });
  expect(await outcome).toBe('bytes that were sent before they were asked for');
});

test('a connection that was made for somebody who left is new to those in line', async () => {
  const at = { ...(await endpoint()), maxConnections: 1 };
  const accepted: Socket[] = [];
  silentServer(at, (socket) => accepted.push(socket));
  const leaver = {
    server: undefined,
    onLittleHope: () => undefined,
    onNoConnection: () => undefined,
    onConnection: () => undefined,
  };
  connections.lease(at, leaver, { fresh: true });
  const next = leased(at, true);
  connections.forget(at, leaver);
  expect((await next).isIdle).toBe(true);
  expect(accepted).toHaveLength(1);
});

test('who needs a new connection and waits in line gets none that was used', async () => {
  const at = { ...(await endpoint()), maxConnections: 1 };
  silentServer(at, (socket) => {
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  });
  const first = await leased(at, false);
  const fresh = leased(at, true);
  const any = leased(at, false);
  expect(await asked(first)).toBe(200);
  const second = await fresh;
  expect(second).not.toBe(first);
  readBegins();
  second.giveBack();
  expect(await any).toBe(second);
});

test('who needs a new connection of a server that may have no more gets it in place of an idle one', async () => {
  // It needs no place in line for that.
  const at = { ...(await endpoint()), maxConnections: 1, queueLength: 0 };
  silentServer(at);
  const first = await leased(at, false);
  first.giveBack();
  const again = await leased(at, false);
  expect(again).toBe(first);
  again.giveBack();
  const fresh = await leased(at, true);
  expect(fresh).not.toBe(first);
  expect([first.isIdle, fresh.isIdle, connections.size]).toEqual([false, true, 1]);
});

test('who asks while sockets are read gets an idle connection, who asks at another time a new one', async () => {
  const at = await endpoint();
  silentServer(at);
  const first = await leased(at, false);
  first.giveBack();
  await new Promise((resolve) => setImmediate(resolve));
  const second = await leasedAnyhow(at, false);
  expect(second).not.toBe(first);
  expect(await leased(at, false)).toBe(first);
});

test('an idle connection that its server has reset a moment before makes room for a new one', async () => {
  // It needs no place in line for that.
  const at = { ...(await endpoint()), maxConnections: 1, queueLength: 0 };
  const accepted = new Promise<Socket>((resolve) => silentServer(at, resolve));
  const first = await leased(at, false);
  first.giveBack();
  const server = await accepted;
  const elsewhere = await endpoint();
  const acceptedThere = new Promise<Socket>((resolve) => silentServer(elsewhere, resolve));
  const client = connectTcp(elsewhere.port, '127.0.0.1');
  onTestFinished(() => {
    client.destroy();
  });
  const asking = await acceptedThere;
  const second = new Promise<ServerConnection>((resolve, reject) => {
    asking.once('data', () => void leased(at, false).then(resolve, reject));
  });
  // A turn of the event loop later, nothing is left of what it found before.
  for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
  // Both are there when it looks for the next time, and it finds them in this order.
  server.resetAndDestroy();
  client.write('ask');
  expect(await second).not.toBe(first);
  expect(connections.size).toBe(1);
});

test('who hears that there is no connection, and asks again at once, does not go before who is in line', async () => {
  const at = { ...(await endpoint()), maxConnections: 1 };
  const heard: string[] = [];
  const hear = (who: string) => (error: Error) => {
    heard.push(`${who} ${connections.size}`);
    return error;
  };
  let again: Promise<unknown> | undefined;
  const first = new Promise<void>((resolve) => {
    const taker = { server: undefined, onLittleHope: () => undefined, onConnection: () => undefined };
    const onNoConnection = () => {
      again = refused(at).then(hear('again'));
      resolve();
    };
    connections.lease(at, { ...taker, onNoConnection });
  });
  const inLine = refused(at).then(hear('in line'));
  await first;
  expect(connections.size).toBe(1);
  await Promise.all([inLine, again]);
  expect(heard).toEqual(['in line 1', 'again 0']);
});
