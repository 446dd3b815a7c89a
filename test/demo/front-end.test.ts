import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startFrontEnd } from '../../src/demo/front-end.ts';
import { startOfficeWebApps } from '../../src/demo/office-web-apps.ts';
import { content } from '../../src/demo/transfers.ts';
import { curl, throwAwayCertificate } from './real-curl.ts';

let certificate: Awaited<ReturnType<typeof throwAwayCertificate>>;
let frontEnd: Awaited<ReturnType<typeof startFrontEnd>>;
let officeWebApps: Awaited<ReturnType<typeof startOfficeWebApps>>;

beforeAll(async () => {
  certificate = await throwAwayCertificate(['*.contoso.com']);
  frontEnd = await startFrontEnd({ httpPort: 0, httpsPort: 0, certificate: certificate.pem, pollSeconds: 60 });
  officeWebApps = await startOfficeWebApps({ httpsPort: 0, certificate: certificate.pem });
});
afterAll(async () => {
  await frontEnd?.close();
  await officeWebApps?.close();
  await certificate?.remove();
});
afterEach(() => frontEnd.requests.clear());

/** Asks over the port that the URL's scheme leads to, with the Host of the URL. */
async function get(url: string, ...more: string[]): Promise<string> {
  const port = url.startsWith('https:') ? frontEnd.httpsPort : frontEnd.httpPort;
  const { stdout } = await curl([
    ...['--cacert', certificate.certFile, '--connect-to', `::127.0.0.1:${port}`, '--path-as-is', '--globoff'],
    ...[...more, url],
  ]);
  return stdout;
}

test.each([
  'https://lyncdiscover.contoso.com/',
  'http://lyncdiscover.contoso.com/?sipuri=alice@contoso.com',
  'https://webext.contoso.com/Autodiscover/AutodiscoverService.svc/root',
  'https://webext.contoso.com/autodiscover/autodiscoverservice.svc/root',
])('discovery at %s: external, and nothing but https links', async (url) => {
  const body = await get(url, '--header', 'Accept:');
  const document = JSON.parse(body);
  expect(document.AccessLocation).toBe('External');
  expect(body).not.toContain('http://');
  expect(document.Root.Links).toContainEqual({
    token: 'User',
    href: 'https://webext.contoso.com/Autodiscover/AutodiscoverService.svc/root/user',
  });
});

test('discovery answers in XML to who asks for it', async () => {
  const accept = 'Accept: application/vnd.microsoft.rtc.autodiscover+xml;v=1';
  const answer = await get('https://lyncdiscover.contoso.com/', '--header', accept, '--include');
  expect(answer).toContain('\r\nContent-Type: application/vnd.microsoft.rtc.autodiscover+xml; v=1\r\n');
  expect(answer).toContain('<AutodiscoverResponse AccessLocation="External">');
});

test.each([
  ['https://webext.contoso.com/meet', 200, 'Join the meeting'],
  ['https://meet.contoso.com/meet/', 200, 'Join the meeting'],
  ['https://meet.contoso.com/alice/7M3K2P', 200, 'Join the meeting'],
  ['https://fe01.contoso.com/alice/7M3K2P', 404, 'not found'],
  ['https://webext.contoso.com/dialin', 200, 'Dial-in conferencing'],
  ['https://dialin.contoso.com/', 200, 'Dial-in conferencing'],
  ['https://webext.contoso.com/', 404, 'not found'],
  ['https://webext.contoso.com/Scheduler', 200, 'Web Scheduler'],
  ['https://webext.contoso.com/abs', 401, 'Windows login'],
  ['https://webext.contoso.com/abs/handler', 401, 'Windows login'],
  ['https://webext.contoso.com/GroupExpansion/service.svc', 401, 'Windows login'],
  ['https://webext.contoso.com/Autodiscover/AutodiscoverService.svc/root/user', 401, 'web ticket'],
])('%s: %i with "%s"', async (url, status, text) => {
  const answer = await get(url, '--write-out', '%{http_code}');
  expect(answer.slice(-3)).toBe(String(status));
  expect(answer).toContain(text);
});

test('an answer has the header lines of IIS, in order and letter case, and tells its port', async () => {
  const lines = (answer: string) => answer.slice(0, answer.indexOf('\r\n\r\n')).split('\r\n');
  const names = (answer: string) => lines(answer).map((line) => line.split(':')[0]);
  const external = await get('https://meet.contoso.com/meet', '--include');
  expect(names(external)).toEqual([
    ...['HTTP/1.1 200 OK', 'Cache-Control', 'Content-Length', 'Content-Type', 'Server', 'X-AspNet-Version'],
    ...['X-Powered-By', 'X-MS-Server-Fqdn', 'X-Demo-Site', 'Date'],
  ]);
  expect(lines(external)).toContain('Server: Microsoft-IIS/8.5');
  expect(lines(external)).toContain('X-Powered-By: ASP.NET');
  expect(lines(external)).toContain(`X-Demo-Site: https ${frontEnd.httpsPort}`);
  const plain = await get('http://meet.contoso.com/meet', '--include');
  expect(lines(plain)).toContain(`X-Demo-Site: http ${frontEnd.httpPort}`);
});

test('echo and the record keep target and headers letter for letter', async () => {
  const target = '/echo/a%2Fb%zz/../c?x=%3A%2F%2F&<b>&&{}';
  const body = await get(`https://webext.contoso.com${target}`, '--header', 'x-MiXed: One', '--header', 'X-Mixed: two');
  expect(JSON.parse(body)).toMatchObject({
    method: 'GET',
    target,
    encrypted: true,
    port: frontEnd.httpsPort,
    turn: 1,
    serverName: 'webext.contoso.com',
  });
  const [recorded] = frontEnd.requests.all;
  expect(recorded!.target).toBe(target);
  expect(recorded!.headers.slice(-2)).toEqual([
    ['x-MiXed', 'One'],
    ['X-Mixed', 'two'],
  ]);
  expect(await recorded!.ended).toBe('answered');
});

test('an upload is counted and hashed, with a length and in chunks', async () => {
  const bytes = Buffer.concat([...content(3_000_000)]);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  for (const headers of [{ 'Content-Length': bytes.length }, { 'Transfer-Encoding': 'chunked' }]) {
    const told = await new Promise<string>((resolve, reject) => {
      const options = { port: frontEnd.httpPort, method: 'PUT', path: '/DataCollabWeb/Upload', headers, agent: false };
      const upload = request({ host: '127.0.0.1', ...options }, async (response) => {
        resolve((await response.setEncoding('utf8').toArray()).join(''));
      });
      Readable.from([bytes]).pipe(upload.on('error', reject));
    });
    expect(JSON.parse(told)).toEqual({ length: bytes.length, sha256, encrypted: false });
  }
});

test.each(['', '?chunked'])('a download%s has exactly the bytes asked for', async (query) => {
  const response = await fetch(`http://127.0.0.1:${frontEnd.httpPort}/CollabContent/200000${query}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(bytes.length).toBe(200_000);
  expect(bytes.findIndex((byte, i) => byte !== i % 251)).toBe(-1);
  expect(response.headers.get('content-length')).toBe(query === '' ? '200000' : null);
});

const events = (id: number, query: string) =>
  `https://webext.contoso.com/ucwa/v1/applications/${id}/events?ack=5&medium=300&low=600&timeout=${query}`;

test('a long poll ends empty after its hold time', async () => {
  const answer = JSON.parse(await get(events(101, '0')));
  expect(answer.sender).toEqual([]);
  expect(answer._links.next.href).toBe('/ucwa/v1/applications/101/events?ack=6');
});

test('a second long poll takes the place of the first, which is told so', async () => {
  const first = get(events(102, '900'), '--write-out', '%{http_code}');
  await frontEnd.requests.arrived(({ target }) => target.endsWith('102/events?ack=5&medium=300&low=600&timeout=900'));
  const second = get(events(102, '0'), '--write-out', '%{http_code}');
  expect(await first).toMatch(/"subcode": "PGetReplaced".*409$/s);
  expect(await second).toMatch(/"sender": \[\].*200$/s);
});

test('the record tells of a client that left', async () => {
  const leaving = new AbortController();
  const poll = fetch(`http://127.0.0.1:${frontEnd.httpPort}/ucwa/v1/applications/103/events?timeout=900`, {
    signal: leaving.signal,
  });
  const recorded = await frontEnd.requests.arrived(({ target }) => target.includes('/103/'));
  leaving.abort();
  await expect(poll).rejects.toThrow();
  expect(await recorded.ended).toBe('aborted');
});

test('Office Web Apps: discovery in XML, everything else echoed as it arrived', async () => {
  const trusting = ['--cacert', certificate.certFile, '--connect-to', `::127.0.0.1:${officeWebApps.httpsPort}`];
  const discovery = await curl([...trusting, '--include', 'https://officewebapps.contoso.com/hosting/discovery']);
  expect(discovery.stdout).toContain('\r\nContent-Type: text/xml; charset=utf-8\r\n');
  expect(discovery.stdout).toContain('urlsrc="https://officewebapps.contoso.com/p/PowerPointFrame.aspx?');
  const target = '/m/ParticipantFrame.aspx?a=0&e=true&WopiSrc=https%3A%2F%2Fpool01%2FDataCollabWeb%2Fwopi<d>&&x';
  const echo = await curl([...trusting, '--globoff', `https://officewebapps.contoso.com${target}`]);
  expect(JSON.parse(echo.stdout).target).toBe(target);
});

test('a taken port fails the start, and the port opened before is free again', async () => {
  const free = await startFrontEnd({ httpPort: 0, httpsPort: 0, certificate: certificate.pem });
  const options = { httpPort: free.httpPort, certificate: certificate.pem };
  await free.close();
  await expect(startFrontEnd({ ...options, httpsPort: frontEnd.httpsPort })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  const second = await startFrontEnd({ ...options, httpsPort: 0 });
  expect(second.httpPort).toBe(free.httpPort);
  await second.close();
});
