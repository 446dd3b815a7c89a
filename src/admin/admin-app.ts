/** The admin listener: health and readiness for everybody, the API for whom the guard lets in. Plain HTTP, on loopback by default. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { StartError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { reasonPhrase } from '../reason-phrase.ts';
import { createLimitedLog, type LimitedLog } from '../telling-limit.ts';
import type { Control } from './control.ts';
import { farmsApi, peerOf, sendProblem } from './farms-api.ts';
import { createGuard } from './guard.ts';
import { PROBLEM_TYPE, type Problem, type ProblemKind, problem } from './problem.ts';

export interface Admin {
  close(): Promise<void>;
}

export interface AdminOptions {
  /** An IP address, or `*`. */
  readonly address: string;
  readonly port: number;
  /** What clients of the API have to know; `undefined`: nothing, but then they must be on this machine. */
  readonly token: string | undefined;
  readonly control: Control;
  readonly log: Logger;
  readonly limits?: AdminLimits;
}

/** Times in milliseconds, sizes in bytes. */
export interface AdminLimits {
  /** Until a head is complete, from the opening of the connection or the first byte on. */
  readonly head: number;
  /** Until a request is complete. */
  readonly request: number;
  /** Without a byte, whatever is awaited: a client that does not read is cut then. */
  readonly silence: number;
  readonly keepAlive: number;
  readonly headSize: number;
  readonly bodySize: number;
  readonly connections: number;
}

const LIMITS: AdminLimits = {
  head: 5000,
  request: 10_000,
  silence: 30_000,
  keepAlive: 10_000,
  headSize: 8192,
  bodySize: 4096,
  connections: 500,
};

/** No name of a farm or server is longer. */
const NAME_LENGTH = 1000;
/** One line of a kind is all that whoever looks for a cause needs. */
const REFUSALS = { most: 1, milliseconds: 10_000 };

/** A route that is open to everybody who reaches the listener. */
const OPEN = { config: { open: true } };

/** @throws StartError where the address cannot be had */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const { address, port, control, log, limits = LIMITS } = options;
  const limitedLog = createLimitedLog(log, REFUSALS);
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    bodyLimit: limits.bodySize,
    connectionTimeout: limits.silence,
    requestTimeout: limits.request,
    keepAliveTimeout: limits.keepAlive,
    http: {
      headersTimeout: limits.head,
      connectionsCheckingInterval: Math.min(1000, limits.head),
      maxHeaderSize: limits.headSize,
    },
    routerOptions: { maxParamLength: NAME_LENGTH },
    frameworkErrors: (error, _request, reply) => sendProblem(withFields(reply), problemOf(error, limitedLog)),
    clientErrorHandler: refuseUnreadable,
  });
  app.removeContentTypeParser('text/plain');
  guard(app, options, limitedLog);
  app.setErrorHandler((error: FastifyError, _request, reply) => sendProblem(reply, problemOf(error, limitedLog)));
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, problem('notFound', 'The API begins at /api/v1/farms.')),
  );
  app.get('/healthz', OPEN, () => ({ status: 'ok' }));
  app.get('/readyz', OPEN, (_request, reply) => {
    const ready = control.ready();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'not ready' });
  });
  farmsApi(app, control);
  makeRoom(app.server, limits.connections);
  try {
    // With `*`, IPv4: not every machine has IPv6.
    await app.listen({ host: address === '*' ? '0.0.0.0' : address, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? `another program uses port ${port}` : message;
    throw new StartError(
      `cannot open the admin listener on ${address}:${port}: ${why}. Choose another with "admin": { "address": … } in settings.json, or false for none.`,
    );
  }
  log.debug({ address, port }, 'admin listener is open');
  return { close: () => app.close() };
}

/** Before every route that is not open, those that do not exist too. */
function guard(app: FastifyInstance, options: AdminOptions, limitedLog: LimitedLog): void {
  const refuse = createGuard(options);
  app.addHook('onRequest', async (request, reply) => {
    withFields(reply);
    const { config } = request.routeOptions;
    if ('open' in config && config.open === true) return;
    const refusal = refuse(request.raw);
    if (refusal === undefined) return;
    const { title } = refusal;
    limitedLog.tell('warn', title, { by: peerOf(request.socket) }, `admin request refused: ${title}`);
    // Nobody waits for the rest of a body that is not wanted.
    reply.header('Connection', 'close');
    if (refusal.status === 401) reply.header('WWW-Authenticate', 'Bearer realm="lychgate"');
    return sendProblem(reply, refusal);
  });
}

/** On every answer: it is of this moment, and what it says it is. */
function withFields(reply: FastifyReply): FastifyReply {
  return reply.header('Cache-Control', 'no-store').header('X-Content-Type-Options', 'nosniff');
}

const BY_CODE: Readonly<Record<string, readonly [ProblemKind, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['bodyTooLarge', 'No request needs more than some kilobytes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['notJson', 'Send JSON, with "Content-Type: application/json".'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['badRequest', 'The body is empty; send at least {}.'],
  FST_ERR_BAD_URL: ['badRequest', 'A name in the path is not percent-encoded as it should be.'],
  FST_ERR_MAX_PARAM_LENGTH: ['notFound', 'No farm or server has a name as long as that in the path.'],
};

function problemOf(error: FastifyError, limitedLog: LimitedLog): Problem {
  const known = BY_CODE[error.code];
  if (known) return problem(...known);
  const { statusCode = 500 } = error;
  if (statusCode < 500) return problem('badRequest', error.message);
  limitedLog.tell('error', `failed ${error.code}`, { err: error }, 'a request to the admin listener failed');
  return problem('internal', 'The service log tells more.');
}

const UNREADABLE: Readonly<Record<string, readonly [ProblemKind, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['tooSlow', 'Send the whole request at once.'],
  HPE_HEADER_OVERFLOW: ['headTooLarge', 'No request needs so large a head.'],
};

/** What Node's parser does not take never reaches a route. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (socket.writable && error.code !== 'ECONNRESET') {
    const told = problem(...(UNREADABLE[error.code ?? ''] ?? ['badRequest', 'This is no HTTP request.']));
    const { status } = told;
    const body = JSON.stringify(told);
    socket.write(
      `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\nContent-Type: ${PROBLEM_TYPE}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroy();
}

/** The oldest connection ends for a new one, so that those who open many and say nothing keep nobody out. */
function makeRoom(server: Server, most: number): void {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size <= most) return;
    const [oldest] = open;
    if (oldest === undefined) return;
    open.delete(oldest);
    oldest.destroy();
  });
}
