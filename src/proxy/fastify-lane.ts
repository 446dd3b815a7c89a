/**
 * The lane over Fastify and @fastify/http-proxy: HTTP/2, and HTTP/1.1 until it has a lane of its own. The only file that
 * knows these two packages. It translates between Node's requests and an Exchange and does nothing else.
 *
 * Both packages insist on parsing what a client sent (URL, method, Content-Type), and would change or refuse valid
 * requests. So they are given `GET /` without headers, and the true request travels beside it, in its Exchange.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { constants } from 'node:http2';
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { ExchangeError } from '../errors.ts';
import { type BodyLimits, clientBody, unlessEmpty } from './client-body.ts';
import { type Answer, type Exchange, type OwnAnswer, openExchange, type RequestBody } from './exchange.ts';
import { asksForUpgrade, readHead } from './node-request.ts';
import type { ClientConnection, HeaderList, RequestHead } from './request-head.ts';
import type { Runtime } from './runtime.ts';

type NodeRequest = IncomingMessage | Http2ServerRequest;
type NodeResponse = ServerResponse | Http2ServerResponse;

const CALL = Symbol('the exchange of a request');

/** One request under way, carried on Node's request object and on the headers object that reaches `undici`. */
interface Call {
  readonly exchange: Exchange;
  readonly head: RequestHead;
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  readonly limits: BodyLimits;
  answer?: Answer;
  failure?: unknown;
}

export type RequestHandler = (request: NodeRequest, response: NodeResponse) => void;

export interface LaneOptions {
  /** Asked once per request. */
  runtime(): Runtime;
  connectionOf(request: NodeRequest): ClientConnection | undefined;
  /** True from the moment the service stops: HTTP/1.1 connections are then closed behind their answer. */
  draining(): boolean;
}

/** The handler for the `request` events of Node's servers. */
export async function createFastifyLane(options: LaneOptions): Promise<RequestHandler> {
  const app = fastify({ logger: false, trustProxy: false });
  app.setErrorHandler((error, request, reply) => {
    answerFailure(callOf(request.raw), reply, error, options);
  });
  await app.register(httpProxy, {
    // The origin is in the lease; this one is never asked.
    upstream: 'http://farm.invalid',
    undici: { request: askServer } as never,
    httpMethods: ['GET'],
    // Off, all of it: retries (on by default, ten times on 503), its cache of URLs, its own logging.
    retryMethods: [],
    disableCache: true,
    disableRequestLogging: true,
    proxyPayloads: false,
    preHandler: (request, reply, next) => {
      const call = callOf(request.raw);
      const decided = call.exchange.decide();
      if (decided === 'forward') return next();
      reply.hijack();
      if (decided === 'abort') cut(call);
      else writeOwn(call, decided, options);
    },
    replyOptions: {
      rewriteRequestHeaders: (request) => ({ [CALL]: callOf(request.raw) }) as never,
      onResponse: (request, reply) => {
        reply.hijack();
        const call = callOf(request.raw);
        if (call.answer) relay(call, call.answer, options);
      },
      onError: (reply, { error }) => {
        const call = callOf(reply.request.raw);
        answerFailure(call, reply, call.failure ?? error, options);
      },
    },
  });
  await app.ready();
  return (request, response) => {
    const call = openCall(request, response, options);
    if (call === undefined) return;
    // Defined anew, since Node's HTTP/2 request has getters for these.
    Object.defineProperties(request, {
      [CALL]: { value: call },
      url: { value: '/', writable: true },
      method: { value: 'GET' },
      headers: { value: {} },
    });
    app.routing(request as IncomingMessage, response as ServerResponse);
  };
}

/** Reads the head and opens the exchange; a refused head is answered here, and has its log line like any other. */
function openCall(request: NodeRequest, response: NodeResponse, options: LaneOptions): Call | undefined {
  const connection = options.connectionOf(request);
  if (connection === undefined) {
    response.destroy(); // The client closed before its request was looked at.
    return undefined;
  }
  const runtime = options.runtime();
  let head: RequestHead;
  let refusal: unknown;
  try {
    head = readHead(request, connection, runtime.limits);
  } catch (error) {
    refusal = error;
    head = refusedHead(request, connection);
  }
  const exchange = openExchange(runtime, head);
  const limits = { bodyBytes: runtime.limits.bodyBytes, bodyTimeout: runtime.bodyTimeout };
  const call: Call = { exchange, head, request, response, limits };
  response.on('error', () => undefined); // Told by `close`, which follows.
  response.once('close', () => exchange.finish(response.writableFinished));
  if (refusal === undefined) return call;
  writeOwn(call, exchange.failed(refusal), options);
  return undefined;
}

/** What can be said of a request that is refused: enough for its log line. */
function refusedHead(request: NodeRequest, connection: ClientConnection): RequestHead {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    scheme: connection.tls ? 'https' : 'http',
    authority: '',
    headers: [],
    body: 'stream',
    protocol: request.httpVersionMajor === 2 ? 'HTTP/2.0' : 'HTTP/1.1',
    connection,
  };
}

function callOf(request: object): Call {
  const call = (request as { [CALL]?: Call })[CALL];
  if (call === undefined) throw new ExchangeError('internal', 'a request without its exchange');
  return call;
}

/** Stands where http-proxy expects undici: takes the exchange out of the headers and lets it ask. */
function askServer(
  { headers }: { headers: object },
  callback: (error: unknown, response?: { statusCode: number; headers: object; body: unknown }) => void,
): void {
  const call = callOf(headers);
  bodyOf(call)
    .then((body) => call.exchange.forward(body))
    .then(
      (answer) => {
        call.answer = answer;
        callback(null, { statusCode: answer.status, headers: {}, body: answer.body });
      },
      (error: unknown) => {
        call.failure = error;
        callback(error);
      },
    );
}

async function bodyOf({ head, request, exchange, limits }: Call): Promise<RequestBody> {
  if (head.body === 'none' || head.body === 0) return undefined;
  if (limits.bodyBytes !== undefined && typeof head.body === 'number' && head.body > limits.bodyBytes) {
    throw new ExchangeError('bodyTooLarge', `a body of ${head.body} bytes, ${limits.bodyBytes} are taken`);
  }
  const body = clientBody(request, exchange, limits);
  return head.body === 'stream' && (head.method === 'GET' || head.method === 'HEAD') ? unlessEmpty(body) : body;
}

/** AbortRequest: the connection of HTTP/1.1, the stream of HTTP/2, whose neighbours have done nothing. */
function cut({ request, response }: Call): void {
  if ('stream' in response) response.stream.close(constants.NGHTTP2_CANCEL);
  else request.socket?.destroy();
}

function answerFailure(
  call: Call,
  reply: { readonly sent: boolean; hijack(): unknown },
  error: unknown,
  options: LaneOptions,
): void {
  if (!reply.sent) reply.hijack();
  const page = call.exchange.failed(error);
  if (error instanceof ExchangeError && error.kind === 'http11Required' && 'stream' in call.response) {
    call.response.stream.close(constants.NGHTTP2_HTTP_1_1_REQUIRED);
  } else {
    writeOwn(call, page, options);
  }
}

function writeOwn(call: Call, { status, reason, headers, body }: OwnAnswer, options: LaneOptions): void {
  const { response, exchange } = call;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  writeHead(call, { status, reason, headers }, options);
  exchange.countSent(call.head.method === 'HEAD' ? 0 : Buffer.byteLength(body));
  response.end(call.head.method === 'HEAD' ? '' : body);
  // RFC 9113 8.1: the rest of the body is not wanted, and without this the stream would stay open for it.
  if ('stream' in response && !call.request.complete) response.stream.close(constants.NGHTTP2_NO_ERROR);
}

/** The server's answer to the client. When it breaks off, so does the client's: no answer is ended that was not complete. */
function relay(call: Call, answer: Answer, options: LaneOptions): void {
  const { response, exchange } = call;
  try {
    writeHead(call, answer, options);
  } catch (error) {
    answer.body.on('error', () => undefined).destroy();
    writeOwn(call, exchange.failed(new ExchangeError('invalidResponse', String(error))), options);
    return;
  }
  answer.body.on('data', (chunk: Buffer) => exchange.countSent(chunk.length));
  // Not `pipeline`, which hangs more listeners on a response than Node takes for sound.
  const broke = (error: Error) => {
    if (!response.destroyed) exchange.failed(serverBroke(error));
    // With an error, so that HTTP/2 resets the stream and does not end it as if it were whole.
    response.destroy(error);
  };
  // It may have broken off before anyone looked, and says so only once.
  if (answer.body.errored) broke(answer.body.errored);
  else answer.body.once('error', broke);
  response.once('close', () => answer.body.destroy());
  answer.body.pipe(response as ServerResponse);
}

function serverBroke(error: Error): ExchangeError {
  if (error instanceof ExchangeError) return error;
  const timeout = 'code' in error && error.code === 'UND_ERR_BODY_TIMEOUT';
  return new ExchangeError(timeout ? 'serverTimeout' : 'connectionAborted', `the answer broke off: ${error.message}`);
}

function writeHead(
  { request, response, head }: Call,
  { status, reason, headers }: { status: number; reason: string; headers: HeaderList },
  options: LaneOptions,
): void {
  if ('stream' in response) {
    response.writeHead(status, http2Headers(headers));
    return;
  }
  const small = typeof head.body === 'number' && head.body <= DRAINED_BYTES;
  const unread = !request.complete && head.body !== 'none' && !small;
  if (options.draining() || unread || asksForUpgrade(request as IncomingMessage)) response.shouldKeepAlive = false;
  if (reason === '') response.writeHead(status, headers as string[]);
  else response.writeHead(status, reason, headers as string[]);
}

/** The rest of a body that nobody wants is read up to this size to keep the connection; beyond it the connection ends. */
const DRAINED_BYTES = 1024 * 1024;

/** Lower-case names with the values of repeated ones as a list, as Node's HTTP/2 wants them. */
function http2Headers(headers: HeaderList): Record<string, string | string[]> {
  const grouped: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase();
    const value = headers[i + 1] ?? '';
    const earlier = grouped[name];
    grouped[name] = earlier === undefined ? value : [...(Array.isArray(earlier) ? earlier : [earlier]), value];
  }
  return grouped;
}
