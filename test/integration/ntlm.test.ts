import { Agent, request } from 'node:https';
import { expect, onTestFinished, test } from 'vitest';
import { CONTOSO_ACCOUNTS } from '../../src/demo/front-end.ts';
import { TYPE_1, typeThree } from '../demo/ntlm-client.ts';
import { curl } from '../demo/real-curl.ts';
import { ask, askOver, collect, openHttp2 } from './clients.ts';
import { type Lync, publishLync } from './lync.ts';

const host = 'webext.contoso.com';
const [alice, bob] = CONTOSO_ACCOUNTS;

/** One client connection, kept for all its requests. */
function client({ httpsPort, ca }: Lync) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca, servername: host });
  onTestFinished(() => agent.destroy());
  return (authorization?: string, path = '/abs/whoami'): Promise<{ status: number; challenge: string; body: string }> =>
    new Promise((resolve, reject) => {
      const headers = { Host: host, ...(authorization === undefined ? {} : { Authorization: authorization }) };
      const asked = request({ host: '127.0.0.1', port: httpsPort, path, agent, headers }, (response) => {
        collect(response).then((body) => {
          resolve({
            status: response.statusCode ?? 0,
            challenge: String(response.headers['www-authenticate'] ?? ''),
            body: body.toString(),
          });
        }, reject);
      });
      asked.on('error', reject);
      asked.end();
    });
}

async function logIn(send: ReturnType<typeof client>, account: NonNullable<typeof alice>) {
  const offered = await send(TYPE_1);
  expect(offered.status).toBe(401);
  return await send(typeThree(account, offered.challenge));
}

test('curl --ntlm logs in over HTTP/1.1, and strangers who ask in between never get the identity', async () => {
  const lync = await publishLync();
  const target = ['--cacert', lync.proxy.ca, '--connect-to', `::127.0.0.1:${lync.httpsPort}`];
  const url = `https://${host}/abs/whoami`;
  const login = ['--http1.1', '--ntlm', '--user', 'CONTOSO\\alice:secret', ...target, url, url];
  const strangers = async () => {
    const told = await ask({ protocol: 'HTTP/1.1', port: lync.httpsPort, host, ca: lync.ca, path: '/abs/whoami' });
    expect(told.status).toBe(401);
    expect(told.body.toString()).not.toContain('alice');
  };
  const [{ stdout }] = await Promise.all([curl(login), ...Array.from({ length: 20 }, strangers)]);
  expect(stdout.match(/CONTOSO\\\\alice/g)).toHaveLength(2);
  await Promise.all(Array.from({ length: 20 }, strangers));
});

test('the login stays with its client connection: kept alive without a header, unseen by every other', async () => {
  const lync = await publishLync();
  const first = client(lync);
  expect((await logIn(first, alice!)).body).toContain('CONTOSO\\\\alice');
  const second = client(lync);
  expect(await second()).toMatchObject({ status: 401 });
  expect((await logIn(second, bob!)).body).toContain('CONTOSO\\\\bob');
  for (let i = 0; i < 10; i++) {
    expect((await first()).body).toContain('CONTOSO\\\\alice');
    expect((await second()).body).toContain('CONTOSO\\\\bob');
    expect(await client(lync)()).toMatchObject({ status: 401 });
  }
  const logins = lync.frontEnd.requests.all.filter(({ headers }) => headers.some(([name]) => name === 'Authorization'));
  const pooled = lync.frontEnd.requests.all.filter(
    ({ connection }) => !logins.some((login) => login.connection === connection),
  );
  expect(new Set(logins.map(({ connection }) => connection)).size).toBe(2);
  expect(pooled.length).toBeGreaterThan(0);
});

test('the server connection of a login ends with its client connection', async () => {
  const lync = await publishLync();
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: lync.ca, servername: host });
  const send = (authorization: string) =>
    new Promise<string>((resolve, reject) => {
      const headers = { Host: host, Authorization: authorization };
      const asked = request(
        { host: '127.0.0.1', port: lync.httpsPort, path: '/abs/whoami', agent, headers },
        (response) => {
          response.resume();
          response.on('end', () => resolve(String(response.headers['www-authenticate'] ?? response.statusCode)));
        },
      );
      asked.on('error', reject);
      asked.end();
    });
  expect(await send(typeThree(alice!, await send(TYPE_1)))).toBe('200');
  agent.destroy();
  // Twenty strangers on the shared pool: the connection of the login is not among theirs.
  const before = lync.frontEnd.requests.all.at(-1)?.connection;
  for (let i = 0; i < 20; i++) expect(await client(lync)()).toMatchObject({ status: 401 });
  expect(lync.frontEnd.requests.all.slice(-20).map(({ connection }) => connection)).not.toContain(before);
});

test('no more logins than limits.pinned: 503', async () => {
  const lync = await publishLync({ settings: { limits: { pinned: 1 } } });
  const first = client(lync);
  expect((await logIn(first, alice!)).status).toBe(200);
  expect(await client(lync)(TYPE_1)).toMatchObject({ status: 503 });
  expect((await first()).status).toBe(200);
});

test('over HTTP/2 a challenge, and a request that carries a login, send the client back to HTTP/1.1 (B14)', async () => {
  const lync = await publishLync();
  const asked = { protocol: 'HTTP/2' as const, port: lync.httpsPort, host, ca: lync.ca, path: '/abs/whoami' };
  const session = openHttp2(asked);
  const HTTP_1_1_REQUIRED = 13;
  await expect(askOver(session, asked)).rejects.toThrow(`code ${HTTP_1_1_REQUIRED}`);
  lync.frontEnd.requests.clear();
  const two = [TYPE_1, 'Negotiate YIIabc'].map((authorization) =>
    askOver(session, { ...asked, headers: { authorization } }),
  );
  for (const each of two) await expect(each).rejects.toThrow(`code ${HTTP_1_1_REQUIRED}`);
  expect(lync.frontEnd.requests.all).toEqual([]);
  // The session itself goes on.
  expect((await askOver(session, { ...asked, path: '/echo' })).status).toBe(200);
});

test('curl --ntlm that begins with HTTP/2 ends logged in over HTTP/1.1', async () => {
  const { httpsPort, proxy } = await publishLync();
  const target = ['--cacert', proxy.ca, '--connect-to', `::127.0.0.1:${httpsPort}`];
  const { stdout } = await curl([
    '--http2',
    '--ntlm',
    '--user',
    'CONTOSO\\alice:secret',
    ...target,
    '--write-out',
    '%{http_version}',
    `https://${host}/abs/whoami`,
  ]);
  expect(stdout).toContain('CONTOSO\\\\alice');
  expect(stdout).toMatch(/1\.1$/);
});
