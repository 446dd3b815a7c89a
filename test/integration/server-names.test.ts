/** Rows R19, R20 and F13 of the list of threats: names of servers that move, that nobody answers for, and that lead back to us. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ask, askOver, openHttp2, type Protocol, type Told } from './clients.ts';
import { type DnsReply, type DnsServer, startDnsServer } from './dns-server.ts';
import { applicationHost, authority, type Published, startProxy, webFarm } from './environment.ts';
import { KeptClient } from './kept-client.ts';
import { closeOf, type HttpServerInTest, httpServer, rawServer } from './one-farm.ts';
import { freePort } from './ports.ts';
import { accepting, echoFrames, openWebSocket, TEXT } from './web-sockets.ts';

const HOST = 'www.contoso.com';
const NAME = 'fe01.contoso.example';
const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];
/** Two addresses of loopback, between which the name moves. */
const [FIRST, SECOND] = ['127.0.0.2', '127.0.0.3'];
const TO_FARM = '<rule name="farm" stopProcessing="true"><match url=".*" /><action type="Rewrite" url="http://fe/{R:0}" /></rule>'; // biome-ignore format: one line

interface Front {
  readonly proxy: Published;
  readonly dns: DnsServer;
  readonly httpsPort: number;
  readonly httpPort: number;
  readonly get: (path?: string, host?: string) => Promise<Told>;
  /** What the log has to say of failures. */
  readonly reasons: () => string[];
}

interface Setup {
  readonly protocol?: Protocol;
  /** Of the server that the name leads to. */
  readonly serverPort: number;
  readonly rules?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Where the proxy listens. */
  readonly address?: string;
  readonly httpPort?: number;
  /** What DNS says of the name at first. */
  readonly reply?: DnsReply;
  readonly more?: string;
}

async function publish(setup: Setup): Promise<Front> {
  const { protocol = 'HTTP/1.1', serverPort, rules = TO_FARM, address = '*', reply, settings, more = '' } = setup;
  const dns = await startDnsServer();
  dns.tell(NAME, reply ?? { addresses: [FIRST] });
  const httpsPort = await freePort();
  const httpPort = setup.httpPort ?? (await freePort());
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`https ${address}:${httpsPort}:`, `http ${address}:${httpPort}:`],
      farms:
        webFarm('fe', { servers: [{ address: NAME, httpPort: serverPort }], protocol: 'timeout="00:00:30"' }) + more,
      rules,
      more: '<proxy enabled="true" />',
    }),
    certificates: { all: [HOST] },
    settings: { dns: [dns.address], ...settings },
  });
  const asked = { protocol, port: httpsPort, servername: HOST, ca: authority.certPem };
  const session = protocol === 'HTTP/2' ? openHttp2({ ...asked, host: HOST }) : undefined;
  return {
    proxy,
    dns,
    httpsPort,
    httpPort,
    get: (path = '/', host = HOST) =>
      session ? askOver(session, { ...asked, host, path }) : ask({ ...asked, host, path }),
    reasons: () => proxy.logged.filter(({ win32 }) => win32 !== undefined).map(({ msg }) => String(msg)),
  };
}

/** A server at each of both addresses, on one port, that says where it is. */
async function twoServers(
  onRequest: (request: IncomingMessage, response: ServerResponse, address: string) => void = (
    _request,
    response,
    address,
  ) => void response.end(address),
): Promise<{ port: number; first: HttpServerInTest; second: HttpServerInTest }> {
  const port = await freePort();
  const at = (address: string) =>
    httpServer((request, response) => onRequest(request, response, address), { address, port });
  return { port, first: await at(FIRST), second: await at(SECOND) };
}

const facts = ({ status, body }: Told) => `${status} ${body}`;

/** Asks again and again, several at once but with time for others, until the test has seen enough. */
async function load(get: Front['get'], enough: (answers: readonly string[]) => boolean): Promise<string[]> {
  const answers: string[] = [];
  const client = async () => {
    while (!enough(answers)) {
      answers.push(facts(await get()));
      await pause(25);
    }
  };
  await Promise.all([client(), client()]);
  return answers;
}

describe.each(PROTOCOLS)('a name that moves, over %s', (protocol) => {
  test('under load: no request fails, and soon all of them go to the new address (F13)', async () => {
    const { port, first } = await twoServers();
    const { get, dns } = await publish({ protocol, serverPort: port });
    expect(new Set(await load(get, ({ length }) => length >= 40))).toEqual(new Set([`200 ${FIRST}`]));
    dns.tell(NAME, { addresses: [SECOND] });
    const during = await load(get, () => first.sockets.size === 0);
    expect(during.filter((each) => !each.startsWith('200 '))).toEqual([]);
    expect(new Set(await load(get, ({ length }) => length >= 40))).toEqual(new Set([`200 ${SECOND}`]));
  });

  test('and whose old server is gone already: the name is asked for again, and no request fails', async () => {
    const { port, first } = await twoServers();
    // It would not be asked for by itself for half a minute.
    const { get, dns } = await publish({ protocol, serverPort: port, reply: { addresses: [FIRST], ttl: 86_400 } });
    expect(facts(await get())).toBe(`200 ${FIRST}`);
    const asked = performance.now();
    // Not more than once a second.
    await pause(asked + 1100 - performance.now());
    dns.tell(NAME, { addresses: [SECOND], ttl: 86_400 });
    first.server.close();
    first.server.closeAllConnections();
    expect(new Set(await load(get, ({ length }) => length >= 40))).toEqual(new Set([`200 ${SECOND}`]));
  });

  test('to and fro, without an end: no request fails, and DNS is asked once a second (R20)', async () => {
    const { port } = await twoServers();
    const { get, dns } = await publish({ protocol, serverPort: port });
    let moves = 0;
    const began = performance.now();
    const flap = async () => {
      for (;;) {
        if ((await dns.asked(NAME)) === 'A') dns.tell(NAME, { addresses: [++moves % 2 ? SECOND : FIRST] });
      }
    };
    void flap();
    const answers = await load(get, () => moves >= 4);
    expect(new Set(answers)).toEqual(new Set([`200 ${FIRST}`, `200 ${SECOND}`]));
    // A question for each family, and one pair to begin with.
    expect(dns.questions.length / 2).toBeLessThan((performance.now() - began) / 1000 + 2);
  });

  test('an answer that has begun comes to its end over its connection, which ends then', async () => {
    let held: ServerResponse | undefined;
    const { port, first } = await twoServers((request, response, address) => {
      if (request.url !== '/held') return void response.end(address);
      held = response;
      response.write('begun at ');
    });
    const { get, dns } = await publish({ protocol, serverPort: port });
    const slow = get('/held');
    await expect.poll(() => held).toBeDefined();
    dns.tell(NAME, { addresses: [SECOND] });
    await expect.poll(async () => facts(await get())).toBe(`200 ${SECOND}`);
    await expect.poll(() => first.sockets.size).toBe(1);
    const [connection] = first.sockets;
    held?.end(FIRST);
    expect(facts(await slow)).toBe(`200 begun at ${FIRST}`);
    await closeOf(connection!);
    expect(facts(await get())).toBe(`200 ${SECOND}`);
  });
});

test('a login stays where it was made', async () => {
  const { port, first } = await twoServers((request, response, address) => {
    if (request.url === '/') response.writeHead(401, { 'WWW-Authenticate': 'NTLM' });
    response.end(address);
  });
  const { dns, httpPort } = await publish({ serverPort: port });
  const client = new KeptClient({ port: httpPort });
  const other = new KeptClient({ port: httpPort });
  const authorization = { Authorization: 'NTLM TlRMTVNTUAABAAAA' };
  const logIn = () => client.ask({ host: HOST, headers: authorization });
  expect((await logIn()).body).toBe(FIRST);
  const [connection] = first.sockets;
  dns.tell(NAME, { addresses: [SECOND] });
  await expect.poll(async () => (await other.ask({ host: HOST, path: '/other' })).body).toBe(SECOND);
  for (let i = 0; i < 3; i++) expect((await logIn()).body).toBe(FIRST);
  await expect.poll(() => [...first.sockets]).toEqual([connection]);
});

test('a tunnel lives on', async () => {
  const { port, first } = await twoServers();
  first.server.on('upgrade', (request, socket: Socket) => {
    socket.write(accepting(`sec-websocket-key: ${request.headers['sec-websocket-key']}\r\n`));
    socket.on('data', echoFrames(socket));
  });
  const { dns, httpPort, get } = await publish({ serverPort: port });
  const socket = await openWebSocket({ port: httpPort }, { host: HOST });
  dns.tell(NAME, { addresses: [SECOND] });
  await expect.poll(async () => facts(await get())).toBe(`200 ${SECOND}`);
  socket.send({ opcode: TEXT, payload: Buffer.from('still here') });
  expect((await socket.next()).payload.toString()).toBe('still here');
});

describe.each(PROTOCOLS)('DNS that does not answer, over %s', (protocol) => {
  /** Each request needs a connection of its own. */
  const oneRequestEach = () =>
    twoServers((_request, response, address) => void response.writeHead(200, { Connection: 'close' }).end(address));

  test.each<[string, DnsReply]>([
    ['that says nothing', { silent: true }],
    ['SERVFAIL', { code: 'SERVFAIL' }],
    ['REFUSED', { code: 'REFUSED' }],
    ['NXDOMAIN', { code: 'NXDOMAIN' }],
    ['without an address', {}],
    ['with nobody’s addresses', { addresses: ['0.0.0.0', '224.0.0.1', '::'] }],
  ])('%s: the last addresses serve (F13, R20)', async (_, fault) => {
    const { port } = await oneRequestEach();
    const { get, dns } = await publish({ protocol, serverPort: port });
    expect(facts(await get())).toBe(`200 ${FIRST}`);
    dns.tell(NAME, fault);
    const before = dns.questions.length;
    const answers = await load(get, () => dns.questions.length > before);
    expect(new Set(answers)).toEqual(new Set([`200 ${FIRST}`]));
    // While nobody answers, and after it was told.
    expect(new Set(await load(get, ({ length }) => length >= 20))).toEqual(new Set([`200 ${FIRST}`]));
  });

  test('the answer is cut: it is fetched over TCP', async () => {
    const { port } = await oneRequestEach();
    const { get } = await publish({ protocol, serverPort: port, reply: { addresses: [FIRST], truncated: true } });
    expect(facts(await get())).toBe(`200 ${FIRST}`);
  });

  test('the first answer is late: those who want it wait, and nobody else', async () => {
    const { port } = await oneRequestEach();
    const other = await httpServer((_request, response) => void response.end('another farm'));
    const { get, dns } = await publish({
      protocol,
      serverPort: port,
      reply: { silent: true },
      rules:
        TO_FARM.replace('name="farm"', 'name="other"').replace('".*"', '"^other"').replace('//fe/', '//other/') +
        TO_FARM,
      more: webFarm('other', { servers: [{ address: '127.0.0.1', httpPort: other.port }] }),
    });
    const asked = dns.asked(NAME);
    const waiting = [get(), get(), get()];
    await asked;
    expect(facts(await get('/other'))).toBe('200 another farm');
    dns.tell(NAME, { addresses: [FIRST] });
    for (const each of await Promise.all(waiting)) expect(facts(each)).toBe(`200 ${FIRST}`);
    expect(dns.questions).toHaveLength(2);
  });

  test('a name that never was: 502.3 with 12007, until there is one; a flood of requests is no flood of questions', async () => {
    const { port } = await oneRequestEach();
    const { get, dns, proxy, reasons } = await publish({ protocol, serverPort: port, reply: { code: 'NXDOMAIN' } });
    const began = performance.now();
    const told = await Promise.all(Array.from({ length: 50 }, () => get()));
    expect(told.map(({ status }) => status)).toEqual(Array(50).fill(502));
    expect(told[0]?.body.toString()).not.toContain('contoso.example');
    expect(proxy.logged).toContainEqual(expect.objectContaining({ code: '502.3', win32: 12007 }));
    expect(reasons()[0]).toMatch(/^the name fe01\.contoso\.example does not resolve: /);
    expect(dns.questions.length / 2).toBeLessThan((performance.now() - began) / 1000 + 2);
    dns.tell(NAME, { addresses: [FIRST] });
    await expect.poll(async () => facts(await get())).toBe(`200 ${FIRST}`);
  });
});

test('a request on a kept connection does not ask', async () => {
  const { port, first } = await twoServers();
  const { httpPort, dns } = await publish({ serverPort: port, reply: { addresses: [FIRST], ttl: 30 } });
  const client = new KeptClient({ port: httpPort });
  for (let i = 0; i < 500; i++) expect((await client.ask({ host: HOST })).status).toBe(200);
  expect(first.sockets.size).toBe(1);
  expect(dns.questions).toHaveLength(2);
});

describe.each(PROTOCOLS)('names that lead back to us, over %s (R19)', (protocol) => {
  test('a name that comes to resolve to one of our listeners: 502.3, and never a loop', async () => {
    const port = await freePort();
    const server = await httpServer((_request, response) => void response.end(FIRST), { address: FIRST, port });
    const { get, dns, reasons, proxy } = await publish({
      protocol,
      serverPort: port,
      address: '127.0.0.1',
      httpPort: port,
    });
    expect(facts(await get())).toBe(`200 ${FIRST}`);
    dns.tell(NAME, { addresses: ['127.0.0.1'] });
    await expect.poll(async () => (await get()).status).toBe(502);
    await expect.poll(() => server.sockets.size).toBe(0);
    expect(reasons().at(-1)).toBe(
      `${NAME}:${port}: no connection to 127.0.0.1: port ${port} there is our own listener 127.0.0.1:${port}`,
    );
    expect(proxy.logged).toContainEqual(expect.objectContaining({ code: '502.3', win32: 12029 }));
    // One of several addresses is left out, and the name may come back.
    dns.tell(NAME, { addresses: ['127.0.0.1', FIRST] });
    await expect.poll(async () => facts(await get())).toBe(`200 ${FIRST}`);
  });

  test.each(['127.0.0.1', '127.0.0.77', '::1'])('a listener on * is at %s too', async (address) => {
    const port = await freePort();
    const { get, reasons } = await publish({
      protocol,
      serverPort: port,
      httpPort: port,
      reply: { addresses: [address] },
    });
    expect((await get()).status).toBe(502);
    expect(reasons()).toEqual([
      `${NAME}:${port}: no connection to ${address}: port ${port} there is our own listener *:${port}`,
    ]);
  });

  test('a loop that only others can see: 400.605 after a few hops, and nothing is exhausted', async () => {
    const httpPort = await freePort();
    let hops = 0;
    // It stands for whatever brings our public address back to us.
    const relay = await rawServer((socket) => {
      hops++;
      const on = connect(httpPort, '127.0.0.1');
      on.on('error', () => socket.destroy());
      socket.on('close', () => on.destroy());
      onTestFinished(() => void on.destroy());
      socket.pipe(on).pipe(socket);
    });
    const other = await httpServer((_request, response) => void response.end('another farm'));
    const { get } = await publish({
      protocol,
      httpPort,
      serverPort: relay.port,
      reply: { addresses: ['127.0.0.1'] },
      rules:
        TO_FARM.replace('name="farm"', 'name="other"').replace('".*"', '"^other"').replace('//fe/', '//other/') +
        TO_FARM,
      more: webFarm('other', { servers: [{ address: '127.0.0.1', httpPort: other.port }] }),
    });
    const told = await get();
    expect(told.status).toBe(400);
    expect(told.body.toString()).toContain('400.605');
    // Eleven were sent on; the last was refused with a connection in its hand.
    expect(hops).toBe(12);
    const many = await Promise.all([...Array.from({ length: 30 }, () => get()), get('/other')]);
    expect(many.map(({ status }) => status)).toEqual([...Array(30).fill(400), 200]);
    expect(hops).toBeLessThanOrEqual(31 * 12);
  });
});

describe.each(PROTOCOLS)('a host that a request chose, over %s (R20)', (protocol) => {
  const INNER = 'inner.contoso.example';
  const CHOSEN =
    '<rule name="chosen" stopProcessing="true"><match url="^to/(.*)" /><action type="Rewrite" url="http://{R:1}/" /></rule>';
  const named = (port: number) =>
    `<rule name="named" stopProcessing="true"><match url="^named" /><action type="Rewrite" url="http://${INNER}:${port}/" /></rule>`;

  const refusalOf = (address: string) =>
    `no connection to ${address === '::ffff:7f00:2' ? '127.0.0.2' : address}: a host that a request chose may lead there only where "hosts"`;

  test('is not taken to this machine by what DNS says, but where hosts of settings says so', async () => {
    const server = await httpServer((_request, response) => void response.end('reached'));
    const settings = {
      upstream: { allow: [INNER, 'meant.contoso.example'] },
      hosts: { 'meant.contoso.example': '127.0.0.1' },
    };
    const start = () => publish({ protocol, serverPort: 1, rules: CHOSEN + named(server.port), settings });
    for (const address of ['169.254.169.254', '::ffff:7f00:2', '::1']) {
      const { get, dns, reasons } = await start();
      dns.tell(INNER, { addresses: [address] });
      expect((await get(`/to/${INNER}:${server.port}`)).status).toBe(502);
      expect(reasons().at(-1)).toContain(refusalOf(address));
    }
    const { get, dns, reasons } = await start();
    dns.tell(INNER, { addresses: ['127.0.0.1'] });
    expect((await get(`/to/${INNER}:${server.port}`)).status).toBe(502);
    expect(reasons().at(-1)).toContain(refusalOf('127.0.0.1'));
    expect(server.sockets.size).toBe(0);
    expect(facts(await get(`/to/meant.contoso.example:${server.port}`))).toBe('200 reached');
    // What a rule names is the administrator's own choice; its connections are not for the other to use.
    await expect.poll(async () => facts(await get('/named'))).toBe('200 reached');
    expect((await get(`/to/${INNER}:${server.port}`)).status).toBe(502);
  });

  test('does not reach the admin listener, whatever hosts says', async () => {
    const admin = await httpServer((_request, response) => void response.end('secret'));
    const { get, reasons } = await publish({
      protocol,
      serverPort: 1,
      rules: CHOSEN,
      settings: {
        upstream: { allow: [INNER, '127.0.0.1'] },
        hosts: { [INNER]: '127.0.0.1' },
        admin: { address: `127.0.0.1:${admin.port}` },
      },
    });
    for (const host of [INNER, '127.0.0.1']) {
      expect((await get(`/to/${host}:${admin.port}`)).status).toBe(502);
      expect(reasons().at(-1)).toContain(`our own listener 127.0.0.1:${admin.port} (admin)`);
    }
    expect(admin.sockets.size).toBe(0);
  });
});
