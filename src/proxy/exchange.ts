/**
 * The life of one exchange, the same for every lane: decision, server, pins, error mapping, accounting, access log.
 * A lane feeds it the request and is its `ClientSide`; the connection to the server tells it the answer.
 */
import { randomUUID } from 'node:crypto';
import type { AnswerSink, ServerConnection } from '../connect/server-connection.ts';
import { ExchangeError } from '../errors.ts';
import type { Server } from '../farm/server.ts';
import type { HeaderList } from '../header-list.ts';
import { encodeChunk, encodeEnd } from '../http1/chunked-encoder.ts';
import { requestHead } from '../http1/head-writer.ts';
import type { ResponseMessage } from '../http1/response-message.ts';
import { type BodyRules, rewriteHead } from '../rewrite/outbound.ts';
import type { AnswerHead, ClientSide, OwnAnswer } from './client-side.ts';
import { accessRecord, reportAbort, reportFailure } from './exchange-record.ts';
import { heldBytes, holdAnswer } from './held-answer.ts';
import { bodyRulesApply, rewriteBody } from './outbound-answer.ts';
import { failurePage, ruleAnswer } from './own-answer.ts';
import { type Decision, decide, type Forwarding } from './pipeline.ts';
import type { RequestHead } from './request-head.ts';
import { clientTrailers, serverHeaders, versionFor } from './request-headers.ts';
import { clientHeaders, informationHeaders } from './response-headers.ts';
import { createRewrittenBody, type RewrittenBody } from './rewritten-body.ts';
import type { Runtime } from './runtime.ts';
import { ServerSearch, type ServerTaker } from './server-search.ts';
import { passedTrailers } from './trailers.ts';
import { carriesWindowsLogin, challengesWindowsLogin } from './windows-authentication.ts';

/** What a lane knows of a body that does not go on. */
export interface BodyPause {
  /** Milliseconds of `turnTime` at which the client last sent something. */
  readonly since: number;
  /** Seconds: `timeouts.body`. */
  readonly usual: number;
  /** More of it is held back, since the server is slow. */
  readonly held: boolean;
}

export class Exchange implements AnswerSink, ServerTaker {
  readonly head: RequestHead;
  readonly #runtime: Runtime;
  /** The lane, or what holds an answer back before it. */
  #client: ClientSide;
  readonly #time = Date.now();
  readonly #started = performance.now();
  readonly #logId = randomUUID();
  #decision: Decision | undefined;
  #search: ServerSearch | undefined;
  #connection: ServerConnection | undefined;
  /** Waits for the first of a body, or its end. */
  #held = false;
  /** What came of the body before there was a connection to send it on. */
  #pending: (Buffer | string)[] = [];
  /** Bytes of the body among them. */
  #unsent = 0;
  #bodySent = false;
  #requestSent = false;
  #requestComplete: boolean;
  /** A 100 was passed on. */
  #continued = false;
  #answerBegun = false;
  #answerComplete = false;
  #rewritten: RewrittenBody | undefined;
  #tunnel = false;
  /** Nothing more comes from the server. */
  #serverDone = false;
  #finished = false;
  #status = 0;
  #failure: ExchangeError | undefined;
  #bytesSent = 0;
  #bytesReceived = 0;
  #asked: number | undefined;
  #serverTime: number | undefined;

  constructor(runtime: Runtime, head: RequestHead, client: ClientSide) {
    this.#runtime = runtime;
    this.head = head;
    this.#client = client;
    this.#requestComplete = head.body === 'none' || head.body === 0;
  }

  /** The client has its whole answer. */
  get answerComplete(): boolean {
    return this.#answerComplete;
  }

  /** The server that is asked now, or was last. */
  get server(): Server | undefined {
    return this.#search?.server;
  }

  /** A server takes what comes of the body: behind its answer, too, unless it ends its connection or never asked for a body. */
  get bodyGoesOn(): boolean {
    if (!this.#requestSent || this.#connection === undefined) return false;
    return !this.#answerComplete || (this.#connection.staysOpen && !this.#neverAskedFor);
  }

  /** The client waits for a 100 that nobody has said, and sends nothing without. */
  get #neverAskedFor(): boolean {
    return this.head.expectsContinue && !this.#continued && this.#bytesReceived === 0;
  }

  /** It says nothing of ending its connection. */
  get serverStays(): boolean {
    return this.#connection?.staysOpen === true;
  }

  /**
   * Runs the deciding stages, and answers at once where they say so.
   * @returns true where a server is to be asked: `forward` does that
   */
  decide(): boolean {
    let decision: Decision;
    try {
      decision = decide(this.#runtime, this.head);
    } catch (error) {
      // A fault of ours costs one request, not the worker.
      this.refuse(error);
      return false;
    }
    this.#decision = decision;
    if (decision.action === 'forward') return true;
    if (decision.action === 'refuse') {
      this.refuse(new ExchangeError(decision.kind, decision.reason).by(decision.setting));
    } else if (decision.action === 'abort') {
      reportAbort(this.#runtime, { head: this.head, logId: this.#logId, decision });
      this.#client.cut();
    } else this.#respond(decision);
    return false;
  }

  /** Answers with the page for a failure; where the answer has begun, the client is cut off. */
  refuse(error: unknown): void {
    const first = this.#failure === undefined;
    this.#failure ??= error instanceof ExchangeError ? error : new ExchangeError('internal', String(error), error);
    this.#held = false;
    if (first) this.#report(this.#failure);
    // An idle tunnel that is closed has served its purpose.
    if (first && this.#failure.side === 'server' && !(this.#tunnel && this.#failure.kind === 'serverTimeout')) {
      this.#search?.fail(this.#requestSent);
    }
    this.#letGo();
    // The client may take its time to send the rest of what nobody wants any more.
    this.#search?.end();
    if (this.#answerBegun) {
      this.#client.cut();
      return;
    }
    this.#give(failurePage(this.#failure, this.#logId, this.#decision?.outbound), this.#failure);
  }

  /** 1. what no server can be asked for, 2. the login rules, 3. a server. */
  forward(): void {
    try {
      // 1.
      this.#refuseLargeBody(typeof this.head.body === 'number' ? this.head.body : 0);
      // Whether a GET has a body shows only when it comes, or does not; until then no server is kept waiting for it.
      this.#held = this.#holdsForBody();
      if (this.#held) return;
      const decision = this.#forwardDecision();
      if (this.#lengthUnknown() && versionFor(decision.farm.protocol, this.head) === 'HTTP/1.0') {
        throw new ExchangeError(
          'lengthRequired',
          'a body of unknown length, for a server that is spoken to in HTTP/1.0 (httpVersion of the farm)',
        ).by('httpVersion');
      }
      // 2.
      if (this.head.protocol === 'HTTP/2.0' && carriesWindowsLogin(this.head.headers)) {
        throw windowsOverHttp2('the request carries a Windows login');
      }
      // 3.
      this.#search = new ServerSearch({
        runtime: this.#runtime,
        decision,
        head: this.head,
        logId: this.#logId,
        taker: this,
      });
      this.#search.start();
    } catch (error) {
      this.refuse(error);
    }
  }

  /**
   * Refuses a request whose body does not go on. As long as the server has to say first that it wants it, the server is who is
   * waited for. Once it answers, its client may have nothing to say for as long as it likes: only silence in both directions
   * ends that. Outlook Anywhere keeps a channel open by a request that never ends, and is silent on it before the answer, too.
   * How long either may be is the farm's to say.
   * @param now milliseconds of `turnTime`
   */
  sweepBody(now: number, { since, usual, held }: BodyPause): void {
    if (this.#awaitsContinue()) return;
    const answering = this.#connection !== undefined && this.#answerBegun;
    if (held && !answering) return;
    const last = answering ? Math.max(since, this.#connection?.activity ?? 0) : since;
    const ofFarm = this.#decision?.action === 'forward' ? this.#decision.farm.protocol.timeout : 0;
    const limit = answering ? ofFarm : this.head.method === 'RPC_IN_DATA' ? Math.max(usual, ofFarm) : usual;
    if (now - last <= limit * 1000) return;
    const why = answering
      ? `neither the client nor the server sent anything for ${limit} s, the timeout of the farm`
      : `no more of the body came within ${limit} s, ${limit === usual ? 'timeouts.body' : 'the timeout of the farm'}`;
    const setting = !answering && limit === usual ? 'timeouts.body' : 'timeout';
    this.refuse(new ExchangeError('requestTimeout', why).by(setting));
  }

  /** A piece of the body. False: the server is slow, and `resumeBody` of the client side tells when more can follow. */
  takeBody(bytes: Buffer): boolean {
    this.#bytesReceived += bytes.length;
    if (this.#finished || (this.#answerComplete && this.#connection === undefined)) return true;
    try {
      this.#refuseLargeBody(this.#bytesReceived);
    } catch (error) {
      this.refuse(error);
      return true;
    }
    const piece = this.head.body === 'stream' ? encodeChunk(bytes) : bytes;
    this.#unsent += bytes.length;
    if (this.#requestSent) return this.#writeBody(piece);
    this.#pending.push(piece);
    if (this.#held) this.forward();
    // Of a request that is answered already the rest is read away.
    return this.#requestSent || this.#answerComplete;
  }

  endBody(trailers: HeaderList): void {
    if (this.#requestComplete || this.#finished) return;
    // Whoever has been promised more would take the next request for it.
    if (typeof this.head.body === 'number' && this.#bytesReceived < this.head.body) return;
    this.#requestComplete = true;
    if (this.#requestSent) {
      if (this.head.body === 'stream') this.#connection?.write(encodeEnd(this.#clientTrailers(trailers)));
      this.#connection?.requestEnded();
      if (this.#serverDone) this.#connection = undefined;
    } else {
      // A request with no body after all says so without Transfer-Encoding, which IIS refuses in a GET.
      if (this.head.body === 'stream' && this.#pending.length > 0)
        this.#pending.push(encodeEnd(this.#clientTrailers(trailers)));
      if (this.#held) this.forward();
    }
  }

  /** Bytes of a client in a tunnel. False as with `takeBody`. */
  takeTunnel(bytes: Buffer): boolean {
    this.#bytesReceived += bytes.length;
    if (this.server) this.server.state.counters.webSocketBytesSent += bytes.length;
    return this.#connection?.write(bytes) ?? true;
  }

  /** Nothing more comes from the client of a tunnel. */
  endTunnel(): void {
    this.#connection?.endTunnel();
  }

  /** The client can take more. */
  drained(): void {
    if (this.#rewritten) this.#rewritten.drained();
    else this.#connection?.resume();
  }

  /**
   * The last call of a lane: the client has its answer, or is gone. Ends what is still under way at the server.
   * @param complete the answer was sent whole, or the connection was meant to end
   */
  finish(complete: boolean): void {
    if (this.#finished) return;
    this.#finished = true;
    // Both ends of a tunnel have said all they had to say, and the last of it may still be on its way to the server.
    if (!(this.#tunnel && complete)) this.#letGo();
    this.#search?.end();
    this.#runtime.accessLog.write(
      accessRecord({
        head: this.head,
        logId: this.#logId,
        decision: this.#decision,
        complete,
        failure: this.#failure,
        started: this.#started,
        time: this.#time,
        status: this.#status,
        bytesSent: this.#bytesSent,
        bytesReceived: this.#bytesReceived,
        server: this.server?.address ?? '',
        serverTime: this.#serverTime,
      }),
    );
  }

  // ---- the connection to the server --------------------------------------------------------------------------------

  onServer(connection: ServerConnection): void {
    this.#connection = connection;
    try {
      this.#pinFor(connection, carriesWindowsLogin(this.head.headers));
      this.#send(connection);
    } catch (error) {
      this.refuse(error);
    }
  }

  onNoServer(failure: unknown): void {
    this.refuse(failure);
  }

  onInformation({ status, reason, headers }: ResponseMessage): void {
    this.#continued ||= status === 100;
    if (this.head.protocol !== 'HTTP/1.0') this.#client.information(status, reason, informationHeaders(headers));
  }

  /** 1. the login rules, 2. the client's headers, 3. outbound rules. */
  onHead(message: ResponseMessage): void {
    this.#serverTime = performance.now() - (this.#asked ?? 0);
    try {
      // 1. From a challenge on, this client connection has its own connection to the server.
      if (message.status === 401 && challengesWindowsLogin(message.status, message.headers)) {
        if (this.head.protocol === 'HTTP/2.0') throw windowsOverHttp2('the server asks for a Windows login');
        if (this.#connection) this.#pinFor(this.#connection, true);
      }
      // A login of a kind that its request did not show: nobody else may be taken for whoever it was.
      if (message.persistentAuth && !this.#connection?.pinned) this.#connection?.retire();
      // 2.
      const { farm, outbound } = this.#forwardDecision();
      const headers = clientHeaders(message, this.head, farm.protocol);
      const { status, reason, upgrade } = message;
      this.#search?.answered(this.#serverTime, farm.isFailure(status));
      for (const cookie of this.#search?.cookies(message.headers) ?? []) headers.push('Set-Cookie', cookie);
      const body = status === NO_CONTENT ? 0 : message.body;
      // RFC 9110 15.5.22: the client is to know what the server wants it to change to.
      if (status === 426 && upgrade !== '' && this.head.protocol === 'HTTP/1.1') {
        headers.push('Connection', 'Upgrade', 'Upgrade', upgrade);
      }
      // 3.
      const rewritten = outbound && rewriteHead(outbound, status, headers);
      const answer = {
        status,
        reason,
        body,
        upgrade: status === 101 ? upgrade : '',
        headers: rewritten?.headers ?? headers,
      };
      if (rewritten?.body && bodyRulesApply(answer, this.head.method))
        this.#rewriteBody(answer, rewritten.body, headers);
      else this.#answer(answer);
    } catch (error) {
      this.refuse(error);
    }
  }

  onData(bytes: Buffer): void {
    if (this.#status === NO_CONTENT) return;
    const counters = this.server?.state.counters;
    if (counters) {
      if (this.#tunnel) counters.webSocketBytesReceived += bytes.length;
      else counters.bytesReceived += bytes.length;
    }
    if (this.#rewritten) {
      this.#rewritten.push(bytes);
      return;
    }
    this.#bytesSent += bytes.length;
    this.#client.data(bytes);
  }

  onEnd(trailers: readonly string[]): void {
    this.#serverDone = true;
    if (this.#requestComplete && !this.#tunnel) this.#connection = undefined;
    if (this.#rewritten) {
      this.#rewritten.end();
      return;
    }
    this.#answerComplete = true;
    this.#client.end(passedTrailers(trailers));
  }

  onReadEnd(): boolean {
    if (this.#rewritten === undefined) return this.#client.flush();
    // An interim answer may have come in the same read.
    if (!this.#answerBegun) this.#client.flush();
    const { readableLength, readableHighWaterMark } = this.#rewritten.source;
    return readableLength < readableHighWaterMark;
  }

  onDrain(): void {
    this.#client.resumeBody();
  }

  onError(error: Error, connection: ServerConnection): void {
    this.#connection = undefined;
    // Of a tunnel the server may have ended its side, and the client not: then it is the client who is to hear of it.
    if (this.#finished || (this.#answerComplete && !this.#tunnel)) {
      if (!this.#finished) this.#client.dropBody();
      return;
    }
    if (this.#mayRepeat(error, connection)) {
      // From here on the body waits again; the next connection may be had at once.
      this.#requestSent = false;
      if (this.#search?.again(error, connection)) return;
      this.#requestSent = true;
    }
    if (this.#rewritten) this.#rewritten.fail(this.#serverFailure(error));
    else this.refuse(this.#serverFailure(error));
  }

  // ---- steps -------------------------------------------------------------------------------------------------------

  #forwardDecision(): Forwarding & Decision {
    if (this.#decision?.action === 'forward') return this.#decision;
    throw new ExchangeError('internal', 'a server was asked before it was decided to');
  }

  /** The client waits for a 100, and we for a server that says it: connecting, queueing and silence have limits of their own. */
  #awaitsContinue(): boolean {
    if (!this.head.expectsContinue || this.#held || this.#bytesReceived > 0 || this.#answerBegun) return false;
    return this.#connection === undefined || this.#connection.owesContinue;
  }

  #clientTrailers(trailers: HeaderList): HeaderList {
    return clientTrailers(trailers, this.#forwardDecision().farm.protocol);
  }

  #pinFor(connection: ServerConnection, login: boolean): void {
    const { server } = this;
    if (!login || connection.pinned || server === undefined) return;
    const { farm, scheme } = this.#forwardDecision();
    if (!this.head.connection.pins.pin(farm.key, scheme, { server: server.address, connection })) {
      throw new ExchangeError('tooManyPinned', 'no more pinned connections: limits.pinned is reached').by(
        'limits.pinned',
      );
    }
  }

  #refuseLargeBody(bytes: number): void {
    const { bodyBytes } = this.#runtime.limits;
    if (bodyBytes === undefined || bytes <= bodyBytes) return;
    throw new ExchangeError(
      'bodyTooLarge',
      `a body of ${bytes} bytes or more, ${bodyBytes} are taken (limits.bodyBytes)`,
    ).by('limits.bodyBytes');
  }

  /** Of a body that has come whole, and is empty, the length is known after all. */
  #lengthUnknown(): boolean {
    return this.head.body === 'stream' && !(this.#requestComplete && this.#pending.length === 0);
  }

  #holdsForBody(): boolean {
    const { method, body, expectsContinue } = this.head;
    return (
      body === 'stream' &&
      !expectsContinue &&
      !this.#requestComplete &&
      this.#pending.length === 0 &&
      (method === 'GET' || method === 'HEAD')
    );
  }

  /** Head, and what has come of the body, in one write. */
  #send(connection: ServerConnection): void {
    const { head, server } = this;
    if (server === undefined) return;
    const { farm, scheme, target, setHeaders } = this.#forwardDecision();
    const { protocol } = farm;
    const version = versionFor(protocol, head);
    const headers = serverHeaders({
      head,
      server,
      scheme,
      logId: this.#logId,
      port: connection.endpoint.port,
      protocol,
      setHeaders,
      // What has no body after all is told as such.
      chunked: this.#lengthUnknown(),
      version,
    });
    const text = requestHead(head.method, target, headers, version);
    this.#requestSent = true;
    this.#asked = performance.now();
    this.#bodySent ||= this.#pending.length > 0;
    this.#countSent();
    // Whatever the server makes of `Connection: close`.
    if (!protocol.keepAlive) connection.retire();
    // HTTP/1.0 has no interim answers, and the client waits for this one.
    if (version === 'HTTP/1.0' && head.expectsContinue) {
      this.#client.information(100, 'Continue', []);
      this.#client.flush();
    }
    const more = connection.send(
      {
        method: head.method,
        bytes: joined(text, this.#pending),
        complete: this.#requestComplete,
        expectsContinue: head.expectsContinue && version !== 'HTTP/1.0' && this.#pending.length === 0,
        upgrade: version === 'HTTP/1.0' ? '' : head.upgrade,
        version,
      },
      this,
    );
    this.#pending = [];
    if (more && !this.#requestComplete) this.#client.resumeBody();
  }

  #countSent(): void {
    if (this.server) this.server.state.counters.bytesSent += this.#unsent;
    this.#unsent = 0;
  }

  #writeBody(piece: Buffer): boolean {
    this.#bodySent = true;
    this.#countSent();
    return this.#connection?.write(piece) ?? true;
  }

  /**
   * Nothing has come of the answer, nothing of a body is lost, and the request does no harm if the server has seen it after
   * all (RFC 9110 9.2.2).
   */
  #mayRepeat(error: Error, connection: ServerConnection): boolean {
    return (
      !connection.answerBegun &&
      !connection.pinned &&
      !this.#answerBegun &&
      !this.#bodySent &&
      !(error instanceof ExchangeError) &&
      IDEMPOTENT.has(this.head.method)
    );
  }

  #answer(answer: AnswerHead): void {
    this.#tunnel = answer.status === 101;
    const limit = heldBytes(answer, this.head.method, this.#forwardDecision().farm.protocol);
    if (limit > 0) this.#client = holdAnswer(this.#client, limit, (head) => this.#begin(head));
    else this.#begin(answer);
    this.#client.answer(answer);
  }

  #begin({ status }: AnswerHead): void {
    this.#answerBegun = true;
    this.#status = status;
  }

  /** The rules may want to see all of the body before its head can be told. */
  #rewriteBody(answer: AnswerHead, rules: BodyRules, received: HeaderList): void {
    const { farm, site, rule } = this.#forwardDecision();
    const connection = this.#connection;
    const body = createRewrittenBody(() => connection?.resume());
    this.#rewritten = body;
    const fail = (error: unknown) => {
      // Where the exchange was refused meanwhile, its answer is another one.
      if (!this.#finished && this.#failure === undefined) this.refuse(error);
    };
    rewriteBody(answer, body.source, {
      rules,
      received,
      bufferLimit: farm.protocol.responseBufferLimit,
      tooLarge: (limit) =>
        this.#runtime.limitedLog.tell(
          'warn',
          JSON.stringify(['responseBufferLimit', site, rule]),
          { logId: this.#logId, setting: 'responseBufferLimit', site, rule },
          `outbound rules for the whole body are not applied: it is larger than responseBufferLimit (${limit} bytes)`,
        ),
    }).then((made) => {
      if (this.#finished || this.#failure) return;
      this.#answer(made.head);
      body.pump(made.body, this.#countedClient(), {
        end: () => {
          this.#answerComplete = true;
          this.#client.end([]);
          this.#client.flush();
        },
        fail,
      });
    }, fail);
  }

  #countedClient(): Pick<ClientSide, 'data' | 'flush'> {
    return {
      data: (bytes) => {
        this.#bytesSent += bytes.length;
        this.#client.data(bytes);
      },
      flush: () => this.#client.flush(),
    };
  }

  #respond(decision: Extract<Decision, { action: 'respond' }>): void {
    try {
      this.#give(ruleAnswer(decision, decision.outbound), undefined);
    } catch (error) {
      this.refuse(error);
    }
  }

  #give(own: OwnAnswer, failure: ExchangeError | undefined): void {
    this.#answerBegun = true;
    this.#answerComplete = true;
    this.#status = own.status;
    // What was held back of another answer does not count.
    this.#bytesSent = this.head.method === 'HEAD' ? 0 : Buffer.byteLength(own.body);
    this.#client.respond(own, failure);
  }

  /** Whatever is under way at a server ends; a connection that is in use is not used again. */
  #letGo(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#search?.stop();
    if (connection?.isIdle) connection.giveBack();
    else connection?.abandon();
    this.#rewritten?.source.destroy();
  }

  #report(failure: ExchangeError): void {
    const { head, server } = this;
    const facts = { head, logId: this.#logId, decision: this.#decision, server: server?.address };
    reportFailure(this.#runtime, failure, facts);
  }

  #serverFailure(error: Error): ExchangeError {
    return this.#search?.failure(error) ?? new ExchangeError('internal', String(error), error);
  }
}

/** 205 Reset Content: what a server sends with it all the same goes no further (RFC 9110 15.3.6). */
const NO_CONTENT = 205;

/** RFC 9110 9.2.2, and WebDAV's that only read. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'PROPFIND',
  'REPORT',
  'SEARCH',
]);

function joined(head: string, pieces: readonly (Buffer | string)[]): string | Buffer {
  if (pieces.length === 0) return head;
  return Buffer.concat([
    Buffer.from(head, 'latin1'),
    ...pieces.map((each) => (typeof each === 'string' ? Buffer.from(each, 'latin1') : each)),
  ]);
}

function windowsOverHttp2(reason: string): ExchangeError {
  return new ExchangeError('http11Required', `${reason}, which HTTP/2 cannot carry`);
}
