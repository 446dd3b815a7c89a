/** Node's HTTP/2 server, bound to no port: sockets are handed to it by the listeners. */
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';
import { codeOf } from '../errors.ts';
import { type Cut, tellCut } from './cut-telling.ts';
import type { Lane } from './lane.ts';
import type { ClientConnection } from './request-head.ts';
import type { Runtime } from './runtime.ts';
import type { SendQueues } from './send-queues.ts';
import { SlowReader } from './slow-reader.ts';
import { resetSocket } from './socket-reset.ts';

const CLIENT = Symbol('the client of a socket');

/** The client at the other end of one connection. */
export interface Http2Client {
  readonly connection: ClientConnection;
  readonly socket: Socket;
  readonly reader: SlowReader;
  /** A stream had something that did not leave when it was last looked at. */
  isWaitedFor: boolean;
}

/** For the GOAWAY of an idle session to be taken. */
const CLOSE_MS = 1000;

export interface SessionOptions {
  readonly headerBytes: number;
  readonly headerCount: number;
  /** Seconds that a kept connection may be without a request. */
  readonly idleTimeout: number;
  /** Seconds between two pieces of a body. */
  readonly bodyTimeout: number;
  readonly sendQueues: SendQueues;
  /** Asked once per request. */
  runtime(): Runtime;
}

export type Http2Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

type Marked = { readonly [CLIENT]?: Http2Client };

/** The client a request came from; `undefined` when it is gone already. */
export function clientOf(request: Http2ServerRequest): Http2Client | undefined {
  return (request.stream.session?.socket as Marked | undefined)?.[CLIENT];
}

export interface Http2Sessions extends Lane {
  /** Looks at the time limits, behind those of the streams. @param now milliseconds of `turnTime` */
  sweep(now: number): void;
}

export function createHttp2Sessions(options: SessionOptions, handle: Http2Handler): Http2Sessions {
  const { headerBytes, headerCount, idleTimeout, bodyTimeout, sendQueues, runtime } = options;
  const tell = (connection: ClientConnection | undefined, cut: Pick<Cut, 'setting' | 'kind' | 'reason'>) =>
    tellCut(runtime(), { ...cut, client: connection?.remoteAddress, listener: connection?.listener ?? '' });
  const clients = new Set<Http2Client>();
  const sessions = new Set<ServerHttp2Session>();
  let emptied: (() => void) | undefined;
  let draining = false;
  const server = createSecureServer(
    {
      allowHTTP1: false,
      // What a server sends twice passes over HTTP/1.1, too.
      strictSingleValueFields: false,
      // Pseudo-header fields are counted too; our own limit is told with a page.
      maxHeaderListPairs: headerCount + 8,
      settings: { maxConcurrentStreams: 100, maxHeaderListSize: headerBytes, initialWindowSize: 256 * 1024 },
    },
    handle,
  );
  // The server is asked before anybody says `100 Continue`.
  server.on('checkContinue', handle);
  server.setTimeout(0);
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(1024 * 1024);
    const connection = (session.socket as Marked)[CLIENT]?.connection;
    closeWhenIdle(session, idleTimeout, () =>
      tell(connection, { setting: 'timeouts.idle', reason: `no other request came within ${idleTimeout} s` }),
    );
    session.on('error', (error) => {
      const reason = `HTTP/2: ${error.message}`;
      // All others are the client's end of it.
      if (codeOf(error).startsWith('ERR_HTTP2_')) tell(connection, { kind: codeOf(error), reason });
      else runtime().log.debug(reason);
    });
    session.once('close', () => sessions.delete(session));
    // Its TLS handshake was under way when the service was told to stop.
    if (draining) session.close();
  });
  return {
    take(socket, connection) {
      const client = { connection, socket, reader: new SlowReader(socket, sendQueues), isWaitedFor: false };
      Object.defineProperty(socket, CLIENT, { value: client });
      clients.add(client);
      socket.once('close', () => {
        clients.delete(client);
        connection.pins.close();
        if (clients.size === 0) emptied?.();
      });
      server.emit('secureConnection', socket);
    },
    async drain() {
      draining = true;
      for (const session of sessions) session.close();
      if (clients.size > 0) await new Promise<void>((resolve) => (emptied = resolve));
    },
    destroy() {
      const { size } = clients;
      for (const { socket } of clients) socket.destroy();
      return size;
    },
    sweep(now) {
      for (const client of clients) {
        const { socket, reader } = client;
        const sending = { pending: client.isWaitedFor ? 1 : 0, given: socket.bytesWritten };
        client.isWaitedFor = false;
        if (!reader.isStalled(sending, now, bodyTimeout)) continue;
        tell(client.connection, {
          setting: 'timeouts.body',
          reason: `the client took nothing of what was sent for ${bodyTimeout} s`,
        });
        resetSocket(socket);
      }
    },
  };
}

/** A session ends after a time without a stream. Node's own time-out would also count the silence of a long poll. */
function closeWhenIdle(session: ServerHttp2Session, idleTimeout: number, tell: () => void): void {
  let open = 0;
  const start = () =>
    setTimeout(() => {
      tell();
      session.close();
      // A head without its end is no stream yet, but would keep the session from closing.
      timer = setTimeout(() => session.destroy(), CLOSE_MS);
    }, idleTimeout * 1000);
  let timer = start();
  session.on('stream', (stream) => {
    open++;
    clearTimeout(timer);
    stream.once('close', () => {
      open--;
      if (open === 0) timer = start();
    });
  });
  session.once('close', () => clearTimeout(timer));
}
