import { Agent, request } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { CONTOSO_ACCOUNTS, startFrontEnd } from '../../src/demo/front-end.ts';
import { TYPE_1, typeThree } from './ntlm-client.ts';
import { curl, throwAwayCertificate } from './real-curl.ts';

let certificate: Awaited<ReturnType<typeof throwAwayCertificate>>;
let frontEnd: Awaited<ReturnType<typeof startFrontEnd>>;
let whoami: string;
let trusting: readonly string[];

beforeAll(async () => {
  certificate = await throwAwayCertificate(['webext.contoso.com']);
  frontEnd = await startFrontEnd({ httpPort: 0, httpsPort: 0, certificate: certificate.pem });
  whoami = 'https://webext.contoso.com/abs/whoami';
  trusting = ['--cacert', certificate.certFile, '--connect-to', `::127.0.0.1:${frontEnd.httpsPort}`];
});
afterAll(async () => {
  await frontEnd?.close();
  await certificate?.remove();
});
beforeEach(() => frontEnd.requests.clear());

/** The JSON documents that curl wrote one after another. */
const answersOf = (stdout: string) => stdout.split(/(?<=\n\}\n)/).map((json) => JSON.parse(json));

const authorizations = () =>
  frontEnd.requests.all.map(({ headers }) => headers.find(([name]) => name === 'Authorization')?.[1].slice(0, 17));

test('an unknown connection gets 401 with both schemes, each on its line', async () => {
  const { stdout } = await curl([...trusting, '--include', whoami]);
  expect(stdout).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
  expect(stdout).toContain(
    '\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\nServer: Microsoft-IIS/8.5\r\n',
  );
});

test('curl --ntlm logs in, and its next request, without a header, is still that user', async () => {
  const { stdout } = await curl([...trusting, '--ntlm', '--user', 'CONTOSO\\alice:secret', whoami, whoami]);
  const [first, second] = answersOf(stdout);
  expect(first).toMatchObject({ user: 'CONTOSO\\alice', turn: 2 });
  expect(second).toEqual({ user: 'CONTOSO\\alice', connection: first.connection, turn: 3 });
  expect(authorizations()).toEqual(['NTLM TlRMTVNTUAAB', 'NTLM TlRMTVNTUAAD', undefined]);
});

test('a body can be sent with the login', async () => {
  const { stdout } = await curl([
    ...[...trusting, '--ntlm', '--user', 'contoso\\BOB:hidden', '--data', 'x'.repeat(5000)],
    'https://webext.contoso.com/WebTicket/WebTicketService.svc',
  ]);
  expect(JSON.parse(stdout).user).toBe('CONTOSO\\bob');
});

test('two users at the same time are two connections and stay apart', async () => {
  const [alice, bob] = await Promise.all(
    ['CONTOSO\\alice:secret', 'CONTOSO\\bob:hidden'].map(async (user) => {
      const { stdout } = await curl([...trusting, '--ntlm', '--user', user, whoami, whoami]);
      return answersOf(stdout);
    }),
  );
  expect(alice!.map(({ user }) => user)).toEqual(['CONTOSO\\alice', 'CONTOSO\\alice']);
  expect(bob!.map(({ user }) => user)).toEqual(['CONTOSO\\bob', 'CONTOSO\\bob']);
  expect(alice![0].connection).toBe(alice![1].connection);
  expect(alice![0].connection).not.toBe(bob![0].connection);
});

test('another connection is nobody, whoever logged in on the one before', async () => {
  await curl([...trusting, '--ntlm', '--user', 'CONTOSO\\alice:secret', whoami]);
  const { stdout } = await curl([...trusting, '--write-out', '%{http_code}', '--output', '/dev/null', whoami]);
  expect(stdout).toBe('401');
});

test('a wrong password and an unknown user are refused', async () => {
  for (const user of ['CONTOSO\\alice:Secret', 'CONTOSO\\carol:secret', 'FABRIKAM\\alice:secret']) {
    const told = ['--write-out', '%{http_code}', '--output', '/dev/null'];
    const { stdout } = await curl([...trusting, ...told, '--ntlm', '--user', user, whoami]);
    expect(stdout).toBe('401');
  }
});

test('the third message of a login means nothing on another connection', async () => {
  await curl([...trusting, '--ntlm', '--user', 'CONTOSO\\alice:secret', whoami]);
  const proof = frontEnd.requests.all[1]!.headers.find(([name]) => name === 'Authorization')![1];
  const { stdout } = await curl([...trusting, '--header', `Authorization: ${proof}`, '--include', whoami]);
  expect(stdout).toMatch(/^HTTP\/1\.1 401 /);
  expect(stdout).toContain('\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n');
});

test('what one connection is told, request by request', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (authorization?: string) => askOver(agent, frontEnd.httpPort, authorization);
  const [alice, bob] = CONTOSO_ACCOUNTS;
  const refused = { status: 401, authenticate: ['Negotiate', 'NTLM'] };

  expect(await ask(), 'nobody yet').toEqual(refused);
  const challenge = await ask(TYPE_1);
  expect(challenge).toEqual({ status: 401, authenticate: [expect.stringMatching(/^NTLM TlRMTVNTUAACAAAA/)] });
  expect(await ask(), 'a challenge alone is no login').toEqual(refused);
  const loggedIn = { status: 200, user: 'CONTOSO\\alice' };
  expect(await ask(typeThree(alice!, challenge.authenticate![0]!)), 'the answer').toEqual(loggedIn);
  expect(await ask(), 'no header').toEqual(loggedIn);
  expect(await ask('Bearer cwt=x'), 'a header of another scheme').toEqual(loggedIn);

  const again = await ask(TYPE_1);
  expect(again.authenticate, 'a login begun again').not.toEqual(challenge.authenticate);
  expect(await ask(), 'ends the one before').toEqual(refused);
  const third = await ask(TYPE_1);
  expect(await ask(typeThree(bob!, third.authenticate![0]!))).toEqual({ status: 200, user: 'CONTOSO\\bob' });
  expect(await ask(typeThree(bob!, third.authenticate![0]!)), 'a challenge counts once').toEqual(refused);

  expect(new Set(frontEnd.requests.all.map(({ connection }) => connection)).size).toBe(1);
  agent.destroy();
});

/** Status, challenge lines and user of one answer on the agent's only connection. */
function askOver(agent: Agent, port: number, authorization: string | undefined) {
  return new Promise<{ status: number; authenticate?: string[]; user?: string }>((resolve, reject) => {
    const headers = authorization === undefined ? {} : { Authorization: authorization };
    const asked = request({ agent, host: '127.0.0.1', port, path: '/abs/whoami', headers }, async (response) => {
      const body = (await response.setEncoding('utf8').toArray()).join('');
      const status = response.statusCode ?? 0;
      const authenticate = response.headersDistinct['www-authenticate'];
      resolve(status === 200 ? { status, user: JSON.parse(body).user } : { status, authenticate: authenticate ?? [] });
    });
    asked.on('error', reject).end();
  });
}
