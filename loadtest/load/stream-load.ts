/**
 * HTTP/1.1 load for what autocannon cannot do: a connection per request (it counts no answers then) and very large answers
 * (it keeps each body as text). Counts the bytes of an answer by its Content-Length and looks at nothing else.
 */
import { connect, type TLSSocket } from 'node:tls';
import { LoadtestFailure } from '../failure.ts';
import { CIPHER_SUITE } from '../run-folder.ts';
import { answerLength } from './answer-length.ts';
import { ANSWER_TIMEOUT, type LoadJob, type LoadResult, loadResult } from './load.ts';

/** What is left to do, shared by all connections of a job. */
interface Work {
  left: number;
  readonly times: number[];
}

export async function runStreamLoad(job: LoadJob): Promise<LoadResult> {
  const work: Work = { left: job.amount, times: [] };
  const began = performance.now();
  await Promise.all(Array.from({ length: job.connections }, () => runConnection(job, work)));
  return loadResult(job, work.times, (performance.now() - began) / 1000);
}

async function runConnection(job: LoadJob, work: Work): Promise<void> {
  let socket: TLSSocket | undefined;
  while (work.left > 0) {
    work.left--;
    const began = performance.now();
    try {
      socket ??= open(job);
      if (await succeeds(socket, job)) work.times.push(performance.now() - began);
    } catch {
      // Missing from the times, which is how failures are counted.
      socket?.destroy();
      socket = undefined;
    }
    if (job.reconnect) {
      socket?.destroy();
      socket = undefined;
    }
  }
  socket?.destroy();
}

/** Without a session to resume, so that each handshake is a full one. */
function open({ endpoint: { address, port, host } }: LoadJob): TLSSocket {
  const socket = connect({
    host: address,
    port,
    servername: host,
    rejectUnauthorized: false,
    ciphers: CIPHER_SUITE,
    minVersion: 'TLSv1.3',
  });
  socket.setTimeout(ANSWER_TIMEOUT * 1000, () => socket.destroy(new LoadtestFailure('no answer')));
  // An error may come when nobody reads any more.
  socket.on('error', () => undefined);
  return socket;
}

/** Sends one request and reads its answer; rejects where the connection ends before. */
function succeeds(socket: TLSSocket, { method, path, endpoint }: LoadJob): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let head = '';
    let left = -1;
    let status = 0;
    const done = (act: () => void) => {
      socket.off('data', onData).off('close', onClose);
      act();
    };
    const onClose = () => done(() => reject(new LoadtestFailure('connection closed')));
    const onData = (bytes: Buffer) => {
      left -= bytes.length;
      if (status === 0) {
        head += bytes.toString('latin1');
        const length = answerLength(head);
        if (length === undefined) return;
        status = Number(head.slice(9, 12));
        left = length - head.length;
      }
      if (left <= 0) done(() => resolve(status >= 200 && status < 300 && left === 0));
    };
    socket.on('data', onData).on('close', onClose);
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${endpoint.host}\r\n\r\n`);
  });
}
