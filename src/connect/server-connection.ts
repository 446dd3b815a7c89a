/** One HTTP/1.1 connection to a server: carries one request at a time and reads its answer. */
import type { Socket } from 'node:net';
import { codeOf } from '../errors.ts';
import { BodyReader } from '../http1/body-reader.ts';
import { HeadReader } from '../http1/head-reader.ts';
import type { RequestVersion } from '../http1/head-writer.ts';
import { isTooLong, MessageFault, malformed } from '../http1/message-fault.ts';
import { parseResponse, type ResponseMessage } from '../http1/response-message.ts';
import { plainAddress } from '../ip-address.ts';
import { currentTurn, readBegins, readInTurn, turnTime } from '../loop-turn.ts';
import type { Endpoint } from './endpoint.ts';
import type { OpenSocket, SocketEvents } from './server-socket.ts';

/** Who sent a request hears of its answer: `onInformation`*, `onHead`, `onData`*, `onEnd`; or `onError` at any point, last. */
export interface AnswerSink {
  /** The server that it asks, as the farm knows it. */
  readonly server: object | undefined;
  onInformation(message: ResponseMessage): void;
  onHead(message: ResponseMessage): void;
  /** The bytes are valid until `onReadEnd` returns. */
  onData(bytes: Buffer): void;
  onEnd(trailers: readonly string[]): void;
  /** Everything of one read has been told. False: stop reading until `resume()`; some more may come all the same. */
  onReadEnd(): boolean;
  /** The server takes more of the request. */
  onDrain(): void;
  onError(error: Error, connection: ServerConnection): void;
}

/** To whom a connection belongs between two requests. */
export interface ConnectionOwner {
  ready(connection: ServerConnection): void;
  /** The answer and the request are complete, and another may follow. */
  idle(connection: ServerConnection): void;
  /** It ends; `closed` follows. May be said more than once. */
  closing(connection: ServerConnection): void;
  closed(connection: ServerConnection, error: Error | undefined): void;
}

export interface SentRequest {
  readonly method: string;
  /** Head, and what is there of the body. */
  readonly bytes: string | Buffer;
  /** Nothing of the request is still to come. */
  readonly complete: boolean;
  /** The client sends its body when it is told to (RFC 9110 10.1.1). */
  readonly expectsContinue: boolean;
  /** Protocols that it offers to change to; `''` for none. */
  readonly upgrade: string;
  readonly version: RequestVersion;
}

type State = 'opening' | 'idle' | 'head' | 'body' | 'answered' | 'tunnel' | 'closed';

/** More interim answers than this are a flood, or a server gone wrong. */
const MOST_INTERIM = 32;
const HEADER_COUNT = 1000;

export class ServerConnection implements SocketEvents {
  readonly endpoint: Endpoint;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #head: HeadReader;
  readonly #body: BodyReader;
  #state: State = 'opening';
  #sink: AnswerSink | undefined;
  #method = '';
  #upgrade = '';
  #version: RequestVersion = 'HTTP/1.1';
  #interim = 0;
  #requestComplete = true;
  #owesContinue = false;
  #reusable = true;
  #retired = false;
  #paused = false;
  #turn = -1;
  #failure: Error | undefined;
  /** It lay idle: its server may have ended it, or sent something unasked, before it carries the next request. */
  #rested = false;
  /** It was idle before the request that it carries: for so many milliseconds. */
  kept = false;
  #idleFor = 0;
  /** A request was sent on it. */
  used = false;
  #whenClosed: (() => void) | undefined;
  /** One side of the tunnel has said that nothing more comes from it. */
  #halfClosed = false;
  /** A byte of the answer has come. */
  answerBegun = false;
  /** When bytes last moved in either direction, in milliseconds of `turnTime`. */
  activity: number;
  /** Seconds that the server keeps it when idle, where it says so. */
  idleHint: number | undefined;

  constructor(endpoint: Endpoint, owner: ConnectionOwner, open: OpenSocket) {
    this.endpoint = endpoint;
    this.#owner = owner;
    this.#head = new HeadReader({ limit: endpoint.maxResponseHeaderSize, startLine: true });
    this.#body = new BodyReader({
      trailerBytes: endpoint.maxResponseHeaderSize,
      headerCount: HEADER_COUNT,
      lenient: true,
    });
    this.activity = turnTime();
    this.#socket = open(this);
  }

  /** It can take a request. One that is being closed cannot, although nobody has been told yet. */
  get isIdle(): boolean {
    return this.#state === 'idle' && !this.#socket.destroyed;
  }

  /** It is being made. */
  get isOpening(): boolean {
    return this.#state === 'opening';
  }

  /** The server owes something: silence counts against it. Not while the client, on either side, is who is waited for. */
  get awaitsServer(): boolean {
    if (this.#state !== 'head' && this.#state !== 'body') return false;
    return !this.#paused && (this.#requestComplete || this.#owesContinue || this.#socket.writableLength > 0);
  }

  /** The client waits for a 100 of it, or may. */
  get owesContinue(): boolean {
    return this.#owesContinue;
  }

  /** It belongs to one client connection, and never goes back to the pool (design D10). */
  get pinned(): boolean {
    return this.#whenClosed !== undefined;
  }

  /** The address of the server, in its one spelling. */
  get remoteAddress(): string {
    return plainAddress(this.#socket.remoteAddress ?? '');
  }

  /** As far as its server has said, more requests can follow on it. */
  get staysOpen(): boolean {
    return this.#reusable && this.#state !== 'closed';
  }

  /** The server that it is asked as right now. */
  get server(): object | undefined {
    return this.#sink?.server;
  }

  get isTunnel(): boolean {
    return this.#state === 'tunnel';
  }

  /** A tunnel of which one side has ended, and nothing is held up: the other has no reason to be silent for long. */
  get isHalfClosed(): boolean {
    return this.#halfClosed && !this.#paused && this.#socket.writableLength === 0;
  }

  pin(whenClosed: () => void): void {
    this.#whenClosed = whenClosed;
    // The login of a client lives on.
    this.#retired = false;
  }

  /** @returns false where the server is to be waited for before more of the body follows: `onDrain` tells when */
  send(request: SentRequest, sink: AnswerSink): boolean {
    this.#sink = sink;
    this.#method = request.method;
    this.#upgrade = request.upgrade;
    this.#version = request.version;
    this.#requestComplete = request.complete;
    this.#owesContinue = request.expectsContinue;
    this.#interim = 0;
    this.#state = 'head';
    this.answerBegun = false;
    this.kept = this.#rested;
    this.used = true;
    this.#turn = this.kept ? currentTurn() : -1;
    const now = turnTime();
    this.#idleFor = now - this.activity;
    this.activity = now;
    return this.#socket.write(request.bytes, 'latin1');
  }

  /** More of the request, as it goes on the wire. */
  write(bytes: Buffer | string): boolean {
    this.#owesContinue = false;
    this.activity = turnTime();
    return this.#socket.write(bytes, 'latin1');
  }

  /** The request is complete with what was written. */
  requestEnded(): void {
    this.#requestComplete = true;
    if (this.#state === 'answered') this.#settle();
  }

  /** In a tunnel: nothing more comes from the client. */
  endTunnel(): void {
    this.#halfClosed = true;
    this.activity = turnTime();
    this.#socket.end();
  }

  /** It ends behind the answer that is under way, or to come. */
  retire(): void {
    this.#retired = true;
  }

  /** It was leased, and is not needed after all. */
  giveBack(): void {
    if (this.#retired) this.#destroy();
    else this.#rest();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.activity = turnTime();
    this.#socket.resume();
  }

  /** Ends it at once. Its sink hears nothing more. */
  abandon(): void {
    this.#sink = undefined;
    this.#destroy();
  }

  /** Ends it at once, with the reason for its sink. */
  fail(error: Error): void {
    this.#failure = error;
    this.#destroy();
    this.#tell(error);
  }

  ready(): void {
    readBegins();
    this.#state = 'idle';
    this.#owner.ready(this);
  }

  read(bytes: Buffer): boolean {
    if (this.#state === 'closed') return false;
    readBegins();
    const early = readInTurn(this.#turn);
    this.activity = turnTime();
    const sink = this.#sink;
    try {
      if (early && this.#state === 'head') throw malformed('bytes that were sent before they were asked for');
      this.answerBegun = true;
      this.#consume(bytes);
    } catch (error) {
      this.fail(
        error instanceof MessageFault ? withBytes(error) : error instanceof Error ? error : new Error(String(error)),
      );
      return false;
    }
    if (sink?.onReadEnd() === false && this.#sink === sink) this.#paused = true;
    return !this.#paused;
  }

  ended(): void {
    if (this.#state === 'body' && this.#body.endsWithConnection) {
      const sink = this.#sink;
      this.#reusable = false;
      this.#complete([], false);
      sink?.onReadEnd();
    } else if (this.#state === 'tunnel') {
      this.#halfClosed = true;
      this.activity = turnTime();
      this.#sink?.onEnd([]);
      return;
    } else if (this.#sink) {
      this.fail(this.#withIdleTime(connectionClosed(this.#state), this.#state));
      return;
    }
    this.#destroy();
  }

  drained(): void {
    this.activity = turnTime();
    this.#sink?.onDrain();
  }

  closed(error: Error | undefined): void {
    const state = this.#state;
    this.#state = 'closed';
    this.#whenClosed?.();
    const inWords = error && whoAndWhen(error, state);
    this.#owner.closed(this, this.#failure ?? inWords);
    this.#tell(this.#failure ?? this.#withIdleTime(inWords ?? connectionClosed(state), state));
  }

  /** A server, or something on the way to it, may end what idles sooner than we do: then the time is what tells it. */
  #withIdleTime(error: Error, state: State): Error {
    if (!this.kept || (state !== 'head' && state !== 'body')) return error;
    const idle = this.#idleFor;
    const time = idle < 1000 ? `${Math.round(idle)} ms` : `${(idle / 1000).toFixed(1)} s`;
    const message = `${error.message}; it had been idle for ${time} before this request`;
    return Object.assign(new Error(message, { cause: error }), { code: codeOf(error) });
  }

  #tell(error: Error): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onError(error, this);
  }

  #consume(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case 'head':
          at = this.#readHead(bytes, at);
          break;
        case 'body':
          at = this.#readBody(bytes, at);
          break;
        case 'tunnel':
          this.#sink?.onData(at === 0 ? bytes : bytes.subarray(at));
          return;
        default:
          // What follows a complete answer was not asked for, and is nobody's.
          this.#reusable = false;
          if (this.#sink === undefined) this.#destroy();
          return;
      }
    }
  }

  #readHead(bytes: Buffer, at: number): number {
    const end = this.#head.push(bytes, at);
    if (end < 0) return bytes.length;
    const message = parseResponse(this.#head.text, this.#method, HEADER_COUNT, this.#version);
    if (message.status < 102 || message.status >= 200) this.#owesContinue = false;
    if (message.status === 101) {
      this.#switchProtocols(message);
    } else if (message.status < 200) {
      if (++this.#interim > MOST_INTERIM) throw malformed(`more than ${MOST_INTERIM} interim answers`);
      this.#sink?.onInformation(message);
    } else {
      this.#reusable &&= message.keepAlive;
      this.idleHint = message.keepAliveTimeout;
      this.#body.start(message.body);
      this.#state = 'body';
      this.#sink?.onHead(message);
      if (this.#body.done) this.#complete([], end < bytes.length);
    }
    return end;
  }

  #switchProtocols(message: ResponseMessage): void {
    if (!offers(this.#upgrade, message.upgrade)) throw malformed('101 to a request that did not ask for it');
    this.#reusable = false;
    this.#state = 'tunnel';
    this.#sink?.onHead(message);
  }

  #readBody(bytes: Buffer, at: number): number {
    const end = this.#body.read(bytes, at);
    if (this.#body.data) this.#sink?.onData(this.#body.data);
    if (this.#body.done && this.#state === 'body') this.#complete(this.#body.trailers, end < bytes.length);
    return end;
  }

  /** @param more bytes follow that belong to no answer */
  #complete(trailers: readonly string[], more: boolean): void {
    if (more) this.#reusable = false;
    this.#state = 'answered';
    const sink = this.#sink;
    // First, so that what the sink does next finds it free.
    if (this.#requestComplete) this.#settle();
    sink?.onEnd(trailers);
  }

  /** Request and answer are complete: the next one may come, or this is the end. */
  #settle(): void {
    if (this.#state !== 'answered') return;
    this.#sink = undefined;
    if (!this.#reusable || this.#retired || this.#socket.destroyed) {
      this.#destroy();
      return;
    }
    this.#state = 'idle';
    this.resume();
    this.#rest();
  }

  #rest(): void {
    this.#rested = true;
    this.#owner.idle(this);
  }

  #destroy(): void {
    if (this.#state === 'closed') return;
    this.#owner.closing(this);
    this.#socket.destroy();
  }
}

function connectionClosed(state: State): Error {
  return Object.assign(new Error(`the server closed the connection ${whenIn(state)}`), { code: 'ECONNRESET' });
}

function whenIn(state: State): string {
  if (state === 'opening') return 'while it was made';
  if (state === 'answered') return 'behind its answer, while the request went on';
  return state === 'body' ? 'in the middle of the answer' : state === 'tunnel' ? 'in the tunnel' : 'before the answer';
}

/** What a connection comes to its end by, as the system calls it. */
const ENDS: Readonly<Record<string, string>> = {
  ECONNRESET: 'the server reset the connection',
  EPIPE: 'the server had closed the connection',
  ETIMEDOUT: 'nothing reached the server any more, by the time-out of TCP: the connection broke',
};

/** Node tells the call of the system that failed (`read ECONNRESET`), and neither who did it nor while what. */
function whoAndWhen(error: Error, state: State): Error {
  const code = codeOf(error);
  const what = ENDS[code];
  if (what === undefined || !/^(?:read|write) [A-Z]+$/.test(error.message)) return error;
  return Object.assign(new Error(`${what} ${whenIn(state)}`, { cause: error }), { code });
}

/** For the log: what the server has sent, escaped. */
function withBytes({ status, message, bytes, limit }: MessageFault): MessageFault {
  const named = isTooLong({ limit }) ? `${message} (maxResponseHeaderSize)` : message;
  return new MessageFault(status, bytes === '' ? named : `${named}, at the bytes ${JSON.stringify(bytes)}`, '', limit);
}

/** RFC 9110 7.8: the server may only choose among what the client has offered. */
function offers(asked: string, chosen: string): boolean {
  if (asked === '' || chosen === '') return false;
  const offered = asked
    .toLowerCase()
    .split(',')
    .map((each) => each.trim());
  return chosen
    .toLowerCase()
    .split(',')
    .every((each) => offered.includes(each.trim()));
}
