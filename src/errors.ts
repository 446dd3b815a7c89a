/** Every way an exchange can fail: whose fault it is, what the client is told, and what the log says. */

export type Side = 'client' | 'server' | 'us';

export interface Failure {
  readonly side: Side;
  /** HTTP status, or 0 where the connection is cut without an answer. */
  readonly status: number;
  /** IIS sub-status, as in `sc-substatus`. */
  readonly subStatus: number;
  /** WinHTTP or Win32 code, as in `sc-win32-status`; 0 for none. */
  readonly win32: number;
  /** What happened, for the log. Never sent to a client. */
  readonly reason: string;
}

const kinds = {
  badRequest: ['client', 400, 601, 0],
  tooManyForwards: ['client', 400, 605, 0],
  clientGone: ['client', 400, 604, 64],
  noSite: ['client', 400, 0, 0],
  noRule: ['client', 404, 0, 0],
  /** The answer asks for a login that HTTP/2 cannot carry: the stream is reset, and the client comes back over HTTP/1.1. */
  http11Required: ['us', 401, 0, 0],
  targetNotAllowed: ['client', 403, 0, 0],
  /** ERROR_ACCESS_DENIED. */
  clientCertificateRequired: ['client', 403, 7, 5],
  /** CERT_E_UNTRUSTEDROOT. */
  clientCertificateUntrusted: ['client', 403, 16, 2148204809],
  methodRefused: ['client', 501, 0, 0],
  targetTooLong: ['client', 414, 0, 0],
  headersTooLarge: ['client', 431, 0, 0],
  /** HTTP/1.0 toward the server, which cannot be sent a body without its length. */
  lengthRequired: ['client', 411, 0, 0],
  bodyTooLarge: ['client', 413, 0, 0],
  requestTimeout: ['client', 408, 0, 121],
  tooManyPinned: ['us', 503, 0, 0],
  /** Every connection that the server may have is in use, and as many requests as may wait for one do so. */
  serverBusy: ['us', 503, 0, 0],
  /** As before, and the wait for one took too long. */
  queueTimeout: ['us', 503, 0, 0],
  /** An administrator has stopped the server and the requests under way there. */
  serverStopped: ['us', 502, 3, 12030],
  versionRefused: ['client', 505, 0, 0],
  ruleFailed: ['us', 500, 50, 0],
  globalRuleFailed: ['us', 500, 51, 0],
  outboundRuleFailed: ['us', 500, 52, 0],
  internal: ['us', 500, 0, 0],
  noServer: ['server', 502, 4, 0],
  nameNotResolved: ['server', 502, 3, 12007],
  cannotConnect: ['server', 502, 3, 12029],
  outOfSockets: ['us', 502, 3, 12029],
  serverTimeout: ['server', 502, 3, 12002],
  connectionAborted: ['server', 502, 3, 12030],
  invalidResponse: ['server', 502, 3, 12152],
  secureChannel: ['server', 502, 3, 12175],
} as const satisfies Record<string, readonly [Side, number, number, number]>;

export type FailureKind = keyof typeof kinds;

/** What the client is answered with; 0 where the connection is cut without an answer. */
export function statusOf(kind: FailureKind): number {
  return kinds[kind][1];
}

/** An exchange that ended badly. The only error class that crosses the folders of the request path. */
export class ExchangeError extends Error implements Failure {
  readonly kind: FailureKind;
  readonly side: Side;
  readonly status: number;
  readonly subStatus: number;
  readonly win32: number;
  readonly reason: string;
  #setting: string | undefined;

  /** @param reason what happened, for the log */
  constructor(kind: FailureKind, reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.name = 'ExchangeError';
    this.kind = kind;
    this.reason = reason;
    const [side, status, subStatus, win32] = kinds[kind];
    this.side = side;
    this.status = status;
    this.subStatus = subStatus;
    this.win32 = win32;
  }

  /** What it would not have happened without: the path in settings.json (`timeouts.body`), or the attribute of the farm. */
  get setting(): string | undefined {
    return this.#setting;
  }

  by(setting: string | undefined): this {
    this.#setting = setting;
    return this;
  }
}

/** A start that could not be done (port taken, file unreadable): the message is for the person at the terminal. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** The code of an error of Node or the system (`ECONNREFUSED`); `''` where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
