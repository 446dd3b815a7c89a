/** The status line over HTTP/1.1: what we answer ourselves carries its reason, what a server says goes on as it is. */
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openRaw } from './clients.ts';
import { applicationHost, farmRules, startProxy, webFarm } from './environment.ts';
import { freePort } from './ports.ts';

const HOST = 'www.contoso.com';
const rule = (name: string, action: string) =>
  `<rule name="${name}" stopProcessing="true"><match url="^${name}$" /><action ${action} /></rule>`;
const custom = (name: string, status: number, more = '') =>
  rule(name, `type="CustomResponse" statusCode="${status}" statusDescription="of a rule" ${more}`);
const redirect = (type: string) => rule(type, `type="Redirect" url="/new" redirectType="${type}"`);

/** A server that says one status line. */
async function server(line: string): Promise<number> {
  const listening = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(`HTTP/1.1 ${line}\r\nContent-Length: 0\r\n\r\n`));
  });
  onTestFinished(() => void listening.close());
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return (listening.address() as { port: number }).port;
}

async function publish(serverPort: number, rules = '') {
  const port = await freePort();
  const farm = (name: string, more: object) =>
    webFarm(name, { servers: [{ address: 'fe01.contoso.local', httpPort: serverPort, ...more }] });
  await startProxy({
    iis: applicationHost({
      bindings: [`http 127.0.0.1:${port}:${HOST}`],
      farms:
        farm('fe', {}) +
        farm('off', { enabled: false }) +
        webFarm('old', {
          servers: [{ address: 'fe01.contoso.local', httpPort: serverPort }],
          protocol: 'httpVersion="Http10"',
        }),
      rules,
    }),
    settings: { hosts: { 'fe01.contoso.local': '127.0.0.1' }, limits: { headerBytes: 2048, targetBytes: 512 } },
  });
  return async (request: string) => {
    const client = openRaw(port);
    client.socket.write(request);
    const text = await client.until(/\r\n\r\n[\s\S]*(?:<\/html>\s|of a rule$)|Content-Length: 0\r\n[\s\S]*\r\n\r\n/);
    client.socket.destroy();
    const [head = '', body = ''] = text.split('\r\n\r\n');
    return { line: head.split('\r\n')[0], body };
  };
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n${more}\r\n`;
const forward = (name: string, url: string) => rule(name, `type="Rewrite" url="${url}"`);

test('our own answers', async () => {
  const unused = await freePort();
  const asked = await publish(
    unused,
    custom('said', 410, 'statusReason="Gone for good" subStatusCode="7"') +
      custom('unsaid', 410) +
      custom('unknown', 499) +
      custom('renamed', 422) +
      ['Permanent', 'Found', 'SeeOther', 'Temporary'].map(redirect).join('') +
      forward('unreachable', 'http://fe/') +
      forward('nobody', 'http://off/') +
      forward('old', 'http://old/') +
      forward('computed', 'http://{HTTP_X_TO}/'),
  );
  const table: readonly (readonly [request: string, line: string, page?: string])[] = [
    [get('/', 'Host: x\r\n'), '400 Bad Request', '400.601 Bad Request'],
    ['GET / HTTP/1.1\r\nHost: www.fabrikam.com\r\n\r\n', '400 Bad Request', '400 Bad Request'],
    [get('/', 'Bad Name: x\r\n'), '400 Bad Request', '400.601 Bad Request'],
    [get('/computed', 'X-To: 169.254.169.254\r\n'), '403 Forbidden', '403 Forbidden'],
    [get('/nothing'), '404 Not Found', '404 Not Found'],
    [
      `POST /old HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n`,
      '411 Length Required',
      '411 Length Required',
    ],
    [get(`/${'x'.repeat(600)}`), '414 URI Too Long', '414 URI Too Long'],
    [
      get('/', `X: ${'x'.repeat(3000)}\r\n`),
      '431 Request Header Fields Too Large',
      '431 Request Header Fields Too Large',
    ],
    [`TRACE / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`, '501 Not Implemented', '501 Not Implemented'],
    [get('/unreachable'), '502 Bad Gateway', '502.3 Bad Gateway'],
    [get('/nobody'), '502 Bad Gateway', '502.4 Bad Gateway'],
    [`GET / HTTP/2.1\r\nHost: ${HOST}\r\n\r\n`, '505 HTTP Version Not Supported', '505 HTTP Version Not Supported'],
    [get('/said'), '410 Gone for good'],
    [get('/unsaid'), '410 Gone'],
    [get('/unknown'), '499 '],
    [get('/renamed'), '422 Unprocessable Content'],
    [get('/Permanent'), '301 Moved Permanently'],
    [get('/Found'), '302 Found'],
    [get('/SeeOther'), '303 See Other'],
    [get('/Temporary'), '307 Temporary Redirect'],
  ];
  for (const [request, line, page] of table) {
    const told = await asked(request);
    expect(told.line, request.slice(0, 80)).toBe(`HTTP/1.1 ${line}`);
    if (page === undefined) continue;
    expect(told.body).toContain(`<title>${line}</title>`);
    expect(told.body).toContain(`<h1>${page}</h1>`);
    expect(told.body).not.toContain('<p></p>');
  }
});

test.each(['200 Fine', '404 ', '599 Its own', '503 Not now'])('of a server: %j', async (line) => {
  const asked = await publish(await server(line), farmRules('fe', HOST).replace('https://fe', 'http://fe'));
  expect((await asked(get('/'))).line).toBe(`HTTP/1.1 ${line}`);
});
