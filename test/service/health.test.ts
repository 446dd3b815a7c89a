/** The health of servers with real processes: judged once, by the supervisor, and kept to by every worker. */
import { expect, test } from 'vitest';
import { KeptClient } from '../integration/kept-client.ts';
import { targetOf } from '../integration/messages.ts';
import { ok, type RecordingServer, startRecordingServer } from '../integration/recording-server.ts';
import { openFiles } from './processes.ts';
import { HOST, type PublishedService, publish } from './published.ts';

const NAMES = ['fe01.contoso.local', 'fe02.contoso.local'] as const;
/** As few clients on one of two workers alone as good as never happen. */
const CLIENTS = 40;

/** Two servers behind two workers; those in `down` fail the URL test and nothing else. */
async function twoServers() {
  const down = new Set<string>();
  const servers = await Promise.all(
    NAMES.map((name) =>
      startRecordingServer({
        answer: (request) =>
          targetOf(request) === '/health' && down.has(name) ? 'HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n' : ok(name),
      }),
    ),
  );
  const published = await publish(
    { workers: 2, farms: { fe: { probes: [{ url: 'http://fe/health', interval: 0.1, retries: 1 }] } } },
    { servers: servers.map(({ httpPort }, i) => ({ address: NAMES[i] ?? '', httpPort })) },
  );
  return { ...published, servers, down };
}

/** Clients that stay connected, some to each worker. Each call asks once over each of them: who answered how many. */
async function clientsOfAll({ service, httpPort }: Pick<PublishedService, 'service' | 'httpPort'>) {
  const before = service.workers().map(openFiles);
  const clients = Array.from({ length: CLIENTS }, () => new KeptClient({ port: httpPort }));
  const round = async () => {
    const answers = await Promise.all(clients.map((client) => client.ask({ host: HOST })));
    const by: Record<string, number> = {};
    for (const { status, body } of answers) {
      const who = status === 200 ? body : body.includes('502.4') ? '502.4' : `${status}`;
      by[who] = (by[who] ?? 0) + 1;
    }
    return by;
  };
  await round();
  for (const [worker, files] of service.workers().map(openFiles).entries()) {
    expect(files).toBeGreaterThan((before[worker] ?? 0) + 1);
  }
  return round;
}

const asked = ({ requests }: RecordingServer) => requests.filter((request) => targetOf(request) === '/').length;

test('a server whose URL test fails gets no more requests from either worker, and comes back', async () => {
  const { down, servers, logged, ...published } = await twoServers();
  const round = await clientsOfAll(published);
  expect(Object.keys(await round()).sort()).toEqual(NAMES);
  down.add(NAMES[0]);
  await published.service.prints(/the server is unhealthy/);
  // Until both workers have heard of it.
  while (Object.keys(await round()).length > 1);
  const before = servers.map(asked);
  for (let i = 0; i < 3; i++) expect(await round()).toEqual({ [NAMES[1]]: CLIENTS });
  expect(servers.map(asked)).toEqual([before[0], (before[1] ?? 0) + 3 * CLIENTS]);
  down.clear();
  await published.service.prints(/the server is healthy again/);
  while (Object.keys(await round()).length < 2);
  expect(logged().filter(({ farm }) => farm !== undefined)).toMatchObject([
    {
      ...{ level: 40, farm: 'fe', server: NAMES[0] },
      msg: 'the server is unhealthy and gets no requests: http://fe/health was answered 503',
    },
    {
      ...{ level: 30, farm: 'fe', server: NAMES[0] },
      msg: 'the server is healthy again: http://fe/health was answered 200',
    },
  ]);
});

test('all servers unhealthy: 502.4 from both workers, until one comes back; a new worker is told, too', async () => {
  const { down, ...published } = await twoServers();
  const { service, get, httpPort } = published;
  const round = await clientsOfAll(published);
  for (const name of NAMES) down.add(name);
  await service.prints(/unhealthy.*\n(.*\n)*.*unhealthy/);
  while ((await round())['502.4'] !== CLIENTS);
  process.kill(service.workers()[0] ?? 0, 'SIGKILL');
  await service.prints(/a worker took its place/);
  for (let i = 0; i < 12; i++) {
    const told = await get('/', { port: httpPort, plain: true });
    expect([told.status, told.body.includes('502.4')]).toEqual([502, true]);
  }
  down.delete(NAMES[1]);
  await service.prints(/healthy again/);
  while ((await get('/', { port: httpPort, plain: true })).status !== 200);
});

test('a server that takes requests and answers none is out for both workers; the other one answers all', async () => {
  const good = await startRecordingServer();
  const bad = await startRecordingServer({ answer: (_request, { socket }) => void socket.destroy() });
  const published = await publish(
    { workers: 2 },
    {
      servers: [
        { address: NAMES[0], httpPort: bad.httpPort },
        { address: NAMES[1], httpPort: good.httpPort },
      ],
    },
  );
  const { service, get } = published;
  let asked = 0;
  // Nothing is lost, since each is sent to the other one.
  while (!published.logged().some(({ msg }) => String(msg).includes('in a row got no valid answer'))) {
    expect((await get()).status).toBe(200);
    asked++;
  }
  expect(asked).toBeGreaterThanOrEqual(10);
  const before = bad.requests.length;
  for (let i = 0; i < 40; i++) expect((await get()).status).toBe(200);
  // What was on its way to a worker when the other one was told.
  expect(bad.requests.length - before).toBeLessThanOrEqual(2);
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
});

test('the service starts although no server passes, and ends while a test hangs', async () => {
  const silent = await startRecordingServer({ answer: () => '' });
  const { service } = await publish(
    { workers: 1, farms: { fe: { probes: [{ url: 'http://fe/health', timeout: 3600 }] } } },
    { servers: [{ address: NAMES[0], httpPort: silent.httpPort }] },
  );
  await silent.until(({ requests }) => requests.length === 1);
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
});
