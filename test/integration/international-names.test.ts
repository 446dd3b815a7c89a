/** International names over real sockets: whatever letters a client and a file write a name in, it is the same name. */
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { ask, openRaw, type Protocol } from './clients.ts';
import { applicationHost, authority, type Published, startProxy, webFarm } from './environment.ts';
import { httpServer } from './one-farm.ts';
import { freePort } from './ports.ts';

const ASCII = 'xn--bcher-kva.contoso.test';
const SERVER = 'xn--srv-bro-r2a.contoso.test';
const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];

interface Front {
  readonly proxy: Published;
  readonly httpsPort: number;
  readonly httpPort: number;
  readonly arrived: readonly IncomingMessage[];
}

/** Everything in the files is written in letters: bindings, rules, farm, server, settings. */
async function publish(): Promise<Front> {
  const arrived: IncomingMessage[] = [];
  const server = await httpServer((request, response) => {
    arrived.push(request);
    response.end(request.headers.host);
  });
  const httpsPort = await freePort();
  const httpPort = await freePort();
  const rule = (name: string, match: string, action: string, conditions = '') =>
    `<rule name="${name}" stopProcessing="true"><match url="${match}" />${conditions}<action ${action} /></rule>`;
  const onBooks = String.raw`<conditions><add input="{HTTP_HOST}" pattern="^bücher\.contoso\.test(:\d+)?$" /></conditions>`;
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`https *:${httpsPort}:bücher.contoso.test`, `http *:${httpPort}:bücher.contoso.test`, `http *:${httpPort}:*.größe.test`], // biome-ignore format: one line
      farms: webFarm('Bücher-Farm', { servers: [{ address: 'srv-büro.contoso.test', httpPort: server.port }] }),
      rules:
        rule('moved', '^alt/(.*)', 'type="Redirect" url="https://größe.test/maße/{R:1}"', onBooks) +
        rule('computed', '^to/([^/]+)/(.*)', 'type="Redirect" url="https://{R:1}/{R:2}"') +
        rule('direct', '^direct/(.*)', `type="Rewrite" url="http://größe.internal.test:${server.port}/{R:1}"`) +
        rule('allowed', '^via/([^/]+)/(.*)', `type="Rewrite" url="http://{R:1}:${server.port}/{R:2}"`) +
        rule('books', '(.*)', 'type="Rewrite" url="http://bücher-farm/{R:1}"', onBooks),
      more: '<proxy enabled="true" />',
    }),
    certificates: { 'a-default': ['default.test'], books: [ASCII] },
    settings: {
      hosts: {
        'SRV-BÜRO.contoso.test': '127.0.0.1',
        'größe.internal.test': '127.0.0.1',
        'größe.allowed.test': '127.0.0.1',
      },
      upstream: { ca: '../ca.pem', allow: ['GRÖSSE.test', 'Größe.allowed.test'] },
      defaultCertificate: 'default.test',
    },
  });
  return { proxy, httpsPort, httpPort, arrived };
}

async function rawly(port: number, host: string, target = '/x'): Promise<string> {
  const client = openRaw(port);
  client.socket.write(Buffer.from(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, 'utf8'));
  return client.closed();
}

test.each(PROTOCOLS)(
  '%s: the name of a browser reaches the site, its certificate, its rules and its farm',
  async (protocol) => {
    const { httpsPort, arrived } = await publish();
    const asked = { protocol, port: httpsPort, ca: authority.certPem };
    const told = await ask({ ...asked, host: `${ASCII}:${httpsPort}`, servername: ASCII, path: '/seite' });
    expect([told.status, told.certificate]).toEqual([200, `DNS:${ASCII}`]);
    expect(arrived.map(({ url }) => url)).toEqual(['/seite']);
    const moved = await ask({ ...asked, host: ASCII, servername: ASCII.toUpperCase(), path: '/alt/1' });
    expect([moved.status, moved.headers.location]).toEqual([301, 'https://xn--gre-6ka8i.test/ma%C3%9Fe/1']);
    expect(moved.certificate).toBe(`DNS:${ASCII}`);
  },
);

test('HTTP/2: an :authority that is percent-encoded, and one in another letter case', async () => {
  const { httpsPort, arrived } = await publish();
  const asked = { protocol: 'HTTP/2', port: httpsPort, ca: authority.certPem, servername: ASCII } as const;
  const answers = ['b%C3%BCcher.contoso.test', 'XN--Bcher-kva.contoso.test', 'gr%C3%B6%C3%9Fe.contoso.test'];
  const told = await Promise.all(answers.map((host) => ask({ ...asked, host, path: '/2' })));
  expect(told.map(({ status }) => status)).toEqual([200, 200, 400]);
  expect(arrived.map(({ headers }) => headers.host?.toLowerCase())).toEqual([ASCII, ASCII]);
});

test.each([
  ['UTF-8', 'bücher.contoso.test'],
  ['UTF-8 in capitals', 'BÜCHER.Contoso.Test'],
  ['UTF-8 with a port', 'bücher.contoso.test:80'],
  ['decomposed letters', 'bu\u0308cher.contoso.test'],
  ['full-width dots', 'bücher。contoso．test'],
  ['percent-encoded', 'b%C3%BCcher.contoso.test'],
  ['percent-encoded in part', 'b%c3%bccher%2Econtoso.test'],
  ['ASCII in capitals', 'XN--BCHER-KVA.CONTOSO.TEST'],
  ['an ASCII name with full-width dots', 'xn--bcher-kva．contoso｡test'],
])('a Host in %s', async (_, host) => {
  const { httpPort, arrived } = await publish();
  expect(await rawly(httpPort, host)).toMatch(/^HTTP\/1\.1 200 /);
  // Servers are told the host in ASCII, never the bytes that came.
  expect(arrived[0]?.rawHeaders.join('\n')).not.toMatch(/[^\x00-\x7f]|%c3/i);
  expect(arrived[0]?.headers['x-original-url']).toBe('/x');
});

test.each([
  ['letters that are no UTF-8', Buffer.from('b\xfccher.contoso.test', 'latin1')],
  ['a slash of another width', Buffer.from('bücher.contoso.test／x')],
  ['an escaped slash', Buffer.from('b%C3%BCcher.contoso.test%2Fx')],
  ['an escaped colon', Buffer.from('b%C3%BCcher.contoso.test%3A80')],
  ['an escaped NUL', Buffer.from('b%C3%BCcher.contoso.test%00')],
  ['digits of another width', Buffer.from('１２７.0.0.1')],
  ['two ports', Buffer.from('bücher.contoso.test:1:2')],
  ['a port that is none', Buffer.from('bücher.contoso.test:99999')],
  ['broken escapes', Buffer.from('b%C3cher.contoso.test')],
])('a Host with %s is refused', async (_, host) => {
  const { httpPort, arrived } = await publish();
  const client = openRaw(httpPort);
  client.socket.write(Buffer.concat([Buffer.from('GET / HTTP/1.1\r\nHost: '), host, Buffer.from('\r\n\r\n')]));
  expect(await client.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 400 /);
  expect(arrived).toEqual([]);
});

test('the absolute form and Host may write one name in two ways', async () => {
  const { httpPort, arrived } = await publish();
  expect(await rawly(httpPort, ASCII, 'http://b%C3%BCcher.contoso.test/y')).toMatch(/^HTTP\/1\.1 200 /);
  expect(await rawly(httpPort, ASCII, 'http://größe.test/y')).toMatch(/^HTTP\/1\.1 400 /);
  expect(arrived.map(({ url }) => url)).toEqual(['/y']);
});

test('what comes out of a computed host is read as the same name', async () => {
  const { httpPort, arrived } = await publish();
  const location = async (path: string) => /^location: (.*)\r$/im.exec(await rawly(httpPort, ASCII, path))?.[1];
  expect(await location('/to/b%C3%BCcher.test/1')).toBe('https://xn--bcher-kva.test/1');
  expect(await location('/to/B%C3%9CCHER.test:8443/1')).toBe('https://xn--bcher-kva.test:8443/1');
  expect(await rawly(httpPort, ASCII, '/to/b%C3%BC%2525.test/1')).toMatch(/^HTTP\/1\.1 400 /);
  expect(await rawly(httpPort, ASCII, '/via/gr%C3%B6%C3%9Fe.allowed.test/z')).toMatch(/^HTTP\/1\.1 200 /);
  expect(await rawly(httpPort, ASCII, '/via/gr%C3%B6%C3%9Fe.other.test/z')).toMatch(/^HTTP\/1\.1 403 /);
  expect(await rawly(httpPort, ASCII, '/direct/w')).toMatch(/^HTTP\/1\.1 200 /);
  expect(arrived.map(({ url }) => url)).toEqual(['/z', '/w']);
});

test('a wildcard binding takes international names below it', async () => {
  const { httpPort } = await publish();
  expect(await rawly(httpPort, 'ä.größe.test', '/direct/1')).toMatch(/^HTTP\/1\.1 200 /);
  expect(await rawly(httpPort, 'xn--4ca.xn--gre-6ka8i.test', '/direct/1')).toMatch(/^HTTP\/1\.1 200 /);
  expect(await rawly(httpPort, 'größe.test', '/direct/1')).toMatch(/^HTTP\/1\.1 400 /);
});

test('a server is given its name in ASCII where the Host of the client is not kept', async () => {
  const server = await httpServer((request, response) => response.end(request.headers.host));
  const httpPort = await freePort();
  const named = { servers: [{ address: 'srv-büro.contoso.test', httpPort: server.port }] };
  await startProxy({
    iis: applicationHost({
      bindings: [`http *:${httpPort}:`],
      farms:
        webFarm('one', { ...named, protocol: 'preserveHostHeader="false"' }) +
        webFarm('two', {
          servers: [{ ...named.servers[0]!, hostName: 'größe.test' }],
          protocol: 'preserveHostHeader="false"',
        }) +
        webFarm('three', { ...named, protocol: 'preserveHostHeader="false" alternateHostName="bücher.test"' }),
      rules:
        '<rule name="r" stopProcessing="true"><match url="^([^/]+)/" /><action type="Rewrite" url="http://{R:1}/" /></rule>',
    }),
    settings: { hosts: { [SERVER]: '127.0.0.1' } },
  });
  const hostTold = async (farm: string) => (await rawly(httpPort, 'a.test', `/${farm}/`)).split('\r\n\r\n')[1];
  expect(await hostTold('one')).toBe(`${SERVER}:${server.port}`);
  expect(await hostTold('two')).toBe('xn--gre-6ka8i.test');
  expect(await hostTold('three')).toBe('xn--bcher-kva.test');
});
