import { describe, expect, test } from 'vitest';
import { ask, type Protocol } from './clients.ts';
import { LYNC_NAMES, OFFICE, publishLync } from './lync.ts';

const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];

/** Targets that a proxy which parses URLs would change or refuse (publishing.md section 4, design D3c). */
const TARGETS = [
  '/echo',
  '/echo?sipuri=bob@contoso.com',
  '/echo/a%2Fb?x=%3A%2F%2F',
  '/echo/%E4?y=%E4',
  '/echo/foo../bar',
  '/echo//double',
  "/echo/~!$&'()*+,;=:@-._",
  '/echo?a=<b>&&c=\\d|e^f`{g}"h\'',
  '/echo/%7e%41?%7e',
  '/echo?',
  '/echo/?#'.replace('#', '%23'),
];

describe.each(PROTOCOLS)('%s', (protocol) => {
  test('each name: its certificate by SNI, 443 to the port of its farm, Host and target as sent', async () => {
    const { httpsPort, frontEnd, office, ca } = await publishLync();
    for (const host of [...LYNC_NAMES, OFFICE]) {
      const server = host === OFFICE ? office : frontEnd;
      server.requests.clear();
      const told = await ask({ protocol, port: httpsPort, host, ca, path: '/echo/a%2Fb?c=d' });
      expect(told.certificate).toBe(`DNS:${host}`);
      const [request] = server.requests.all;
      expect(request).toMatchObject({
        target: '/echo/a%2Fb?c=d',
        port: server.httpsPort,
        encrypted: true,
        method: 'GET',
      });
      expect(request?.headers.filter(([name]) => name.toLowerCase() === 'host').map(([, value]) => value)).toEqual([
        host,
      ]);
    }
  });

  test.each(TARGETS)('the target %s reaches the server byte for byte', async (path) => {
    const { httpsPort, frontEnd, ca } = await publishLync();
    await ask({ protocol, port: httpsPort, host: 'webext.contoso.com', ca, path });
    expect(frontEnd.requests.all.map(({ target }) => target)).toEqual([path]);
  });

  test('dot segments and backslashes are resolved, once and for the rules, the log and the server alike', async () => {
    const { httpsPort, frontEnd, ca } = await publishLync();
    for (const path of ['/x/../echo/b c'.replace(' ', '%20'), '/echo/%2e%2e/echo/b%20c', '/x/..\\echo/b%20c']) {
      frontEnd.requests.clear();
      await ask({ protocol, port: httpsPort, host: 'webext.contoso.com', ca, path });
      expect(frontEnd.requests.all.map(({ target }) => target)).toEqual(['/echo/b%20c']);
    }
    const outside = await ask({ protocol, port: httpsPort, host: 'webext.contoso.com', ca, path: '/../etc' });
    expect(outside.status).toBe(400);
  });

  test('what ARR adds is there, and the answer carries its mark', async () => {
    const { httpsPort, frontEnd, ca } = await publishLync();
    const told = await ask({ protocol, port: httpsPort, host: 'meet.contoso.com', ca, path: '/echo?a' });
    const headers = new Map(frontEnd.requests.all[0]?.headers.map(([name, value]) => [name, value]));
    expect(headers.get('X-Forwarded-For')).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(headers.get('X-ARR-SSL')).toBe('256|256|CN=Lychgate tests|CN=meet.contoso.com');
    expect(headers.get('X-ARR-LOG-ID')).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(headers.get('X-Original-URL')).toBe('/echo?a');
    expect(headers.get('Max-Forwards')).toBe('10');
    expect(headers.has('Transfer-Encoding')).toBe(false);
    expect(headers.has('Content-Length')).toBe(false);
    expect(String(told.headers['x-powered-by'])).toContain('ARR/3.0');
    expect(told.headers.server).toBe('Lychgate');
  });

  test('what a client forges does not reach the server, and what it lists in Connection stays (H18, H19, H20)', async () => {
    const { httpsPort, frontEnd, ca } = await publishLync();
    const headers: Record<string, string> = {
      'X-Forwarded-Proto': 'forged',
      'X-Forwarded-Host': 'forged',
      Forwarded: 'for=forged',
      'X-Real-IP': 'forged',
      'X-ARR-SSL': 'forged',
      'X-ARR-ClientCert': 'forged',
      'X-Original-URL': '/forged',
      'Front-End-Https': 'forged',
      X_Forwarded_For: 'forged',
      X_Original_URL: 'forged',
      Content_Length: 'forged',
      Authorization: 'Basic eA==',
      // HTTP/2 has no such field.
      ...(protocol === 'HTTP/1.1' ? { Connection: 'x-forwarded-for, authorization, host, x-arr-log-id' } : {}),
    };
    await ask({ protocol, port: httpsPort, host: 'webext.contoso.com', ca, path: '/echo', headers });
    const arrived =
      frontEnd.requests.all[0]?.headers.map(([name, value]) => [name.toLowerCase(), value] as const) ?? [];
    expect(arrived.filter(([, value]) => value.includes('forged'))).toEqual([]);
    const names = arrived.map(([name]) => name);
    for (const name of ['x-forwarded-for', 'authorization', 'host', 'x-arr-log-id', 'x-arr-ssl', 'x-original-url']) {
      expect(names.filter((each) => each === name)).toEqual([name]);
    }
  });

  test('a name that no binding has is 400, a path that no rule takes is 404, and both pages leak nothing', async () => {
    const { httpsPort, ca } = await publishLync({
      rules: '<rule name="only" stopProcessing="true"><match url="^closed" /><action type="None" /></rule>',
    });
    const stranger = await ask({
      protocol,
      port: httpsPort,
      host: 'www.contoso.com',
      servername: 'meet.contoso.com',
      ca,
    });
    expect(stranger.status).toBe(400);
    const closed = await ask({ protocol, port: httpsPort, host: 'meet.contoso.com', ca, path: '/closed' });
    expect(closed.status).toBe(404);
    for (const { body } of [stranger, closed])
      expect(body.toString()).not.toMatch(/pool01|127\.0\.0\.1|rule|stack|Error:/);
  });

  test.each(['OPTIONS', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'REPORT', 'SEARCH', 'LOCK', 'HEAD'])(
    'the method %s passes',
    async (method) => {
      const { httpsPort, frontEnd, ca } = await publishLync();
      await ask({ protocol, port: httpsPort, host: 'meet.contoso.com', ca, method, path: '/echo' });
      expect(frontEnd.requests.all.map((each) => each.method)).toEqual([method]);
    },
  );

  test('a Content-Type that no parser would take passes with its body', async () => {
    const { httpsPort, frontEnd, ca } = await publishLync();
    const headers = { 'Content-Type': 'so/what; =;;', 'Content-Length': '5' };
    const told = await ask({
      ...{ protocol, port: httpsPort, host: 'webext.contoso.com', ca, headers },
      ...{ method: 'POST', path: '/DataCollabWeb/Upload', body: 'hello' },
    });
    expect(JSON.parse(told.body.toString())).toMatchObject({ length: 5 });
    expect(frontEnd.requests.all[0]?.headers).toContainEqual([
      expect.stringMatching(/^content-type$/i),
      'so/what; =;;',
    ]);
  });
});

test('80 goes to 8080, for discovery without TLS', async () => {
  const { httpPort, frontEnd } = await publishLync();
  const told = await ask({ protocol: 'HTTP/1.1', plain: true, port: httpPort, host: 'lyncdiscover.contoso.com' });
  expect(told.body.toString()).toContain('"AccessLocation": "External"');
  expect(frontEnd.requests.all[0]).toMatchObject({ port: frontEnd.httpPort, encrypted: false });
  expect(frontEnd.requests.all[0]?.headers.map(([name]) => name)).not.toContain('X-ARR-SSL');
});

test('over HTTP/1.1 header names keep their letter case, and challenges their lines and order', async () => {
  const { httpsPort, frontEnd, ca } = await publishLync();
  const headers = { 'X-MiXeD': '1', 'x-lower': '2' };
  const told = await ask({
    protocol: 'HTTP/1.1',
    port: httpsPort,
    host: 'webext.contoso.com',
    ca,
    headers,
    path: '/abs/handler',
  });
  expect(told.status).toBe(401);
  const challenges = told.rawHeaders.filter((_, i) => told.rawHeaders[i - 1] === 'WWW-Authenticate');
  expect(challenges).toEqual(['Negotiate', 'NTLM']);
  expect(told.rawHeaders).toContain('X-AspNet-Version');
  const names = frontEnd.requests.all[0]?.headers.map(([name]) => name);
  expect(names).toContain('X-MiXeD');
  expect(names).toContain('x-lower');
});
