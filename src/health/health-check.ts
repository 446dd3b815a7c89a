/**
 * One URL test of a server: a GET over a connection of its own, and what comes of it. The connection goes to the server and is
 * judged like those of requests, whatever host the URL names.
 */
import type { Socket } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import { connectTo, type Reach } from '../connect/server-socket.ts';
import { inPlainWords } from '../connect/tls-failure.ts';
import { codeOf } from '../errors.ts';
import type { StatusCodes } from '../farm/status-codes.ts';
import { startFairTimeout } from './fair-timeout.ts';

/** ARR's results of a URL test. */
export type TestResult = 'Success' | 'ConnectionFailure' | 'StatusCodeFailure' | 'ResponseEntityFailure';

export interface UrlTest {
  /** As the administrator wrote it. */
  readonly url: string;
  readonly reach: Reach;
  /** The Host that is sent. */
  readonly host: string;
  /** Path and query. */
  readonly target: string;
  /** Seconds for the whole answer. */
  readonly timeout: number;
  /** Bytes. */
  readonly maxResponseHeaderSize: number;
  readonly statusCodes: StatusCodes;
  /** The body must hold this; `''`: it is not read. */
  readonly responseMatch: string;
}

export interface Tested {
  readonly result: TestResult;
  /** What happened, with the URL, for an administrator. */
  readonly reason: string;
  /** True where it was us who could not ask: it says nothing of the server. */
  readonly inconclusive?: true;
}

/** Bytes of a body that are looked at. */
const MOST_BODY = 1024 * 1024;
/** Node's own for an address where there are more. */
const ADDRESS_MS = 250;
const USER_AGENT = 'Lychgate-HealthCheck';
/** We are out of descriptors, memory or buffers. */
const OUR_LIMITS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

type Settle = (result: TestResult, what: string, inconclusive?: boolean) => void;

/** Never rejects. @param signal ends it at once, as a failure that says nothing of the server */
export function runUrlTest(test: UrlTest, signal: AbortSignal): Promise<Tested> {
  return new Promise((resolve) => {
    const connection = openConnection(test);
    let settled = false;
    const settle: Settle = (result, what, inconclusive = false) => {
      if (settled) return;
      settled = true;
      withdraw();
      signal.removeEventListener('abort', stop);
      connection.destroy();
      resolve({ result, reason: `${test.url} ${what}`, ...(inconclusive ? { inconclusive } : {}) });
    };
    const stop = () => settle('ConnectionFailure', 'was not tested to the end', true);
    const withdraw = startFairTimeout(test.timeout * 1000, () =>
      settle('ConnectionFailure', `was not answered within ${test.timeout} s`),
    );
    signal.addEventListener('abort', stop);
    if (signal.aborted) return stop();
    const headers = { host: test.host, 'user-agent': USER_AGENT, accept: '*/*' };
    // `reset` says Connection: close.
    connection.client.dispatch({ method: 'GET', path: test.target, headers, reset: true }, answerOf(test, settle));
  });
}

function openConnection({ reach, timeout, maxResponseHeaderSize }: UrlTest) {
  let socket: Socket | undefined;
  const route = reach.routes.to(reach);
  // Of several addresses each has its time, too. It is one by the clock, so it is not too short.
  const options = { route, autoSelectFamilyAttemptTimeout: Math.max(ADDRESS_MS, Math.round(timeout * 250)) };
  // The origin is never looked up: the connection is not the client's to make.
  const client = new Client('http://server.invalid', {
    connect(_, connected) {
      let failure: Error | undefined;
      const failed = () => connected(failure ?? new Error('the connection was closed'), null);
      const opened = connectTo(reach, options, () => {
        opened.off('close', failed);
        connected(null, opened);
      });
      opened.on('error', (error) => (failure = inPlainWords(error))).once('close', failed);
      socket = opened;
    },
    // Both would go by the clock.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: Math.max(1, maxResponseHeaderSize),
  });
  const destroy = () => {
    socket?.destroy();
    void client.destroy();
  };
  return { client, destroy };
}

function answerOf({ statusCodes, responseMatch }: UrlTest, settle: Settle): Dispatcher.DispatchHandler {
  const body = responseMatch === '' ? undefined : textSearch(responseMatch);
  const missing = () => settle('ResponseEntityFailure', `was answered without ${quoted(responseMatch)}`);
  return {
    onRequestStart: () => undefined,
    onResponseStart(_controller, status) {
      // Below 200 an answer is still to come.
      if (status < 200) return;
      if (!statusCodes(status)) settle('StatusCodeFailure', `was answered ${status}`);
      else if (body === undefined) settle('Success', `was answered ${status}`);
    },
    onResponseData(_controller, chunk) {
      const found = body?.(chunk);
      if (found === 'found') settle('Success', 'was answered as it must be');
      else if (found === 'tooFar') missing();
    },
    onResponseEnd: missing,
    onResponseError(_controller, error) {
      const { text, code } = faultOf(error);
      settle('ConnectionFailure', `was not answered: ${text}`, OUR_LIMITS.has(code));
    },
  };
}

/** Finds a text in a body that comes in chunks, wherever they are cut; keeps no more of them than the text is long. */
function textSearch(text: string): (chunk: Buffer) => 'found' | 'tooFar' | undefined {
  const wanted = Buffer.from(text);
  let kept = Buffer.alloc(0);
  let read = 0;
  return (chunk) => {
    const piece = chunk.subarray(0, MOST_BODY - read);
    const looked = Buffer.concat([kept, piece]);
    if (looked.includes(wanted)) return 'found';
    read += piece.length;
    if (read >= MOST_BODY) return 'tooFar';
    kept = looked.subarray(Math.max(0, looked.length - wanted.length + 1));
    return undefined;
  };
}

function faultOf(error: Error): { readonly text: string; readonly code: string } {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const told = first instanceof Error ? first : error;
  const code = codeOf(told) || codeOf(told.cause);
  return { text: told.message || code, code };
}

function quoted(text: string): string {
  return `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`;
}
