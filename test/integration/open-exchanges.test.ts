/** A complete answer is not the end of an exchange: the server may read on, and both may be silent for the farm's timeout. */
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { openHttp2 } from './clients.ts';
import { HOST, publishRecorded } from './recorded-farm.ts';

const PIECE = 'x'.repeat(0x10000);
/** More than is read of a body that nobody wants. */
const PIECES = 32;
const BODY = { timeouts: { body: 1 } };
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const METHODS = ['RDG_IN_DATA', 'POST', 'PUT', 'PROPFIND', 'GET'];

/** One that answers at once, and reads on. */
const answering = (answer = ANSWER, protocol = 'timeout="00:00:30"') =>
  publishRecorded({ early: () => answer, answer: () => undefined, settings: BODY, protocol });

/** The client's silence before its last piece: longer than `timeouts.body`. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 2500));

describe('HTTP/1.1', () => {
  const inChunks = `${PIECE.length.toString(16)}\r\n${PIECE}\r\n`;

  test.each(METHODS)(
    '%s in chunks, answered at once: all of it reaches the server, behind a long silence too',
    async (method) => {
      const { server, open } = await answering();
      const client = open('TLS');
      client.socket.write(`${method} / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n`);
      await client.until(/\r\n\r\n$/);
      for (let i = 0; i < PIECES; i++) client.socket.write(inChunks);
      if (method === 'RDG_IN_DATA') await pause();
      client.socket.write('0\r\n\r\n');
      await server.until(({ requests }) => requests.length === 1);
      expect(server.requests[0]?.body.length).toBe(PIECES * PIECE.length + 1);
      client.socket.write(`GET /next HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
      await client.until(/200 OK[\s\S]*200 OK[\s\S]*\r\n\r\n$/);
      expect(server.connections).toHaveLength(1);
    },
  );

  test.each(['401 Unauthorized', '413 Too Large', '307 Elsewhere'])(
    '%s to a large length, and the server reads on',
    async (status) => {
      const { server, open } = await answering(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
      const client = open('plain');
      client.socket.write(`PUT / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${PIECES * PIECE.length}\r\n\r\n`);
      expect(await client.until(/\r\n\r\n$/)).not.toContain('close');
      for (let i = 0; i < PIECES; i++) client.socket.write(PIECE);
      await server.until(({ requests }) => requests.length === 1);
      expect(server.requests[0]?.body.length).toBe(PIECES * PIECE.length);
    },
  );

  test('silence in both directions for the timeout of the farm ends it, and is told', async () => {
    const { server, open, proxy } = await answering(ANSWER, 'timeout="00:00:02"');
    const client = open('plain');
    client.socket.write(`RDG_IN_DATA / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n`);
    await client.closed();
    await server.until(({ connections }) => connections[0]?.closed === true);
    expect(proxy.logged).toContainEqual(
      expect.objectContaining({
        msg: expect.stringContaining('neither the client nor the server sent anything for 2 s'),
      }),
    );
  });

  test('a client that is silent while the server still answers is not cut', async () => {
    const { server, open } = await answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    const client = open('plain');
    client.socket.write(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n`);
    await client.until(/a\r\n$/);
    await pause();
    server.connections[0]?.socket.write('1\r\nb\r\n0\r\n\r\n');
    await client.until(/b\r\n0\r\n\r\n$/);
    client.socket.write('0\r\n\r\n');
    await server.until(({ requests }) => requests.length === 1);
  });
});

describe('HTTP/2', () => {
  test.each(['POST', 'PUT', 'RDG_IN_DATA'])(
    '%s, answered at once: all of it reaches the server, behind a long silence too',
    async (method) => {
      const farm = await answering();
      const session = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
      const stream = session.request({ ':method': method, ':authority': HOST, ':path': '/' }, { endStream: false });
      const closed = once(stream, 'close');
      stream.write('a');
      const [headers] = await once(stream, 'response');
      expect(headers[':status']).toBe(200);
      stream.resume();
      for (let i = 0; i < PIECES; i++) stream.write(PIECE);
      if (method === 'POST') await pause();
      stream.end();
      await farm.server.until(({ requests }) => requests.length === 1);
      expect(farm.server.requests[0]?.body.length).toBe(PIECES * PIECE.length + 1);
      await closed;
      expect(stream.rstCode).toBe(0);
    },
  );

  test('the server goes: the stream ends without a fault', async () => {
    const farm = await answering();
    const session = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
    const stream = session.request({ ':method': 'POST', ':authority': HOST, ':path': '/' }, { endStream: false });
    const closed = once(stream, 'close');
    stream.write('a');
    await once(stream, 'response');
    stream.resume();
    farm.server.connections[0]?.socket.destroy();
    await closed;
    expect(stream.rstCode).toBe(0);
  });
});

/** A server that refuses a body by its head, and goes with the rest unread. */
function refusing(status: string) {
  return publishRecorded({
    early(_request, { socket }) {
      socket.pause();
      socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 7\r\nConnection: close\r\n\r\ntoo big`, () =>
        socket.destroy(),
      );
      return undefined;
    },
  });
}

describe.each(['413 Too Large', '401 Who', '302 Elsewhere'])(
  'a write that fails is not the last word: %s',
  (status) => {
    const LENGTH = 8_000_000;

    test.each(['plain', 'TLS'] as const)('HTTP/1.1, %s', async (transport) => {
      const farm = await refusing(status);
      for (let turn = 0; turn < 12; turn++) {
        const client = farm.open(transport);
        client.socket.on('error', () => undefined);
        client.socket.write(`PUT /doc HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${LENGTH}\r\n\r\n`);
        for (let sent = 0; sent < LENGTH / 8; sent += PIECE.length) client.socket.write(PIECE);
        expect(await client.until(/too big$/)).toMatch(new RegExp(`^HTTP/1.1 ${status.slice(0, 3)} `));
        client.socket.destroy();
      }
      expect(farm.proxy.logged.filter(({ code }) => code !== undefined)).toEqual([]);
    });

    test('HTTP/2', async () => {
      const farm = await refusing(status);
      for (let turn = 0; turn < 12; turn++) {
        const session = openHttp2({ protocol: 'HTTP/2', port: farm.httpsPort, host: HOST, ca: farm.ca });
        const stream = session.request({
          ':method': 'PUT',
          ':authority': HOST,
          ':path': '/doc',
          'content-length': LENGTH,
        });
        stream.on('error', () => undefined);
        stream.end(Buffer.alloc(LENGTH));
        const [headers] = await once(stream, 'response');
        expect(headers[':status']).toBe(Number(status.slice(0, 3)));
        session.destroy();
      }
      expect(farm.proxy.logged.filter(({ code }) => code !== undefined)).toEqual([]);
    });
  },
);
