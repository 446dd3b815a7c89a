/**
 * One client connection of HTTP/1.1: reads requests one after the other, feeds each to an exchange, and writes its answer.
 * Nothing of a message is waited for as a whole: what one read brings goes on before the next one.
 */
import type { Socket } from 'node:net';
import { ExchangeError } from '../errors.ts';
import type { HeaderList } from '../header-list.ts';
import { BodyReader } from '../http1/body-reader.ts';
import { encodeEnd } from '../http1/chunked-encoder.ts';
import { HeadReader } from '../http1/head-reader.ts';
import { responseHead } from '../http1/head-writer.ts';
import { parseRequest, type RequestMessage } from '../http1/request-message.ts';
import { inNextShare } from '../loop-share.ts';
import { readBegins, turnTime } from '../loop-turn.ts';
import type { AnswerHead, ClientSide, OwnAnswer } from './client-side.ts';
import { type Cut, tellCut } from './cut-telling.ts';
import { Exchange } from './exchange.ts';
import { currentHttpDate } from './http-date.ts';
import { clientFault, headOfMessage } from './http1-request.ts';
import type { ClientConnection, RequestHead } from './request-head.ts';
import type { Runtime } from './runtime.ts';
import type { SendQueues } from './send-queues.ts';
import { SlowReader } from './slow-reader.ts';
import { resetSocket } from './socket-reset.ts';
import { SocketWriter } from './socket-writer.ts';

/** Times in seconds, sizes in bytes. */
export interface Http1Options {
  /** Asked once per request. */
  runtime(): Runtime;
  /** True from the moment the service stops: connections are then closed behind their answer. */
  draining(): boolean;
  readonly sendQueues: SendQueues;
  readonly limits: {
    readonly headerBytes: number;
    readonly headerCount: number;
    readonly targetBytes: number;
    readonly trailerBytes: number;
  };
  readonly timeouts: { readonly header: number; readonly idle: number; readonly body: number };
}

/**
 * `head`: between requests, or reading a head. `exchange`: a request is under way. `tunnel`: after 101. `lingering`: the
 * last answer is on its way, and what the client still sends is thrown away, since a reset could cost it that answer.
 */
type Phase = 'head' | 'exchange' | 'tunnel' | 'lingering' | 'closed';

/** The rest of a body that nobody wants is read up to this size to keep the connection; beyond it the connection ends. */
const DRAINED_BYTES = 1024 * 1024;
const UNWANTED = 'more than 1 MiB came behind an answer, of a body that nobody wants';
const LINGER_MS = 5000;
const FORGET_SECONDS = 5;
/** Requests that are answered while they are read: more of a client's wait until others have had their turn. */
const MOST_AT_ONCE = 64;
/** A whole TLS record: behind it there is most often another. */
const BULK_BYTES = 16 * 1024;

export class Http1Connection implements ClientSide {
  readonly #socket: Socket;
  readonly #writer: SocketWriter;
  readonly #connection: ClientConnection;
  readonly #options: Http1Options;
  readonly #head: HeadReader;
  readonly #body: BodyReader;
  #phase: Phase = 'head';
  #exchange: Exchange | undefined;
  #request: RequestHead | undefined;
  /** Most clients send the same header block again and again, which is then not read anew. */
  #earlier: RequestMessage | undefined;
  #requestComplete = true;
  /** A server is to be asked once all is looked at that has come of the request. */
  #toAsk = false;
  /** Bytes of a body that came after its answer. */
  #drained = 0;
  #keepAlive = true;
  #chunked = false;
  /** The last piece of a large body has come, and the next one is likely to be there already. */
  #bulk = false;
  /** A request that waits for the answer to the one before it. */
  #rest: Buffer | undefined;
  /** A plain client has ended its side, and may have asked more than it has answers to. */
  #askedAll = false;
  #reading = false;
  #paused = false;
  /** What was held back while it was paused comes now, whether or not sockets are being read. */
  #flushing = false;
  #served = 0;
  /** Milliseconds of `turnTime`: when the phase began, or when the client last sent something in it. */
  #since = turnTime();
  readonly #reader: SlowReader;

  constructor(socket: Socket, connection: ClientConnection, options: Http1Options) {
    this.#socket = socket;
    this.#writer = new SocketWriter(socket, {
      takesAtOnce: connection.tls !== undefined,
      drained: () => {
        if (this.#exchange) this.#exchange.drained();
        else if (this.#phase === 'head') this.#takeRest();
      },
    });
    this.#connection = connection;
    this.#options = options;
    this.#reader = new SlowReader(socket, options.sendQueues);
    this.#head = new HeadReader({ limit: options.limits.headerBytes, startLine: true });
    this.#body = new BodyReader(options.limits);
    // A client may end its side and still wait for what it has asked; the sides of a tunnel end one by one.
    socket.allowHalfOpen = true;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('end', () => this.#ended());
    socket.once('close', () => this.#closed());
  }

  /** Ends it now where it is idle, else behind the answer that is under way. */
  drain(): void {
    if (this.#phase !== 'head' || this.#head.begun) this.#keepAlive = false;
    else if (this.#writer.pending > 0) this.#linger();
    else this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Looks at the time limits. @param now milliseconds of `turnTime` */
  sweep(now: number): void {
    const { header, idle, body } = this.#options.timeouts;
    const seconds = (now - this.#since) / 1000;
    if (this.#reader.isStalled(this.#writer, now, body)) this.#reset(body);
    else if (this.#phase === 'lingering') {
      if (this.#reader.isSending(this.#writer)) this.#since = now;
      else if (now - this.#since > LINGER_MS) {
        this.#cutFor({
          kind: 'linger',
          reason: `the client did not end its side within ${LINGER_MS / 1000} s of its last answer`,
        });
      }
    } else if (this.#phase === 'head') {
      if (this.#head.begun) {
        if (seconds > header)
          this.#refuse(
            new ExchangeError('requestTimeout', `no whole head within ${header} s (timeouts.header)`).by(
              'timeouts.header',
            ),
            {},
          );
      } else if (this.#reader.isSending(this.#writer)) {
        // The last answer is on its way, and the client takes it.
        this.#since = now;
      } else {
        if (seconds > FORGET_SECONDS) this.#forget();
        if (this.#served === 0) {
          if (seconds > header)
            this.#cutFor({ setting: 'timeouts.header', reason: `no request came within ${header} s` });
        } else if (seconds > idle) {
          this.#cutFor({ setting: 'timeouts.idle', reason: `no other request came within ${idle} s` });
        }
      }
    } else if (this.#phase === 'exchange' && !this.#requestComplete) {
      if (!this.#exchange?.answerComplete || this.#exchange.bodyGoesOn)
        this.#exchange?.sweepBody(now, { since: this.#since, usual: body, held: this.#paused });
      else if (seconds > body) {
        const reason = `behind its answer, no more of the body of a request came within ${body} s`;
        this.#cutFor({ setting: 'timeouts.body', reason });
      }
    }
  }

  /** What was written is not kept for a client that does not take it. */
  #reset(timeout: number): void {
    const reason = `the client took nothing of what was sent for ${timeout} s`;
    resetSocket(this.#socket);
    if (this.#exchange)
      this.#exchange.refuse(new ExchangeError('requestTimeout', `${reason} (timeouts.body)`).by('timeouts.body'));
    else this.#tellCut({ setting: 'timeouts.body', reason });
  }

  #cutFor(cut: Pick<Cut, 'setting' | 'kind' | 'reason'>): void {
    this.#tellCut(cut);
    this.#socket.destroy();
  }

  #tellCut(cut: Pick<Cut, 'setting' | 'kind' | 'reason'>): void {
    const { remoteAddress: client, listener } = this.#connection;
    tellCut(this.#options.runtime(), { ...cut, client, listener });
  }

  // ---- from the client ---------------------------------------------------------------------------------------------

  #read(bytes: Buffer): void {
    if (!this.#flushing) readBegins();
    if (this.#phase === 'tunnel') {
      if (this.#exchange?.takeTunnel(bytes) === false) this.#pause();
    } else if (this.#phase === 'lingering') {
      this.#drained += bytes.length;
      if (this.#drained > DRAINED_BYTES) this.#cutFor({ kind: 'drained', reason: UNWANTED });
    } else if (this.#rest) {
      this.#rest = Buffer.concat([this.#rest, bytes]);
    } else {
      // Between two requests the time runs from the end of the last one; in a head, from its first byte.
      if (this.#phase === 'exchange' || !this.#head.begun) this.#since = turnTime();
      this.#consume(bytes);
    }
  }

  #consume(bytes: Buffer): void {
    this.#reading = true;
    let at = 0;
    let start = 0;
    let begun = 0;
    try {
      while (at < bytes.length && !this.#isOver()) {
        if (this.#phase === 'head') {
          // A client that asks and asks, and does not read the answers, is not listened to either.
          if (this.#writer.isFull && !this.flush()) {
            this.#keep(bytes, at);
            break;
          }
          if (begun === MOST_AT_ONCE) {
            this.#keep(bytes, at);
            inNextShare(this.#goOn);
            break;
          }
          start = at;
          const end = this.#head.push(bytes, at);
          if (end < 0) break;
          at = end;
          begun++;
          this.#begin();
        } else if (!this.#requestComplete) {
          at = this.#readBody(bytes, at);
        } else if (!this.#askServer()) {
          this.#keep(bytes, at);
          break;
        }
      }
      this.#askServer();
    } catch (error) {
      this.#toAsk = false;
      this.#refuse(clientFault(error), requestLine(bytes, start));
    }
    this.#reading = false;
    if (!this.#askedAll || this.#rest !== undefined) this.flush();
    else if (this.#phase === 'head') this.#linger();
    // As where the end comes behind a part of a request: the rest of it never will.
    else if (this.#phase === 'exchange' && !this.#requestComplete) this.#socket.destroy();
    else this.flush();
  }

  /** What cannot be looked at yet: until then no more is read. */
  #keep(bytes: Buffer, at: number): void {
    this.#rest = at === 0 ? bytes : bytes.subarray(at);
    this.#pause();
  }

  #isOver(): boolean {
    return this.#phase === 'lingering' || this.#phase === 'closed';
  }

  #begin(): void {
    const { limits, runtime } = this.#options;
    const message = parseRequest(this.#head.text, limits, this.#earlier);
    this.#earlier = message;
    this.#keepAlive = message.keepAlive;
    const request = headOfMessage(message, this.#connection, limits.targetBytes);
    this.#request = request;
    this.#body.start(message.body);
    this.#requestComplete = this.#body.done;
    this.#open(new Exchange(runtime(), request, this));
    this.#toAsk = this.#exchange?.decide() === true;
  }

  /** Not before what lies there of a body is read: a fault in it is to cost no server anything. */
  #askServer(): boolean {
    if (!this.#toAsk) return false;
    this.#toAsk = false;
    this.#exchange?.forward();
    return true;
  }

  #open(exchange: Exchange): void {
    this.#phase = 'exchange';
    this.#exchange = exchange;
    this.#served++;
    this.#drained = 0;
  }

  #readBody(bytes: Buffer, at: number): number {
    const end = this.#body.read(bytes, at);
    const { data } = this.#body;
    const exchange = this.#exchange;
    if (data) {
      if (exchange?.answerComplete && !exchange.bodyGoesOn) this.#drained += data.length;
      if (exchange?.takeBody(data) === false && !this.#body.done) this.#pause();
    }
    if (this.#body.done) {
      this.#requestComplete = true;
      exchange?.endBody(this.#body.trailers);
      this.#advance();
    } else if (this.#drained > DRAINED_BYTES) {
      this.#tellCut({ kind: 'drained', reason: UNWANTED });
      this.#linger();
    }
    return end;
  }

  /** Something that is no request, or came too late to be one: it has its answer and its line in the log all the same. */
  #refuse(error: unknown, line: { method?: string; target?: string }): void {
    this.#keepAlive = false;
    if (this.#phase === 'head') {
      const scheme = this.#connection.tls ? 'https' : 'http';
      const request: RequestHead = { ...UNREAD, ...line, scheme, connection: this.#connection };
      this.#request = request;
      this.#open(new Exchange(this.#options.runtime(), request, this));
    }
    // Its answer is complete, and is not to be lost for what came behind.
    if (this.#exchange?.answerComplete) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#tellCut({ kind: 'behind', reason: `behind a complete answer: ${reason}` });
      this.#linger();
    } else this.#exchange?.refuse(error);
  }

  #ended(): void {
    if (this.#phase === 'tunnel') {
      this.#exchange?.endTunnel();
      if (this.#socket.writableEnded) this.#exchange?.finish(true);
    } else if (this.#phase === 'exchange' && this.#requestComplete && !this.#connection.tls) {
      // A plain client may end its side once it has asked. Within TLS nobody does: it means that the client is gone.
      this.#askedAll = true;
      if (this.#rest === undefined) this.#keepAlive = false;
    } else if (this.#phase === 'head' && this.#rest !== undefined && !this.#connection.tls) {
      this.#askedAll = true;
    } else if (this.#writer.pending === 0 || this.#phase === 'exchange' || this.#connection.tls) this.#socket.destroy();
    else if (this.#phase === 'head') this.#linger();
  }

  #closed(): void {
    this.#phase = 'closed';
    this.#writer.close();
    this.#exchange?.finish(false);
    this.#exchange = undefined;
    this.#connection.pins.close();
  }

  // ---- to the client -----------------------------------------------------------------------------------------------

  information(status: number, reason: string, headers: HeaderList): void {
    // A client that waits for a 100 has its time for the body from then on.
    if (status === 100) this.#since = turnTime();
    this.#writer.push(responseHead(status, reason, headers));
  }

  answer({ status, reason, headers, body, upgrade }: AnswerHead): void {
    if (upgrade !== '') {
      this.#writer.push(responseHead(status, reason, [...headers, 'Connection', 'Upgrade', 'Upgrade', upgrade]));
      this.#startTunnel();
      return;
    }
    const lasting = body === 'chunked' || body === 'until-close';
    this.#chunked = lasting && this.#request?.protocol !== 'HTTP/1.0' && this.#request?.method !== 'HEAD';
    if (lasting && !this.#chunked) this.#keepAlive = false;
    this.#writeHead(status, reason, headers);
  }

  data(bytes: Buffer): void {
    this.#bulk = bytes.length >= BULK_BYTES;
    if (this.#chunked) this.#writer.push(`${bytes.length.toString(16)}\r\n`);
    this.#writer.push(bytes);
    if (this.#chunked) this.#writer.push('\r\n');
  }

  end(trailers: HeaderList): void {
    if (this.#phase === 'tunnel') {
      this.#endTunnel();
      return;
    }
    if (this.#chunked) this.#writer.push(encodeEnd(trailers));
    this.#chunked = false;
    this.#bulk = false;
    this.#advance();
  }

  respond({ status, reason, headers, body }: OwnAnswer): void {
    const bytes = Buffer.from(body);
    this.#chunked = false;
    this.#writeHead(status, reason, headers);
    if (this.#request?.method !== 'HEAD' && bytes.length > 0) this.#writer.push(bytes);
    this.#advance();
  }

  cut(): void {
    // The server has ended its side of a tunnel before, and what it said may still be on its way.
    if (this.#phase === 'tunnel' && this.#socket.writableEnded) this.#socket.destroySoon();
    // A mere end could pass for that of a body. A reset cannot; nor can TLS that ends without saying so.
    else if (this.#connection.tls) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  resumeBody(): void {
    if (this.#paused && this.#rest === undefined) this.#resume();
  }

  dropBody(): void {
    if (this.#keepAlive) this.resumeBody();
    else this.#linger();
  }

  /** One write for all that one read has brought. */
  flush(): boolean {
    return this.#writer.flush(this.#bulk);
  }

  #writeHead(status: number, reason: string, headers: HeaderList): void {
    if (this.#options.draining() || this.#leavesMuchUnread()) this.#keepAlive = false;
    let own = `Date: ${currentHttpDate()}\r\n`;
    if (!this.#keepAlive) own += 'Connection: close\r\n';
    else if (this.#request?.protocol === 'HTTP/1.0') own += 'Connection: keep-alive\r\n';
    if (this.#chunked) own += 'Transfer-Encoding: chunked\r\n';
    this.#writer.push(responseHead(status, reason, headers, own));
  }

  /** More of the body is to come than is worth reading for the sake of the connection, and no server says that it reads it. */
  #leavesMuchUnread(): boolean {
    const body = this.#request?.body;
    if (this.#requestComplete || typeof body !== 'number' || body <= DRAINED_BYTES) return false;
    return !this.#exchange?.serverStays;
  }

  /** Request and answer are complete: the next request, or the end. */
  #advance(): void {
    const exchange = this.#exchange;
    if (this.#phase !== 'exchange' || !exchange?.answerComplete) return;
    if (!this.#requestComplete) {
      // Whoever waited for the answer before sending more has its time for that from now on.
      this.#since = turnTime();
      if (!this.#keepAlive && !exchange.bodyGoesOn) this.#linger();
      else {
        // Whoever the body was held back for does not want the rest, and no read may be there to send the answer.
        this.resumeBody();
        if (!this.#reading) this.flush();
      }
      return;
    }
    exchange.finish(true);
    if (!this.#keepAlive) {
      this.#linger();
      return;
    }
    this.#exchange = undefined;
    this.#request = undefined;
    this.#body.start('none');
    this.#phase = 'head';
    this.#since = turnTime();
    if (this.#reading) return;
    if (this.#askedAll && this.#rest === undefined) {
      this.#linger();
      return;
    }
    this.flush();
    this.#takeRest();
  }

  #takeRest(): void {
    const rest = this.#rest;
    this.#rest = undefined;
    this.#resume();
    if (rest) this.#consume(rest);
  }

  #linger(): void {
    this.#exchange?.finish(true);
    this.#exchange = undefined;
    this.#phase = 'lingering';
    this.#since = turnTime();
    this.#drained = 0;
    this.#rest = undefined;
    this.#writer.end();
    this.#resume();
  }

  #startTunnel(): void {
    this.#phase = 'tunnel';
    this.flush();
    const rest = this.#rest;
    this.#rest = undefined;
    this.#resume();
    if (rest) this.#read(rest);
    if (this.#socket.readableEnded) this.#exchange?.endTunnel();
  }

  /** The server has ended its side. */
  #endTunnel(): void {
    this.#writer.end();
    if (this.#socket.readableEnded) this.#exchange?.finish(true);
  }

  /** An idle connection holds no more memory than it must. */
  #forget(): void {
    this.#earlier = undefined;
    this.#connection.passed = undefined;
  }

  readonly #goOn = (): void => {
    if (this.#phase === 'head' && this.#rest !== undefined) this.#takeRest();
  };

  readonly #flushed = (): void => {
    this.#flushing = false;
  };

  #pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#since = turnTime();
    this.#flushing = true;
    this.#socket.resume();
    // Behind that: what the socket held back comes in a tick of its own.
    process.nextTick(this.#flushed);
  }
}

/** What can be said of a request that could not be read: enough for its answer and its log line. */
const UNREAD = {
  method: '',
  target: '',
  authority: '',
  headers: [],
  body: 'none',
  protocol: 'HTTP/1.1',
  upgrade: '',
  expectsContinue: false,
} as const;

/** Method and target of a head that was refused for something else, where it has begun at `at`: for the log. */
function requestLine(bytes: Buffer, at: number): { method?: string; target?: string } {
  const text = bytes.toString('latin1', at, at + LOGGED_LINE);
  const [, method, target] = /^([A-Z][A-Z0-9_-]{0,31}) ([\x21-\x7e]+) HTTP\/1\.[01]\r\n/.exec(text) ?? [];
  return method === undefined || target === undefined ? {} : { method, target };
}

const LOGGED_LINE = 2048;
