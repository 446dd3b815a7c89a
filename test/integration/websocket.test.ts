import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { CONTOSO_ACCOUNTS } from '../../src/demo/front-end.ts';
import { createWindowsChallenge } from '../../src/demo/windows-challenge.ts';
import { TYPE_1, typeThree } from '../demo/ntlm-client.ts';
import { numbers, runs } from '../random.ts';
import { openRaw } from './clients.ts';
import { KeptClient } from './kept-client.ts';
import { closeOf, httpServer, publishFarm, rawServer } from './one-farm.ts';
import {
  accepting,
  BINARY,
  closeFrame,
  connectTo,
  echoFrames,
  echoServer,
  encodeFrame,
  type Frame,
  headOf,
  openWebSocket,
  type Place,
  TEXT,
  takeWebSocket,
  upgradeText,
  type WebSocketInTest,
} from './web-sockets.ts';

const host = 'chat.contoso.com';
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const MIB = 1024 * 1024;
const PLACES = ['plain', 'tls'] as const;

async function published(server: { port: number }, settings: Record<string, unknown> = {}, secure = server) {
  const farm = await publishFarm({ host, servers: [{ httpPort: server.port, httpsPort: secure.port }], settings });
  const plain: Place = { port: farm.httpPort };
  const tls: Place = { port: farm.httpsPort, tls: farm.tls };
  return { farm, plain, tls };
}

/** Answers the first head of each connection with what the test says; what follows goes to `after`. */
function scripted(
  answer: (head: string, socket: Socket) => void,
  after: (bytes: Buffer, socket: Socket) => void = () => undefined,
) {
  return rawServer((socket) => {
    headOf(socket, (bytes) => after(bytes, socket)).then(
      (head) => answer(head, socket),
      () => undefined,
    );
  });
}

/** Resolves when the other side has ended its half. */
const endOf = (socket: Socket) => new Promise<void>((resolve) => socket.once('end', () => resolve()));

/** Everything that comes, until `length` bytes are there. */
function receive(socket: Socket, length: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let received = 0;
  return new Promise((resolve, reject) => {
    socket.on('data', (bytes: Buffer) => {
      pieces.push(bytes);
      received += bytes.length;
      if (received >= length) resolve(Buffer.concat(pieces));
    });
    socket.once('close', () => reject(new Error(`closed behind ${received} bytes`)));
  });
}

describe('messages', () => {
  const SOURCE = Buffer.alloc(9 * MIB);
  for (let i = 0, next = numbers(7); i < SOURCE.length; i += 4) SOURCE.writeUInt32LE(next(0x100000000), i);

  /** A message of any size: most are small, every thousandth has some MiB. */
  function message(number: number, chance: (limit: number) => number): Frame {
    const kind = number % 1000;
    const length =
      kind === 500 ? MIB + chance(7 * MIB) : chance(kind % 20 === 0 ? 256 * 1024 : kind % 4 === 0 ? 8192 : 127);
    const from = chance(SOURCE.length - length);
    return { opcode: length % 2 === 0 ? TEXT : BINARY, payload: SOURCE.subarray(from, from + length) };
  }

  async function exchange(webSocket: WebSocketInTest, count: number, seed: number): Promise<void> {
    const sent = numbers(seed);
    const expected = numbers(seed);
    const send = async () => {
      for (let i = 0; i < count; i++) {
        if (!webSocket.send(message(i, sent))) {
          await new Promise((resolve) => webSocket.socket.once('drain', resolve));
        }
      }
    };
    const check = async () => {
      for (let i = 0; i < count; i++) {
        const { opcode, payload } = await webSocket.next();
        const wanted = message(i, expected);
        if (opcode !== wanted.opcode || !payload.equals(wanted.payload)) throw new Error(`message ${i} of ${count}`);
      }
    };
    await Promise.all([send(), check()]);
  }

  test('thousands of all sizes come back byte by byte, over one socket and over several, plain and in TLS', async () => {
    const { plain, tls } = await published(await echoServer(), {}, await echoServer(true));
    const first = await openWebSocket(tls, { host });
    await exchange(first, runs(1002, 4000), 1);
    const several = await Promise.all(
      [tls, plain, tls, plain, tls, plain].map((place) => openWebSocket(place, { host })),
    );
    await Promise.all(several.map((each, i) => exchange(each, runs(1002, 1000), 2 + i)));
    // None of them is in the way of the first; nor is a message larger than all of them together (W05).
    const large = Buffer.alloc(64 * MIB, SOURCE);
    first.send({ opcode: BINARY, payload: large });
    expect((await first.next()).payload.equals(large)).toBe(true);
  });

  test('1,000 sockets at once, and each has its own close code', async () => {
    const server = await echoServer();
    const { plain, tls } = await published(server, {}, await echoServer(true));
    const open = (i: number) => openWebSocket(i % 5 === 0 ? tls : plain, { host, path: `/${i}` });
    const sockets = await Promise.all(Array.from({ length: 1000 }, (_, i) => open(i)));
    expect(server.sockets.size).toBe(800);
    const ask = async (socket: WebSocketInTest, text: string) => {
      socket.send({ opcode: TEXT, payload: Buffer.from(text) });
      return (await socket.next()).payload.toString();
    };
    for (let round = 0; round < 3; round++) {
      const told = await Promise.all(sockets.map((each, i) => ask(each, `${i} in round ${round}`)));
      expect(told).toEqual(sockets.map((_, i) => `${i} in round ${round}`));
    }
    const last = await Promise.all(
      sockets.map(async (each, i) => {
        each.send(closeFrame(3000 + i, `because of ${i}`));
        const frame = await each.next();
        each.socket.end();
        await each.closed;
        return frame;
      }),
    );
    expect(last).toEqual(sockets.map((_, i) => closeFrame(3000 + i, `because of ${i}`)));
    await Promise.all([...server.sockets].map(closeOf));
  });

  test('bytes that are no frames pass untouched in both directions (W07)', async () => {
    const bytes = SOURCE.subarray(0, 3 * MIB);
    let received: Promise<Buffer> | undefined;
    const server = await scripted((head, socket) => {
      received = receive(socket, bytes.length);
      const answer = accepting(head);
      socket.write(answer);
      socket.write(bytes);
    });
    const { plain } = await published(server);
    const client = connectTo(plain);
    client.write(upgradeText({ host }));
    const pieces: Buffer[] = [];
    await headOf(client, (piece) => pieces.push(piece));
    const length = () => pieces.reduce((sum, piece) => sum + piece.length, 0);
    client.write(bytes);
    expect((await received!).equals(bytes)).toBe(true);
    while (length() < bytes.length) await new Promise((resolve) => client.once('data', resolve));
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  });
});

/** Resolves with the first bytes. */
function endOfHead(socket: Socket): Promise<string> {
  return new Promise((resolve) => socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1'))));
}

describe('the tunnel begins with the server’s 101, and with nothing else', () => {
  test('what the client sends early is held until then, and is delivered whole (W03)', async () => {
    const frame = encodeFrame({ opcode: TEXT, payload: Buffer.from('early') }, Buffer.from([1, 2, 3, 4]));
    let afterHead = Buffer.alloc(0);
    const { promise: delivered, resolve: accept } = Promise.withResolvers<void>();
    const opened: { socket?: Socket; head?: string } = {};
    const server = await scripted(
      (head, socket) => {
        Object.assign(opened, { socket, head });
        socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n');
      },
      (bytes) => {
        afterHead = Buffer.concat([afterHead, bytes]);
        if (afterHead.length >= 2 * frame.length) accept();
      },
    );
    const { plain } = await published(server);
    const client = connectTo(plain);
    client.write(Buffer.concat([Buffer.from(upgradeText({ host }, KEY)), frame]));
    // The proxy has read both, and has heard of the server since.
    expect(await endOfHead(client)).toMatch(/^HTTP\/1\.1 103 /);
    client.write(frame);
    expect(afterHead.length).toBe(0);
    opened.socket?.write(accepting(opened.head ?? ''));
    await takeWebSocket(client, KEY);
    await delivered;
    expect(afterHead.equals(Buffer.concat([frame, frame]))).toBe(true);
  });

  test('the head of the 101 is the server’s, and bytes behind it in one piece are the tunnel’s', async () => {
    const frame = encodeFrame({ opcode: TEXT, payload: Buffer.from('first') });
    const server = await scripted((head, socket) => {
      expect(head).toMatch(/^GET \/chat\?a=b HTTP\/1\.1\r\n/);
      expect(head).toContain('\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
      expect(head).toContain(`\r\nSec-WebSocket-Key: ${KEY}\r\n`);
      const more = 'Sec-WebSocket-Protocol: chat.v2\r\nSet-Cookie: a=b\r\n';
      socket.write(Buffer.concat([Buffer.from(accepting(head).replace(/\r\n$/, `${more}\r\n`)), frame]));
    });
    const { plain } = await published(server);
    const client = connectTo(plain);
    client.write(upgradeText({ host, path: '/chat?a=b' }, KEY));
    const webSocket = await takeWebSocket(client, KEY);
    expect(webSocket.head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(webSocket.head).toContain('\r\nSec-WebSocket-Protocol: chat.v2\r\nSet-Cookie: a=b\r\n');
    expect(webSocket.head.match(/^(connection|upgrade): .*$/gim)).toEqual([
      'Connection: Upgrade',
      'Upgrade: websocket',
    ]);
    expect(webSocket.head).not.toMatch(/content-length|transfer-encoding/i);
    expect((await webSocket.next()).payload.toString()).toBe('first');
  });

  test.each([200, 401, 403, 404, 426, 503])(
    '%i passes as it is; the connection is used on, and what was sent early is parsed as HTTP (W02)',
    async (status) => {
      let requests = 0;
      const server = await rawServer((socket) => {
        socket.on('data', (bytes: Buffer) => {
          requests++;
          const upgrade = bytes.includes('Upgrade');
          const more = status === 426 ? 'Upgrade: websocket\r\nConnection: Upgrade\r\n' : '';
          socket.write(
            upgrade
              ? `HTTP/1.1 ${status} As It Is\r\n${more}X-Own: 1\r\nContent-Length: 4\r\n\r\nbody`
              : 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext',
          );
        });
      });
      const { farm } = await published(server);
      const client = new KeptClient({ port: farm.httpPort });
      const get = `GET /next HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
      client.write(upgradeText({ host }) + get);
      const told = await client.answer();
      expect(told).toMatchObject({ status, body: 'body', interim: [] });
      expect(told.headers.get('x-own')).toEqual(['1']);
      expect(told.headers.get('upgrade')).toEqual(status === 426 ? ['websocket'] : undefined);
      expect(await client.answer()).toMatchObject({ status: 200, body: 'next' });
      client.write(get);
      expect(await client.answer()).toMatchObject({ status: 200, body: 'next' });
      expect(requests).toBe(3);
      // The connection to the server was used on as well: it is HTTP as before.
      expect(server.sockets.size).toBe(1);
    },
  );

  test('a frame that was sent early, where the server refuses, is no request: 400, and it never reaches the server', async () => {
    let received = '';
    const server = await rawServer((socket) => {
      socket.on('data', (bytes: Buffer) => {
        received += bytes.toString('latin1');
        socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      });
    });
    const { farm } = await published(server);
    const client = new KeptClient({ port: farm.httpPort });
    client.write(`${upgradeText({ host })}\x81\x85\x01\x02\x03\x04DELETE /admin HTTP/1.1\r\n\r\n`);
    expect((await client.answer()).status).toBe(403);
    expect((await client.answer()).status).toBe(400);
    await client.closed;
    expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(received).not.toContain('DELETE');
  });

  const GOOD = ['Upgrade: websocket', 'Connection: Upgrade'];
  test.each<[string, readonly string[]]>([
    ['another protocol than asked for', ['Upgrade: chat', 'Connection: Upgrade']],
    ['one that was asked for beside one that was not', ['Upgrade: websocket, h2c', 'Connection: Upgrade']],
    ['h2c', ['Upgrade: h2c', 'Connection: Upgrade']],
    ['no Upgrade', ['Connection: Upgrade']],
    ['no Connection', ['Upgrade: websocket']],
  ])('101 with %s: 502.3, and the connection to the server ends (W04)', async (_name, lines) => {
    const server = await scripted((_head, socket) =>
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\nGET /smuggled`),
    );
    const { farm } = await published(server);
    const opened = server.opened();
    const client = new KeptClient({ port: farm.httpPort });
    client.write(upgradeText({ host }));
    const told = await client.answer();
    expect(told.status).toBe(502);
    expect(told.body).toContain('502.3');
    expect(farm.proxy.logged).toContainEqual(expect.objectContaining({ code: '502.3', win32: 12152 }));
    await closeOf(await opened);
  });

  test.each([
    ['a Content-Length', 'Content-Length: 5'],
    ['a Content-Length of 0', 'content-length: 0'],
    ['a Transfer-Encoding', 'Transfer-Encoding: chunked'],
    ['both', 'Transfer-Encoding: chunked\r\nContent-Length: 5'],
    ['one that is malformed', 'Content-Length: +5, 6'],
  ])(
    '101 with %s, which means nothing there: the tunnel stands, and the field goes no further',
    async (_name, field) => {
      const server = await scripted((_head, socket) =>
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${GOOD.join('\r\n')}\r\n${field}\r\n\r\nfirst of the tunnel`),
      );
      const { farm } = await published(server);
      const client = openRaw(farm.httpPort);
      client.socket.write(upgradeText({ host }));
      const told = await client.until(/first of the tunnel$/);
      expect(told).toMatch(/^HTTP\/1\.1 101 /);
      expect(told).not.toMatch(/content-length|transfer-encoding/i);
    },
  );

  test.each<[string, string]>([
    ['a plain request', `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`],
    ['Upgrade that Connection does not name', `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n\r\n`],
    ['Upgrade in HTTP/1.0', `GET / HTTP/1.0\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`],
    ['an upgrade to h2c alone', `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`],
  ])('101 to %s: 502.3 (W04)', async (_name, request) => {
    let head = '';
    const server = await scripted((asked, socket) => {
      head = asked;
      socket.write(accepting('sec-websocket-key: x\r\n'));
    });
    const { farm } = await published(server);
    const client = new KeptClient({ port: farm.httpPort });
    client.write(request);
    expect((await client.answer()).status).toBe(502);
    expect(head).not.toMatch(/^(connection: (?!keep-alive)|upgrade:)/im);
  });

  test.each<[string, string, string]>([
    ['a length', 'Content-Length: 5', 'hello'],
    ['chunks', 'Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
  ])('Upgrade with a body of %s: 400, and nothing reaches the server (W03)', async (_name, field, body) => {
    const server = await rawServer(() => undefined);
    const { farm } = await published(server);
    const client = new KeptClient({ port: farm.httpPort });
    client.write(`${upgradeText({ host, headers: { Any: `1\r\n${field}` } })}${body}`);
    expect((await client.answer()).status).toBe(400);
    await client.closed;
    expect(server.sockets.size).toBe(0);
  });

  test('of a list with h2c and TLS only the rest is offered to the server (W01)', async () => {
    let head = '';
    const server = await scripted((asked, socket) => {
      head = asked;
      socket.write(accepting(asked));
    });
    const { plain } = await published(server);
    const client = connectTo(plain);
    const headers = {
      Connection: 'Upgrade, HTTP2-Settings',
      Upgrade: 'h2c, websocket, TLS/1.3',
      'HTTP2-Settings': 'AAMAAABk',
    };
    client.write(upgradeText({ host, headers }, KEY));
    await takeWebSocket(client, KEY);
    expect(head).toContain('\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
    expect(head).not.toMatch(/h2c|tls|http2-settings/i);
  });

  test('a request to upgrade is tried once more where a kept connection turns out to be closed', async () => {
    let connections = 0;
    const server = await rawServer((socket) => {
      const first = ++connections === 1;
      socket.on('data', (bytes: Buffer) => {
        if (!bytes.includes('Upgrade')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        else if (first) socket.resetAndDestroy();
        else socket.write(accepting(bytes.toString('latin1')));
      });
    });
    const { farm, plain } = await published(server);
    expect((await new KeptClient({ port: farm.httpPort }).ask({ host })).status).toBe(200);
    expect((await openWebSocket(plain, { host })).head).toMatch(/^HTTP\/1\.1 101 /);
    expect(connections).toBe(2);
  });
});

describe('its end', () => {
  /** Both ends of a tunnel, without a word said. */
  async function tunnel(place: 'plain' | 'tls' = 'plain', settings: Record<string, unknown> = {}) {
    const server = await rawServer((socket) => {
      headOf(socket, () => undefined).then(
        (head) => socket.write(accepting(head)),
        () => undefined,
      );
    }, place === 'tls');
    const publishing = await published(server, settings);
    const opened = server.opened();
    const client = await openWebSocket(publishing[place], { host });
    return { client, far: await opened, server, ...publishing };
  }

  /** Whose peer is gone for good hears of it when it sends something. */
  async function talkUntilClosed({ socket, closed }: WebSocketInTest): Promise<void> {
    const talking = setInterval(() => socket.write('anybody there?'), 10);
    await closed;
    clearInterval(talking);
  }

  test.each(PLACES)(
    'no byte in either direction for timeouts.upgradeIdle: both sides are closed (%s)',
    async (place) => {
      const { client, far } = await tunnel(place, { timeouts: { upgradeIdle: 1 } });
      await Promise.all([client.closed, closeOf(far)]);
    },
  );

  test.each(PLACES)('the client ends its side, and still hears what the server has to say (%s)', async (place) => {
    const { client, far } = await tunnel(place);
    const ended = endOf(far);
    client.socket.end(encodeFrame(closeFrame(1001, 'leaving'), Buffer.alloc(4)));
    await ended;
    far.end(encodeFrame(closeFrame(1001, 'so long')));
    expect(await client.next()).toEqual(closeFrame(1001, 'so long'));
    await Promise.all([client.closed, closeOf(far)]);
  });

  test.each(PLACES)('the server ends its side, and still hears what the client has to say (%s)', async (place) => {
    const { client, far } = await tunnel(place);
    client.socket.allowHalfOpen = true;
    const ended = endOf(client.socket);
    far.end(encodeFrame(closeFrame(1012, 'restart')));
    expect(await client.next()).toEqual(closeFrame(1012, 'restart'));
    await ended;
    const heard = receive(far, 10);
    client.socket.end('0123456789');
    expect((await heard).toString()).toBe('0123456789');
    await Promise.all([client.closed, closeOf(far)]);
  });

  test.each(PLACES)('a client that resets: the server’s side is closed (%s)', async (place) => {
    const { client, far } = await tunnel(place);
    // Within TLS: an end that nothing announces.
    if (place === 'tls') client.socket.destroy();
    else client.socket.resetAndDestroy();
    await closeOf(far);
  });

  test.each(PLACES)('a server that resets: the client’s side is closed (%s)', async (place) => {
    const { client, far } = await tunnel(place);
    if (place === 'tls') far.destroy();
    else far.resetAndDestroy();
    await client.closed;
  });

  test('a server that ends its side and then is gone: a client that goes on talking is cut off', async () => {
    const { client, far } = await tunnel();
    client.socket.allowHalfOpen = true;
    const ended = endOf(client.socket);
    far.end();
    await ended;
    far.destroy();
    await talkUntilClosed(client);
  });

  test('a server that ends its side and a client that never does: the idle limit holds', async () => {
    const { client, far } = await tunnel('plain', { timeouts: { upgradeIdle: 1 } });
    client.socket.allowHalfOpen = true;
    const ended = endOf(client.socket);
    far.end();
    await ended;
    await closeOf(far);
    await talkUntilClosed(client);
  });

  test('it has one line in the access log, with 101, the bytes of both directions and how it ended', async () => {
    const access = { format: 'json', file: 'access.log' };
    const { client, far, farm } = await tunnel('plain', { log: { level: 'silent', access } });
    const heard = receive(far, 11);
    client.socket.write('hello there');
    await heard;
    far.write('good bye');
    await new Promise((resolve) => client.socket.once('data', resolve));
    const ended = endOf(far);
    client.socket.end();
    await ended;
    far.end();
    await Promise.all([client.closed, closeOf(far)]);
    const read = () => readFileSync(join(farm.proxy.configDir, 'access.log'), 'utf8').split('\n');
    const logged = { 'sc-status': 101, 'sc-win32-status': 0, 'cs-bytes': 11, 'sc-bytes': 8, 'x-farm': 'fe' };
    // Lines are written in batches.
    await expect.poll(() => read().length).toBe(2);
    expect(JSON.parse(read()[0]!)).toMatchObject(logged);
  });

  test('a service that stops lets tunnels live until the deadline, and then ends them (W06)', async () => {
    const { plain, farm } = await published(await echoServer());
    const client = await openWebSocket(plain, { host });
    let stopped = false;
    const stop = farm.proxy.serving.stop(1).finally(() => {
      stopped = true;
    });
    await expect(openWebSocket(plain, { host })).rejects.toThrow('closed');
    client.send({ opcode: TEXT, payload: Buffer.from('still here') });
    expect((await client.next()).payload.toString()).toBe('still here');
    expect(stopped).toBe(false);
    await client.closed;
    expect(await stop).toBe(1);
  });

  test('a service that stops is done as soon as the last tunnel has ended', async () => {
    const { plain, farm } = await published(await echoServer());
    const client = await openWebSocket(plain, { host });
    const stop = farm.proxy.serving.stop(1000);
    client.send(closeFrame(1000, 'done'));
    expect(await client.next()).toEqual(closeFrame(1000, 'done'));
    client.socket.end();
    expect(await stop).toBe(0);
  });
});

describe('a reader that stops is waited for, and costs no memory', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const TUNNELS = 4;
  const OFFERED = 32 * MIB;
  const PIECE = Buffer.alloc(64 * 1024, 'x');

  function held(): number {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  }

  /** Writes as long as the socket takes it at once, and says when all is written. */
  function pour(socket: Socket): { done: Promise<void>; left: () => number } {
    let left = OFFERED;
    const done = new Promise<void>((resolve) => {
      const more = () => {
        while (left > 0) {
          left -= PIECE.length;
          if (!socket.write(PIECE)) {
            socket.once('drain', more);
            return;
          }
        }
        resolve();
      };
      more();
    });
    return { done, left: () => left };
  }

  /** Polls until none of them has moved for a while. */
  async function standStill(pours: readonly ReturnType<typeof pour>[]): Promise<void> {
    let last = '';
    for (let same = 0; same < 5; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const now = pours.map(({ left }) => left()).join();
      same = now === last ? same + 1 : 0;
      last = now;
    }
  }

  const countAndHash = (socket: Socket) => {
    const hash = createHash('sha1');
    let received = 0;
    return new Promise<string>((resolve) => {
      socket.on('data', (bytes: Buffer) => {
        hash.update(bytes);
        received += bytes.length;
        if (received === OFFERED) resolve(hash.digest('hex'));
      });
      socket.resume();
    });
  };
  const WHOLE = createHash('sha1');
  for (let i = 0; i < OFFERED; i += PIECE.length) WHOLE.update(PIECE);
  const whole = WHOLE.digest('hex');

  test.each([
    ['the server', 'plain'],
    ['the client', 'plain'],
    ['the server', 'tls'],
    ['the client', 'tls'],
  ] as const)('%s (%s)', async (who, place) => {
    const far: Socket[] = [];
    const server = await rawServer((socket) => {
      headOf(socket, () => undefined).then(
        (head) => {
          socket.write(accepting(head));
          far.push(socket);
        },
        () => undefined,
      );
    }, place === 'tls');
    const publishing = await published(server);
    const near = await Promise.all(
      Array.from({ length: TUNNELS }, async () => (await openWebSocket(publishing[place], { host })).socket),
    );
    for (const each of [...near, ...far]) each.removeAllListeners('data');
    const [readers, writers] = who === 'the server' ? [far, near] : [near, far];
    for (const each of readers) each.pause();
    const before = held();
    const pours = writers.map(pour);
    await standStill(pours);
    expect(Math.min(...pours.map(({ left }) => left()))).toBeGreaterThan(0);
    // What was freed is counted as such by a thread that may be late.
    await expect.poll(() => (held() - before) / TUNNELS).toBeLessThan(MIB);
    const arrived = await Promise.all(readers.map(countAndHash));
    expect(new Set(arrived)).toEqual(new Set([whole]));
    await Promise.all(pours.map(({ done }) => done));
  });
});

describe('through a Windows login', () => {
  test('the connection of the login becomes the tunnel, and its pin is free again afterwards', async () => {
    const challenge = createWindowsChallenge(CONTOSO_ACCOUNTS, {
      domain: 'CONTOSO',
      computer: 'FE01',
      dnsDomain: 'contoso.local',
      dnsComputer: 'fe01.contoso.local',
    });
    const server = await httpServer((request, response) => {
      const verdict = challenge(request.socket, request.headers.authorization);
      if ('authenticate' in verdict) response.setHeader('WWW-Authenticate', verdict.authenticate);
      response.statusCode = 'authenticate' in verdict ? 401 : 200;
      response.end();
    });
    // Node hands over the socket of a request to upgrade; one that is nobody's is refused as any is.
    server.server.on('upgrade', (request, socket: Socket) => {
      const verdict = challenge(socket, request.headers.authorization);
      if ('authenticate' in verdict) {
        socket.end('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      socket.write(accepting(`sec-websocket-key: ${request.headers['sec-websocket-key']}\r\n`));
      socket.write(encodeFrame({ opcode: TEXT, payload: Buffer.from(verdict.identity) }));
      socket.on('data', echoFrames(socket));
    });
    const { farm } = await published(server, { limits: { pinned: 1 } });
    for (let round = 0; round < 3; round++) {
      const client = new KeptClient({ port: farm.httpPort });
      const offered = await client.ask({ host, headers: { Authorization: TYPE_1 } });
      const answer = typeThree(CONTOSO_ACCOUNTS[0]!, offered.headers.get('www-authenticate')?.[0] ?? '');
      expect((await client.ask({ host, headers: { Authorization: answer } })).status).toBe(200);
      client.socket.removeAllListeners('data');
      client.write(upgradeText({ host }, KEY));
      const webSocket = await takeWebSocket(client.socket, KEY);
      expect((await webSocket.next()).payload.toString()).toBe('CONTOSO\\alice');
      expect(server.sockets.size).toBe(1);
      webSocket.send({ opcode: TEXT, payload: Buffer.from('hello') });
      expect((await webSocket.next()).payload.toString()).toBe('hello');
      // The pool gives nobody a connection that is somebody's.
      await expect(openWebSocket({ port: farm.httpPort }, { host })).rejects.toThrow(/^HTTP\/1\.1 503 /);
      const [pinned] = server.sockets;
      webSocket.send(closeFrame(1000, ''));
      await webSocket.next();
      client.socket.end();
      await closeOf(pinned!);
    }
  });
});
