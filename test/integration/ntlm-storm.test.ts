import { execFile } from 'node:child_process';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startFrontEnd } from '../../src/demo/front-end.ts';
import type { Account } from '../../src/demo/windows-challenge.ts';
import { TYPE_1, typeThree } from '../demo/ntlm-client.ts';
import { numbers, runs } from '../random.ts';
import { certificateFor } from './environment.ts';
import { KeptClient } from './kept-client.ts';
import { publishFarm } from './one-farm.ts';

const host = 'webext.contoso.com';
const SEED = 20131017;
const REQUESTS = runs(8000, 20_000);
const CLIENTS = 200;
const CURLS = 8;
const URLS_OF_EACH = 60;

const USERS: readonly Account[] = Array.from({ length: 20 }, (_, i) => ({
  domain: 'CONTOSO',
  user: `user${String(i).padStart(2, '0')}`,
  password: `secret ${i}`,
}));

/** A wire to a server that breaks: by chance, behind any piece of bytes, with a reset toward both sides. */
async function startBreakingWire(port: number, breaks: () => boolean) {
  const sockets = new Set<Socket>();
  let broken = 0;
  const server = createServer({ noDelay: true }, (near) => {
    const far = connectTcp({ port, host: '127.0.0.1', noDelay: true });
    const reset = () => {
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (bytes) => {
        if (!breaks()) to.write(bytes);
        else {
          broken++;
          reset();
        }
      });
    }
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, broken: () => broken };
}

/** Two Front Ends behind such wires, and the proxy before them. */
async function publishStorm(chance: (limit: number) => number) {
  const certificate = certificateFor('fe01.contoso.local', 'fe02.contoso.local');
  const breaks = () => chance(300) === 0;
  const members = await Promise.all(
    ['fe01.contoso.local', 'fe02.contoso.local'].map(async (serverName) => {
      const frontEnd = await startFrontEnd({ httpPort: 0, httpsPort: 0, certificate, accounts: USERS, serverName });
      onTestFinished(() => frontEnd.close());
      const [http, https] = await Promise.all([
        startBreakingWire(frontEnd.httpPort, breaks),
        startBreakingWire(frontEnd.httpsPort, breaks),
      ]);
      return { http, https };
    }),
  );
  const servers = members.map(({ http, https }) => ({ httpPort: http.port, httpsPort: https.port }));
  const farm = await publishFarm({ host, servers });
  return { farm, broken: () => members.reduce((sum, { http, https }) => sum + http.broken() + https.broken(), 0) };
}

interface Tally {
  left: number;
  /** Answers with the identity of whoever asked. */
  own: number;
  /** 401 on a connection where nobody is logged in. */
  nobody: number;
  /** Answers of the pool that need no login. */
  open: number;
  failed: number;
  /** What must never be. */
  readonly wrong: string[];
  /** The first of these. */
  readonly alarm: PromiseWithResolvers<void>;
  /** What each server connection has answered, and to which client connection. */
  readonly answered: Map<string, { readonly name: string; readonly turn: number; readonly login: boolean }[]>;
}

test(`${REQUESTS} requests of ${CLIENTS} clients, ${USERS.length} users and nobody among them, over wires that break: nobody is ever told another's name`, async () => {
  const { farm, broken } = await publishStorm(numbers(SEED));
  const tally: Tally = {
    left: REQUESTS,
    own: 0,
    nobody: 0,
    open: 0,
    failed: 0,
    wrong: [],
    alarm: Promise.withResolvers(),
    answered: new Map(),
  };
  const curls = Array.from({ length: CURLS }, (_, i) => curlMany(farm, USERS[i % USERS.length]!));
  // Every fifth is nobody, every tenth uses TLS.
  const clients = Array.from({ length: CLIENTS }, (_, i) =>
    runClient(i, i % 5 === 4 ? undefined : USERS[i % USERS.length]!, farm, tally),
  );
  await Promise.race([Promise.all(clients), tally.alarm.promise]);
  expect(tally.wrong).toEqual([]);
  for (const [i, told] of (await Promise.all(curls)).entries()) {
    const names = new Set(told.match(/CONTOSO\\\\\w+/g));
    expect([...names], `curl ${i}`).toEqual([`CONTOSO\\\\${USERS[i % USERS.length]!.user}`]);
    expect(told.match(/"user"/g)!.length).toBeGreaterThan(URLS_OF_EACH / 3);
  }
  // Nothing of this means anything if nobody ever logged in, or nothing ever broke.
  expect(tally.own).toBeGreaterThan(REQUESTS / 3);
  expect(tally.nobody).toBeGreaterThan(REQUESTS / 50);
  expect(tally.open).toBeGreaterThan(REQUESTS / 50);
  expect(broken()).toBeGreaterThan(REQUESTS / 400);
  expect(tally.failed).toBeGreaterThan(REQUESTS / 400);
  // From its login on, a server connection answers one client connection alone, whatever it is asked for.
  const owned = [...tally.answered.values()].flatMap((answers) => {
    const login = Math.min(...answers.filter((each) => each.login).map(({ turn }) => turn));
    return login === Number.POSITIVE_INFINITY ? [] : [answers.filter(({ turn }) => turn >= login)];
  });
  expect(owned.filter((answers) => new Set(answers.map(({ name }) => name)).size > 1)).toEqual([]);
  expect(owned.length).toBeGreaterThan(CLIENTS / 2);
});

/** One client: its connections one after the other, on each of them requests by chance until all of the test are done. */
async function runClient(
  number: number,
  account: Account | undefined,
  farm: Awaited<ReturnType<typeof publishFarm>>,
  tally: Tally,
): Promise<void> {
  const chance = numbers(SEED + number);
  const options = number % 10 === 0 ? { port: farm.httpsPort, tls: farm.tls } : { port: farm.httpPort };
  for (let connection = 0; tally.left > 0; connection++) {
    const client = new KeptClient(options);
    const seat: Seat = { name: `${number}.${connection}`, account, loggedIn: false, client, tally };
    try {
      while (tally.left > 0 && client.isOpen) {
        const dice = chance(100);
        if (dice < 2) client.socket.resetAndDestroy();
        else if (dice < 4) dropAsking(client, tally);
        else if (dice < 10) await askOpen(seat);
        else if (account && (!seat.loggedIn ? dice < 80 : dice < 13)) await logIn(seat, account);
        else await askWho(seat);
      }
    } catch {
      tally.failed++;
    }
    client.socket.destroy();
  }
}

interface Seat {
  readonly name: string;
  readonly account: Account | undefined;
  loggedIn: boolean;
  readonly client: KeptClient;
  readonly tally: Tally;
}

/** Sends a request and is gone before the answer. */
function dropAsking(client: KeptClient, tally: Tally): void {
  tally.left--;
  client.write(`GET /abs/whoami HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  client.socket.end();
  client.socket.destroySoon();
}

async function askOpen({ client, tally, name }: Seat): Promise<void> {
  tally.left--;
  const told = await client.ask({ host, path: '/echo' });
  if (told.status !== 200) tally.failed++;
  else {
    tally.open++;
    note(tally, name, told, false);
  }
}

async function logIn(seat: Seat, account: Account): Promise<void> {
  const { client } = seat;
  seat.tally.left--;
  seat.loggedIn = false;
  const offered = await client.ask({ host, path: '/abs/whoami', headers: { Authorization: TYPE_1 } });
  const challenge = offered.headers.get('www-authenticate')?.[0] ?? '';
  if (offered.status !== 401 || !challenge.startsWith('NTLM TlRMTVNTUAAC')) {
    if (offered.status === 200) sound(seat.tally, `${seat.name}: 200 to a first message`);
    seat.tally.failed++;
    return;
  }
  judge(
    seat,
    await client.ask({ host, path: '/abs/whoami', headers: { Authorization: typeThree(account, challenge) } }),
  );
  seat.tally.left--;
}

async function askWho(seat: Seat): Promise<void> {
  seat.tally.left--;
  judge(seat, await seat.client.ask({ host, path: '/abs/whoami' }));
}

type Answer = Awaited<ReturnType<KeptClient['ask']>>;

function judge(seat: Seat, told: Answer): void {
  const { account, tally, name } = seat;
  if (told.status === 200) {
    const { user } = JSON.parse(told.body) as { user: string };
    if (account && user === `CONTOSO\\${account.user}`) tally.own++;
    else sound(tally, `${name}, who is ${account?.user ?? 'nobody'}, was told ${user}`);
    seat.loggedIn = true;
    note(tally, name, told, true);
  } else if (told.status === 401) {
    seat.loggedIn = false;
    tally.nobody++;
  } else {
    tally.failed++;
    if (told.status !== 502) sound(tally, `${name}: ${told.status}`);
  }
}

function sound(tally: Tally, wrong: string): void {
  tally.wrong.push(wrong);
  tally.alarm.resolve();
}

function note(tally: Tally, name: string, told: Answer, login: boolean): void {
  const { connection, turn } = JSON.parse(told.body) as { connection: number; turn: number };
  const key = `${told.headers.get('x-ms-server-fqdn')?.[0]} ${connection}`;
  const answers = tally.answered.get(key) ?? [];
  answers.push({ name, turn, login });
  tally.answered.set(key, answers);
}

/** The real curl with many addresses on one connection. What it cannot have, for the wires, it says on standard error. */
function curlMany(farm: Awaited<ReturnType<typeof publishFarm>>, account: Account): Promise<string> {
  const args = [
    ...['--silent', '--noproxy', '*', '--http1.1', '--ntlm', '--user', `CONTOSO\\${account.user}:${account.password}`],
    ...['--cacert', farm.proxy.ca, '--connect-to', `::127.0.0.1:${farm.httpsPort}`],
    `https://${host}/abs/whoami?[1-${URLS_OF_EACH}]`,
  ];
  return new Promise((resolve) => {
    const child = execFile('curl', args, { env: { PATH: process.env.PATH } }, (_error, stdout) => resolve(stdout));
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
  });
}
