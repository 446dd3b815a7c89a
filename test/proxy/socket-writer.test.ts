/** What is written arrives as it was when it was given, whatever becomes of its memory, and however slow the reader is. */
import { connect as connectTcp, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SocketWriter } from '../../src/proxy/socket-writer.ts';
import { certificateFor } from '../integration/environment.ts';
import { numbers } from '../random.ts';

const { cert, key } = certificateFor('a');

/** Both ends of a connection. */
async function pair(tls: boolean): Promise<{ near: Socket; far: Socket }> {
  const accepted: ((socket: Socket) => void)[] = [];
  const near = new Promise<Socket>((resolve) => accepted.push(resolve));
  const take = (socket: Socket) => accepted[0]?.(socket);
  const server: Server = tls ? createTlsServer({ cert, key }, take) : createTcpServer(take);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const far = tls ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connectTcp(port, '127.0.0.1');
  far.pause();
  const sockets = { near: await near, far };
  onTestFinished(() => {
    sockets.near.destroy();
    far.destroy();
    server.close();
  });
  return sockets;
}

describe.each([true, false])('TLS: %s', (tls) => {
  test('the memory of a piece may be used again when flush returns', async () => {
    const { near, far } = await pair(tls);
    let goOn: () => void = () => undefined;
    const writer = new SocketWriter(near, { takesAtOnce: tls, drained: () => goOn() });
    const below = numbers(20261125);
    const sent: Buffer[] = [];
    const memory = Buffer.allocUnsafe(64 * 1024);
    let refused = 0;
    const sending = (async () => {
      for (let i = 0; i < 4000; i++) {
        for (let pieces = 1 + below(3); pieces > 0; pieces--) {
          const length = below(4) === 0 ? 16 * 1024 : 1 + below(2000);
          if (below(3) === 0) {
            const text = String.fromCharCode(33 + (i % 90)).repeat(length);
            sent.push(Buffer.from(text, 'latin1'));
            writer.push(text);
          } else {
            const piece = memory.subarray(pieces * 17, pieces * 17 + length).fill(i % 251);
            sent.push(Buffer.from(piece));
            writer.push(piece);
            if (pieces > 1) writer.flush(false);
          }
        }
        const more = writer.flush(below(2) === 0);
        memory.fill(0xee);
        // What the kernel takes at once is done behind this turn: only a full one is still busy then.
        await new Promise((resolve) => setImmediate(resolve));
        if (!more) {
          refused++;
          // Only now the reader takes something, so that every buffer on the way has been full.
          await new Promise<void>((resolve) => {
            goOn = resolve;
            far.resume();
          });
          far.pause();
        }
      }
      writer.end();
    })();
    const received: Buffer[] = [];
    far.on('data', (bytes: Buffer) => received.push(bytes));
    far.pause();
    const ended = new Promise<void>((resolve) => far.on('end', resolve));
    await sending;
    far.resume();
    await ended;
    expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
    expect(refused).toBeGreaterThan(0);
  });

  test('a reader that stops: the sender is told, and what is held stays within the bound', async () => {
    const { near } = await pair(tls);
    const writer = new SocketWriter(near, { takesAtOnce: tls, drained: () => undefined });
    const piece = Buffer.alloc(16 * 1024, 'x');
    let flushes = 0;
    do {
      writer.push(piece);
      flushes++;
      // A turn of the event loop for what the kernel takes.
      if (flushes % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
    } while (writer.flush(true) && flushes < 10_000);
    expect(flushes).toBeLessThan(10_000);
    expect(writer.pending).toBeLessThanOrEqual(256 * 1024);
  });
});

test('a sender that was told to wait hears once that it may go on, although it asked again meanwhile', async () => {
  const written: (() => void)[] = [];
  const socket = { writableLength: 0, write: (_bytes: Buffer, done: () => void) => written.push(done) };
  let drained = 0;
  const writer = new SocketWriter(socket as unknown as Socket, { takesAtOnce: true, drained: () => drained++ });
  const told = [20, 50, 70].map((size) => {
    writer.push(Buffer.alloc(size * 1024));
    return writer.flush(true);
  });
  expect(told).toEqual([true, true, false]);
  written.shift()?.();
  // What was gathered is written now, and there is room, but nobody was told yet.
  await new Promise((resolve) => setImmediate(resolve));
  expect([writer.flush(true), written.length, drained]).toEqual([false, 1, 0]);
  written.shift()?.();
  expect([writer.flush(true), written.length, drained]).toEqual([true, 0, 1]);
});
