/** The body of a client's request on its way to the server: counted, bounded, and not waited for without end. */
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { ExchangeError } from '../errors.ts';
import type { Exchange } from './exchange.ts';

export interface BodyLimits {
  /** Most bytes of a body; `undefined`: any. */
  readonly bodyBytes: number | undefined;
  /** Seconds between two pieces. */
  readonly bodyTimeout: number;
}

/**
 * The pieces of the body as they come; the next one is read only when the server has taken the last, so that a slow
 * server slows its client down. Not the request stream itself, which a failing server connection would destroy, and with
 * it the client's connection before it has its answer.
 */
export async function* clientBody(
  request: IncomingMessage | Http2ServerRequest,
  exchange: Pick<Exchange, 'countReceived'>,
  limits: BodyLimits,
): AsyncGenerator<Buffer> {
  const pieces = request.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
  let total = 0;
  try {
    for (;;) {
      const piece = await within(pieces.next(), limits.bodyTimeout);
      if (piece.done) return;
      const chunk = piece.value as Buffer;
      total += chunk.length;
      exchange.countReceived(chunk.length);
      if (limits.bodyBytes !== undefined && total > limits.bodyBytes) {
        throw new ExchangeError('bodyTooLarge', `a body of more than ${limits.bodyBytes} bytes`);
      }
      yield chunk;
    }
  } finally {
    request.resume(); // Whatever is left is read away, so that the answer can be sent and the connection ended.
  }
}

function within<T>(promise: Promise<T>, seconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new ExchangeError('requestTimeout', `no more of the body came within ${seconds} s`)),
      seconds * 1000,
    );
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * The body, or `undefined` where it turns out empty. For methods that usually have none: a GET of HTTP/2 may end in a
 * later, empty frame, and must not reach an IIS server with `Transfer-Encoding`, which it would refuse.
 */
export async function unlessEmpty(body: AsyncGenerator<Buffer>): Promise<AsyncGenerator<Buffer> | undefined> {
  const first = await body.next();
  if (first.done) return undefined;
  return (async function* () {
    yield first.value;
    yield* body;
  })();
}
