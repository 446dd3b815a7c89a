/** Answers that are held back (`minResponseBuffer`), and those that go on at once, over both lanes. */
import { describe, expect, test } from 'vitest';
import { ask, openHttp2, openRaw, type Protocol } from './clients.ts';
import { KeptClient } from './kept-client.ts';
import { targetOf } from './messages.ts';
import { HOST, publishRecorded, type RecordedFarm, type RecordedFarmOptions } from './recorded-farm.ts';
import { ok, type RecordedConnection } from './recording-server.ts';

const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];
const KB = 1024;

interface Partial {
  /** What has come of the head and the body. */
  received(): string;
  /** Resolves when it matches. */
  until(pattern: RegExp): Promise<string>;
  leave(): void;
}

/** A request whose answer is looked at as it comes. */
function begin(protocol: Protocol, { httpsPort, ca }: RecordedFarm, path: string): Partial {
  if (protocol === 'HTTP/1.1') {
    const raw = openRaw(httpsPort, { host: HOST, ca });
    raw.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    return { received: raw.received, until: raw.until, leave: () => raw.socket.destroy() };
  }
  const session = openHttp2({ protocol, port: httpsPort, host: HOST, ca });
  const stream = session.request({ ':authority': HOST, ':path': path });
  let received = '';
  const take = (text: string) => {
    received += text;
    stream.emit('looked');
  };
  stream.on('error', () => undefined);
  stream.on('headers', (headers) => take(`${headers[':status']}\n`));
  stream.on('response', (headers) => take(`${headers[':status']}\n`));
  stream.on('data', (bytes: Buffer) => take(bytes.toString('latin1')));
  return {
    received: () => received,
    async until(pattern) {
      while (!pattern.test(received)) await new Promise((resolve) => stream.once('looked', resolve));
      return received;
    },
    leave: () => session.destroy(),
  };
}

const get = (protocol: Protocol, { httpsPort, ca }: RecordedFarm, path = '/') =>
  ask({ protocol, port: httpsPort, host: HOST, ca, path });
const codes = ({ proxy }: RecordedFarm) => proxy.logged.map(({ code, win32 }) => `${code} ${win32}`);

const head = (fields: string) => `HTTP/1.1 200 OK\r\n${fields}\r\n`;
const LONG = head(`Content-Length: ${100 * KB}\r\n`);
const CHUNKED = head('Transfer-Encoding: chunked\r\n');
const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${'c'.repeat(bytes)}\r\n`;

/** `/other` is answered whole; anything else as the test says, and its connection is kept for more. */
async function publish(protocol: string, first: string, more: RecordedFarmOptions = {}) {
  let connection: RecordedConnection | undefined;
  const farm = await publishRecorded({
    ...more,
    protocol,
    answer(request, from) {
      if (targetOf(request) === '/other') return ok('other');
      connection = from;
      return first;
    },
  });
  const begun = () => farm.server.until(() => connection !== undefined);
  return {
    farm,
    begun,
    write: (bytes: string) => connection?.socket.write(bytes, 'latin1'),
    reset: () => connection?.socket.end(),
    closed: () => farm.server.until(() => connection?.closed === true),
  };
}

describe.each(PROTOCOLS)('%s', (protocol) => {
  test('head and body wait until so many KB are there, and then all goes on as it comes', async () => {
    const { farm, begun, write } = await publish('minResponseBuffer="4"', LONG + 'a'.repeat(3 * KB));
    const client = begin(protocol, farm, '/');
    await begun();
    expect((await get(protocol, farm, '/other')).body.toString()).toBe('other');
    expect(client.received()).toBe('');
    write('b'.repeat(KB - 1));
    expect((await get(protocol, farm, '/other')).body.toString()).toBe('other');
    expect(client.received()).toBe('');
    write('c');
    expect(await client.until(/c$/)).toMatch(/200(?: OK|\n)[\s\S]*a{3072}b{1023}c$/);
    write('d');
    await client.until(/cd$/);
  });

  test('an answer that ends before that comes whole', async () => {
    for (const body of ['x', 'y'.repeat(10 * KB)]) {
      const { farm } = await publish('minResponseBuffer="256"', ok(body));
      expect((await get(protocol, farm)).body.toString()).toBe(body);
    }
    const { farm } = await publish('minResponseBuffer="256"', `${CHUNKED}${chunk(KB)}0\r\n\r\n`);
    expect((await get(protocol, farm)).body.toString()).toBe('c'.repeat(KB));
  });

  test('a server that breaks off meanwhile becomes a 502, and one that falls silent as well', async () => {
    const part = LONG + 'a'.repeat(KB);
    const broken = await publish('minResponseBuffer="256"', part);
    const told = get(protocol, broken.farm);
    await broken.begun();
    broken.reset();
    expect([(await told).status, (await told).body.toString().includes('502.3')]).toEqual([502, true]);
    expect(codes(broken.farm)).toEqual(['502.3 12030']);

    const silent = await publish('minResponseBuffer="256" timeout="00:00:01"', part);
    expect((await get(protocol, silent.farm)).status).toBe(502);
    expect(codes(silent.farm)).toEqual(['502.3 12002']);
  });

  test.each([
    ['the attribute is absent', '', LONG],
    ['it is 0', 'minResponseBuffer="0"', LONG],
    [
      'the answer is in chunks, and those are not buffered',
      'minResponseBuffer="256" bufferChunkedResponses="false"',
      CHUNKED,
    ],
    [
      'the answer is a stream of events',
      'minResponseBuffer="256"',
      head('Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n'),
    ],
    ['responseBufferLimit is reached', 'minResponseBuffer="4194303" responseBufferLimit="1"', LONG],
  ])('it goes on at once where %s', async (_name, attributes, start) => {
    const { farm } = await publish(attributes, start + (start === LONG ? 'c'.repeat(KB) : chunk(KB)));
    await begin(protocol, farm, '/').until(/c{1024}/);
  });

  test('chunks are held otherwise', async () => {
    const { farm, begun, reset } = await publish('minResponseBuffer="256"', CHUNKED + chunk(KB));
    const told = get(protocol, farm);
    await begun();
    reset();
    expect((await told).status).toBe(502);
  });

  test('an interim answer goes on, and HEAD is answered', async () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
    const { farm } = await publish('minResponseBuffer="256"', early + LONG);
    expect(await begin(protocol, farm, '/').until(/103/)).not.toContain('200');
    const { httpsPort: port, ca } = farm;
    expect((await ask({ protocol, port, host: HOST, ca, method: 'HEAD' })).status).toBe(200);
  });

  test('what outbound rules make of a body is held as well', async () => {
    const page = '<a href="http://inner/x">x</a>';
    const rules = `<rewrite><outboundRules><rule name="o"><match filterByTags="A" pattern="^http://inner/(.*)" /><action type="Rewrite" value="/{R:1}" /></rule></outboundRules></rewrite>`;
    const start = head(`Content-Type: text/html\r\nContent-Length: ${page.length}\r\n`);
    const whole = await publish('minResponseBuffer="1"', start + page, { more: rules });
    expect((await get(protocol, whole.farm)).body.toString()).toBe('<a href="/x">x</a>');
    const part = await publish('minResponseBuffer="1"', start + page.slice(0, -1), { more: rules });
    const told = get(protocol, part.farm);
    await part.begun();
    part.reset();
    expect((await told).status).toBe(502);
  });

  test('a client that leaves meanwhile is let go, and so is the server', async () => {
    const { farm, begun, closed } = await publish('minResponseBuffer="256"', LONG + 'a'.repeat(KB));
    const client = begin(protocol, farm, '/');
    await begun();
    client.leave();
    await closed();
  });
});

test('a tunnel is not held', async () => {
  const upgraded = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const { farm } = await publish('minResponseBuffer="256"', upgraded);
  const client = new KeptClient({ port: farm.httpPort });
  client.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  await new Promise((resolve) => client.socket.once('data', resolve));
});

test('an answer in single bytes costs no more than its bytes', async () => {
  const { farm, begun, write } = await publish('minResponseBuffer="8"', LONG);
  const client = begin('HTTP/1.1', farm, '/');
  await begun();
  for (let i = 0; i < 8 * KB; i++) write('z');
  expect(await client.until(/z{8192}/)).toMatch(/z$/);
});
