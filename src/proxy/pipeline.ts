/**
 * The deciding stages in their order, the same for every lane: site, target, rules, farm. Pure: nothing is opened, and no
 * server is chosen here.
 */
import { ExchangeError, type FailureKind } from '../errors.ts';
import type { Scheme } from '../farm/server.ts';
import type { WebFarm } from '../farm/web-farm.ts';
import { headerOf } from '../header-list.ts';
import { type OutboundPass, openOutbound } from '../rewrite/outbound.ts';
import { evaluateRules, type RewriteOutcome, type RewriteRequest } from '../rewrite/rule-set.ts';
import { headerOfVariable } from '../rewrite/server-variables.ts';
import { isRefused, parseTarget } from '../rewrite/target.ts';
import { hashKey } from './hash-key.ts';
import { matchSite } from './match-site.ts';
import type { RequestHead } from './request-head.ts';
import type { RunningSite, Runtime } from './runtime.ts';

export interface Respond {
  readonly action: 'respond';
  readonly status: number;
  readonly subStatus: number;
  readonly reason: string;
  readonly headers: readonly string[];
  readonly body: string;
}

export interface Abort {
  readonly action: 'abort';
}

export interface Forward {
  readonly action: 'forward';
  readonly farm: WebFarm;
  readonly scheme: Scheme;
  /** Path and query for the request line, as latin1. */
  readonly target: string;
  /** What RequestHash goes by; `''` where the farm does not ask for it. */
  readonly hashKey: string;
  /** Headers that rules set, by lower-case name. */
  readonly setHeaders: ReadonlyMap<string, string> | undefined;
}

/** What the rules decided cannot be carried out. */
export interface Fail {
  readonly action: 'fail';
  readonly error: ExchangeError;
}

export type Decision = (Respond | Abort | Forward | Fail) & {
  readonly site: string;
  /** The rule that decided; `''` for none. */
  readonly rule: string;
  /** The outbound rules for whatever is answered; absent where there are none. */
  readonly outbound: OutboundPass | undefined;
};

/** @throws ExchangeError for everything that is refused before a site is found, or its rules are asked */
export function decide(runtime: Runtime, head: RequestHead): Decision {
  if (isRefusedMethod(head.method)) throw new ExchangeError('methodRefused', `method ${head.method}`);
  const site = siteOf(runtime, head);
  const refusal = head.connection.clientCertificate?.refusal;
  if (refusal) throw new ExchangeError(refusal.kind, `${refusal.reason} (tls.clientCertificates)`);
  if (isForUs(head)) return { ...OPTIONS_ANSWER, site: site.name, rule: '', outbound: undefined };
  const request = rewriteRequest(head, site);
  const outcome = evaluateRules(site.rules, request);
  return {
    ...act(runtime, outcome, request),
    site: site.name,
    rule: outcome.rule,
    outbound: openOutbound(site.rules, request, outcome),
  };
}

/** CONNECT would make a tunnel, and TRACE shows a client what the server was sent: neither is proxied. */
export function isRefusedMethod(method: string): boolean {
  return method === 'CONNECT' || method === 'TRACE' || method === 'TRACK';
}

/** OPTIONS that asks for this server, not for something on it, or may not go further (RFC 9110 9.3.7 and 7.6.2). */
function isForUs({ method, target, headers }: RequestHead): boolean {
  return method === 'OPTIONS' && (target === '*' || /^0+$/.test(headerOf(headers, 'max-forwards') ?? ''));
}

/** What every server is asked with; others, as those of WebDAV, go on, too, and are the server's to name. */
const OPTIONS_ANSWER: Respond = {
  action: 'respond',
  status: 200,
  subStatus: 0,
  reason: '',
  headers: ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
  body: '',
};

function siteOf(runtime: Runtime, head: RequestHead): RunningSite {
  const table = runtime.sites.get(head.connection.listener);
  // A Host without a name is no host of a binding; only HTTP/1.0 may leave it out.
  const unnamed = head.authority === '' && head.protocol !== 'HTTP/1.0';
  const site = table && (unnamed ? table.any : matchSite(table, head.authority));
  if (site === undefined) throw new ExchangeError('noSite', `no binding for host ${JSON.stringify(head.authority)}`);
  return site;
}

function rewriteRequest(head: RequestHead, site: RunningSite): RewriteRequest {
  const { connection } = head;
  const target = parseTarget(head.target);
  if (isRefused(target)) throw new ExchangeError('badRequest', target.refused);
  return {
    method: head.method,
    scheme: head.scheme,
    host: head.authority,
    target,
    header: (lowerCaseName) => headerOf(head.headers, lowerCaseName),
    remoteAddress: connection.remoteAddress,
    remotePort: connection.remotePort,
    localAddress: connection.localAddress,
    localPort: connection.localPort,
    httpVersion: head.protocol.slice('HTTP/'.length),
    siteName: site.name,
    siteId: site.id,
  };
}

function act(runtime: Runtime, outcome: RewriteOutcome, request: RewriteRequest): Respond | Abort | Forward | Fail {
  switch (outcome.kind) {
    case 'proxy':
      return forward(runtime, outcome, request);
    case 'redirect':
      return {
        action: 'respond',
        status: outcome.status,
        subStatus: 0,
        reason: '',
        headers: ['Location', outcome.location],
        body: '',
      };
    case 'respond':
      // Plain text: the description may hold parts of the request, which a browser must not read as HTML.
      return { ...outcome, action: 'respond', headers: ['Content-Type', 'text/plain; charset=utf-8'] };
    case 'abort':
      return { action: 'abort' };
    case 'error':
      return fail(failureKind(outcome), `rule ${JSON.stringify(outcome.rule)}: ${outcome.message}`);
    case 'none':
      return fail('noRule', whyNone(outcome));
  }
}

function whyNone({ rule }: Extract<RewriteOutcome, { kind: 'none' }>): string {
  if (rule === '') return 'no rule took the request';
  return `rule ${JSON.stringify(rule)} leaves the request to a file; Lychgate has none`;
}

function fail(kind: FailureKind, reason: string): Fail {
  return { action: 'fail', error: new ExchangeError(kind, reason) };
}

function failureKind({ badRequest, global }: Extract<RewriteOutcome, { kind: 'error' }>): FailureKind {
  if (badRequest) return 'badRequest';
  return global ? 'globalRuleFailed' : 'ruleFailed';
}

function forward(
  runtime: Runtime,
  outcome: Extract<RewriteOutcome, { kind: 'proxy' }>,
  request: RewriteRequest,
): Forward | Fail {
  const farm = runtime.farms.get(outcome.host) ?? runtime.direct(outcome.host, outcome.port, outcome.literalHost);
  if (farm === undefined) {
    return fail(
      'targetNotAllowed',
      `rule ${JSON.stringify(outcome.rule)} leads to ${outcome.host}, which is neither a farm nor in upstream.allow`,
    );
  }
  const { scheme, target, setVariables } = outcome;
  return {
    action: 'forward',
    farm,
    scheme,
    target,
    hashKey: farm.hashInput ? hashKey(farm.hashInput, { request, target, set: setVariables }) : '',
    setHeaders: headersOf(setVariables),
  };
}

/** Variables that stand for request headers; the others are for the rules alone. */
function headersOf(variables: ReadonlyMap<string, string> | undefined): ReadonlyMap<string, string> | undefined {
  if (variables === undefined || variables.size === 0) return undefined;
  const headers = new Map<string, string>();
  for (const [name, value] of variables) {
    const header = headerOfVariable(name);
    if (header !== undefined) headers.set(header, value);
  }
  return headers;
}
