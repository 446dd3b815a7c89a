/** Opens many TLS connections, each with one request, and keeps them: idle after the answer, or waiting for it. */
import { connect, type TLSSocket } from 'node:tls';
import { CIPHER_SUITE } from '../run-folder.ts';
import type { Endpoint } from '../wait-ready.ts';
import { answer } from './answer.ts';

export type HoldQuestion =
  /** Opens connections. With `answered` each has its answer before the next one opens; without, none has one. */
  | {
      readonly act: 'open';
      readonly endpoint: Endpoint;
      readonly path: string;
      readonly count: number;
      readonly answered: boolean;
    }
  /** One more request on each open connection. Answered with the number of answers. */
  | { readonly act: 'repeat' }
  /** Waits until each has had its answer or is closed. Answered with the number of answers. */
  | { readonly act: 'await' }
  /** How many are open. */
  | { readonly act: 'count' }
  | { readonly act: 'close' };

interface Held {
  readonly socket: TLSSocket;
  readonly request: string;
  /** Called when an answer has begun, or when there will be none. */
  settle: (answered: boolean) => void;
  answers: number;
  open: boolean;
}

/** Handshakes and requests under way at once. */
const AT_ONCE = 32;
/** Milliseconds that an answer may take once it is due. */
const ANSWER_TIMEOUT = 30_000;
let held: Held[] = [];

answer((question: HoldQuestion) => {
  if (question.act === 'open') return openAll(question);
  if (question.act === 'repeat') return repeatAll();
  if (question.act === 'await') return awaitAll();
  if (question.act === 'count') return held.filter(({ open }) => open).length;
  for (const { socket } of held) socket.destroy();
  held = [];
  return 0;
});

async function openAll(question: HoldQuestion & { act: 'open' }): Promise<number> {
  await spread(question.count, async () => {
    const each = hold(question.endpoint, question.path);
    held.push(each);
    await (question.answered ? nextAnswer(each) : secured(each));
  });
  return held.filter(({ open }) => open).length;
}

async function repeatAll(): Promise<number> {
  let answered = 0;
  await spread(held.length, async (index) => {
    const each = held[index];
    if (!each?.open) return;
    const next = nextAnswer(each);
    each.socket.write(each.request);
    if (await next) answered++;
  });
  return answered;
}

async function awaitAll(): Promise<number> {
  await Promise.all(held.filter(({ open, answers }) => open && answers === 0).map(nextAnswer));
  return held.filter(({ answers }) => answers > 0).length;
}

async function spread(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

function hold({ address, port, host }: Endpoint, path: string): Held {
  const socket = connect({
    host: address,
    port,
    servername: host,
    rejectUnauthorized: false,
    ciphers: CIPHER_SUITE,
    minVersion: 'TLSv1.3',
  });
  const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const each: Held = { socket, request, settle: () => undefined, answers: 0, open: true };
  socket.on('data', (bytes: Buffer) => {
    // An answer is small and comes in one or two pieces; only its first begins like this.
    if (!bytes.toString('latin1', 0, 13).startsWith('HTTP/1.1 200')) return;
    each.answers++;
    each.settle(true);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    each.open = false;
    each.settle(false);
  });
  socket.write(request);
  return each;
}

/** False where the connection closes, or where there is none in time. */
function nextAnswer(each: Held): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ANSWER_TIMEOUT, false);
    each.settle = (answered) => {
      clearTimeout(timer);
      resolve(answered);
    };
  });
}

function secured({ socket }: Held): Promise<void> {
  return new Promise((resolve) => {
    socket.once('secureConnect', resolve);
    socket.once('close', () => resolve());
  });
}
