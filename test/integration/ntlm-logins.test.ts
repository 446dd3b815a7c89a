import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { CONTOSO_ACCOUNTS } from '../../src/demo/front-end.ts';
import { createWindowsChallenge } from '../../src/demo/windows-challenge.ts';
import { TYPE_1, typeThree } from '../demo/ntlm-client.ts';
import { applicationHost, farmRules, startProxy, webFarm } from './environment.ts';
import { KeptClient } from './kept-client.ts';
import { closeOf, httpServer, publishFarm } from './one-farm.ts';
import { freePort } from './ports.ts';

const host = 'mail.contoso.com';
const [alice, bob] = CONTOSO_ACCOUNTS;
const TARGET = { domain: 'CONTOSO', computer: 'FE01', dnsDomain: 'contoso.local', dnsComputer: 'fe01.contoso.local' };
const NOBODY = { status: 401, body: 'login' };

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The connection it came on, from 1. */
  readonly connection: number;
}

/**
 * A server whose identities belong to the TCP connection. `/open` needs no login; everything else answers with
 * `connection:turn:identity`, or 401 with `login`.
 * @param special true where it has answered itself
 */
async function boundServer(special: (asked: Asked) => boolean = () => false) {
  const challenge = createWindowsChallenge(CONTOSO_ACCOUNTS, TARGET);
  const numbers = new Map<Socket, { readonly connection: number; turn: number }>();
  const asked: { readonly connection: number; readonly path: string; readonly authorization: string }[] = [];
  const judge = (request: IncomingMessage, response: ServerResponse) => {
    const place = numbers.get(request.socket) ?? { connection: numbers.size + 1, turn: 0 };
    numbers.set(request.socket, place);
    place.turn++;
    const { authorization = '' } = request.headers;
    asked.push({ connection: place.connection, path: request.url ?? '', authorization });
    if (special({ request, response, connection: place.connection })) return;
    if (request.url === '/open') {
      answer(response, 200, `${place.connection}:${place.turn}:open`);
      return;
    }
    // A raw token counts as NTLM, as IIS has it for some clients of RPC over HTTP.
    const verdict = challenge(request.socket, authorization.replace(/^(?=TlRM)/, 'NTLM ') || undefined);
    if ('authenticate' in verdict) answer(response, 401, 'login', { 'WWW-Authenticate': verdict.authenticate });
    else answer(response, 200, `${place.connection}:${place.turn}:${verdict.identity}`, { 'Persistent-Auth': 'true' });
  };
  const server = await httpServer((request, response) => {
    if (request.headers['transfer-encoding'] === undefined && !request.headers['content-length'])
      judge(request, response);
    // A login is judged by its head; the body is read and thrown away, before or after.
    else if (request.url?.startsWith('/early')) judge(request, response);
    else request.resume().on('end', () => judge(request, response));
  });
  // Without `100 Continue`: the answer comes before the body.
  server.server.on('checkContinue', judge);
  return { ...server, asked };
}

type Fields = Readonly<Record<string, string | readonly string[]>>;

function answer(response: ServerResponse, status: number, body: string, fields: Fields = {}): void {
  for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
  // Node would close the connection of a client whose body it has not asked for; IIS does not.
  if (response.req.headers.expect) response.setHeader('Connection', 'keep-alive');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.statusCode = status;
  response.end(body);
}

async function published(special?: (asked: Asked) => boolean, settings: Record<string, unknown> = {}) {
  const server = await boundServer(special);
  const farm = await publishFarm({ host, servers: [{ httpPort: server.port }], settings });
  return { server, farm, client: () => new KeptClient({ port: farm.httpPort }) };
}

type Login = (
  headers: Record<string, string>,
) => Promise<{ status: number; headers: ReadonlyMap<string, readonly string[]>; body: string }>;

/** Both messages of a login; gives the answer to the second. `scheme` '' sends the token alone. */
async function logIn(send: Login, account = alice!, scheme = 'NTLM') {
  const as = (authorization: string) => authorization.replace(/^NTLM /, scheme === '' ? '' : `${scheme} `);
  const offered = await send({ Authorization: as(TYPE_1) });
  expect(offered).toMatchObject(NOBODY);
  const [challenge = ''] = offered.headers.get('www-authenticate') ?? [];
  expect(challenge).toMatch(/^(NTLM|Negotiate) TlRMTVNTUAAC/i);
  return await send({ Authorization: as(typeThree(account, challenge)) });
}

const on =
  (client: KeptClient, path = '/', more: { method?: string; body?: string } = {}): Login =>
  (headers) =>
    client.ask({ host, path, headers, ...more });

const bodies = async (client: KeptClient, count: number, path = '/') => {
  const told: string[] = [];
  for (let i = 0; i < count; i++) told.push((await client.ask({ host, path })).body);
  return told;
};

describe('a login belongs to its client connection', () => {
  test.each<[string, string]>([
    ['NTLM', 'NTLM'],
    ['Negotiate with an NTLM token', 'Negotiate'],
    ['in small letters', 'negotiate'],
    ['a raw NTLMSSP token', ''],
  ])('%s: over one server connection, which is nobody else’s', async (_name, scheme) => {
    const { client, server } = await published();
    const own = client();
    const told = await logIn(on(own), alice!, scheme);
    expect(told).toMatchObject({ status: 200, body: '1:2:CONTOSO\\alice' });
    expect(told.headers.get('persistent-auth')).toEqual(['true']);
    for (let i = 0; i < 3; i++) expect(await client().ask({ host })).toMatchObject(NOBODY);
    expect(await bodies(own, 2)).toEqual(['1:3:CONTOSO\\alice', '1:4:CONTOSO\\alice']);
    // Strangers, too, shared a connection of the pool.
    expect(server.asked.filter(({ connection }) => connection !== 1).length).toBe(3);
  });

  test('the challenge comes late, on a connection of the pool that was anybody’s until then', async () => {
    const { client, server } = await published();
    const own = client();
    const other = client();
    expect(await bodies(own, 2, '/open')).toEqual(['1:1:open', '1:2:open']);
    expect(await bodies(other, 1, '/open')).toEqual(['1:3:open']);
    expect(await own.ask({ host })).toMatchObject(NOBODY);
    // From the challenge on it is its own, before any login has begun.
    expect(await bodies(other, 1, '/open')).toEqual(['2:1:open']);
    expect((await logIn(on(own))).body).toBe('1:6:CONTOSO\\alice');
    expect(await bodies(own, 1, '/open')).toEqual(['1:7:open']);
    expect(await bodies(other, 1)).toEqual(['login']);
    expect(server.sockets.size).toBe(2);
  });

  test('an identity that the server drops, with a challenge on a kept connection, and one that changes hands', async () => {
    const { client } = await published();
    const own = client();
    expect((await logIn(on(own))).body).toBe('1:2:CONTOSO\\alice');
    expect((await logIn(on(own), bob!)).body).toBe('1:4:CONTOSO\\bob');
    expect(await bodies(own, 1)).toEqual(['1:5:CONTOSO\\bob']);
  });

  test('requests that wait behind both messages of a login are the user’s, in order', async () => {
    const { client } = await published();
    const own = client();
    const get = (more = '') => `GET / HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
    own.write(get() + get(`Authorization: ${TYPE_1}\r\n`));
    expect(await own.answer()).toMatchObject(NOBODY);
    const offered = await own.answer();
    const [challenge = ''] = offered.headers.get('www-authenticate') ?? [];
    own.write(get(`Authorization: ${typeThree(alice!, challenge)}\r\n`) + get() + get() + get());
    const told: string[] = [];
    for (let i = 0; i < 4; i++) told.push((await own.answer()).body);
    expect(told).toEqual([3, 4, 5, 6].map((turn) => `1:${turn}:CONTOSO\\alice`));
  });

  test('the same client asks over other connections at the same time: each is nobody until it logs in itself', async () => {
    const { client } = await published();
    const own = client();
    const others = Array.from({ length: 8 }, client);
    const [told, ...rest] = await Promise.all([logIn(on(own)), ...others.map((other) => other.ask({ host }))]);
    expect(told.body).toMatch(/:CONTOSO\\alice$/);
    expect(rest.map(({ body }) => body)).toEqual(others.map(() => 'login'));
    const logins = await Promise.all(others.map((other) => logIn(on(other), bob!)));
    expect(new Set(logins.map(({ body }) => body.split(':')[0])).size).toBe(others.length);
    expect((await own.ask({ host })).body).toMatch(/:CONTOSO\\alice$/);
  });

  test('tokens of 10,000 bytes pass in both directions, and bind the connection', async () => {
    const token = `Negotiate YII${'A'.repeat(9_987)}==`;
    const { client, server } = await published(({ request, response }) => {
      if (request.headers.authorization === undefined) return false;
      answer(response, request.headers.authorization === token ? 401 : 400, 'more', { 'WWW-Authenticate': token });
      return true;
    });
    const own = client();
    const told = await own.ask({ host, headers: { Authorization: token } });
    expect(told.status).toBe(401);
    expect(told.headers.get('www-authenticate')).toEqual([token]);
    expect(server.asked[0]?.authorization).toBe(token);
    expect((await client().ask({ host, path: '/open' })).body).toBe('2:1:open');
  });

  test('Persistent-Auth to a request that shows no such login: the server connection ends behind the answer', async () => {
    const { client, farm, server } = await published(({ request, response }) => {
      if (request.url !== '/odd') return false;
      answer(response, 200, 'odd', { 'Persistent-Auth': 'True' });
      return true;
    });
    const opened = server.opened();
    const own = client();
    const told = await own.ask({ host, path: '/odd', headers: { Authorization: 'Other abc' } });
    expect(told.headers.get('persistent-auth')).toEqual(['True']);
    await closeOf(await opened);
    expect(await bodies(own, 1, '/open')).toEqual(['2:1:open']);
    expect(farm.proxy.logged.filter(({ code }) => code !== undefined)).toEqual([]);
  });

  test('a wrong password, again and again: 401 each time, over the same connection', async () => {
    const { client, server } = await published();
    const own = client();
    for (let i = 0; i < 20; i++) {
      expect(await logIn(on(own), { ...alice!, password: 'wrong' })).toMatchObject(NOBODY);
    }
    expect(server.sockets.size).toBe(1);
    expect((await logIn(on(own))).body).toBe('1:42:CONTOSO\\alice');
  });
});

describe('its end', () => {
  test('the client closes behind message 2: the server connection goes with it', async () => {
    const { client, server } = await published();
    const opened = server.opened();
    const own = client();
    await own.ask({ host, headers: { Authorization: TYPE_1 } });
    const connection = await opened;
    own.socket.destroy();
    await closeOf(connection);
    expect(server.sockets.size).toBe(0);
  });

  test('lost while idle: the next request is nobody’s, on another connection, and a new login is possible', async () => {
    const { client, server } = await published();
    const opened = server.opened();
    const own = client();
    expect((await logIn(on(own))).status).toBe(200);
    const connection = await opened;
    connection.end();
    await closeOf(connection);
    expect(await own.ask({ host })).toMatchObject(NOBODY);
    expect((await logIn(on(own))).body).toBe('2:3:CONTOSO\\alice');
  });

  test('lost between messages 2 and 3: the third is refused as any is that no challenge came before', async () => {
    const { client, server } = await published();
    const opened = server.opened();
    const own = client();
    const offered = await own.ask({ host, headers: { Authorization: TYPE_1 } });
    const connection = await opened;
    connection.end();
    await closeOf(connection);
    const [challenge = ''] = offered.headers.get('www-authenticate') ?? [];
    const told = await own.ask({ host, headers: { Authorization: typeThree(alice!, challenge) } });
    expect(told).toMatchObject(NOBODY);
    expect(told.headers.get('www-authenticate')).toEqual(['Negotiate', 'NTLM']);
    expect((await logIn(on(own))).body).toBe('2:3:CONTOSO\\alice');
  });

  test('lost under a request: 502.3 and never another try elsewhere, then as lost while idle', async () => {
    const { client, server } = await published(({ request }) => {
      if (request.url !== '/break') return false;
      request.socket.destroy();
      return true;
    });
    const own = client();
    expect((await logIn(on(own))).status).toBe(200);
    const told = await own.ask({ host, path: '/break' });
    expect(told.status).toBe(502);
    expect(told.body).toContain('502.3');
    expect(server.asked.filter(({ path }) => path === '/break')).toHaveLength(1);
    expect(await own.ask({ host })).toMatchObject(NOBODY);
    expect((await logIn(on(own))).body).toBe('2:3:CONTOSO\\alice');
  });

  test('lost in the middle of an answer: the client is cut off, with what had come', async () => {
    const { client } = await published(({ request, response }) => {
      if (request.url !== '/break') return false;
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('half', () => request.socket.destroy());
      return true;
    });
    const own = client();
    expect((await logIn(on(own))).status).toBe(200);
    await expect(own.ask({ host, path: '/break' })).rejects.toThrow('half');
    await own.closed;
    expect((await logIn(on(client()))).body).toBe('2:2:CONTOSO\\alice');
  });

  test('a server that answers and closes: the login is over, and the request behind it is nobody’s', async () => {
    const { client } = await published(({ request, response }) => {
      if (request.url !== '/last') return false;
      answer(response, 200, 'last', { Connection: 'close' });
      return true;
    });
    const own = client();
    expect((await logIn(on(own))).status).toBe(200);
    // Something for the pool, which the second request gets at once.
    expect((await client().ask({ host, path: '/open' })).body).toBe('2:1:open');
    // Both at once, so that the second is looked at in the moment in which the connection is let go.
    own.write(
      `GET /last HTTP/1.1\r\nHost: ${host}\r\n\r\nGET / HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${TYPE_1}\r\n\r\n`,
    );
    expect((await own.answer()).body).toBe('last');
    const offered = await own.answer();
    const [challenge = ''] = offered.headers.get('www-authenticate') ?? [];
    expect(challenge).toMatch(/^NTLM TlRM/);
    const told = await own.ask({ host, headers: { Authorization: typeThree(alice!, challenge) } });
    expect(told.body).toBe('2:3:CONTOSO\\alice');
    expect(await bodies(own, 1)).toEqual(['2:4:CONTOSO\\alice']);
  });
});

test('limits.pinned: 503 beyond it, others go on, and every login that ends makes room again', async () => {
  const { client, server } = await published(undefined, { limits: { pinned: 3 } });
  for (let round = 0; round < 3; round++) {
    const own = [client(), client(), client()];
    for (const each of own) expect((await logIn(on(each))).status).toBe(200);
    const logins = [...server.sockets];
    const stranger = client();
    // Told before the server is asked, where the request shows it; else when the challenge comes.
    expect((await stranger.ask({ host, headers: { Authorization: TYPE_1 } })).status).toBe(503);
    expect((await stranger.ask({ host })).status).toBe(503);
    expect(await bodies(stranger, 1, '/open')).toEqual([expect.stringMatching(/:open$/)]);
    expect(await bodies(own[1]!, 1)).toEqual([expect.stringMatching(/alice$/)]);
    for (const each of [...own, stranger]) each.socket.destroy();
    // In the first round the pool was empty, and one of its connections was taken for a login in each later one.
    await Promise.all(logins.map(closeOf));
  }
});

test('logins count among the connections a server may have; who waits for one has it when a login ends', async () => {
  const { client, server } = await published(undefined, { farms: { fe: { maxConnections: 2 } } });
  const own = [client(), client()];
  for (const each of own) expect((await logIn(on(each))).status).toBe(200);
  const waiting = client();
  const answered = bodies(waiting, 1, '/open');
  // What is logged in is not in its way.
  expect(await bodies(own[1]!, 1)).toEqual(['2:3:CONTOSO\\alice']);
  expect(server.asked.filter(({ path }) => path === '/open')).toEqual([]);
  own[0]!.socket.destroy();
  expect(await answered).toEqual(['3:1:open']);
});

test('two farms on one client connection have a login each', async () => {
  const names = ['one.contoso.com', 'two.contoso.com'];
  const [one, two] = [await boundServer(), await boundServer()];
  const port = await freePort();
  await startProxy({
    iis: applicationHost({
      bindings: names.map((name) => `http *:${port}:${name}`),
      farms: names
        .map((name, i) =>
          webFarm(name, { servers: [{ address: 'fe01.contoso.local', httpPort: [one, two][i]!.port }] }),
        )
        .join(''),
      rules: names.map((name) => farmRules(name, name)).join(''),
    }),
    settings: { hosts: { 'fe01.contoso.local': '127.0.0.1' } },
  });
  const client = new KeptClient({ port });
  const at =
    (name: string): Login =>
    (headers) =>
      client.ask({ host: name, headers });
  expect((await logIn(at(names[0]!))).body).toBe('1:2:CONTOSO\\alice');
  expect(await client.ask({ host: names[1]! })).toMatchObject(NOBODY);
  expect((await logIn(at(names[1]!), bob!)).body).toBe('1:3:CONTOSO\\bob');
  expect((await client.ask({ host: names[0]! })).body).toBe('1:3:CONTOSO\\alice');
  expect((await client.ask({ host: names[1]! })).body).toBe('1:4:CONTOSO\\bob');
  const gone = [...one.sockets, ...two.sockets].map(closeOf);
  expect(gone).toHaveLength(2);
  client.socket.destroy();
  await Promise.all(gone);
});

describe('a login with a body', () => {
  test('sent with each message: the same server connection', async () => {
    const { client } = await published();
    const own = client();
    const told = await logIn(on(own, '/', { method: 'POST', body: 'x'.repeat(5000) }));
    expect(told.body).toBe('1:2:CONTOSO\\alice');
  });

  test.each<[string, number]>([
    ['small', 5000],
    ['of 3 MiB', 3 * 1024 * 1024],
  ])(
    'Expect: 100-continue, refused before the body, %s: the login goes on over the same connection',
    async (_name, size) => {
      const { client } = await published();
      const own = client();
      const post = async (headers: Record<string, string>) => {
        const fields = { Expect: '100-continue', 'Content-Length': String(size), ...headers };
        const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
        own.write(`POST /early HTTP/1.1\r\nHost: ${host}\r\n${lines.join('')}\r\n`);
        const told = await own.answer();
        expect(told.interim).toEqual([]);
        expect(told.headers.get('connection')).toBeUndefined();
        // RFC 9110 10.1.1: who keeps the connection sends the body all the same.
        own.write('x'.repeat(size));
        return told;
      };
      expect(await post({})).toMatchObject(NOBODY);
      expect((await logIn(post)).body).toBe('1:3:CONTOSO\\alice');
      expect(await bodies(own, 1)).toEqual(['1:4:CONTOSO\\alice']);
    },
  );

  test('100 Continue is the server’s to give', async () => {
    const { client } = await published(({ request, response }) => {
      if (request.url !== '/continue') return false;
      response.writeContinue();
      request.resume().on('end', () => answer(response, 200, 'read'));
      return true;
    });
    const own = client();
    expect((await logIn(on(own))).status).toBe(200);
    own.write(`POST /continue HTTP/1.1\r\nHost: ${host}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
    await new Promise<void>((resolve) => own.socket.once('data', () => resolve()));
    own.write('hello');
    expect(await own.answer()).toMatchObject({ status: 200, body: 'read', interim: [100] });
  });

  test('chunked, refused before its end: the rest is read, and the login goes on over the same connection', async () => {
    const { client } = await published();
    const own = client();
    const post = async (headers: Record<string, string>) => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      own.write(
        `POST /early HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n${lines.join('')}\r\n5\r\nhello\r\n`,
      );
      const told = await own.answer();
      for (let i = 0; i < 30; i++) own.write(`10000\r\n${'y'.repeat(0x10000)}\r\n`);
      own.write('0\r\n\r\n');
      return told;
    };
    expect(await post({})).toMatchObject(NOBODY);
    expect((await logIn(post)).body).toBe('1:3:CONTOSO\\alice');
    expect(await bodies(own, 1)).toEqual(['1:4:CONTOSO\\alice']);
  });
});
