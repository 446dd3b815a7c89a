import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { CONTOSO_ACCOUNTS } from '../../src/demo/front-end.ts';
import { createWindowsChallenge } from '../../src/demo/windows-challenge.ts';
import { TYPE_1, typeThree } from '../demo/ntlm-client.ts';
import { numbers } from '../random.ts';
import { KeptClient } from './kept-client.ts';
import { closeOf, publishFarm, rawServer } from './one-farm.ts';
import { HOST, publishRecorded } from './recorded-farm.ts';
import { connectTo, headOf } from './web-sockets.ts';

const host = 'mail.contoso.com';
const TARGET = '/rpc/rpcproxy.dll?mail01.contoso.local:6001';
const GIGABYTE = 1024 * 1024 * 1024;
/** The body of RPC_OUT_DATA: one packet that asks for the channel. */
const OPENING = Buffer.alloc(76, 'o');

/** Collects what comes on a channel; `upTo` resolves when so many bytes are there. */
class Arrivals {
  #bytes = Buffer.alloc(0);
  #waiting: { readonly length: number; readonly resolve: () => void }[] = [];

  push(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const met = this.#waiting.filter(({ length }) => length <= this.#bytes.length);
    this.#waiting = this.#waiting.filter((each) => !met.includes(each));
    for (const { resolve } of met) resolve();
  }

  async upTo(length: number): Promise<Buffer> {
    if (this.#bytes.length < length) {
      await new Promise<void>((resolve) => this.#waiting.push({ length, resolve }));
    }
    return this.#bytes;
  }
}

interface Channel {
  readonly socket: Socket;
  readonly arrivals: Arrivals;
  readonly head: string;
}

/** RPC Proxy of Exchange: a Windows login on each connection, then one channel on it for as long as it lasts. */
async function rpcProxy() {
  const challenge = createWindowsChallenge(CONTOSO_ACCOUNTS, {
    domain: 'CONTOSO',
    computer: 'MAIL01',
    dnsDomain: 'contoso.local',
    dnsComputer: 'mail01.contoso.local',
  });
  const opened = { RPC_IN_DATA: Promise.withResolvers<Channel>(), RPC_OUT_DATA: Promise.withResolvers<Channel>() };
  const server = await rawServer((socket) => {
    let arrivals: Arrivals | undefined;
    const early: Buffer[] = [];
    const next = () => {
      headOf(socket, (bytes) => (arrivals ? arrivals.push(bytes) : early.push(bytes))).then(
        (head) => {
          const verdict = challenge(socket, /^authorization: (.*)\r$/im.exec(head)?.[1]);
          if ('authenticate' in verdict) {
            const lines = verdict.authenticate.map((value) => `WWW-Authenticate: ${value}\r\n`).join('');
            socket.removeAllListeners('data');
            next();
            socket.write(`HTTP/1.1 401 Unauthorized\r\n${lines}Content-Length: 0\r\n\r\n`);
            return;
          }
          arrivals = new Arrivals();
          for (const bytes of early) arrivals.push(bytes);
          const method = /^RPC_(?:IN|OUT)_DATA/.exec(head)?.[0] as keyof typeof opened;
          opened[method].resolve({ socket, arrivals, head });
          if (method === 'RPC_OUT_DATA') {
            socket.write(
              `HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: ${GIGABYTE}\r\n\r\n`,
            );
          }
        },
        () => undefined,
      );
    };
    next();
  }, true);
  return { ...server, inChannel: opened.RPC_IN_DATA.promise, outChannel: opened.RPC_OUT_DATA.promise };
}

async function published(settings: Record<string, unknown> = {}, protocol?: string) {
  const server = await rpcProxy();
  const farm = await publishFarm({
    host,
    servers: [{ httpsPort: server.port }],
    settings,
    ...(protocol === undefined ? {} : { protocol }),
  });
  return { server, farm };
}

type Published = Awaited<ReturnType<typeof published>>;

/** Logs in on a connection of its own and opens the channel there; gives the socket behind the request. */
async function openChannel({ farm }: Published, method: 'RPC_IN_DATA' | 'RPC_OUT_DATA'): Promise<Socket> {
  const client = new KeptClient({ port: farm.httpsPort, tls: farm.tls });
  const fields = { 'User-Agent': 'MSRPC', Accept: 'application/rpc', 'Cache-Control': 'no-cache', Pragma: 'no-cache' };
  const login = { host, path: TARGET, method };
  const empty = { ...fields, 'Content-Length': '0' };
  const offered = await client.ask({ ...login, headers: { ...empty, Authorization: TYPE_1 } });
  expect(offered.status).toBe(401);
  const answer = typeThree(CONTOSO_ACCOUNTS[0]!, offered.headers.get('www-authenticate')?.[0] ?? '');
  const length = method === 'RPC_IN_DATA' ? GIGABYTE : OPENING.length;
  const more = { ...fields, 'Content-Length': String(length), Authorization: answer };
  const lines = Object.entries(more).map(([name, value]) => `${name}: ${value}\r\n`);
  client.socket.removeAllListeners('data');
  client.write(`${method} ${TARGET} HTTP/1.1\r\nHost: ${host}\r\n${lines.join('')}\r\n`);
  if (method === 'RPC_OUT_DATA') client.socket.write(OPENING);
  return client.socket;
}

/** Both channels, open and logged in, with what arrives at either end. */
async function openBoth(place: Published) {
  const nearIn = await openChannel(place, 'RPC_IN_DATA');
  const nearOut = await openChannel(place, 'RPC_OUT_DATA');
  const answered = new Arrivals();
  const head = await headOf(nearOut, (bytes) => answered.push(bytes));
  return {
    nearIn,
    nearOut,
    head,
    answered,
    farIn: await place.server.inChannel,
    farOut: await place.server.outChannel,
  };
}

test('a gigabyte is declared in each direction, and each piece arrives before the next is sent', async () => {
  const place = await published();
  const { nearIn, head, answered, farIn, farOut } = await openBoth(place);
  expect(farIn.head).toMatch(/^RPC_IN_DATA \/rpc\/rpcproxy\.dll\?mail01\.contoso\.local:6001 HTTP\/1\.1\r\n/);
  expect(farIn.head).toContain(`\r\nContent-Length: ${GIGABYTE}\r\n`);
  expect(farIn.head).not.toMatch(/transfer-encoding|expect/i);
  expect(head).toMatch(/^HTTP\/1\.1 200 Success\r\n/);
  expect(head).toContain(`\r\nContent-Type: application/rpc\r\nContent-Length: ${GIGABYTE}\r\n`);
  expect(head).not.toMatch(/transfer-encoding|^connection/im);
  expect((await farOut.arrivals.upTo(OPENING.length)).equals(OPENING)).toBe(true);
  const chance = numbers(6001);
  let sent = Buffer.alloc(0);
  let said = Buffer.alloc(0);
  for (let i = 0; i < 200; i++) {
    const piece = Buffer.alloc(1 + chance(i % 10 === 0 ? 8000 : 300), i);
    sent = Buffer.concat([sent, piece]);
    nearIn.write(piece);
    expect((await farIn.arrivals.upTo(sent.length)).equals(sent)).toBe(true);
    const word = Buffer.alloc(1 + chance(i % 7 === 0 ? 20_000 : 500), 255 - i);
    said = Buffer.concat([said, word]);
    farOut.socket.write(word);
    expect((await answered.upTo(said.length)).equals(said)).toBe(true);
  }
  // Each channel has the connection of its login.
  expect(place.server.sockets.size).toBe(2);
});

test('the farm’s timeout is for a silent server: RPC_OUT_DATA ends by it, RPC_IN_DATA that nobody owes an answer does not', async () => {
  const place = await published({}, 'timeout="00:00:01"');
  const { nearIn, nearOut, farIn, farOut } = await openBoth(place);
  nearIn.write('before');
  await farIn.arrivals.upTo(6);
  await Promise.all([closeOf(nearOut), closeOf(farOut.socket)]);
  nearIn.write('behind');
  expect((await farIn.arrivals.upTo(12)).toString()).toBe('beforebehind');
});

describe('an end on either side', () => {
  test('the client leaves both channels: the server hears of both', async () => {
    const place = await published();
    const { nearIn, nearOut, farIn, farOut } = await openBoth(place);
    nearIn.destroy();
    await closeOf(farIn.socket);
    expect(place.server.sockets.size).toBe(1);
    nearOut.destroy();
    await closeOf(farOut.socket);
  });

  test('the server drops RPC_OUT_DATA: the client’s is cut, never ended as if it were whole', async () => {
    const { nearIn, nearOut, farIn, farOut, answered } = await openBoth(await published());
    farOut.socket.write('last words');
    await answered.upTo(10);
    farOut.socket.destroy();
    await closeOf(nearOut);
    // The other channel is another connection, and goes on.
    nearIn.write('still here');
    expect((await farIn.arrivals.upTo(10)).toString()).toBe('still here');
  });

  test('the server drops RPC_IN_DATA: 502.3, and the client’s connection ends', async () => {
    const { nearIn, farIn } = await openBoth(await published());
    nearIn.write('one');
    await farIn.arrivals.upTo(3);
    const page = new Arrivals();
    const answered = headOf(nearIn, (bytes) => page.push(bytes));
    farIn.socket.destroy();
    const head = await answered;
    expect(head).toMatch(/^HTTP\/1\.1 502 /);
    expect(head).toContain('\r\nConnection: close\r\n');
    await closeOf(nearIn);
    expect((await page.upTo(1)).toString()).toContain('502.3');
  });

  test('the server answers RPC_IN_DATA before its end: the client has the answer', async () => {
    const { nearIn, farIn } = await openBoth(await published());
    nearIn.write('one');
    await farIn.arrivals.upTo(3);
    const page = new Arrivals();
    const answered = headOf(nearIn, (bytes) => page.push(bytes));
    farIn.socket.end('HTTP/1.1 503 RPC Error: 6ba\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndown');
    expect(await answered).toMatch(/^HTTP\/1\.1 503 RPC Error: 6ba\r\n/);
    expect((await page.upTo(4)).toString()).toBe('down');
    await closeOf(nearIn);
  });

  test('a channel is the login’s alone: the same request on another connection is nobody’s', async () => {
    const place = await published();
    await openBoth(place);
    const stranger = connectTo({ port: place.farm.httpsPort, tls: place.farm.tls });
    stranger.write(`RPC_IN_DATA ${TARGET} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
    expect(await headOf(stranger, () => undefined)).toMatch(/^HTTP\/1\.1 401 /);
  });
});

test('a silent RPC_IN_DATA may last as long as the farm’s timeout, where another body may not pause', async () => {
  const place = await published({ timeouts: { body: 1 } }, 'timeout="00:00:03"');
  const nearIn = await openChannel(place, 'RPC_IN_DATA');
  const farIn = await place.server.inChannel;
  nearIn.write('a');
  await farIn.arrivals.upTo(1);
  const silent = await publishRecorded({ settings: { timeouts: { body: 1 } }, protocol: 'timeout="00:00:03"' });
  const other = silent.open('TLS');
  other.socket.write(`POST /rpc/other HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 5\r\n\r\n1`);
  expect(await other.closed()).toMatch(/^HTTP\/1\.1 408 /);
  nearIn.write('b');
  expect((await farIn.arrivals.upTo(2)).toString()).toBe('ab');
  const told = new Promise<string>((resolve) => nearIn.once('data', (bytes: Buffer) => resolve(bytes.toString())));
  expect(await told).toMatch(/^HTTP\/1\.1 408 /);
});
