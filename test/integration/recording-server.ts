/** A server of bare sockets, plain and TLS: keeps the bytes as they arrive, and answers with the bytes it is told to. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';
import { certificateFor } from './environment.ts';
import { type Message, readRequests } from './messages.ts';

export interface RecordedConnection {
  readonly socket: Socket;
  /** Everything that has come, as latin1. */
  readonly bytes: string;
  /** Whole requests, and the part of one that has begun. */
  readonly requests: readonly Message[];
  /** Ended by either side. */
  readonly closed: boolean;
}

export interface RecordingOptions {
  /** Called once for each whole request; what it gives is written. Default: 200 with the target as the body. */
  readonly answer?: (request: Message, connection: RecordedConnection) => string | undefined;
  /** Called once for each request as soon as its head is there. */
  readonly early?: (request: Message, connection: RecordedConnection) => string | undefined;
  /** Called for each new connection. */
  readonly opened?: (connection: RecordedConnection) => void;
  readonly allowHalfOpen?: boolean;
}

export interface RecordingServer {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly connections: readonly RecordedConnection[];
  /** All whole requests of all connections, in the order in which they became whole. */
  readonly requests: readonly Message[];
  /** Resolves when the condition holds; looked at after every event. */
  until(condition: (server: RecordingServer) => boolean): Promise<void>;
  /** Ends the connections and the ports, as a server that goes down. */
  stop(): Promise<void>;
}

/** 200 with this body. */
export function ok(body: string, more = ''): string {
  return `HTTP/1.1 200 OK\r\n${more}Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`;
}

export const echoTarget = (request: Message): string => ok(request.startLine.split(' ')[1] ?? '');

/** @param ports any free ones, or those of a server that comes back */
export async function startRecordingServer(
  options: RecordingOptions = {},
  ports: { readonly http?: number; readonly https?: number } = {},
): Promise<RecordingServer> {
  const connections: RecordedConnection[] = [];
  const requests: Message[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const each of [...waiting]) each();
  };
  const take = (socket: Socket) => {
    const connection = { socket, bytes: '', requests: [] as Message[], closed: false };
    connections.push(connection);
    const read = reader(connection, options, requests);
    socket.on('error', () => undefined); // `close` follows.
    socket.on('data', (chunk: Buffer) => {
      read(chunk.toString('latin1'));
      wake();
    });
    socket.on('close', () => {
      connection.closed = true;
      wake();
    });
    options.opened?.(connection);
    wake();
  };
  const { allowHalfOpen = false } = options;
  const plain = createServer({ noDelay: true, allowHalfOpen }, take);
  const secure = createTlsServer({ ...certificateFor('*.contoso.local'), noDelay: true, allowHalfOpen }, take);
  secure.on('tlsClientError', () => undefined);
  const server: RecordingServer = {
    httpPort: await listen(plain, ports.http ?? 0),
    httpsPort: await listen(secure, ports.https ?? 0),
    connections,
    requests,
    until: (condition) =>
      new Promise((resolve) => {
        const look = () => {
          if (!condition(server)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    async stop() {
      const closed = [plain, secure].map((each) => new Promise<void>((done) => each.close(() => done())));
      for (const { socket } of connections) socket.destroy();
      await Promise.all(closed);
    },
  };
  onTestFinished(() => server.stop());
  return server;
}

function reader(
  connection: { socket: Socket; bytes: string; requests: Message[]; closed: boolean },
  { answer = echoTarget, early }: RecordingOptions,
  all: Message[],
): (text: string) => void {
  let whole = 0;
  let heads = 0;
  let at = 0;
  const write = (bytes: string | undefined) => {
    if (bytes !== undefined && bytes !== '' && connection.socket.writable) connection.socket.write(bytes, 'latin1');
  };
  return (text) => {
    connection.bytes += text;
    const { messages, end } = readRequests(connection.bytes, at);
    at = end;
    connection.requests = [...connection.requests.slice(0, whole), ...messages];
    for (const request of connection.requests.slice(whole)) {
      const index = connection.requests.indexOf(request);
      if (index >= heads && request.head.endsWith('\r\n\r\n')) {
        heads = index + 1;
        write(early?.(request, connection));
      }
      if (!request.whole) continue;
      whole = index + 1;
      all.push(request);
      write(answer(request, connection));
    }
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}
