/**
 * The lane for HTTP/2, over Fastify and @fastify/http-proxy; the only file that knows these two packages.
 *
 * Both insist on parsing what a client sent (URL, method, Content-Type), and would change or refuse valid requests. So they
 * are given `GET /` without headers, and the true request travels beside it, in its Exchange.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { ExchangeError } from '../errors.ts';
import { fairTime, readBegins } from '../loop-turn.ts';
import { Http2Call } from './http2-call.ts';
import { type HeadLimits, readHead } from './http2-request.ts';
import { clientOf, createHttp2Sessions, type SessionOptions } from './http2-sessions.ts';
import type { Lane } from './lane.ts';
import type { ClientConnection, RequestHead } from './request-head.ts';

const CALL = Symbol('the call of a request');

export interface Http2LaneOptions extends SessionOptions {
  readonly targetBytes: number;
}

const SWEEP_MS = 250;

export async function createHttp2Lane(options: Http2LaneOptions): Promise<Lane> {
  const app = await createApp();
  const calls = new Set<Http2Call>();
  const sweeper = setInterval(() => {
    const now = fairTime();
    for (const call of calls) call.sweep(now, options.bodyTimeout);
    sessions.sweep(now);
  }, SWEEP_MS);
  sweeper.unref();
  const sessions = createHttp2Sessions(options, (request, response) => {
    // Node tells of the streams of a session as it reads its socket.
    readBegins();
    const client = clientOf(request);
    if (client === undefined) {
      response.destroy(); // The client closed before its request was looked at.
      return;
    }
    const read = tryHead(request, client.connection, options);
    const call = new Http2Call({ request, response, client }, options.runtime(), read.head, () => calls.delete(call));
    calls.add(call);
    // It is answered here, and has its line in the log like any other.
    if ('fault' in read) {
      call.exchange.refuse(read.fault);
      return;
    }
    // Defined anew, since Node's HTTP/2 request has getters for these.
    Object.defineProperties(request, {
      [CALL]: { value: call },
      url: { value: '/', writable: true },
      method: { value: 'GET' },
      headers: { value: {} },
    });
    app.routing(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  });
  return {
    take: sessions.take,
    destroy: sessions.destroy,
    async drain() {
      await sessions.drain();
      clearInterval(sweeper);
    },
  };
}

async function createApp() {
  const app = fastify({ logger: false, trustProxy: false });
  app.setErrorHandler((error, request, reply) => {
    reply.hijack();
    callOf(request.raw).exchange.refuse(error);
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
      if (callOf(request.raw).exchange.decide()) next();
      else reply.hijack();
    },
    replyOptions: {
      rewriteRequestHeaders: (request) => ({ [CALL]: callOf(request.raw) }) as never,
      onResponse: (request, reply) => {
        reply.hijack();
        callOf(request.raw).begin();
      },
      onError: (reply) => {
        reply.hijack();
        callOf(reply.request.raw).begin();
      },
    },
  });
  await app.ready();
  return app;
}

function tryHead(
  request: Http2ServerRequest,
  connection: ClientConnection,
  limits: HeadLimits,
): { readonly head: RequestHead; readonly fault?: unknown } {
  try {
    return { head: readHead(request, connection, limits) };
  } catch (fault) {
    return { head: refusedHead(request, connection), fault };
  }
}

/** What can be said of a request that is refused: enough for its log line. */
function refusedHead(request: Http2ServerRequest, connection: ClientConnection): RequestHead {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    scheme: connection.tls ? 'https' : 'http',
    authority: '',
    headers: [],
    body: request.stream.endAfterHeaders ? 'none' : 'stream',
    protocol: 'HTTP/2.0',
    upgrade: '',
    expectsContinue: false,
    connection,
  };
}

function callOf(request: object): Http2Call {
  const call = (request as { [CALL]?: Http2Call })[CALL];
  if (call === undefined) throw new ExchangeError('internal', 'a request without its call');
  return call;
}

/** Stands where http-proxy expects undici: takes the call out of the headers and lets it ask. */
function askServer({ headers }: { headers: object }, told: Parameters<Http2Call['forward']>[0]): void {
  callOf(headers).forward(told);
}
