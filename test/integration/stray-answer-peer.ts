/**
 * The thread of a test in which server and client live, so that both can send while the proxy's event loop stands still.
 * The server answers each request with its target; both act on the commands of the test.
 */
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';

export interface PeerData {
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly ca: string;
  readonly host: string;
  /** One number that the test waits on while its event loop stands still: 1 when everything is sent. */
  readonly sent: SharedArrayBuffer;
}

export type PeerCommand =
  | { readonly kind: 'connect'; readonly port: number; readonly tls: boolean }
  | { readonly kind: 'ask'; readonly target: string }
  /** The server sends `answer` unasked, and the client asks for `target`, in this order or the other. */
  | { readonly kind: 'collide'; readonly answer: string; readonly target: string; readonly clientFirst: boolean }
  /** So many clients ask at once, and are answered when all of them have asked: as many connections are kept then. */
  | { readonly kind: 'gather'; readonly port: number; readonly size: number }
  /** All of them send this, and are answered one by one. */
  | { readonly kind: 'rush'; readonly request: string };

export type PeerReport =
  | { readonly kind: 'listening'; readonly httpPort: number; readonly httpsPort: number }
  | { readonly kind: 'answered'; readonly received: string }
  | { readonly kind: 'closed' }
  /** All of the crowd have an answer: its status, and how many have it. */
  | { readonly kind: 'crowd'; readonly statuses: Readonly<Record<string, number>> };

const { certificate, ca, host, sent } = workerData as PeerData;
const report = (each: PeerReport) => parentPort?.postMessage(each);
let last: Socket | undefined;
let client: Socket | undefined;
const crowd: Socket[] = [];
/** Answers that wait for the whole crowd. */
let held: (() => void)[] | undefined;
let answered: Record<string, number> = {};

const serve = (socket: Socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    last = socket;
    const target = bytes.toString('latin1').split(' ')[1] ?? '';
    const answer = () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`);
    if (held === undefined) {
      answer();
      return;
    }
    held.push(answer);
    if (held.length < crowd.length) return;
    const all = held;
    held = undefined;
    for (const each of all) each();
  });
};
const plain = createServer({ noDelay: true }, serve);
const secure = createTlsServer({ ...certificate, noDelay: true }, serve);
plain.listen(0, '127.0.0.1', () =>
  secure.listen(0, '127.0.0.1', () => {
    const port = (each: typeof plain) => (each.address() as { port: number }).port;
    report({ kind: 'listening', httpPort: port(plain), httpsPort: port(secure) });
  }),
);

const write = (socket: Socket | undefined, text: string) =>
  new Promise<void>((resolve) => {
    socket?.write(text, 'latin1', () => resolve());
  });
const ask = (target: string) => write(client, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);

function allSent(): void {
  Atomics.store(new Int32Array(sent), 0, 1);
  Atomics.notify(new Int32Array(sent), 0);
}

function gather({ port, size }: Extract<PeerCommand, { kind: 'gather' }>): void {
  held = [];
  for (let i = 0; i < size; i++) {
    const each = connectTcp(port, '127.0.0.1');
    each.on('error', () => undefined);
    each.on('data', (bytes) => {
      const status = /^HTTP\/1\.1 (\d+)/.exec(bytes.toString('latin1'))?.[1] ?? 'more';
      if (status === 'more') return; // The page behind the head.
      answered[status] = (answered[status] ?? 0) + 1;
      if (Object.values(answered).reduce((sum, count) => sum + count) < size) return;
      report({ kind: 'crowd', statuses: answered });
      answered = {};
    });
    each.write(`GET /gather HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    crowd.push(each);
  }
}

async function rush({ request }: Extract<PeerCommand, { kind: 'rush' }>): Promise<void> {
  await Promise.all(crowd.map((each) => write(each, request)));
  allSent();
}

async function collide({ answer, target, clientFirst }: Extract<PeerCommand, { kind: 'collide' }>): Promise<void> {
  const steps = [() => write(last, answer), () => ask(target)];
  if (clientFirst) steps.reverse();
  for (const step of steps) await step();
  allSent();
}

parentPort?.on('message', (command: PeerCommand) => {
  if (command.kind === 'ask') void ask(command.target);
  else if (command.kind === 'collide') void collide(command);
  else if (command.kind === 'gather') gather(command);
  else if (command.kind === 'rush') void rush(command);
  else {
    client = command.tls
      ? connectTls({ port: command.port, host: '127.0.0.1', servername: host, ca, ALPNProtocols: ['http/1.1'] })
      : connectTcp(command.port, '127.0.0.1');
    client.setNoDelay(true);
    client.on('error', () => undefined);
    client.on('data', (bytes) => report({ kind: 'answered', received: bytes.toString('latin1') }));
    client.on('close', () => report({ kind: 'closed' }));
  }
});
