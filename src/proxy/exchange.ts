/** The life of one exchange, the same for every lane: decision, server, pins, error mapping, accounting, access log. */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { ProtocolConfig } from '../config/model.ts';
import { ExchangeError } from '../errors.ts';
import type { Server } from '../farm/web-farm.ts';
import { type OutboundPass, rewriteHead } from '../rewrite/outbound.ts';
import { loggedTarget } from '../rewrite/target.ts';
import { errorPage } from './error-response.ts';
import { applyOutbound } from './outbound-answer.ts';
import { type Decision, decide, type Forward } from './pipeline.ts';
import { type HeaderList, headerOf, type RequestHead } from './request-head.ts';
import { serverHeaders } from './request-headers.ts';
import { clientHeaders, SERVER_NAME } from './response-headers.ts';
import type { Runtime } from './runtime.ts';
import { serverFailure } from './server-failure.ts';
import { carriesWindowsLogin, challengesWindowsLogin } from './windows-authentication.ts';

/** The answer of a server, with the headers the client will see. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  readonly body: Readable;
}

/** An answer of our own, its length among the headers. */
export interface OwnAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  readonly body: string;
}

/** The body of a request: `undefined` for none. Ends early by throwing. */
export type RequestBody = AsyncIterable<Buffer> | undefined;

export interface Exchange {
  /**
   * Runs the deciding stages.
   * @returns what to answer at once, `abort` to cut the connection, or `forward`
   */
  decide(): OwnAnswer | 'abort' | 'forward';
  /** Asks a server. Rejects with an ExchangeError; the lane then answers with `failed`. */
  forward(body: RequestBody): Promise<Answer>;
  /** The page for a failure. Also takes note of it for the log. */
  failed(error: unknown): OwnAnswer;
  /** Body bytes that passed. */
  countSent(bytes: number): void;
  countReceived(bytes: number): void;
  /** To be called exactly once, when the client has got its answer or is gone. */
  finish(complete: boolean): void;
}

export function openExchange(runtime: Runtime, head: RequestHead): Exchange {
  const time = new Date();
  const started = performance.now();
  const logId = randomUUID();
  const cancel = new AbortController();
  let decision: Decision | undefined;
  let server: Server | undefined;
  let status = 0;
  let failure: ExchangeError | undefined;
  let bytesSent = 0;
  let bytesReceived = 0;
  let asked: number | undefined;
  let serverTime: number | undefined;
  let finished = false;

  const failed = (error: unknown): OwnAnswer => {
    failure ??= error instanceof ExchangeError ? error : new ExchangeError('internal', String(error), error);
    status = failure.status;
    // A loop is the fault of a configuration, and the log is where it is looked for.
    if (failure.side !== 'client' || failure.kind === 'tooManyForwards') report(failure);
    const body = errorPage(status, failure.subStatus, logId);
    const headers = ['Server', SERVER_NAME, 'Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'no-store'];
    const page = withLength({ status, reason: '', headers, body });
    try {
      return withOutboundHeaders(page);
    } catch {
      return page; // Of two failures the first is told.
    }
  };

  /** Outbound rules see what we answer ourselves too; they change its headers only. */
  const withOutboundHeaders = (own: OwnAnswer): OwnAnswer => {
    const outbound = decision?.outbound;
    return outbound ? { ...own, headers: rewriteHead(outbound, own.status, own.headers).headers } : own;
  };

  const report = ({ status: code, subStatus, win32, reason, side, stack }: ExchangeError) => {
    const facts = { logId, code: `${code}.${subStatus}`, win32, site: decision?.site, rule: decision?.rule };
    // A fault of ours is told with its stack; a server that is down is not our fault.
    if (failure?.kind === 'internal') runtime.log.error({ ...facts, stack }, reason);
    else runtime.log.warn({ ...facts, side }, reason);
  };

  /** 1. server and connection, 2. headers, 3. the request, 4. the login rules, 5. the client's headers, 6. outbound rules. */
  const ask = async (to: Forward & Decision, body: RequestBody): Promise<Answer> => {
    const { farm, scheme } = to;
    const { pins } = head.connection;
    const login = carriesWindowsLogin(head.headers);
    if (login && head.protocol === 'HTTP/2.0') throw windowsOverHttp2('the request carries a Windows login');

    // 1. A pinned server is kept; else the farm's next one, on a connection of its own where a login begins.
    let pinned = pins.get(farm, scheme);
    server = pinned?.server ?? farm.next();
    if (server === undefined) throw new ExchangeError('noServer', `farm ${farm.name} has no server available`);
    if (login && !pinned) pinned = pin(pins.pin(farm, scheme, server));
    const endpoint = server.endpoint(scheme);
    const connection: Dispatcher = pinned?.client ?? runtime.connections.poolFor(endpoint);

    // 2.
    const headers = serverHeaders({
      head,
      server,
      scheme,
      logId,
      port: endpoint.port,
      protocol: farm.protocol,
      setHeaders: to.setHeaders,
    });

    // 3.
    asked = performance.now();
    const response = await sendRequest(connection, {
      method: head.method,
      path: to.target,
      headers,
      body: body ?? null,
      signal: cancel.signal,
      responseHeaders: 'raw',
      // The same for all requests of a pool: undici would take it from Host, and reconnect at each change.
      servername: endpoint.address,
    }).catch((error: unknown) => {
      throw serverFailure(error, `${endpoint.address}:${endpoint.port}`);
    });
    serverTime = performance.now() - asked;
    const raw = response.headers;
    try {
      // 4. From a challenge on, this client connection has its own connection to the server.
      if (challengesWindowsLogin(response.statusCode, raw)) {
        if (head.protocol === 'HTTP/2.0') throw windowsOverHttp2('the server asks for a Windows login');
        if (!pinned) pin(pins.pin(farm, scheme, server));
      }
      if (response.statusCode > 599) throw new ExchangeError('invalidResponse', `status ${response.statusCode}`);
      // 5.
      status = response.statusCode;
      const answer = {
        status,
        reason: response.statusText,
        headers: clientHeaders(raw, head, farm.protocol),
        body: response.body,
      };
      // 6.
      const { outbound } = to;
      return outbound ? await rewriteAnswer(answer, outbound, farm.protocol) : answer;
    } catch (error) {
      response.body.on('error', ignoreLateError).destroy();
      throw error;
    }
  };

  const rewriteAnswer = (answer: Answer, outbound: OutboundPass, { responseBufferLimit }: ProtocolConfig) =>
    applyOutbound(answer, {
      outbound,
      method: head.method,
      bufferLimit: responseBufferLimit,
      tooLarge: (limit) =>
        runtime.log.warn(
          { logId, site: decision?.site, rule: decision?.rule },
          `outbound rules for the whole body are not applied: it is larger than responseBufferLimit (${limit} bytes)`,
        ),
    });

  return {
    decide() {
      try {
        decision = decide(runtime, head);
      } catch (error) {
        return failed(error);
      }
      if (decision.action === 'fail') return failed(decision.error);
      if (decision.action !== 'respond') return decision.action;
      try {
        status = decision.status;
        return withOutboundHeaders(withLength({ ...decision, headers: ['Server', SERVER_NAME, ...decision.headers] }));
      } catch (error) {
        return failed(error);
      }
    },
    async forward(body) {
      if (decision?.action !== 'forward') throw new ExchangeError('internal', 'forward before a decision to forward');
      return await ask(decision, body);
    },
    failed,
    countSent(bytes) {
      bytesSent += bytes;
    },
    countReceived(bytes) {
      bytesReceived += bytes;
    },
    finish(complete) {
      if (finished) return;
      finished = true;
      cancel.abort(new ExchangeError('clientGone', 'the client is gone'));
      const end = failure ?? (decision?.action === 'abort' ? ABORTED : complete ? undefined : gone(status));
      runtime.accessLog.write({
        ...requestFacts(head),
        time,
        logId,
        status: status || (end?.status ?? 0),
        subStatus: failure?.subStatus ?? (decision?.action === 'respond' ? decision.subStatus : (end?.subStatus ?? 0)),
        win32: end?.win32 ?? 0,
        bytesSent,
        bytesReceived,
        timeTaken: Math.round(performance.now() - started),
        site: decision?.site ?? '',
        rule: decision?.rule ?? '',
        farm: decision?.action === 'forward' ? decision.farm.name : '',
        server: server?.address ?? '',
        serverTime: serverTime === undefined ? undefined : Math.round(serverTime),
      });
    },
  };
}

/** Before outbound rules look, as the answer of a server has its length, too. */
function withLength(own: OwnAnswer): OwnAnswer {
  return { ...own, headers: [...own.headers, 'Content-Length', String(Buffer.byteLength(own.body))] };
}

interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: AsyncIterable<Buffer> | null;
  readonly signal: AbortSignal;
  readonly responseHeaders: 'raw';
  readonly servername: string;
}

type RawResponse = Omit<Dispatcher.ResponseData, 'headers'> & { readonly headers: HeaderList };

/** undici's `request` with what its types leave out: bodies that are iterables, header lists in the answer, SNI. */
function sendRequest(connection: Dispatcher, request: RawRequest): Promise<RawResponse> {
  return connection.request(request as unknown as Dispatcher.RequestOptions) as unknown as Promise<RawResponse>;
}

function pin<P>(pinned: P | undefined): P {
  if (pinned === undefined)
    throw new ExchangeError('tooManyPinned', 'no more pinned connections: limits.pinned is reached');
  return pinned;
}

function windowsOverHttp2(reason: string): ExchangeError {
  return new ExchangeError('http11Required', `${reason}, which HTTP/2 cannot carry`);
}

/** A rule cut the connection: nothing was sent, and the code is ERROR_CONNECTION_ABORTED. */
const ABORTED = { status: 0, subStatus: 0, win32: 1236 };

/** A client that left before the head of an answer: 400.604; after it, the answer's own status with Win32 code 64. */
function gone(status: number): { status: number; subStatus: number; win32: number } {
  return status === 0 ? { status: 400, subStatus: 604, win32: 64 } : { status, subStatus: 0, win32: 64 };
}

function requestFacts(head: RequestHead) {
  const { connection } = head;
  const target = loggedTarget(head.target);
  const mark = target.indexOf('?');
  return {
    serverIp: connection.localAddress,
    serverPort: connection.localPort,
    method: head.method,
    stem: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? '' : target.slice(mark + 1),
    clientIp: connection.remoteAddress,
    userAgent: headerOf(head.headers, 'user-agent') ?? '',
    referer: headerOf(head.headers, 'referer') ?? '',
    host: head.authority,
    protocol: head.protocol,
    tls: connection.tls?.version ?? '',
  };
}

/** The answer is thrown away, so that its end does not matter any more. */
function ignoreLateError(): void {}
