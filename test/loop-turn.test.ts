/** What is read in the look for ready sockets in which something was written had arrived before; what a later look brings, not. */
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test, vi } from 'vitest';
import { currentTurn, readBegins, readInTurn, turnTime } from '../src/loop-turn.ts';

const ECHO = `
const { parentPort, workerData } = require('node:worker_threads');
const sent = new Int32Array(workerData);
require('node:net').createServer((socket) => {
  socket.on('data', (bytes) => socket.write(bytes, () => {
    Atomics.add(sent, 0, 1);
    Atomics.notify(sent, 0);
  }));
  socket.on('error', () => undefined);
}).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });
`;

let worker: Worker | undefined;
let socket: Socket | undefined;

afterEach(async () => {
  vi.restoreAllMocks();
  socket?.destroy();
  await worker?.terminate();
});

/** A socket, and how to hold this thread up until as many pieces have been echoed to it, read or not. */
async function echoed(): Promise<{ socket: Socket; arrived: (pieces: number) => void }> {
  const sent = new Int32Array(new SharedArrayBuffer(4));
  worker = new Worker(ECHO, { eval: true, workerData: sent.buffer });
  const port = await new Promise<number>((resolve) => worker?.once('message', resolve));
  socket = connect(port, '127.0.0.1');
  socket.setNoDelay();
  await new Promise<void>((resolve) => socket?.once('connect', resolve));
  const arrived = (pieces: number) => {
    while (Atomics.load(sent, 0) < pieces) Atomics.wait(sent, 0, Atomics.load(sent, 0), 1000);
  };
  return { socket, arrived };
}

test.each<[string, (work: () => void) => void]>([
  ['a timer', (work) => setTimeout(work, 1)],
  ['an immediate', (work) => setImmediate(work)],
  [
    'the end of a connection',
    (work) =>
      connect(1, '127.0.0.1')
        .on('error', () => undefined)
        .once('close', work),
  ],
  ['a refused connection', (work) => connect(1, '127.0.0.1').once('error', work)],
])('the answer to what %s writes, there before the loop looks again, is an answer', async (_who, later) => {
  const { socket, arrived } = await echoed();
  for (let piece = 1; piece <= 20; piece++) {
    let written = -1;
    later(() => {
      written = currentTurn();
      socket.write('x');
      arrived(piece);
    });
    const early = await new Promise<boolean>((resolve) =>
      socket.once('data', () => {
        readBegins();
        resolve(readInTurn(written));
      }),
    );
    expect(early).toBe(false);
  }
});

test('of a time in which this thread is held up, half a second counts at most, whoever asks meanwhile', async () => {
  // Stands still, so that nothing but what does not count shows.
  vi.spyOn(performance, 'now').mockReturnValue(1e9);
  const began = process.hrtime.bigint();
  const before = turnTime();
  for (let i = 0; i < 12; i++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    expect(turnTime()).toBe(before);
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
  const leftOut = before - turnTime();
  const passed = Number(process.hrtime.bigint() - began) / 1e6;
  expect(leftOut).toBeGreaterThan(690);
  expect(leftOut).toBeLessThanOrEqual(passed - 500);
});
