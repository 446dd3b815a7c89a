/** Rows H11, H14 to H16, H22, H24 and H25 of the list of threats: framing that smuggles nothing and must still be right. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { openHttp2, openRaw } from './clients.ts';
import { readAnswers, statusOf, targetOf, valuesOf } from './messages.ts';
import { publishFarm, tellCondition } from './one-farm.ts';
import { HOST, publishRecorded, TRANSPORTS } from './recorded-farm.ts';
import { echoTarget, ok, startRecordingServer } from './recording-server.ts';

const head = (line: string, ...fields: string[]) => `${[line, `Host: ${HOST}`, ...fields].join('\r\n')}\r\n\r\n`;
const get = (target: string, ...fields: string[]) => head(`GET ${target} HTTP/1.1`, ...fields);
const LAST = 'Connection: close';
const statuses = (received: string) => readAnswers(received, true).messages.map(statusOf);
const bodies = (received: string) => readAnswers(received, true).messages.map(({ body }) => body);

describe('bytes of values (H11)', () => {
  const high = Array.from({ length: 128 }, (_, i) => String.fromCharCode(0x80 + i)).join('');

  test.each(TRANSPORTS)('0x80 to 0xFF and the tab pass byte for byte in both directions over %s', async (transport) => {
    const farm = await publishRecorded({ answer: () => ok('', `X-Back: a\t${high}z\r\n`) });
    const client = farm.open(transport);
    client.socket.write(Buffer.from(get('/', `X-There: a\t${high}z`, LAST), 'latin1'));
    expect(await client.closed()).toContain(`\r\nX-Back: a\t${high}z\r\n`);
    expect(farm.server.connections[0]?.bytes).toContain(`\r\nX-There: a\t${high}z\r\n`);
  });

  test('every other control character is refused, wherever it stands', async () => {
    const farm = await publishRecorded();
    const controls = [...Array(0x20).keys(), 0x7f]
      .filter((each) => each !== 9)
      .map((each) => String.fromCharCode(each));
    for (const control of controls) {
      for (const bytes of [
        get('/', `X: a${control}b`),
        get('/', `X: ${control}`),
        get('/', `X${control}: b`),
        get(`/${control}`),
      ]) {
        const client = farm.open('plain');
        client.socket.write(Buffer.from(bytes, 'latin1'));
        expect(statuses(await client.closed()), JSON.stringify(bytes)).toEqual(['400']);
      }
    }
    expect(farm.server.connections).toEqual([]);
  });
});

describe('pipelining (H14)', () => {
  test.each(TRANSPORTS)('a long answer, then short ones: in the order of the requests over %s', async (transport) => {
    const long = 'x'.repeat(3_000_000);
    const farm = await publishRecorded({
      answer: (each) => (targetOf(each) === '/long' ? ok(long) : echoTarget(each)),
    });
    const client = farm.open(transport);
    client.socket.write(get('/long') + get('/2') + get('/3') + get('/4', LAST) + get('/never'));
    expect(bodies(await client.closed())).toEqual([long, '/2', '/3', '/4']);
    expect(farm.server.requests.map(targetOf)).toEqual(['/long', '/2', '/3', '/4']);
  });

  test('a second one that comes in single bytes, and a third that is malformed: 400, and nothing behind it', async () => {
    const farm = await publishRecorded();
    const client = farm.open('plain');
    for (const byte of get('/1') + get('/2')) client.socket.write(byte);
    await client.until(/\/2$/);
    client.socket.write(get('/3', 'X : y') + get('/4'));
    expect(statuses(await client.closed())).toEqual(['200', '200', '400']);
    expect(farm.server.requests.map(targetOf)).toEqual(['/1', '/2']);
  });
});

describe('requests without end, and nobody who reads the answers (H14, U08)', () => {
  // As long as its answer, so that both ways are full after as many.
  const REFUSED = `GET / HTTP/1.1\r\nHost: nobody.example\r\nX: ${'y'.repeat(400)}\r\n\r\n`;

  test.each([
    ['answers of our own', REFUSED.repeat(1000), '400'],
    ['answers of a server', get('/', `X: ${'y'.repeat(8000)}`).repeat(20), '200'],
  ])(
    '%s: no more is read than there is room for answers, and all of them come in the end',
    async (_name, bunch, status) => {
      const farm = await publishRecorded({ answer: () => ok('x'.repeat(50_000)) });
      const client = farm.open('plain');
      client.socket.pause();
      let sent = 0;
      let held = false;
      while (!held && sent < 400) {
        sent++;
        held = !client.socket.write(bunch) && (await isHeld(client.socket));
      }
      expect(held).toBe(true);
      client.socket.write(get('/last', LAST));
      client.socket.resume();
      const told = statuses(await client.closed());
      expect(told).toHaveLength(sent * bunch.split('\r\n\r\n').length - sent + 1);
      expect(new Set(told.slice(0, -1))).toEqual(new Set([status]));
    },
  );
});

/** True where nothing of what was written leaves any more: the other side reads nothing. */
async function isHeld(socket: Socket): Promise<boolean> {
  for (let looks = 0; looks < 200; looks++) {
    const before = socket.writableLength;
    await new Promise((resolve) => setImmediate(resolve));
    if (socket.writableLength !== before) return false;
  }
  return true;
}

test('what is malformed behind a complete answer does not cost the client that answer', async () => {
  const long = `${'x'.repeat(3_000_000)}END`;
  const farm = await publishRecorded({ early: () => ok(long) });
  const client = farm.open('plain');
  client.socket.pause();
  client.socket.write(`${head('POST /early HTTP/1.1', 'Transfer-Encoding: chunked')}5\r\nhello\r\n`);
  client.socket.resume();
  await client.until(/END$/);
  client.socket.write('ZZ\r\n');
  expect(bodies(await client.closed())).toEqual([long]);
});

test('a plain client may end its side while the last answer is on its way', async () => {
  const farm = await publishRecorded({ answer: () => ok('x'.repeat(3_000_000)) });
  for (let i = 0; i < 20; i++) {
    const client = farm.open('plain');
    client.socket.write(get('/'));
    await client.until(/x/);
    client.socket.pause();
    // Somewhere between the first and the last of it.
    for (let turns = 0; turns < 10 * i; turns++) await new Promise((resolve) => setImmediate(resolve));
    client.socket.end();
    client.socket.resume();
    expect(bodies(await client.closed())[0]).toHaveLength(3_000_000);
  }
});

describe('a GET that may have a body', () => {
  test.each([
    ['none after all', '0\r\n\r\n', ''],
    ['one', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
  ])('%s: asked for on a connection that is open then', async (_name, rest, body) => {
    const farm = await publishRecorded();
    const client = farm.open('plain');
    client.socket.write(get('/first'));
    await client.until(/\/first$/);
    client.socket.write(get('/second', 'Transfer-Encoding: chunked', LAST));
    const ended = farm.server.until(({ connections }) => connections[0]?.closed === true);
    farm.server.connections[0]?.socket.destroy();
    await ended;
    client.socket.write(rest);
    expect(bodies(await client.closed())).toEqual(['/first', '/second']);
    const second = farm.server.requests.at(-1)!;
    expect(second.body).toBe(body);
    expect(valuesOf(second, 'transfer-encoding')).toEqual(body === '' ? [] : ['chunked']);
  });

  test('refused as soon as it has one: the rest is read, and the next request answered', async () => {
    const farm = await publishFarm({ host: HOST, servers: [await startRecordingServer()] });
    tellCondition(farm, 1, 'Inactive');
    const client = openRaw(farm.httpPort);
    client.socket.write(`${get('/', 'Transfer-Encoding: chunked')}5\r\nhello\r\n`);
    await client.until(/^HTTP\/1\.1 502 [\s\S]*<\/html>/);
    client.socket.write(`5\r\nworld\r\n0\r\n\r\n${get('/', LAST)}`);
    expect(statuses(await client.closed())).toEqual(['502', '502']);
  });
});

test('requests of HTTP/2 with bodies that may come use the connection of the one before', async () => {
  const farm = await publishRecorded();
  const session = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
  for (const [method, body] of [
    ['GET', 'hello'],
    ['POST', 'hello'],
    ['GET', ''],
    ['GET', 'hello'],
  ] as const) {
    const stream = session.request({ ':method': method, ':authority': HOST }, { endStream: false });
    stream.end(body);
    stream.resume();
    await once(stream, 'close');
  }
  expect(farm.server.requests).toHaveLength(4);
  expect(farm.server.connections).toHaveLength(1);
});

describe('Expect: 100-continue (H15)', () => {
  const expecting = (more = '') => head('POST /up HTTP/1.1', 'Content-Length: 5', 'Expect: 100-continue') + more;
  const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

  test.each(TRANSPORTS)('the server is who says it, and the body goes on then, over %s', async (transport) => {
    const farm = await publishRecorded({ early: (each) => (targetOf(each) === '/up' ? CONTINUE : undefined) });
    const client = farm.open(transport);
    client.socket.write(expecting());
    expect(await client.until(/\r\n\r\n$/)).toBe(CONTINUE);
    expect(farm.server.connections[0]?.bytes).toMatch(/\nExpect: 100-continue\r/);
    client.socket.write(`hello${get('/next', LAST)}`);
    expect(statuses(await client.closed())).toEqual(['100', '200', '200']);
    expect(farm.server.requests.map(({ body }) => body)).toEqual(['hello', '']);
  });

  test('so it is with a GET whose body has no declared length, and a client of HTTP/2', async () => {
    const farm = await publishRecorded({ early: () => CONTINUE });
    const client = farm.open('plain');
    client.socket.write(get('/', 'Transfer-Encoding: chunked', 'Expect: 100-continue', LAST));
    expect(await client.until(/\r\n\r\n$/)).toBe(CONTINUE);
    client.socket.write('5\r\nhello\r\n0\r\n\r\n');
    expect(statuses(await client.closed())).toEqual(['100', '200']);
    const session = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
    const stream = session.request(
      { ':method': 'GET', ':authority': HOST, expect: '100-continue' },
      { endStream: false },
    );
    const answered = once(stream, 'response');
    await once(stream, 'continue');
    stream.end('hello');
    expect((await answered)[0][':status']).toBe(200);
    expect(farm.server.requests.map(({ body }) => body)).toEqual(['hello', 'hello']);
  });

  test.each([417, 413, 401])(
    'a server that says %s instead: it is relayed, and the body may still come',
    async (status) => {
      const refusal = `HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`;
      const farm = await publishRecorded({
        early: (each) => (targetOf(each) === '/up' ? refusal : undefined),
        answer: (each) => (targetOf(each) === '/up' ? undefined : echoTarget(each)),
      });
      const client = farm.open('plain');
      client.socket.write(expecting());
      await client.until(/\r\n\r\nno$/);
      client.socket.write(`hello${get('/next', LAST)}`);
      expect(statuses(await client.closed())).toEqual([String(status), '200']);
      expect(farm.server.requests.map(({ body }) => body)).toEqual(['hello', '']);
    },
  );

  test('a body that never comes: 408 at timeouts.body, and the server’s connection ends', async () => {
    const farm = await publishRecorded({ early: () => CONTINUE, settings: { timeouts: { body: 1 } } });
    const client = farm.open('plain');
    client.socket.write(expecting());
    expect(statuses(await client.closed())).toEqual(['100', '408']);
    await farm.server.until(({ connections }) => connections.every(({ closed }) => closed));
    expect(farm.server.requests).toEqual([]);
  });

  test.each([
    ['nothing', undefined],
    ['103 alone', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('a server that says %s: 502.3 with 12002 at its time-out, and the client is not blamed', async (_what, said) => {
    const settings = { timeouts: { body: 0.2 } };
    const silent = { answer: () => undefined, early: () => said };
    const farm = await publishRecorded({ ...silent, protocol: 'timeout="00:00:01"', settings });
    const client = farm.open('plain');
    client.socket.write(expecting());
    await client.until(/^HTTP\/1\.1 502 [\s\S]*502\.3/m);
    expect(farm.proxy.logged.map(({ code, win32 }) => `${code} ${win32}`)).toEqual(['502.3 12002']);
  });

  test('neither HTTP/1.0 nor a request without a body waits for it', async () => {
    const farm = await publishRecorded();
    const client = farm.open('plain');
    client.socket.write(get('/1', 'Expect: 100-continue'));
    await client.until(/\/1$/);
    client.socket.write(head('POST /2 HTTP/1.0', 'Content-Length: 5', 'Expect: 100-continue'));
    client.socket.write('hello');
    expect(statuses(await client.closed())).toEqual(['200', '200']);
    expect(farm.server.connections[0]?.bytes).not.toMatch(/\nExpect/);
  });
});

describe('trailers of answers (H16)', () => {
  const chunked = (trailers: string) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n${trailers}\r\n`;

  test('forbidden names are dropped, others stay', async () => {
    const names = [
      'Content-Length',
      'Host',
      'Authorization',
      'TE',
      'Set-Cookie',
      'Connection',
      'Content_Type',
      'Grpc-Status',
      'X-Sum',
    ];
    const farm = await publishRecorded({
      answer: () =>
        chunked(
          names
            .filter((each) => each !== 'Host')
            .map((each) => `${each}: 1\r\n`)
            .join(''),
        ),
    });
    const client = farm.open('plain');
    client.socket.write(get('/', LAST));
    const { messages } = readAnswers(await client.closed(), true);
    expect(messages.map(({ body, trailers }) => [body, trailers])).toEqual([['hello', ['Grpc-Status: 1', 'X-Sum: 1']]]);
  });

  test.each<[string, string]>([
    ['10,000 of them', 'a: b\r\n'.repeat(10_000)],
    ['one of 100 KB', `a: ${'b'.repeat(100_000)}\r\n`],
  ])('%s: the answer is cut', async (_name, trailers) => {
    const farm = await publishRecorded({ answer: () => chunked(trailers) });
    const client = farm.open('plain');
    client.socket.write(get('/'));
    expect(readAnswers(await client.closed(), true).messages.at(-1)?.whole ?? false).toBe(false);
    await farm.server.until(({ connections }) => connections.every(({ closed }) => closed));
  });
});

test('names of JavaScript are data in cookies, queries and keys of maps (H22)', async () => {
  const farm = await publishRecorded({
    more: '<rewrite><rewriteMaps><rewriteMap name="m" defaultValue="none"><add key="known" value="found" /></rewriteMap></rewriteMaps></rewrite>',
    rules: `<rule name="map" stopProcessing="true"><match url="^map/(.*)" />
      <action type="CustomResponse" statusCode="200" statusReason="OK" statusDescription="{m:{R:1}}" /></rule>`,
  });
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
    const client = farm.open('plain');
    client.socket.write(get(`/map/${name}`) + get(`/q?${name}=1`, `Cookie: ${name}=1`, `${name}: 1`, LAST));
    const received = await client.closed();
    expect(bodies(received)).toEqual(['none', `/q?${name}=1`]);
    expect(valuesOf(farm.server.requests.at(-1) ?? { headers: [] }, name)).toEqual(['1']);
  }
  const client = farm.open('plain');
  client.socket.write(get('/map/known', LAST));
  expect(bodies(await client.closed())).toEqual(['found']);
});

describe.each(TRANSPORTS)('bodies that do not end as they should, over %s (H24)', (transport) => {
  test.each<[string, string, string]>([
    ['fewer bytes than Content-Length', 'Content-Length: 10', 'hello'],
    ['a chunk that is not whole', 'Transfer-Encoding: chunked', 'a\r\nhello'],
    ['no last chunk', 'Transfer-Encoding: chunked', '5\r\nhello\r\n'],
    ['trailers without their end', 'Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\nX: y\r\n'],
  ])('%s, and the client is gone: no whole request, no connection used again', async (_name, field, body) => {
    const farm = await publishRecorded();
    const client = farm.open(transport);
    client.socket.write(head('POST /part HTTP/1.1', field) + body);
    await farm.server.until(({ connections }) => connections[0]?.bytes.includes('hello') === true);
    client.socket.destroy();
    await farm.server.until(({ connections }) => connections[0]?.closed === true);
    expect(farm.server.requests).toEqual([]);
    const next = farm.open(transport);
    next.socket.write(get('/next', LAST));
    expect(bodies(await next.closed())).toEqual(['/next']);
    expect(farm.server.connections).toHaveLength(2);
  });
});

test('a thousand overlapping ranges pass as they are, and so does the answer (H25)', async () => {
  const ranges = `bytes=${Array.from({ length: 1000 }, (_, i) => `${i}-${i + 9}`).join(',')}`;
  const parts =
    'HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=x\r\nContent-Length: 5\r\n\r\n--x--';
  const farm = await publishRecorded({ answer: () => parts });
  const client = farm.open('plain');
  client.socket.write(get('/', `Range: ${ranges}`, 'If-Range: "a"', 'If-Range: "b"', LAST));
  expect(statuses(await client.closed())).toEqual(['206']);
  const [arrived = { headers: [] }] = farm.server.requests;
  expect(valuesOf(arrived, 'range')).toEqual([ranges]);
  expect(valuesOf(arrived, 'if-range')).toEqual(['"a"', '"b"']);
});
