import { type AddressInfo, createServer, type Socket } from 'node:net';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { planListeners } from '../../src/decide/listener-plan.ts';
import { ServerCounters } from '../../src/farm/server-counters.ts';
import { openAccessLog } from '../../src/proxy/access-log.ts';
import { createHttp1Lane } from '../../src/proxy/http1-lane.ts';
import { createSendQueues } from '../../src/proxy/send-queues.ts';
import { buildRuntime } from '../../src/service/build-runtime.ts';
import { checkConfig } from '../../src/service/check-config.ts';
import { configuredRoutes } from '../../src/service/configured-routes.ts';
import { applicationHost, farmRules, webFarm, writeFolder } from './environment.ts';
import { KeptClient } from './kept-client.ts';
import { closeOf, httpServer } from './one-farm.ts';
import { accepting, closeFrame, echoFrames, encodeFrame, openWebSocket, TEXT } from './web-sockets.ts';

const host = 'app.contoso.com';

/** The lane and the runtime alone, so that the counters of the farm are within reach. */
async function publishWithin(serverPort: number, timeouts: Record<string, number> = {}) {
  const { configDir } = writeFolder({
    iis: applicationHost({
      bindings: [`http *:8081:${host}`],
      farms: webFarm('fe', {
        servers: [{ address: '127.0.0.1', httpPort: serverPort }],
        protocol: 'timeout="00:00:01"',
      }),
      rules: farmRules('fe', host),
    }),
    settings: { timeouts },
  });
  const { config, ca, shown } = checkConfig(configDir);
  if (config === undefined) throw new Error('the configuration of this test');
  const log = pino({ level: 'silent' });
  const accessLog = openAccessLog(config.settings.log.access, log);
  const routes = configuredRoutes(config, log);
  onTestFinished(() => routes.close());
  const runtime = buildRuntime({
    config,
    ca,
    shown,
    affinitySecret: new Uint8Array(32),
    routes,
    states: new Map(),
    tell: () => undefined,
    accessLog,
    log,
  });
  const lane = createHttp1Lane({
    runtime: () => runtime,
    draining: () => false,
    limits: config.settings.limits,
    timeouts: config.settings.timeouts,
    sendQueues: createSendQueues(),
  });
  const [plan] = planListeners(config);
  const server = createServer({ noDelay: true }, (socket: Socket) => {
    socket.on('error', () => undefined); // A listener does so, too: `close` follows.
    const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
    const place = { remoteAddress, remotePort, localAddress, localPort, passed: undefined };
    lane.take(socket, { ...place, listener: plan?.key ?? '', trusted: false, pins: runtime.pins.forClient() });
  });
  onTestFinished(() => {
    lane.destroy();
    server.close();
    runtime.connections.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { state } = runtime.farms.get('fe')!.servers[0]!;
  /** Without the time of answers, which is never the same. */
  const counters = () => Object.assign(new ServerCounters(), state.counters, { answers: 0, answerTime: 0 });
  return { port: (server.address() as AddressInfo).port, counters, runtime };
}

const counted = (more: Partial<ServerCounters>) => Object.assign(new ServerCounters(), more);

test('requests: all, those under way, those that the server failed, and the bytes of their bodies', async () => {
  const held = Promise.withResolvers<() => void>();
  const server = await httpServer((request, response) => {
    if (request.url === '/break') request.socket.destroy();
    else if (request.url === '/hold') held.resolve(() => response.end());
    else if (request.url !== '/silent')
      request.resume().on('end', () => response.writeHead(request.url === '/500' ? 500 : 200).end('answer'));
  });
  const { port, counters } = await publishWithin(server.port);
  const client = new KeptClient({ port });
  expect((await client.ask({ host, method: 'POST', body: '0123456789' })).body).toBe('answer');
  expect(counters()).toEqual(counted({ totalRequests: 1, bytesSent: 10, bytesReceived: 6 }));
  // Chunks do not count, what is in them does. An answer of the server's is no failure, whatever its status.
  client.write(`POST /500 HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n`);
  expect((await client.answer()).status).toBe(500);
  expect(counters()).toEqual(counted({ totalRequests: 2, bytesSent: 14, bytesReceived: 12 }));
  // What never reaches a server is none of its.
  expect((await new KeptClient({ port }).ask({ host: 'other.contoso.com' })).status).toBe(400);
  expect(counters().totalRequests).toBe(2);

  const holding = new KeptClient({ port });
  const answered = holding.ask({ host, path: '/hold' });
  const release = await held.promise;
  expect(counters()).toMatchObject({ totalRequests: 3, currentRequests: 1 });
  release();
  await answered;
  expect(counters()).toMatchObject({ totalRequests: 3, currentRequests: 0, failedRequests: 0 });

  expect((await client.ask({ host, path: '/break', method: 'POST', body: '' })).status).toBe(502);
  expect((await client.ask({ host, path: '/silent' })).status).toBe(502);
  expect(counters()).toEqual(counted({ totalRequests: 5, failedRequests: 2, bytesSent: 14, bytesReceived: 12 }));
});

test('a client that leaves is no failure of the server, and is not counted as under way for ever', async () => {
  const asked = Promise.withResolvers<Socket>();
  const server = await httpServer((request) => asked.resolve(request.socket));
  const { port, counters } = await publishWithin(server.port);
  const client = new KeptClient({ port });
  client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const far = await asked.promise;
  // A mere end could be that of a client which still waits for its answer.
  client.socket.resetAndDestroy();
  await closeOf(far);
  expect(counters()).toEqual(counted({ totalRequests: 1 }));
});

test('a server where nobody listens', async () => {
  const server = await httpServer(() => undefined);
  server.server.close();
  const { port, counters } = await publishWithin(server.port);
  expect((await new KeptClient({ port }).ask({ host })).status).toBe(502);
  expect(counters()).toEqual(counted({ totalRequests: 1, failedRequests: 1 }));
});

test('WebSockets have counters of their own, and a login’s pin is counted while it lasts', async () => {
  const server = await httpServer((_request, response) => {
    response.writeHead(401, { 'WWW-Authenticate': 'NTLM', 'Content-Length': 5 }).end('login');
  });
  server.server.on('upgrade', (request, socket: Socket) => {
    if (request.url === '/break') {
      socket.destroy();
      return;
    }
    socket.write(accepting(`sec-websocket-key: ${request.headers['sec-websocket-key']}\r\n`));
    const echo = echoFrames(socket);
    socket.on('data', echo);
  });
  const { port, counters, runtime } = await publishWithin(server.port, { upgradeIdle: 1 });
  const first = await openWebSocket({ port }, { host });
  const frame = { opcode: TEXT, payload: Buffer.alloc(1000, 'x') };
  first.send(frame);
  await first.next();
  const sent = encodeFrame(frame, Buffer.alloc(4)).length;
  const received = encodeFrame(frame).length;
  const open = {
    totalWebSocketRequests: 1,
    currentWebSocketRequests: 1,
    webSocketBytesSent: sent,
    webSocketBytesReceived: received,
  };
  expect(counters()).toEqual(counted(open));
  const close = closeFrame(1000, '');
  first.send(close);
  await first.next();
  first.socket.end();
  await first.closed;
  const bytes = {
    webSocketBytesSent: sent + encodeFrame(close, Buffer.alloc(4)).length,
    webSocketBytesReceived: received + encodeFrame(close).length,
  };
  expect(counters()).toEqual(counted({ ...bytes, totalWebSocketRequests: 1 }));

  await expect(openWebSocket({ port }, { host, path: '/break' })).rejects.toThrow(/^HTTP\/1\.1 502 /);
  expect(counters()).toEqual(counted({ ...bytes, totalWebSocketRequests: 2, failedWebSocketRequests: 1 }));
  // Closed for its silence: no failure.
  const idle = await openWebSocket({ port }, { host });
  await idle.closed;
  await expect.poll(counters).toEqual(counted({ ...bytes, totalWebSocketRequests: 3, failedWebSocketRequests: 1 }));

  const clients = Array.from({ length: 5 }, () => new KeptClient({ port }));
  const opened = server.sockets.size;
  for (const client of clients) expect((await client.ask({ host })).status).toBe(401);
  expect(runtime.pins.count).toBe(5);
  const logins = [...server.sockets].slice(opened).map(closeOf);
  for (const client of clients) client.socket.destroy();
  await Promise.all(logins);
  await expect.poll(() => [runtime.pins.count, runtime.connections.size]).toEqual([0, 0]);
});
