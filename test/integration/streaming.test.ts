import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startFrontEnd } from '../../src/demo/front-end.ts';
import { startOfficeWebApps } from '../../src/demo/office-web-apps.ts';
import { ask, openRaw, type Protocol } from './clients.ts';
import { authority, certificateFor, writeFolder } from './environment.ts';
import { LYNC_NAMES, lyncFolder, OFFICE, publishLync } from './lync.ts';
import { publishFarm, rawServer } from './one-farm.ts';
import { lychgate, peakMemory } from './process.ts';

const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];
const MB = 1024 * 1024;
const host = 'webext.contoso.com';

/** A body that is made as it is read, and its hash. */
function upload(size: number): { body: Readable; sha256: string } {
  const piece = Buffer.alloc(64 * 1024, 'lychgate');
  const hash = createHash('sha256');
  for (let left = size; left > 0; left -= piece.length) hash.update(piece.subarray(0, Math.min(left, piece.length)));
  let left = size;
  const body = new Readable({
    read() {
      if (left === 0) {
        this.push(null);
        return;
      }
      const next = piece.subarray(0, Math.min(left, piece.length));
      left -= next.length;
      this.push(next);
    },
  });
  return { body, sha256: hash.digest('hex') };
}

describe.each(PROTOCOLS)('%s', (protocol) => {
  test.each([
    ['POST', 'with Content-Length', { 'content-length': String(200 * MB) }],
    ['PUT', 'in chunks', {}],
  ])('%s of 200 MB %s streams through in flat memory', async (method, _, headers) => {
    const frontEnd = await startFrontEnd({
      httpPort: 0,
      httpsPort: 0,
      certificate: certificateFor('pool01.contoso.local', ...LYNC_NAMES),
    });
    onTestFinished(() => frontEnd.close());
    const office = await startOfficeWebApps({ httpsPort: 0, certificate: certificateFor(OFFICE) });
    onTestFinished(() => office.close());
    const { folder, ports } = await lyncFolder(frontEnd, office, {
      settings: { workers: 1, log: { level: 'info', access: { format: 'off' } } },
    });
    const service = lychgate(['run', '--config', writeFolder(folder).configDir]);
    await service.prints(/Lychgate serves/);
    const [worker = 0] = service.workers();
    const asked = {
      protocol,
      port: ports.httpsPort,
      host,
      ca: authority.certPem,
      path: '/DataCollabWeb/Upload',
      method,
    };
    const send = async (size: number, more: Record<string, string>) => {
      const { body, sha256 } = upload(size);
      const told = await ask({ ...asked, body, headers: more });
      expect(JSON.parse(told.body.toString())).toMatchObject({ length: size, sha256 });
    };
    // What a worker needs for any large body is there after the first.
    await send(20 * MB, { 'content-length': String(20 * MB) });
    const before = peakMemory(worker);
    await send(200 * MB, headers);
    // Garbage waits for its collector, longer beside other work. A body that is kept shows as a whole one.
    expect(peakMemory(worker) - before).toBeLessThan(120 * MB);
  });

  test('a download of 64 MB arrives whole', async () => {
    const { httpsPort, ca } = await publishLync();
    const told = await ask({ protocol, port: httpsPort, host, ca, path: `/CollabContent/${64 * MB}` });
    expect(told.status).toBe(200);
    expect(told.body.length).toBe(64 * MB);
    expect(told.body.every((byte, i) => byte === i % 251)).toBe(true);
  });

  test('a silent long poll outlives the timers of its neighbours, and is answered when the server is ready', async () => {
    // Everything that could wrongly end it is at its shortest; the farm's own timeout is sixteen minutes.
    const timeouts = { handshake: 1, header: 1, idle: 1, body: 1, connect: 1 };
    const { httpsPort, ca } = await publishLync({ settings: { timeouts } });
    const path = '/ucwa/v1/applications/7/events?ack=1&timeout=4';
    const started = performance.now();
    const told = await ask({ protocol, port: httpsPort, host, ca, path });
    expect(told.status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(3900);
  });

  test('a long poll is cut at a farm timeout of 2 s with 502.3', async () => {
    const { httpsPort, ca, proxy } = await publishLync({ protocol: 'timeout="00:00:02"' });
    const path = '/ucwa/v1/applications/7/events?ack=1&timeout=600';
    const told = await ask({ protocol, port: httpsPort, host, ca, path });
    expect(told.status).toBe(502);
    expect(told.body.toString()).toContain('502.3');
    expect(proxy.logged).toContainEqual(expect.objectContaining({ code: '502.3', win32: 12002 }));
  });

  test('a client that stops in the middle of its body is cut, and the server never sees a whole request', async () => {
    const { httpsPort, ca, frontEnd } = await publishLync({ settings: { timeouts: { body: 1 } } });
    const body = new Readable({ read() {} });
    body.push('hello');
    const headers = { 'content-length': '10' };
    const asked = { protocol, port: httpsPort, host, ca, path: '/DataCollabWeb/Upload', method: 'POST', headers, body };
    const told = await ask(asked).catch((error: Error) => ({ status: error.message }));
    expect([408, expect.stringContaining('reset')]).toContainEqual(told.status);
    const arrived = await frontEnd.requests.arrived(({ method }) => method === 'POST');
    expect(await arrived.ended).toBe('aborted');
  });

  test('a body beyond limits.bodyBytes is refused with 413', async () => {
    const { httpsPort, ca } = await publishLync({ settings: { limits: { bodyBytes: 1000 } } });
    const asked = { protocol, port: httpsPort, host, ca, path: '/DataCollabWeb/Upload', method: 'POST' };
    const told = await ask({ ...asked, headers: { 'content-length': '1001' }, body: Buffer.alloc(1001) });
    expect(told.status).toBe(413);
  });
});

test('a client over TLS that sends a body while it takes a large answer gets all of that', async () => {
  const size = 60 * MB;
  const server = await rawServer((socket) => {
    socket.once('data', () => {
      socket.resume();
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size, 'x'));
    });
  }, true);
  const farm = await publishFarm({ host, servers: [{ httpsPort: server.port }] });
  for (let i = 0; i < 3; i++) {
    const { socket, received, when } = openRaw(farm.httpsPort, farm.tls);
    socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    socket.on('data', () => socket.write('5\r\nhello\r\n'));
    await when((all) => all.length > size);
    expect(received()).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  }
});
