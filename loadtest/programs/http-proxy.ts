/**
 * `@fastify/http-proxy` as its documentation shows it, with the duties of the others: access log, X-Forwarded-For,
 * keep-alive to a verified origin. HTTP/1.1 on the first port and HTTP/2 on the second.
 * Arguments: address, ports of HTTP/1.1 and HTTP/2, certificate, key, origin's address, port, name and authority, access log.
 */
import { readFileSync } from 'node:fs';
import httpProxy, { type FastifyHttpProxyOptions } from '@fastify/http-proxy';
import fastify, { type FastifyInstance, type FastifyPluginCallback } from 'fastify';
import { destination, pino } from 'pino';
import { answer } from './answer.ts';

const [address = '', port = '', http2Port = '', cert = '', key = '', ...rest] = process.argv.slice(2);
const [originAddress, originPort, originName = '', authority = '', accessLog = ''] = rest;

const pair = { cert: readFileSync(cert), key: readFileSync(key) };
const log = pino(destination({ dest: accessLog, sync: false, minLength: 4096 }));
/** Longer than any long poll of the run. */
const TIMEOUT = 960_000;

const options: FastifyHttpProxyOptions = {
  upstream: `https://${originAddress}:${originPort}`,
  proxyPayloads: true,
  undici: {
    connections: 16_384,
    pipelining: 1,
    headersTimeout: TIMEOUT,
    bodyTimeout: TIMEOUT,
    connect: { ca: readFileSync(authority), servername: originName },
  },
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      'x-forwarded-for': request.socket.remoteAddress ?? '',
    }),
  },
};

/** The plug-in's types stand for HTTP/1.1 alone; it serves both. */
const plugin = httpProxy as unknown as FastifyPluginCallback<FastifyHttpProxyOptions>;

function publish(app: Pick<FastifyInstance, 'register' | 'addHook' | 'listen'>, at: string): Promise<string> {
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url, ip } = request;
    log.info({ method, url, ip, status: reply.statusCode, time: Math.round(reply.elapsedTime) });
    done();
  });
  app.register(plugin, options);
  // Fastify's types do not know `reusePort`; it hands the options to Node as they are.
  const listener = { host: address, port: Number(at), reusePort: true, backlog: 4096 };
  return app.listen(listener);
}

const common = { bodyLimit: 2 ** 32, keepAliveTimeout: TIMEOUT, requestTimeout: 0 };

answer(async () => {
  await publish(fastify({ ...common, https: pair }) as unknown as FastifyInstance, port);
  await publish(fastify({ ...common, http2: true, https: pair }) as unknown as FastifyInstance, http2Port);
  return 'listening';
});
