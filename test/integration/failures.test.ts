import { execFileSync } from 'node:child_process';
import type { Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { issueCertificate } from '../../src/tls/issue.ts';
import { ask, openRaw, type Protocol } from './clients.ts';
import {
  applicationHost,
  authority,
  certificateFor,
  farmRules,
  type Published,
  startProxy,
  webFarm,
} from './environment.ts';
import { rawServer as plainServer } from './one-farm.ts';
import { freePort } from './ports.ts';

const host = 'meet.contoso.com';
const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];

interface Front {
  readonly proxy: Published;
  get(protocol: Protocol, path?: string): ReturnType<typeof ask>;
}

/** One farm whose single server is at this port. */
async function publish(
  serverPort: number,
  options: { protocol?: string; settings?: object; address?: string } = {},
): Promise<Front> {
  const port = await freePort();
  const { protocol = 'timeout="00:00:30"', settings, address = 'fe01.contoso.local' } = options;
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`https *:${port}:${host}`],
      farms: webFarm('fe', { servers: [{ address, httpsPort: serverPort }], protocol }),
      rules: farmRules('fe', host),
    }),
    certificates: { all: [host] },
    settings: { hosts: { 'fe01.contoso.local': '127.0.0.1' }, ...settings },
  });
  return { proxy, get: (each, path = '/') => ask({ protocol: each, port, host, ca: authority.certPem, path }) };
}

/** A TLS server that does to each connection what the test says. */
async function rawServer(
  onData: (socket: Socket, request: string) => void,
  certificate = certificateFor('fe01.contoso.local'),
): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTlsServer(certificate, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => onData(socket, chunk.toString('latin1')));
  });
  server.on('tlsClientError', () => undefined);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

const reasons = ({ logged }: Published) => logged.map(({ code, win32, msg }) => ({ code, win32, msg: String(msg) }));

describe.each(PROTOCOLS)('%s', (protocol) => {
  test('a server that says nothing is cut at the farm’s timeout: 502.3 with 12002', async () => {
    const front = await publish(await rawServer(() => undefined), { protocol: 'timeout="00:00:02"' });
    const started = performance.now();
    const told = await front.get(protocol);
    expect(told.status).toBe(502);
    expect(told.body.toString()).toContain('502.3');
    expect(performance.now() - started).toBeGreaterThan(1900);
    expect(reasons(front.proxy)).toContainEqual(expect.objectContaining({ code: '502.3', win32: 12002 }));
  });

  test('a port where nobody listens: 502.3 with 12029', async () => {
    const front = await publish(await freePort());
    expect((await front.get(protocol)).status).toBe(502);
    expect(reasons(front.proxy)).toContainEqual(expect.objectContaining({ code: '502.3', win32: 12029 }));
  });

  test('a name that does not resolve: 502.3 with 12007', async () => {
    const front = await publish(4443, { address: 'nowhere.invalid' });
    expect((await front.get(protocol)).status).toBe(502);
    expect(reasons(front.proxy)).toContainEqual(expect.objectContaining({ code: '502.3', win32: 12007 }));
  });

  test('a server that resets before its answer: 502.3 with 12030', async () => {
    const front = await publish(await rawServer((socket) => socket.destroy()));
    expect((await front.get(protocol)).status).toBe(502);
    expect(reasons(front.proxy)).toContainEqual(expect.objectContaining({ code: '502.3', win32: 12030 }));
  });

  test('an answer that is no HTTP: 502.3 with 12152', async () => {
    const front = await publish(await rawServer((socket) => socket.end('hello there\r\n\r\n')));
    expect((await front.get(protocol)).status).toBe(502);
    expect(reasons(front.proxy)).toContainEqual(expect.objectContaining({ code: '502.3', win32: 12152 }));
  });

  test('a header block beyond maxResponseHeaderSize: 502.3', async () => {
    const big = `HTTP/1.1 200 OK\r\nX-Big: ${'x'.repeat(70_000)}\r\nContent-Length: 0\r\n\r\n`;
    const front = await publish(await rawServer((socket) => socket.write(big)));
    expect((await front.get(protocol)).status).toBe(502);
  });

  test('an answer that breaks off in its body: the client’s is cut, never ended as if it were whole', async () => {
    const port = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this'));
    const front = await publish(port);
    await expect(front.get(protocol)).rejects.toThrow();
    const chunked = await rawServer((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'),
    );
    await expect((await publish(chunked)).get(protocol)).rejects.toThrow();
  });

  test('a 503 is passed on as it is, once: no retries', async () => {
    let requests = 0;
    const port = await rawServer((socket) => {
      requests++;
      socket.write('HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy');
    });
    const told = await (await publish(port)).get(protocol);
    expect([told.status, told.body.toString(), told.headers['retry-after']]).toEqual([503, 'busy', '1']);
    expect(requests).toBe(1);
  });

  test('a farm that is switched off has no server: 502.4', async () => {
    const port = await freePort();
    await startProxy({
      iis: applicationHost({
        bindings: [`https *:${port}:${host}`],
        farms: '<webFarm name="fe" enabled="true"><server address="10.0.0.1" enabled="false" /></webFarm>',
        rules: farmRules('fe', host),
      }),
      certificates: { all: [host] },
    });
    const told = await ask({ protocol, port, host, ca: authority.certPem });
    expect(told.status).toBe(502);
    expect(told.body.toString()).toContain('502.4');
  });

  test('a client that leaves cancels the request at the server', async () => {
    let gone: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => {
      gone = resolve;
    });
    let arrived: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const server = await rawServer((socket) => {
      socket.once('close', gone);
      arrived();
    });
    const port = await freePort();
    await startProxy({
      iis: applicationHost({
        bindings: [`https *:${port}:${host}`],
        farms: webFarm('fe', { servers: [{ address: 'fe01.contoso.local', httpsPort: server }] }),
        rules: farmRules('fe', host),
      }),
      certificates: { all: [host] },
      settings: { hosts: { 'fe01.contoso.local': '127.0.0.1' } },
    });
    const { openRawHttp2 } = await import('./raw-http2.ts');
    const tls = { host, ca: authority.certPem };
    const client = protocol === 'HTTP/2' ? (await openRawHttp2(port, tls)).raw : openRaw(port, tls);
    if (protocol === 'HTTP/2') {
      const { encodeFrame } = await import('./raw-http2.ts');
      const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
      const field = (name: string, value: string) => Buffer.concat([Buffer.from([0]), text(name), text(value)]);
      const block = [
        field(':method', 'GET'),
        field(':scheme', 'https'),
        field(':authority', host),
        field(':path', '/'),
      ];
      client.socket.write(encodeFrame(1, 5, 1, Buffer.concat(block)));
    } else {
      client.socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    }
    await asked;
    client.socket.destroy();
    await closed;
  });
});

describe('certificates of servers are verified (T09)', () => {
  const issue = (names: string[], more: object = {}) => {
    const { certPem, keyPem } = issueCertificate(authority, { names, ...more });
    return { cert: certPem, key: keyPem };
  };
  const answering = (certificate: { cert: string; key: string }) =>
    rawServer((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), certificate);
  const day = 86_400_000;
  const expired = () =>
    issue(['fe01.contoso.local'], { notBefore: new Date(Date.now() - 9 * day), notAfter: new Date(Date.now() - day) });

  test.each<[string, () => { cert: string; key: string }]>([
    ['expired', expired],
    ['another name', () => issue(['elsewhere.contoso.local'])],
    ['a wildcard one level too high', () => issue(['*.local'])],
    ['a wildcard that spans two labels', () => issue(['*.example'])],
    [
      'a name with an ideographic full stop for a dot',
      () => issue([Buffer.from('fe01\u3002contoso.local').toString('latin1')]),
    ],
    ['self-signed', selfSigned],
  ])('%s: 502.3 with 12175 and a reason in the log', async (_name, certificate) => {
    const front = await publish(await answering(certificate()));
    const told = await front.get('HTTP/1.1');
    expect(told.status).toBe(502);
    expect(told.body.toString()).not.toMatch(/certificate|contoso\.local|expired/);
    expect(reasons(front.proxy)).toContainEqual(
      expect.objectContaining({ code: '502.3', win32: 12175, msg: expect.stringMatching(/certificate|expired|self/i) }),
    );
  });

  test('an authority that nobody named, and a port without TLS: the log names the cure', async () => {
    const front = await publish(await answering(selfSigned()));
    expect((await front.get('HTTP/1.1')).status).toBe(502);
    const untrusted = /: self-signed certificate: its authority is none of "upstream": \{ "ca" \} of settings\.json/;
    expect(reasons(front.proxy)).toMatchObject([{ win32: 12175, msg: expect.stringMatching(untrusted) }]);
    const { port } = await plainServer((socket) => socket.end('SSH-2.0-server\r\n'));
    const plain = await publish(port);
    expect((await plain.get('HTTP/1.1')).status).toBe(502);
    const noTls =
      /: TLS: wrong version number, as from a port that does not speak TLS \(ERR_SSL_WRONG_VERSION_NUMBER\)$/;
    expect(reasons(plain.proxy)).toMatchObject([{ win32: 12175, msg: expect.stringMatching(noTls) }]);
  });

  test.each<[string, () => { cert: string; key: string }]>([
    ['the name of the server', () => issue(['fe01.contoso.local'])],
    ['the public name that the rule leads there', () => issue([host])],
    ['a wildcard for it', () => issue(['*.contoso.com'])],
  ])('%s in the certificate will do', async (_name, certificate) => {
    expect((await (await publish(await answering(certificate()))).get('HTTP/1.1')).status).toBe(200);
  });

  test('"chain" leaves out the name, "none" the chain too', async () => {
    const farm = (verify: string) => ({ settings: { farms: { fe: { verify } } } });
    const other = await answering(issue(['elsewhere.contoso.local']));
    expect((await (await publish(other, farm('chain'))).get('HTTP/1.1')).status).toBe(200);
    const own = await answering(selfSigned());
    expect((await (await publish(own, farm('chain'))).get('HTTP/1.1')).status).toBe(502);
    expect((await (await publish(own, farm('none'))).get('HTTP/1.1')).status).toBe(200);
  });

  test('the name a client asks for never counts, and SNI never follows Host', async () => {
    const names: string[] = [];
    const noteName = (name: string, done: (error: null) => void) => {
      names.push(name);
      done(null);
    };
    const certificate = issue(['client-chosen.example']);
    const server = createTlsServer({ ...certificate, SNICallback: noteName }, (socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    server.on('tlsClientError', () => undefined);
    onTestFinished(() => {
      server.close();
    });
    const serverPort = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    const port = await freePort();
    await startProxy({
      iis: applicationHost({
        bindings: [`https *:${port}:`],
        farms: webFarm('fe', { servers: [{ address: 'fe01.contoso.local', httpsPort: serverPort }] }),
        rules: farmRules('fe', '*'),
      }),
      certificates: { all: [host] },
      settings: { hosts: { 'fe01.contoso.local': '127.0.0.1' } },
    });
    const told = await ask({
      protocol: 'HTTP/1.1',
      port,
      host: 'client-chosen.example',
      servername: host,
      ca: authority.certPem,
    });
    expect(told.status).toBe(502);
    expect(names).toEqual(['fe01.contoso.local']);
  });

  test('requests for different hosts share the connections of their farm', async () => {
    let connections = 0;
    const server = createTlsServer(certificateFor('fe01.contoso.local'), (socket) => {
      connections++;
      socket.on('error', () => undefined);
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
      onTestFinished(() => {
        socket.destroy();
      });
    });
    onTestFinished(() => {
      server.close();
    });
    const serverPort = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    const port = await freePort();
    await startProxy({
      iis: applicationHost({
        bindings: [`https *:${port}:`],
        farms: webFarm('fe', { servers: [{ address: 'fe01.contoso.local', httpsPort: serverPort }] }),
        rules: farmRules('fe', '*'),
      }),
      certificates: { all: [host] },
      settings: { hosts: { 'fe01.contoso.local': '127.0.0.1' } },
    });
    for (const name of ['a.example', 'b.example', 'a.example', 'c.example']) {
      expect(
        (await ask({ protocol: 'HTTP/1.1', port, host: name, servername: host, ca: authority.certPem })).status,
      ).toBe(200);
    }
    expect(connections).toBe(1);
  });
});

function selfSigned(): { cert: string; key: string } {
  const made = execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...[
        '-subj',
        '/CN=fe01.contoso.local',
        '-addext',
        'subjectAltName=DNS:fe01.contoso.local',
        '-keyout',
        '-',
        '-out',
        '-',
      ],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  ).toString();
  return { cert: made, key: made };
}

test('a slow head is cut with 408, and a bare connection is not kept for ever', async () => {
  const port = await freePort();
  await startProxy({
    iis: applicationHost({ bindings: [`http *:${port}:${host}`] }),
    settings: { timeouts: { header: 1 } },
  });
  const slow = openRaw(port);
  slow.socket.write('GET / HTTP/1.1\r\nHost: ');
  expect(await slow.closed()).toMatch(/^HTTP\/1\.1 408 /);
});
