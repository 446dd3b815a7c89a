/** What the logs say of an exchange: a line of the service log where it failed, one of the access log at its end. */
import type { ExchangeError, FailureKind } from '../errors.ts';
import { headerOf } from '../header-list.ts';
import { loggedTarget } from '../rewrite/target.ts';
import type { AccessRecord } from './access-line.ts';
import type { Decision } from './pipeline.ts';
import type { RequestHead } from './request-head.ts';
import type { Runtime } from './runtime.ts';

export interface ExchangeFacts {
  readonly head: RequestHead;
  readonly logId: string;
  readonly decision: Decision | undefined;
}

/** Requests that are no requests, or too much of one: the access log has only their status. */
const REFUSED: ReadonlySet<string> = new Set<FailureKind>([
  'badRequest',
  'methodRefused',
  'versionRefused',
  'targetTooLong',
  'headersTooLarge',
  'clientCertificateRequired',
  'clientCertificateUntrusted',
  'lengthRequired',
  'bodyTooLarge',
  'requestTimeout',
]);

/** Faults of a rule, which is found by what was asked for. */
const OF_RULES: ReadonlySet<string> = new Set<FailureKind>(['ruleFailed', 'globalRuleFailed', 'outboundRuleFailed']);

/** What nothing but the configuration leaves without a better answer: any client can ask for it, time and again. */
const NOT_PUBLISHED: ReadonlySet<string> = new Set<FailureKind>(['noSite', 'noRule', 'targetNotAllowed']);

export function reportFailure(
  { log, limitedLog }: Pick<Runtime, 'log' | 'limitedLog'>,
  failure: ExchangeError,
  { head, logId, decision, server }: ExchangeFacts & { readonly server: string | undefined },
): void {
  const { status, subStatus, win32, reason, side, stack, kind, setting } = failure;
  const { site, rule } = decision ?? {};
  const facts = { logId, code: `${status}.${subStatus}`, win32, setting, site, rule };
  // That another member of a farm fails, too, is news. Hosts that requests choose may be without number.
  const ofFarm = decision?.action === 'forward' && decision.farm.name !== '';
  const member = side === 'server' && ofFarm ? server : undefined;
  const tell = (level: 'info' | 'warn' | 'error', more: object) =>
    limitedLog.tell(level, JSON.stringify([kind, setting, site, rule, member]), { ...facts, ...more }, reason);
  // Nobody but an administrator does this, and each request that it ended is told.
  if (kind === 'serverStopped') log.warn({ ...facts, side }, reason);
  // A fault of ours is told with its stack; a server that is down is not our fault.
  else if (kind === 'internal') tell('error', { stack });
  else if (OF_RULES.has(kind)) tell('warn', { side, ...askedBy(head) });
  // A loop is the fault of a configuration, and the log is where it is looked for.
  else if (side !== 'client' || kind === 'tooManyForwards') tell('warn', { side, server: member });
  else if (NOT_PUBLISHED.has(kind)) tell('info', askedBy(head));
  else if (REFUSED.has(kind)) tell('info', { client: head.connection.remoteAddress });
}

/** A rule ends the connection without an answer. */
export function reportAbort(
  { limitedLog }: Pick<Runtime, 'limitedLog'>,
  { head, logId, decision }: ExchangeFacts,
): void {
  const { site, rule } = decision ?? {};
  const message = `rule ${JSON.stringify(rule)} ends the connection without an answer (AbortRequest)`;
  limitedLog.tell('info', JSON.stringify(['abort', site, rule]), { logId, site, rule, ...askedBy(head) }, message);
}

function askedBy(head: RequestHead): { readonly client: string; readonly url: string } {
  return { client: head.connection.remoteAddress, url: shownUrl(head) };
}

/** Enough to know a URL by. */
const URL_LENGTH = 300;

/** Without the query, in which secrets are more likely than in the path. */
function shownUrl({ scheme, authority, target }: RequestHead): string {
  return `${scheme}://${authority}${loggedTarget(target).replace(/\?.*/s, '')}`.slice(0, URL_LENGTH);
}

export interface EndedExchange extends ExchangeFacts {
  /** The answer was sent whole, or the connection was meant to end. */
  readonly complete: boolean;
  readonly failure: ExchangeError | undefined;
  /** When it began, in milliseconds since 1970 and of `performance.now()`. */
  readonly time: number;
  readonly started: number;
  /** 0 where nothing was answered. */
  readonly status: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly server: string;
  /** Milliseconds until the server's head came. */
  readonly serverTime: number | undefined;
}

export function accessRecord(ended: EndedExchange): AccessRecord {
  const { head, decision, failure, status } = ended;
  const { connection } = head;
  const end = failure ?? (decision?.action === 'abort' ? ABORTED : ended.complete ? undefined : gone(status));
  const target = loggedTarget(head.target);
  const mark = target.indexOf('?');
  return {
    time: ended.time,
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
    logId: ended.logId,
    status: status || (end?.status ?? 0),
    subStatus: failure?.subStatus ?? (decision?.action === 'respond' ? decision.subStatus : (end?.subStatus ?? 0)),
    win32: end?.win32 || (failure && status > 0 && status !== failure.status ? ABORTED.win32 : 0),
    bytesSent: ended.bytesSent,
    bytesReceived: ended.bytesReceived,
    timeTaken: Math.round(performance.now() - ended.started),
    site: decision?.site ?? '',
    rule: decision?.rule ?? '',
    farm: decision?.action === 'forward' ? decision.farm.name : '',
    server: ended.server,
    serverTime: ended.serverTime === undefined ? undefined : Math.round(ended.serverTime),
  };
}

/** A rule cut the connection: nothing was sent. So does a failure behind the beginning of an answer. The code is ERROR_CONNECTION_ABORTED. */
const ABORTED = { status: 0, subStatus: 0, win32: 1236 };

/** A client that left before the head of an answer: 400.604; after it, the answer's own status with Win32 code 64. */
function gone(status: number): { status: number; subStatus: number; win32: number } {
  return status === 0 ? { status: 400, subStatus: 604, win32: 64 } : { status, subStatus: 0, win32: 64 };
}
