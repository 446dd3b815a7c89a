/** One request of HTTP/2 under way: feeds its exchange, and writes the answer to its stream. */
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { ExchangeError } from '../errors.ts';
import type { HeaderList } from '../header-list.ts';
import { readBegins, turnTime } from '../loop-turn.ts';
import type { AnswerHead, ClientSide, OwnAnswer } from './client-side.ts';
import { Exchange } from './exchange.ts';
import type { Http2Client } from './http2-sessions.ts';
import type { RequestHead } from './request-head.ts';
import type { Runtime } from './runtime.ts';
import { SUSPECT_PART } from './slow-reader.ts';

/** How http-proxy hears of an answer. */
type Told = (error: unknown, response?: { statusCode: number; headers: object; body: unknown }) => void;

export class Http2Call implements ClientSide {
  readonly exchange: Exchange;
  readonly #request: Http2ServerRequest;
  readonly #response: Http2ServerResponse;
  readonly #gone: () => void;
  readonly #method: string;
  readonly #client: Http2Client;
  /** Bytes of the answer that have not left, since when, and what its connection had been given then. */
  #waiting = 0;
  #waitingSince = 0;
  #given = 0;
  #told: Told | undefined;
  /** The body is being read. */
  #reads = false;
  /** What comes of it may have been held back. */
  #wasPaused = false;
  #begin: (() => void) | undefined;
  #begun = false;
  /** We have closed the stream, and the rest of its body does not come. */
  #closedUnread = false;
  /** Milliseconds of `turnTime` at which the client last sent something of the body. */
  #since = turnTime();

  /** @param gone called when its exchange has come to its end */
  constructor(
    {
      request,
      response,
      client,
    }: { readonly request: Http2ServerRequest; readonly response: Http2ServerResponse; readonly client: Http2Client },
    runtime: Runtime,
    head: RequestHead,
    gone: () => void,
  ) {
    this.#gone = gone;
    this.#client = client;
    this.#request = request;
    this.#response = response;
    this.#method = head.method;
    this.exchange = new Exchange(runtime, head, this);
    response.on('error', () => undefined); // Told by `close`, which follows.
    response.on('drain', () => this.exchange.drained());
    const { stream } = response;
    // Not of the response, which says nothing of a HEAD that was reset before it was answered.
    stream.once('close', () => {
      // Node ends the answer of a stream that was reset as if it were whole, too.
      const whole = this.#isWritten && !stream.aborted;
      // And it closes a stream whose last bytes still wait here for a server that is slow.
      if (whole && this.exchange.bodyGoesOn && !request.readableEnded) request.once('end', () => this.#finish(true));
      else this.#finish(whole);
    });
  }

  #finish(whole: boolean): void {
    this.exchange.finish(whole);
    this.#gone();
  }

  /** Asks a server; `told` is called with the head of the answer, `begin` writes it then. */
  forward(told: Told): void {
    this.#told = told;
    this.#reads = true;
    this.#since = turnTime();
    this.#request.on('data', (bytes: Buffer) => {
      this.#read();
      this.#since = turnTime();
      if (this.exchange.takeBody(bytes)) return;
      this.#wasPaused = true;
      this.#request.pause();
    });
    // Node ends the body of a stream that was reset, or closed by us, as if it were whole.
    this.#request.on('end', () => {
      this.#read();
      if (!this.#request.aborted && !this.#closedUnread) this.exchange.endBody(this.#request.rawTrailers);
    });
    this.exchange.forward();
  }

  #read(): void {
    if (!this.#wasPaused) readBegins();
  }

  /** Writes what `told` was called for. */
  begin(): void {
    this.#begun = true;
    this.#begin?.();
  }

  /** @param now milliseconds of `turnTime` */
  sweep(now: number, bodyTimeout: number): void {
    // A window that stays closed holds the server's connection too.
    if (this.#isShut(now, bodyTimeout * 1000)) {
      const reason = `the client left no room for the answer for ${bodyTimeout} s (timeouts.body)`;
      this.exchange.refuse(new ExchangeError('requestTimeout', reason).by('timeouts.body'));
      // Where the answer is our own, and complete, it is not cut yet.
      this.cut();
      return;
    }
    if (!this.#reads || this.#request.readableEnded) return;
    this.exchange.sweepBody(now, { since: this.#since, usual: bodyTimeout, held: this.#request.isPaused() });
  }

  /** The client has left no room for the answer for longer than `limit`; where its connection is full, that is another matter. */
  #isShut(now: number, limit: number): boolean {
    const { writableLength } = this.#response;
    const { socket, reader } = this.#client;
    if (writableLength === 0) {
      this.#waiting = 0;
      return false;
    }
    this.#client.isWaitedFor = true;
    if (writableLength !== this.#waiting) {
      this.#waiting = writableLength;
      this.#waitingSince = now;
      this.#given = socket.bytesWritten;
    }
    const silent = now - this.#waitingSince;
    // Asked ahead of time, since the answer takes its time.
    return silent >= SUSPECT_PART * limit && !reader.isHeldUp(this.#given, now) && silent > limit;
  }

  information(status: number, _reason: string, headers: HeaderList): void {
    if (status === 100) {
      // The client has its time for the body from then on.
      this.#since = turnTime();
      this.#response.writeContinue();
    } else if (!this.#response.headersSent)
      this.#response.stream.additionalHeaders({ ':status': status, ...grouped(headers) });
  }

  answer({ status, headers }: AnswerHead): void {
    this.#tell(null, { statusCode: status, headers: {}, body: undefined }, () =>
      this.#response.writeHead(status, grouped(headers)),
    );
  }

  data(bytes: Buffer): void {
    // The stream keeps what it is given until the client has room for it.
    this.#response.write(Buffer.from(bytes));
  }

  end(trailers: HeaderList): void {
    if (trailers.length > 0) this.#response.addTrailers(grouped(trailers));
    this.#response.end();
    if (!this.exchange.bodyGoesOn) this.#closeUnread();
  }

  flush(): boolean {
    return !this.#response.writableNeedDrain;
  }

  respond(own: OwnAnswer, failure: ExchangeError | undefined): void {
    const write = () => {
      if (failure?.kind === 'http11Required') this.#response.stream.close(constants.NGHTTP2_HTTP_1_1_REQUIRED);
      else this.#writeOwn(own);
    };
    this.#tell(failure ?? new ExchangeError('internal', 'an answer of our own'), undefined, write);
  }

  /** Node ends the side of a stream that answers HEAD before there is an answer. */
  get #isWritten(): boolean {
    return this.#response.headersSent && this.#response.writableFinished;
  }

  /** The stream alone: its neighbours have done nothing. */
  cut(): void {
    const { stream, headersSent } = this.#response;
    if (this.#isWritten) this.#closeUnread();
    else stream.close(headersSent ? constants.NGHTTP2_INTERNAL_ERROR : constants.NGHTTP2_CANCEL);
  }

  resumeBody(): void {
    this.#since = turnTime();
    this.#request.resume();
  }

  dropBody(): void {
    this.#closeUnread();
    this.#request.resume();
  }

  /** Through http-proxy where it is waiting, else at once. */
  #tell(error: unknown, response: Parameters<Told>[1], begin: () => void): void {
    const told = this.#told;
    this.#told = undefined;
    if (told === undefined) {
      begin();
      return;
    }
    this.#begin = begin;
    told(error, response);
    // What follows is data, and must find the head written.
    if (!this.#begun) throw new ExchangeError('internal', 'http-proxy did not take the answer at once');
  }

  #writeOwn({ status, headers, body }: OwnAnswer): void {
    this.#response.writeHead(status, grouped(headers));
    this.#response.end(this.#method === 'HEAD' ? '' : body);
    this.#closeUnread();
  }

  /** RFC 9113 8.1: the rest of the body is not wanted, and without this the stream would stay open for it. */
  #closeUnread(): void {
    // Where there was no body Node may not have noticed its end yet, and would reset the stream before the answer to HEAD.
    if (this.#request.stream.endAfterHeaders || this.#request.complete) return;
    this.#closedUnread = true;
    this.#response.stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

/** Lower-case names with the values of repeated ones as a list, as Node's HTTP/2 wants them. */
function grouped(headers: HeaderList): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase();
    const value = headers[i + 1] ?? '';
    const earlier = fields[name];
    fields[name] = earlier === undefined ? value : [...(Array.isArray(earlier) ? earlier : [earlier]), value];
  }
  return fields;
}
