import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ask, openHttp2, type Protocol } from './clients.ts';
import { applicationHost, authority, type Published, startProxy, webFarm } from './environment.ts';
import { readAnswers, statusOf, targetOf } from './messages.ts';
import { freePort } from './ports.ts';
import { HOST, publishRecorded } from './recorded-farm.ts';

const host = 'www.contoso.com';
const KB = 1024;

interface Front {
  readonly proxy: Published;
  readonly port: number;
  get(path?: string, more?: { method?: string; headers?: Record<string, string> }): ReturnType<typeof ask>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(handler: Handler): Promise<{ port: number }> {
  const server = createServer(handler);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address() as { port: number };
}

/** One farm over plain HTTP; rules as in the vendor's samples for headers. */
async function publish(protocol: Protocol, outbound: string, handler: Handler): Promise<Front> {
  const { port: httpPort } = await serve(handler);
  const port = await freePort();
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`https *:${port}:${host}`],
      farms: webFarm('fe', {
        servers: [{ address: 'fe01.contoso.local', httpPort }],
        protocol: 'timeout="00:00:30" responseBufferLimit="64"',
      }),
      rules: `
        <rule name="mark">
          <match url="^(old|gone|local|split)" />
          <serverVariables><set name="ORIGINAL_HOST" value="{HTTP_HOST}" /></serverVariables>
          <action type="None" />
        </rule>
        <rule name="split"><match url="^split" /><serverVariables><set name="HTTP_X" value="{UrlDecode:{QUERY_STRING}}" /></serverVariables><action type="None" /></rule>
        <rule name="local"><match url="^local/" /><action type="Rewrite" url="/elsewhere" /></rule>
        <rule name="old" stopProcessing="true"><match url="^old" /><action type="Redirect" url="/new" redirectType="Found" /></rule>
        <rule name="gone" stopProcessing="true"><match url="^gone" /><action type="CustomResponse" statusCode="410" statusDescription="no more a here" /></rule>
        <rule name="farm" stopProcessing="true">
          <match url="^(webmail|payroll)/(.*)" />
          <serverVariables><set name="ORIGINAL_HOST" value="{HTTP_HOST}" /></serverVariables>
          <action type="Rewrite" url="http://fe/{R:2}" />
        </rule>`,
      more: `<rewrite><outboundRules>${outbound}</outboundRules></rewrite>`,
    }),
    certificates: { all: [host] },
    settings: { hosts: { 'fe01.contoso.local': '127.0.0.1' } },
  });
  const asked = { protocol, port, host, ca: authority.certPem };
  return { proxy, port, get: (path = '/webmail/', more = {}) => ask({ ...asked, path, ...more }) };
}

const rule = (match: string, value: string | undefined, more = { attributes: '', conditions: '' }) =>
  `<rule name="${match.replace(/[^\w]/g, '-')}" ${more.attributes}><match ${match} />${more.conditions}` +
  (value === undefined ? '<action type="None" /></rule>' : `<action type="Rewrite" value="${value}" /></rule>`);
const tags = (more = '') =>
  rule('filterByTags="A, Img" pattern="^http://inner/(.*)"', 'https://{HTTP_HOST}/webmail/{R:1}', {
    attributes: more,
    conditions: '',
  });
const body = (more = '') => rule('pattern="secret"', 'public', { attributes: more, conditions: '' });
const isHtml =
  '<preConditions><preCondition name="html"><add input="{RESPONSE_CONTENT_TYPE}" pattern="^text/html" /></preCondition></preConditions>';
const answer =
  (headers: Record<string, string | string[]>, content: string | Buffer, status = 200): Handler =>
  (_request, response) => {
    response.writeHead(status, headers);
    response.end(content);
  };

describe.each<Protocol>(['HTTP/1.1', 'HTTP/2'])('%s', (protocol) => {
  test("the vendor's Location sample", async () => {
    const outbound = `
      <rule name="Update Location header" preCondition="IsRedirection">
        <match serverVariable="RESPONSE_Location" pattern="^http://[^/]+/(.*)" />
        <conditions><add input="{ORIGINAL_HOST}" pattern=".+" /><add input="{URL}" pattern="^/(webmail|payroll)/.*" /></conditions>
        <action type="Rewrite" value="http://{ORIGINAL_HOST}/{C:1}/{R:1}" />
      </rule>
      <preConditions><preCondition name="IsRedirection"><add input="{RESPONSE_STATUS}" pattern="3\\d\\d" /></preCondition></preConditions>`;
    const { get } = await publish(protocol, outbound, answer({ Location: 'http://inner/login?x' }, '', 302));
    const told = await get('/webmail/inbox');
    expect([told.status, told.headers.location]).toEqual([302, 'http://www.contoso.com/webmail/login?x']);
  });

  test('the Domain of each Set-Cookie, an added header, a removed one', async () => {
    const outbound =
      rule('serverVariable="RESPONSE_Set_Cookie" pattern="^(.*; *domain=)inner(.*)$"', '{R:1}{HTTP_HOST}{R:2}') +
      rule('serverVariable="RESPONSE_Strict_Transport_Security" pattern=".*"', 'max-age=31536000') +
      rule('serverVariable="RESPONSE_X_Powered_By" pattern=".+"', '');
    const headers = { 'Set-Cookie': ['a=1; Domain=inner; Path=/', 'b=2', 'c=3; domain=inner'], 'Content-Length': '2' };
    const { get } = await publish(protocol, outbound, answer(headers, 'ok'));
    const told = await get();
    expect(told.headers['set-cookie']).toEqual([
      ...['a=1; Domain=www.contoso.com; Path=/', 'b=2', 'c=3; domain=www.contoso.com'],
    ]);
    expect(told.headers['strict-transport-security']).toBe('max-age=31536000');
    expect(told.headers['x-powered-by']).toBeUndefined();
    // No rule is for the body: its length stays.
    expect([told.headers['content-length'], told.body.toString()]).toEqual(['2', 'ok']);
  });

  test('tags of a body that comes in single bytes', async () => {
    const html = '<!--<a href="http://inner/0">--><a href="http://inner/1">1</a><img src=http://inner/2>é';
    const { get } = await publish(protocol, tags(), (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': Buffer.byteLength(html) });
      for (const byte of Buffer.from(html)) response.write(Buffer.from([byte]));
      response.end();
    });
    const told = await get();
    expect(told.body.toString()).toBe(
      '<!--<a href="http://inner/0">--><a href="https://www.contoso.com/webmail/1">1</a><img src="https://www.contoso.com/webmail/2">é',
    );
    expect(told.headers['content-length']).toBeUndefined();
  });

  test('a whole body, with its new length', async () => {
    const { get } = await publish(protocol, body() + tags(), (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html', 'Content-MD5': 'x' });
      response.write('a sec');
      response.end('ret <a href="http://inner/secret">');
    });
    const told = await get();
    expect(told.body.toString()).toBe('a public <a href="https://www.contoso.com/webmail/public">');
    expect(told.headers['content-length']).toBe(String(told.body.length));
    expect(told.headers['content-md5']).toBeUndefined();
  });

  test.each([
    ['gzip', 'gzip'],
    ['GZIP, identity', 'GZIP, identity'],
    [Array.from({ length: 1000 }, () => 'gzip').join(', '), `${'gzip, '.repeat(17).slice(0, 100)}…`],
  ])('encoded body, %.20s: 500.52 in the words of IIS', async (encoding, shown) => {
    const zipped = gzipSync('<a href="http://inner/">');
    const headers = { 'Content-Type': 'text/html', 'Content-Encoding': encoding };
    const { get, proxy } = await publish(protocol, tags(), answer(headers, zipped));
    const told = await get();
    expect(told.status).toBe(500);
    expect(told.body.toString()).toContain('500.52');
    expect(proxy.logged).toContainEqual(
      expect.objectContaining({
        code: '500.52',
        msg: `Outbound rewrite rules cannot be applied when the content of the HTTP response is encoded ("${shown}"). Outbound rule "filterByTags--A--Img--pattern---http---inner------" changes the body: set HTTP_ACCEPT_ENCODING to "" among the serverVariables of the inbound rule.`,
      }),
    );
  });

  test('an encoded body passes where no body rule may run, and header rules work on it', async () => {
    const zipped = gzipSync('secret');
    const outbound =
      tags('preCondition="html"') +
      body('preCondition="html"') +
      rule('serverVariable="RESPONSE_X" pattern=".*"', 'y') +
      isHtml;
    const headers = { 'Content-Type': 'text/css', 'Content-Encoding': 'gzip', 'Content-Length': String(zipped.length) };
    const { get } = await publish(protocol, outbound, answer(headers, zipped));
    const told = await get();
    expect([told.status, told.headers.x, told.headers['content-length']]).toEqual([200, 'y', String(zipped.length)]);
    expect(told.body.equals(zipped)).toBe(true);
  });

  test('HEAD, 304, 204 and parts of a body stay as they are', async () => {
    const { get } = await publish(protocol, tags() + body(), (request, response) => {
      const status = Number(request.url?.slice(1) || 200);
      const range = status === 206 ? { 'Content-Range': 'bytes 0-5/10' } : {};
      const length = status === 204 ? {} : { 'Content-Length': '6' };
      response.writeHead(status, { 'Content-Encoding': 'gzip', ...length, ...range });
      response.end(status === 206 ? 'secret' : undefined);
    });
    const head = await get('/webmail/', { method: 'HEAD' });
    expect([head.status, head.headers['content-length']]).toEqual([200, '6']);
    expect((await get('/webmail/304')).status).toBe(304);
    expect((await get('/webmail/204')).status).toBe(204);
    const part = await get('/webmail/206');
    expect([part.status, part.body.toString()]).toEqual([206, 'secret']);
  });

  test.each([true, false])('beyond responseBufferLimit a body passes untouched, known length: %s', async (known) => {
    const large = Buffer.alloc(200 * KB, 'secret <a href="http://inner/">');
    const length = known ? { 'Content-Length': String(large.length) } : {};
    const handler: Handler = (_request, response) => {
      response.writeHead(200, length);
      for (let at = 0; at < large.length; at += 10 * KB) response.write(large.subarray(at, at + 10 * KB));
      response.end();
    };
    const { get, proxy } = await publish(protocol, body(), handler);
    const told = await get();
    expect(told.body.equals(large)).toBe(true);
    if (known) expect(told.headers['content-length']).toBe(String(large.length));
    expect(proxy.logged).toContainEqual(
      expect.objectContaining({ level: 40, msg: expect.stringContaining('responseBufferLimit (65536 bytes)') }),
    );
  });

  test('tag rules go on where the body is too large for the others', async () => {
    const large = '<a href="http://inner/1">secret'.repeat(5000);
    const { get } = await publish(protocol, body() + tags(), answer({}, large));
    const told = await get();
    expect(told.body.toString()).toBe(large.replaceAll('http://inner/', 'https://www.contoso.com/webmail/'));
  });

  test('our own answers: headers yes, bodies no', async () => {
    const outbound =
      rule('serverVariable="RESPONSE_Location" pattern="^https://([^/]+)/(.*)"', 'https://{R:1}/base/{R:2}') +
      rule('serverVariable="RESPONSE_X" pattern=".*"', '{RESPONSE_STATUS}') +
      rule('pattern="a"', 'b');
    const { get } = await publish(protocol, outbound, answer({}, ''));
    const redirect = await get('/old');
    expect([redirect.status, redirect.headers.location]).toEqual([302, 'https://www.contoso.com/base/new']);
    const custom = await get('/gone');
    expect([custom.status, custom.headers.x, custom.body.toString()]).toEqual([410, '410', 'no more a here']);
    const missing = await get('/nothing');
    expect([missing.status, missing.headers.x]).toEqual([404, '404']);
  });

  test.each([
    ['an answer of the server', '/webmail/a%20b?x=1%0a', 200, '5', 'application/x-test'],
    ['the server that hangs up', '/webmail/dead?x=1%0a', 502, undefined, 'text/html; charset=utf-8'],
    ['a redirect', '/old/a%20b?x=1%0a', 302, '0', ''],
    ['a custom response', '/gone/a%20b?x=1%0a', 410, '14', 'text/plain; charset=utf-8'],
    ['no rule that takes it, after a local rewrite', '/local/a%20b?x=1%0a', 404, undefined, 'text/html; charset=utf-8'],
    ['a rule that fails', '/split/a%20b?x=1%0a', 400, undefined, 'text/html; charset=utf-8'],
  ])('every server variable is there: %s', async (_, path, status, length, type) => {
    const names = [
      ...[
        'ORIGINAL_HOST',
        'RESPONSE_STATUS',
        'RESPONSE_CONTENT_TYPE',
        'HTTP_HOST',
        'SERVER_NAME',
        'SERVER_PORT',
        'HTTPS',
      ],
      ...['SERVER_PORT_SECURE', 'URL', 'PATH_INFO', 'SCRIPT_NAME', 'REQUEST_FILENAME', 'QUERY_STRING', 'REQUEST_URI'],
      ...['UNENCODED_URL', 'HTTP_URL', 'CACHE_URL', 'REQUEST_METHOD', 'HTTP_METHOD', 'REMOTE_ADDR', 'REMOTE_HOST'],
      ...[
        'LOCAL_ADDR',
        'SERVER_ADDR',
        'SERVER_PROTOCOL',
        'CONTENT_TYPE',
        'HTTP_X_MINE',
        'INSTANCE_NAME',
        'INSTANCE_ID',
      ],
      ...['IIS_WasUrlRewritten', 'HTTP_X_ORIGINAL_URL', 'RESPONSE_CONTENT_LENGTH'],
    ];
    const seen = names.map((name) => rule(`serverVariable="RESPONSE_Seen_${name}" pattern=".*"`, `{${name}}`)).join('');
    const { get, port } = await publish(protocol, seen, (request, response) => {
      if (request.url?.startsWith('/dead')) return response.destroy();
      response.writeHead(200, { 'Content-Type': 'application/x-test', 'Content-Length': '5' });
      return response.end('inner');
    });
    const told = await get(path, { headers: { 'X-Mine': 'mine', 'Content-Type': 'text/x-mine' } });
    const values = names.map((name) => told.headers[`seen-${name.replaceAll('_', '-').toLowerCase()}`] ?? '');
    const plain = path.replace(/\?.*/, '').replace('%20', ' ');
    const rewritten = /^.(webmail|local)/.test(path);
    expect(told.status).toBe(status);
    expect(Object.fromEntries(names.map((name, i) => [name, values[i]]))).toEqual({
      ORIGINAL_HOST: host,
      RESPONSE_STATUS: String(status),
      RESPONSE_CONTENT_TYPE: type,
      HTTP_HOST: host,
      SERVER_NAME: host,
      SERVER_PORT: String(port),
      HTTPS: 'ON',
      SERVER_PORT_SECURE: '1',
      URL: plain,
      PATH_INFO: plain,
      SCRIPT_NAME: plain,
      REQUEST_FILENAME: plain,
      QUERY_STRING: 'x=1%0a',
      REQUEST_URI: `${plain}?x=1%0a`,
      UNENCODED_URL: path,
      HTTP_URL: path,
      CACHE_URL: `https://${host}:${port}${plain}`,
      REQUEST_METHOD: 'GET',
      HTTP_METHOD: 'GET',
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_HOST: '127.0.0.1',
      LOCAL_ADDR: '127.0.0.1',
      SERVER_ADDR: '127.0.0.1',
      SERVER_PROTOCOL: protocol === 'HTTP/2' ? 'HTTP/2.0' : 'HTTP/1.1',
      CONTENT_TYPE: 'text/x-mine',
      HTTP_X_MINE: 'mine',
      INSTANCE_NAME: expect.any(String),
      INSTANCE_ID: '1',
      IIS_WasUrlRewritten: rewritten ? '1' : '',
      HTTP_X_ORIGINAL_URL: rewritten ? plain : '',
      RESPONSE_CONTENT_LENGTH: length ?? String(told.body.length),
    });
  });

  test('a line end in a value is 400, and the answer of the server is gone', async () => {
    const outbound = rule('serverVariable="RESPONSE_X" pattern=".*"', '{UrlDecode:{QUERY_STRING}}');
    const { get } = await publish(protocol, outbound, answer({ 'X-Inner': '1' }, 'inner'));
    const told = await get('/webmail/?%0d%0aX-Evil:%201');
    expect([told.status, told.headers['x-evil'], told.headers['x-inner']]).toEqual([400, undefined, undefined]);
    expect((await get('/webmail/?fine')).headers.x).toBe('fine');
  });

  test('a server that breaks off while the body is collected: 502.3', async () => {
    const { get, proxy } = await publish(protocol, body(), (_request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write('secret', () => response.destroy());
    });
    const told = await get();
    expect(told.status).toBe(502);
    expect(proxy.logged).toContainEqual(expect.objectContaining({ code: '502.3', win32: 12030 }));
  });

  test('a server that breaks off behind its first bytes cuts the answer', async () => {
    const { get } = await publish(protocol, tags(), (_request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write('text', () => response.destroy());
    });
    await expect(get()).rejects.toThrow();
  });
});

test.each<Protocol>(['HTTP/1.1', 'HTTP/2'])(
  'the shipped example for an application in a folder, over %s',
  async (protocol) => {
    const inside = 'https://payroll01.contoso.local';
    const asked: (string | undefined)[] = [];
    const { port: httpPort } = await serve((request, response) => {
      asked.push(`${request.url} ${request.headers['accept-encoding'] || 'plain'}`);
      if (request.url === '/login') response.writeHead(302, { Location: `${inside}/start?x=/` });
      else if (request.url === '/away') response.writeHead(302, { Location: 'https://login.contoso.com/' });
      else if (request.url === '/bare') response.writeHead(302, { Location: '/' });
      else
        response.writeHead(200, {
          'Content-Type': 'text/html; charset=utf-8',
          'Set-Cookie': ['s=1; Path=/; HttpOnly', 't=2; domain=payroll01.contoso.local; path=/app', 'u=3'],
        });
      response.end(
        `<a href="/a">/a</a><img src="${inside}/b.png"><a href="//cdn.example/c"><a href=d><form action="/">`,
      );
    });
    const port = await freePort();
    const shipped = readFileSync(
      join(import.meta.dirname, '../../config/examples/application-in-a-folder/applicationHost.config'),
      'utf8',
    );
    await startProxy({
      iis: shipped
        .replaceAll(':443:', `:${port}:`)
        .replaceAll('httpPort="80"', `httpPort="${httpPort}"`)
        .replace('https://Payroll/', 'http://Payroll/'),
      certificates: { all: [host] },
      settings: { hosts: { 'payroll01.contoso.local': '127.0.0.1', 'payroll02.contoso.local': '127.0.0.1' } },
    });
    const get = (path: string) =>
      ask({ protocol, port, host, ca: authority.certPem, path, headers: { 'Accept-Encoding': 'gzip' } });
    const locationOf = async (path: string) => (await get(path)).headers.location;
    expect(await locationOf('/payroll')).toBe('https://www.contoso.com/payroll/');
    expect(await locationOf('/payroll/login')).toBe('https://www.contoso.com/payroll/start?x=/');
    expect(await locationOf('/payroll/bare')).toBe('https://www.contoso.com/payroll/');
    expect(await locationOf('/payroll/away')).toBe('https://login.contoso.com/');
    const page = await get('/payroll/app/page');
    expect(page.headers['set-cookie']).toEqual(['s=1; Path=/payroll/; HttpOnly', 't=2; path=/payroll/app', 'u=3']);
    expect(page.body.toString()).toBe(
      '<a href="/payroll/a">/a</a><img src="/payroll/b.png"><a href="//cdn.example/c"><a href=d><form action="/payroll/">',
    );
    expect(asked).toEqual(['/login plain', '/bare plain', '/away plain', '/app/page plain']);
  },
);

test('a client that leaves while the body is collected takes the request to the server with it', async () => {
  let gone: (() => void) | undefined;
  const left = new Promise<void>((resolve) => {
    gone = resolve;
  });
  let arrived: (() => void) | undefined;
  const asked = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const { port } = await publish('HTTP/2', body(), (_request, response) => {
    response.writeHead(200);
    response.write('secret');
    response.on('close', () => gone?.());
    arrived?.();
  });
  const session = openHttp2({ protocol: 'HTTP/2', port, host, ca: authority.certPem });
  const stream = session.request({ ':authority': host, ':path': '/webmail/' });
  stream.on('error', () => undefined);
  await asked;
  stream.destroy();
  await left;
});

test('a request body that grows too large while the answer is collected: 413, and the connection stays', async () => {
  const begun = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\nsecret';
  const farm = await publishRecorded({
    early: (request) => (targetOf(request) === '/up' ? begun : undefined),
    protocol: 'timeout="00:00:30" responseBufferLimit="64"',
    more: `<rewrite><outboundRules>${body()}</outboundRules></rewrite>`,
    settings: { limits: { bodyBytes: 10 } },
  });
  const [client, other] = [farm.open('plain'), farm.open('plain')];
  const next = `GET /next HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`;
  client.socket.write(`POST /up HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
  await farm.server.until(({ connections }) => connections[0]?.bytes.includes('hello') === true);
  // What the server said before this answer has been read before it.
  other.socket.write(next);
  await other.closed();
  client.socket.write(`14\r\n${'x'.repeat(20)}\r\n`);
  await client.until(/^HTTP\/1\.1 413 [\s\S]*<\/html>\s*$/);
  client.socket.write(`0\r\n\r\n${next}`);
  const { messages } = readAnswers(await client.closed(), true);
  expect(messages.map(statusOf)).toEqual(['413', '200']);
  expect(messages.at(-1)?.body).toBe('/next');
});

test('an interim answer that comes in one piece with an answer that is collected does not wait for that', async () => {
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';
  const begun = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\nsecret';
  const farm = await publishRecorded({
    early: () => hint + begun,
    protocol: 'timeout="00:00:30" responseBufferLimit="64"',
    more: `<rewrite><outboundRules>${body()}</outboundRules></rewrite>`,
  });
  const client = farm.open('plain');
  client.socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  expect(await client.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 103 /);
});
