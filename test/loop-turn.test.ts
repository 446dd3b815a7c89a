/** What is read in the look for ready sockets in which something was written had arrived before; what a later look brings, not. */
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test, vi } from 'vitest';
import { currentTurn, fairTime, isReading, readBegins, readInTurn, resumes } from '../src/loop-turn.ts';

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
    const early = await new Promise<boolean>((resolve) => socket.once('data', () => resolve(readInTurn(written))));
    expect(early).toBe(false);
  }
});

test('what a socket had held back is no read, where it may go on between two looks', async () => {
  const { socket } = await echoed();
  const readings: boolean[] = [];
  const data = () =>
    new Promise<void>((resolve) =>
      socket.once('data', () => {
        readBegins();
        readings.push(isReading());
        resolve();
      }),
    );
  const first = data();
  socket.write('x');
  await first;
  await new Promise((resolve) => setTimeout(resolve, 1));
  readings.push(isReading());
  const second = data();
  socket.pause();
  socket.unshift(Buffer.from('y'));
  resumes();
  socket.resume();
  await second;
  expect(readings).toEqual([true, false, false]);
});

test('of a time in which this thread is held up, half a second counts at most', () => {
  // Stands still, so that nothing but what does not count shows.
  vi.spyOn(performance, 'now').mockReturnValue(1e9);
  const began = process.hrtime.bigint();
  const before = fairTime();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200);
  const leftOut = before - fairTime();
  const passed = Number(process.hrtime.bigint() - began) / 1e6;
  expect(leftOut).toBeGreaterThan(690);
  expect(leftOut).toBeLessThanOrEqual(passed - 500);
});
