/**
 * Which site takes a request, what its rules do with it, and whether they may lead there: decided in one place for all who ask, the
 * service, `trace`, the replay of a log, the checks. Pure: nothing is opened, no server is chosen, and a refusal is a fate like any
 * other. The stages, in their order:
 *
 * 1. methods that are not proxied
 * 2. the site, by listener and Host
 * 3. what the client's certificate leaves it
 * 4. OPTIONS that is for us
 * 5. the target, and the rules of the site
 * 6. whether the service may go where they lead
 */
import type { Config } from '../config/model.ts';
import { type FailureKind, statusOf } from '../errors.ts';
import { headerOf } from '../header-list.ts';
import { comparedName } from '../host-name.ts';
import { type CompiledSite, compileRules } from '../rewrite/compile.ts';
import { type OutboundPass, openOutbound } from '../rewrite/outbound.ts';
import type { Refusal } from '../rewrite/outcome.ts';
import { evaluateRules, type RewriteOutcome, type RewriteRequest } from '../rewrite/rule-set.ts';
import { isRefused, type ParsedTarget, parseTarget } from '../rewrite/target.ts';
import type { TraceRecorder } from '../rewrite/trace.ts';
import type { AskedRequest } from './asked-request.ts';
import { whyMethodRefused } from './authority.ts';
import { siteFinder } from './entrances.ts';

export interface Respond {
  readonly action: 'respond';
  readonly status: number;
  readonly subStatus: number;
  readonly reason: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly outcome: RewriteOutcome;
}

interface Abort {
  readonly action: 'abort';
  readonly outcome: RewriteOutcome;
}

export interface Refuse {
  readonly action: 'refuse';
  readonly kind: FailureKind;
  /** For the log. */
  readonly reason: string;
  /** What it would not have happened without, by its path in settings.json. */
  readonly setting?: string;
  /** What the rules said, where they were asked and it is for them that the request is refused. */
  readonly outcome: RewriteOutcome | Refusal;
}

/** A server is to be asked: one of the farm of that name, or else the host itself. */
export interface Forward {
  readonly action: 'forward';
  readonly outcome: Proxied;
  readonly request: RewriteRequest;
}

type Proxied = Extract<RewriteOutcome, { kind: 'proxy' }>;

export type Fate = (Respond | Abort | Refuse | Forward) & {
  /** `''` where no binding takes the host, or none was asked. */
  readonly site: string;
  /** The rule that decided; `''` for none. */
  readonly rule: string;
  /** The outbound rules for whatever is answered; absent where there are none. */
  readonly outbound: OutboundPass | undefined;
};

/** @param recorder is told of every rule; then none is left out for its host */
export type Decider = (asked: AskedRequest, recorder?: TraceRecorder) => Fate;

export function createDecider(config: Config): Decider {
  const findSite = siteFinder(config, compileRules(config));
  const mayGo = createMayGo(config);
  return (asked, recorder) => {
    const refused = whyMethodRefused(asked.method);
    if (refused !== undefined) return refuse('methodRefused', refused);
    const site = findSite(asked);
    if (site === undefined) return refuse('noSite', whyNoSite(asked));
    const refusal = asked.connection.clientCertificate?.refusal;
    if (refusal) {
      const setting = 'tls.clientCertificates';
      return { ...refuse(refusal.kind, `${refusal.reason} (${setting})`, site.name), setting };
    }
    if (isForUs(asked)) return { ...OPTIONS_ANSWER, site: site.name, rule: '', outbound: undefined };
    const target = parseTarget(asked.target);
    if (isRefused(target)) return refuse('badRequest', target.refused, site.name);
    const request = rewriteRequest(asked, target, site);
    const outcome = evaluateRules(site, request, recorder);
    const outbound = openOutbound(site, request, outcome);
    return fateOf(outcome, { request, mayGo, site: site.name, outbound });
  };
}

/** @param reason for the log, and for whoever traces the request */
export function refuse(kind: FailureKind, reason: string, site = ''): Extract<Fate, Refuse> {
  const outcome: Refusal = { kind: 'refused', status: statusOf(kind), message: reason, rule: '' };
  return { action: 'refuse', kind, reason, outcome, site, rule: '', outbound: undefined };
}

function whyNoSite({ authority, connection: { localPort } }: AskedRequest): string {
  return `no binding takes ${authority === '' ? 'a request without a host' : authority} on port ${localPort}`;
}

/** OPTIONS that asks for this server, not for something on it, or may not go further (RFC 9110 9.3.7 and 7.6.2). */
function isForUs({ method, target, headers }: AskedRequest): boolean {
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
  outcome: {
    kind: 'respond',
    status: 200,
    subStatus: 0,
    reason: '',
    body: '',
    rule: '',
    setVariables: undefined,
    urlRewritten: false,
  },
};

function rewriteRequest(asked: AskedRequest, target: ParsedTarget, site: CompiledSite): RewriteRequest {
  const { connection, headers } = asked;
  return {
    method: asked.method,
    scheme: asked.scheme,
    host: asked.authority,
    target,
    header: (lowerCaseName) => headerOf(headers, lowerCaseName),
    remoteAddress: connection.remoteAddress,
    remotePort: connection.remotePort,
    localAddress: connection.localAddress,
    localPort: connection.localPort,
    httpVersion: asked.protocol.slice('HTTP/'.length),
    siteName: site.name,
    siteId: site.id,
  };
}

interface Decided {
  readonly request: RewriteRequest;
  readonly mayGo: MayGo;
  readonly site: string;
  readonly outbound: OutboundPass | undefined;
}

function fateOf(outcome: RewriteOutcome, { request, mayGo, site, outbound }: Decided): Fate {
  const { rule } = outcome;
  switch (outcome.kind) {
    case 'proxy':
      if (mayGo(outcome)) return { action: 'forward', outcome, request, site, rule, outbound };
      return { ...notAllowed(outcome), site, rule, outbound };
    case 'redirect': {
      const { status, location } = outcome;
      const headers = ['Location', location];
      return { action: 'respond', status, subStatus: 0, reason: '', headers, body: '', outcome, site, rule, outbound };
    }
    case 'respond': {
      const { status, subStatus, reason, body } = outcome;
      return { action: 'respond', status, subStatus, reason, headers: TEXT, body, outcome, site, rule, outbound };
    }
    case 'abort':
      return { action: 'abort', outcome, site, rule, outbound };
    case 'error': {
      const reason = `rule ${JSON.stringify(rule)}: ${outcome.message}`;
      return { action: 'refuse', kind: failureKind(outcome), reason, outcome, site, rule, outbound };
    }
    case 'none':
      return { action: 'refuse', kind: 'noRule', reason: whyNone(rule), outcome, site, rule, outbound };
  }
}

/** The description of a rule may hold parts of the request, which a browser must not read as HTML. */
const TEXT: readonly string[] = ['Content-Type', 'text/plain; charset=utf-8'];

function whyNone(rule: string): string {
  if (rule === '') return 'no rule took the request';
  return `rule ${JSON.stringify(rule)} leaves the request to a file; Lychgate has none`;
}

function failureKind({ badRequest, global }: Extract<RewriteOutcome, { kind: 'error' }>): FailureKind {
  if (badRequest) return 'badRequest';
  return global ? 'globalRuleFailed' : 'ruleFailed';
}

function notAllowed({ rule, host }: Proxied): Refuse {
  const message = `${host} is neither a farm nor in upstream.allow`;
  const reason = `rule ${JSON.stringify(rule)} leads to ${host}, which is neither a farm nor in upstream.allow`;
  const kind = 'targetNotAllowed';
  return {
    action: 'refuse',
    kind,
    reason,
    setting: 'upstream.allow',
    outcome: { kind: 'refused', status: statusOf(kind), message, rule, ours: true },
  };
}

type MayGo = (outcome: Proxied) => boolean;

/** A host that is no farm is reached directly, and one that a request brought only where settings name it (design D12). */
function createMayGo({ webFarms, proxy, settings }: Config): MayGo {
  const farms = new Set(webFarms.map(({ name }) => comparedName(name.value)));
  const allowed = new Set(settings.upstream.allow);
  return ({ host, literalHost }) => farms.has(host) || (proxy.enabled && (literalHost || allowed.has(host)));
}
