/** Node's HTTP/1.1 and HTTP/2 servers, bound to no port: sockets are handed to them by the listeners. */
import { createServer as createHttp1Server, type IncomingMessage, type Server } from 'node:http';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type ServerHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Logger } from '../log.ts';
import type { RequestHandler } from './fastify-lane.ts';
import type { ClientConnection } from './request-head.ts';

const CONNECTION = Symbol('the client connection of a socket');

export interface ServerOptions {
  readonly headerBytes: number;
  readonly headerCount: number;
  /** Seconds for the head of a request. */
  readonly headerTimeout: number;
  /** Seconds that a kept connection may be without a request. */
  readonly idleTimeout: number;
  readonly log: Logger;
}

export interface NodeServers {
  http1(socket: Socket, connection: ClientConnection): void;
  http2(socket: TLSSocket, connection: ClientConnection): void;
  /** Connections without a request are closed now, the others behind their last answer. Resolves when all are closed. */
  drain(): Promise<void>;
  /** Ends every connection at once. Gives their number. */
  destroy(): number;
}

/** The connection a request came on; `undefined` when the client is gone already. */
export function connectionOf(request: IncomingMessage | Http2ServerRequest): ClientConnection | undefined {
  return (request.socket as { [CONNECTION]?: ClientConnection } | undefined)?.[CONNECTION];
}

export function createNodeServers(options: ServerOptions, handle: RequestHandler): NodeServers {
  /** Requests under way on each connection. */
  const sockets = new Map<Socket, number>();
  const sessions = new Set<ServerHttp2Session>();
  let emptied: (() => void) | undefined;
  const count = (socket: Socket, change: number) => {
    const left = (sockets.get(socket) ?? 0) + change;
    if (sockets.has(socket)) sockets.set(socket, left);
    // An answer that had begun before the drain said nothing of closing: its connection is idle behind it.
    if (left === 0 && emptied) socket.end();
  };
  const http1 = http1Server(options, (request, response) => {
    const { socket } = request;
    if (socket) {
      count(socket, 1);
      response.once('close', () => count(socket, -1));
    }
    handle(request, response);
  });
  const http2 = http2Server(options, handle, sessions);

  const take = (socket: Socket, connection: ClientConnection) => {
    Object.defineProperty(socket, CONNECTION, { value: connection });
    sockets.set(socket, 0);
    socket.once('close', () => {
      sockets.delete(socket);
      connection.pins.close();
      if (sockets.size === 0) emptied?.();
    });
  };
  return {
    http1(socket, connection) {
      take(socket, connection);
      http1.emit('connection', socket);
    },
    http2(socket, connection) {
      take(socket, connection);
      // Counted as busy for ever: its session ends it.
      sockets.set(socket, 1);
      http2.emit('secureConnection', socket);
    },
    drain() {
      for (const session of sessions) session.close();
      for (const [socket, open] of sockets) if (open === 0) socket.destroy();
      return new Promise((resolve) => {
        emptied = resolve;
        if (sockets.size === 0) resolve();
      });
    },
    destroy() {
      const { size } = sockets;
      for (const socket of sockets.keys()) socket.destroy();
      return size;
    },
  };
}

function http1Server({ headerBytes, headerTimeout, idleTimeout, log }: ServerOptions, handle: RequestHandler): Server {
  const server = createHttp1Server(
    {
      maxHeaderSize: headerBytes,
      headersTimeout: headerTimeout * 1000,
      // An upload may take as long as it moves; each pause in it is bounded where the body is read.
      requestTimeout: 0,
      keepAliveTimeout: idleTimeout * 1000,
      insecureHTTPParser: false,
      // We answer a missing or second Host ourselves, with a page and a log line.
      requireHostHeader: false,
      connectionsCheckingInterval: 1000,
    },
    handle,
  );
  // Node cuts the list off at 2,000 fields in silence, and what follows (Content-Length!) would be unseen. We count.
  server.maxHeadersCount = 0;
  server.timeout = 0;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuse(error, socket, log));
  server.on('connect', (_request, socket) => {
    socket.end('HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  // An unbound server does not start its check for slow heads and idle connections by itself.
  server.emit('listening');
  return server;
}

const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** A message that could not be parsed. What it asked for is not known, so there is no line in the access log. */
function refuse(error: NodeJS.ErrnoException, socket: Socket, log: Logger): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  log.info({ client: socket.remoteAddress, code: error.code }, `request refused: ${error.message}`);
  const status = REFUSALS[error.code ?? ''] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function http2Server(
  { headerBytes, headerCount, idleTimeout, log }: ServerOptions,
  handle: RequestHandler,
  sessions: Set<ServerHttp2Session>,
): Http2SecureServer {
  const server = createSecureServer(
    {
      allowHTTP1: false,
      // Pseudo-header fields are counted too; our own limit is told with a page.
      maxHeaderListPairs: headerCount + 8,
      settings: { maxConcurrentStreams: 100, maxHeaderListSize: headerBytes, initialWindowSize: 256 * 1024 },
    },
    handle,
  );
  server.setTimeout(0);
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(1024 * 1024);
    closeWhenIdle(session, idleTimeout);
    session.on('error', (error) => log.debug(`HTTP/2 session: ${error.message}`));
    session.once('close', () => sessions.delete(session));
  });
  return server;
}

/** A session ends after a time without a stream. Node's own time-out would also count the silence of a long poll. */
function closeWhenIdle(session: ServerHttp2Session, idleTimeout: number): void {
  let open = 0;
  const start = () => setTimeout(() => session.close(), idleTimeout * 1000);
  let timer = start();
  session.on('stream', (stream) => {
    open++;
    clearTimeout(timer);
    stream.once('close', () => {
      open--;
      if (open === 0 && !session.closed) timer = start();
    });
  });
  session.once('close', () => clearTimeout(timer));
}
