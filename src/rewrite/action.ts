/** Actions of a rule: the new URL of a Rewrite, the Location of a Redirect, the answer of a CustomResponse. */
import type { ActionConfig, RuleConfig } from '../config/rewrite-model.ts';
import { internationalAuthority } from '../host-name.ts';
import { type TargetSyntax, textOf } from './action-target.ts';
import { type Destination, destinationOf } from './destination.ts';
import { cannotExpand, failure, MAX_LENGTH, type RuleFailure, TOO_LONG, type Verdict } from './outcome.ts';
import { encodePath, encodePathKeepingEscapes, encodeQuery, encodeRawBytes } from './percent-coding.ts';
import type { RewriteMaps } from './rewrite-map.ts';
import type { CurrentUrl } from './server-variables.ts';
import { parsePath, resolvePath } from './target.ts';
import {
  compileParts,
  compileTemplate,
  type Evaluation,
  type Purpose,
  type Segment,
  type Template,
  unmark,
} from './template.ts';
import type { TraceRecorder } from './trace.ts';

/** Where an absolute Rewrite sends the request. */
export interface Authority {
  readonly scheme: 'http' | 'https';
  /** `host[:port]` as written. */
  readonly written: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly literal: boolean;
  readonly rule: string;
}

/** What the rules have made of one request so far. */
export interface Pass extends Evaluation {
  url: CurrentUrl;
  set: Map<string, string> | undefined;
  authority: Authority | undefined;
  /** The path for the request line where it is not to be derived from `url.path`. */
  wirePath: string | undefined;
  /** What the pattern of a rule at level `inputBase` sees while the path is `inputPath`. */
  input: string | undefined;
  inputBase: string | undefined;
  inputPath: string | undefined;
}

export interface Action {
  readonly type: ActionConfig['type'];
  readonly url: Template | undefined;
  readonly appendQueryString: boolean;
  readonly status: number;
  readonly subStatus: number;
  readonly reason: Template;
  readonly description: Template;
  /** `useOriginalURLEncoding="false"`: escapes in the new URL are kept. */
  readonly keepEscapes: boolean;
  /** Where it goes, if scheme and host stand in the rule as text. */
  readonly literal: Authority | 'invalid' | undefined;
  readonly target: ComputedTarget;
  /** Set where the path behind such a host is a group of the rule's pattern and nothing else: `https://farm/{R:1}`. */
  readonly pathGroup: number | undefined;
}

/** What the URL of an action has to be put together from where it is not all text. */
interface ComputedTarget {
  readonly kind: TargetSyntax['kind'];
  /** Of an absolute URL, each for itself: no capture may bring along what is not its own. */
  readonly scheme: Segment;
  /** Host, path and query. */
  readonly behind: Segment;
  /** Authorities that the administrator wrote, lower case: to reach them is not the client's choice. */
  readonly written: ReadonlySet<string>;
  /** Any port of these is theirs, too. */
  readonly anyPort: boolean;
}

const REDIRECT_STATUS = { Permanent: 301, Found: 302, SeeOther: 303, Temporary: 307 } as const;

export function compileAction(
  rule: RuleConfig,
  { maps, keepEscapes }: { readonly maps: RewriteMaps; readonly keepEscapes: boolean },
): Action {
  const { name, action: config } = rule;
  const redirect = config.type === 'Redirect';
  const purpose = redirect ? 'location' : 'path';
  const url = config.url && compileTemplate(config.url.value, maps, purpose);
  const destination = destinationOf(rule, maps);
  const literal = literalTarget(destination, name.value);
  return {
    type: config.type,
    url,
    appendQueryString: config.appendQueryString,
    status: redirect ? REDIRECT_STATUS[config.redirectType] : (config.statusCode ?? 0),
    subStatus: config.subStatusCode,
    reason: compileTemplate(config.statusReason?.value ?? '', maps),
    description: compileTemplate(config.statusDescription?.value ?? '', maps),
    keepEscapes,
    literal,
    target: computedTarget(destination, maps, purpose),
    pathGroup: url && pathGroup(literal, url),
  };
}

function literalTarget({ syntax }: Destination, rule: string): Authority | 'invalid' | undefined {
  if (syntax.kind !== 'absolute') return undefined;
  const [scheme, written] = [webScheme(textOf(syntax.scheme) ?? ''), textOf(syntax.host)];
  if (!scheme || written === undefined) return undefined;
  return authorityOf({ scheme, written, literal: true, rule });
}

function computedTarget(
  { syntax, authorities, anyPort }: Destination,
  maps: RewriteMaps,
  purpose: Purpose,
): ComputedTarget {
  const [scheme, behind] = syntax.kind === 'absolute' ? [syntax.scheme, [...syntax.host, ...syntax.rest]] : [[], []];
  return {
    kind: syntax.kind,
    // Behind `//` alone it stays that of the request.
    scheme: scheme.length === 0 ? ({ request }) => request.scheme : compileParts(scheme, maps, 'text'),
    behind: compileParts(behind, maps, purpose),
    written: new Set(authorities),
    anyPort,
  };
}

function webScheme(text: string): Authority['scheme'] | undefined {
  const scheme = text.toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : undefined;
}

function authorityOf(from: Pick<Authority, 'scheme' | 'written' | 'literal' | 'rule'>): Authority | 'invalid' {
  const { scheme, written, literal, rule } = from;
  const split = splitAuthority(written, literal);
  if (!split) return 'invalid';
  return { scheme, written, host: split.host, port: split.port, literal, rule };
}

function pathGroup(literal: Action['literal'], { syntax }: Template): number | undefined {
  const [origin, path, more] = syntax.parts;
  if (!literal || literal === 'invalid' || origin?.kind !== 'text' || path?.kind !== 'rule' || more) return undefined;
  const length = originLength(literal);
  return length <= SURELY_SHORT && origin.text.slice(length) === '/' ? path.index : undefined;
}

/** How much of an absolute URL stands before its path. */
function originLength({ scheme, written }: Authority): number {
  return scheme.length + '://'.length + written.length;
}

const HOST = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_~-]+(?:\.[A-Za-z0-9_~-]+)*\.?)(?::(\d{0,5}))?$/;
/** Names of farms may hold more than names of hosts; only the administrator writes them. Neither lacks a label. */
const LITERAL_HOST = /^(\[[0-9A-Fa-f:.]+\]|(?!\.|.*\.\.)[^:@%[\]\\\x00-\x1f\x7f\ud800-\udfff]+)(?::(\d{0,5}))?$/;

/** Host (lower case, in ASCII) and port of `host[:port]`; nothing where it is not valid. */
export function splitAuthority(text: string, literal: boolean): { host: string; port: number | undefined } | undefined {
  const found =
    HOST.exec(text) ?? HOST.exec(internationalAuthority(text) ?? '') ?? (literal ? LITERAL_HOST.exec(text) : null);
  const host = found?.[1];
  if (!found || !host) return undefined;
  const port = found[2] ? Number(found[2]) : undefined;
  return port === 0 || (port !== undefined && port > 65_535) ? undefined : { host: host.toLowerCase(), port };
}

/** Splits at the first `mark`; the second part is undefined where there is none. */
function cut(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function belowBase(basePath: string, path: string): string {
  if (path.startsWith('/')) return path;
  return basePath === '/' ? `/${path}` : `${basePath}/${path}`;
}

/** The query of the substitution first, then `&`, then the request's. */
function joinQuery(action: Action, substitution: string | undefined, request: string): string {
  if (!action.appendQueryString) return substitution ?? '';
  if (!substitution) return request;
  return request === '' ? substitution : `${substitution}&${request}`;
}

// ---- Rewrite ---------------------------------------------------------------------------------------------------

export function rewrite(
  action: Action,
  pass: Pass,
  rule: { readonly name: string; readonly basePath: string },
  recorder: TraceRecorder | undefined,
): RuleFailure | undefined {
  const { url, literal } = action;
  if (!url) return undefined;
  if (literal && literal !== 'invalid' && leavesPath(action, pass)) {
    pass.wirePath = undefined;
    goTo(action, pass, literal, undefined);
  } else {
    const failed = makeUrl(action, url, pass, rule);
    if (failed) return failed;
  }
  const { authority } = pass;
  recorder?.events.push({
    event: 'REWRITE_ACTION',
    Substitution: url.source,
    RewriteURL: authority ? `${authority.scheme}://${authority.written}${pass.url.path}` : pass.url.path,
    QueryString: pass.url.query,
    AppendQueryString: action.appendQueryString,
  });
  return undefined;
}

/** Makes current where the new URL leads, and its query; `substitution` is the query that the rule itself wrote. */
function goTo(action: Action, pass: Pass, authority: Authority | undefined, substitution: string | undefined): void {
  const query = joinQuery(action, substitution, pass.url.query);
  pass.url.hasQuery = query !== '' || (action.appendQueryString && substitution === undefined && pass.url.hasQuery);
  pass.url.query = query;
  pass.url.rewritten = true;
  pass.authority = authority;
}

/**
 * The common case of a rule that sends what it takes to a farm as it is: the path need not be put together, taken apart
 * and compared again. False where the new path may differ, or has to be looked at.
 */
function leavesPath({ pathGroup, keepEscapes }: Action, pass: Pass): boolean {
  const { path } = pass.url;
  if (pathGroup === undefined || keepEscapes || path.length > SURELY_SHORT) return false;
  const sameInput = pass.inputPath === path && (pass.inputBase === '/' || pass.inputBase === '');
  return sameInput && pass.ruleCaptures?.[pathGroup] === pass.input;
}

/** A host and a path of this length each are not too long together. */
const SURELY_SHORT = MAX_LENGTH / 2;

function makeUrl(
  action: Action,
  url: Template,
  pass: Pass,
  rule: { readonly name: string; readonly basePath: string },
): RuleFailure | undefined {
  if (url.broken) return cannotExpand(url.source);
  const parted = partUrl(action, url, pass);
  if ('failed' in parted) return parted;
  const { scheme, text } = parted;
  if (text.length > MAX_LENGTH) return TOO_LONG;
  const place = action.literal ?? (scheme && placeOf(text, scheme, action, rule.name));
  if (place === 'invalid') return failure(`the host of "${scheme}://${text}" is not valid`, !action.literal);
  const [markedPath, query] = cut(place ? text.slice(place.written.length) : text, '?');
  const wanted = unmark(markedPath);
  const keepsPath = wanted === '' && query !== undefined;
  const path = place ? belowBase('/', wanted) : keepsPath ? pass.url.path : belowBase(rule.basePath, wanted);
  const bad = setPath(action, pass, path, place !== undefined);
  if (bad) return bad;
  goTo(action, pass, place, query === undefined ? undefined : encodeQuery(unmark(query)));
  return undefined;
}

interface PartedUrl {
  /** Absent for a path. */
  readonly scheme: Authority['scheme'] | undefined;
  /** Path and query; behind a scheme with the host before them. */
  readonly text: string;
}

/** The URL that comes out. What was computed before `://` is the scheme and nothing else, so that it cannot name a host. */
function partUrl({ target }: Action, url: Template, pass: Pass): PartedUrl | RuleFailure {
  if (target.kind === 'absolute') {
    const written = target.scheme(pass);
    const scheme = webScheme(written);
    const text = target.behind(pass);
    return scheme ? { scheme, text } : failure(`"${written}" before "://" is neither http nor https`);
  }
  const text = url.evaluate(pass);
  const absolute = target.kind === 'open' ? /^(https?):\/\//i.exec(text) : null;
  if (absolute) return { scheme: webScheme(absolute[1] ?? ''), text: text.slice(absolute[0].length) };
  if (/^([A-Za-z][A-Za-z0-9+.-]*:[/\\]|\\\\)/.test(text)) {
    return failure(`"${text}" is not a URL that a request can be sent to`);
  }
  return { scheme: undefined, text };
}

/** Where an absolute URL leads whose host was computed. */
function placeOf(text: string, scheme: Authority['scheme'], { target }: Action, rule: string): Authority | 'invalid' {
  const [written = ''] = /^[^/?#]*/.exec(text) ?? [];
  return authorityOf({ scheme, written, literal: isWritten(written.toLowerCase(), target), rule });
}

function isWritten(authority: string, { written, anyPort }: ComputedTarget): boolean {
  return written.has(anyPort ? authority.replace(/:\d+$/, '') : authority);
}

const NEEDS_RESOLVING = /\\|\/\.{1,2}(?:\/|$)/;

/** Makes a path current, with its dot segments resolved: captures of a query string may have brought some. */
function setPath(action: Action, pass: Pass, path: string, absolute: boolean): RuleFailure | undefined {
  pass.wirePath = undefined;
  if (path.includes('\0')) return failure('the new path holds a NUL character', true);
  if (action.keepEscapes && path.includes('%')) return setEncodedPath(pass, path);
  if (NEEDS_RESOLVING.test(path) || (!absolute && path.includes('//'))) {
    const resolved = resolvePath(path);
    if ('refused' in resolved) return failure(`${resolved.refused}: ${path}`, true);
    pass.url.path = resolved.path;
  } else {
    pass.url.path = path;
  }
  return undefined;
}

/** `useOriginalURLEncoding="false"`: the new path is encoded already. */
function setEncodedPath(pass: Pass, path: string): RuleFailure | undefined {
  const { target } = pass.request;
  const encoded = path === target.rawPath ? path : encodePathKeepingEscapes(path);
  const parsed = parsePath(encoded);
  if ('refused' in parsed) return failure(`${parsed.refused}: ${path}`, true);
  pass.url.path = parsed.path;
  pass.wirePath = parsed.structural ? undefined : encoded;
  return undefined;
}

// ---- Redirect --------------------------------------------------------------------------------------------------

export function redirect(
  action: Action,
  pass: Pass,
  rule: { readonly name: string; readonly basePath: string },
  recorder: TraceRecorder | undefined,
): Verdict | RuleFailure | undefined {
  const { url } = action;
  if (!url) return undefined;
  if (url.broken) return cannotExpand(url.source);
  const location = makeLocation(action, url, pass, rule.basePath);
  if (typeof location !== 'string') return location;
  recorder?.events.push({
    event: 'REDIRECT_ACTION',
    Substitution: url.source,
    RedirectURL: location,
    StatusCode: action.status,
    AppendQueryString: action.appendQueryString,
  });
  return { kind: 'redirect', status: action.status, location, rule: rule.name };
}

function makeLocation(action: Action, url: Template, pass: Pass, basePath: string): string | RuleFailure {
  const { target } = action;
  // Only what the administrator wrote may name another scheme, or another site without one.
  if (target.kind === 'other') return encodeLocation(url.evaluate(pass));
  const parted = target.kind === 'absolute' ? partUrl(action, url, pass) : undefined;
  if (parted && 'failed' in parted) return parted;
  const text = parted ? `${parted.scheme}://${parted.text}` : url.evaluate(pass);
  const [beforeFragment, fragment] = cut(text, '#');
  const [before, substitution] = cut(beforeFragment, '?');
  const absolute = /^(https?):\/\/([^/\\]*)/i.exec(before);
  const origin = absolute ? redirectOrigin(absolute) : ownOrigin(pass);
  if (typeof origin !== 'string') return origin;
  const path = absolute ? before.slice(absolute[0].length) : before.replace(/^[/\\]+/, '/');
  const query = joinQuery(
    action,
    substitution === undefined ? undefined : encodeQuery(substitution),
    encodeRawBytes(pass.url.query),
  );
  const tail = `${query === '' ? '' : `?${query}`}${fragment === undefined ? '' : `#${encodeQuery(fragment)}`}`;
  // `?x=1` keeps the path; a URL that comes out empty is the root.
  const wanted = path === '' && !absolute && before !== text ? encodePath(pass.url.path) : path;
  return `${origin}${locationPath(pass, belowBase(absolute ? '/' : basePath, wanted))}${tail}`;
}

function redirectOrigin(absolute: RegExpExecArray): string | RuleFailure {
  const split = splitAuthority(absolute[2] ?? '', false);
  if (!split) return failure(`the host of a redirect to "${absolute[0]}" is not valid`, true);
  return `${absolute[1]?.toLowerCase()}://${split.host}${split.port === undefined ? '' : `:${split.port}`}`;
}

/** The site as the client called it; IIS makes every Location absolute. */
function ownOrigin({ request }: Pass): string {
  if (HOST.test(request.host)) return `${request.scheme}://${request.host}`;
  const address = request.localAddress.includes(':') ? `[${request.localAddress}]` : request.localAddress;
  const usual = request.localPort === (request.scheme === 'https' ? 443 : 80);
  return `${request.scheme}://${address}${usual ? '' : `:${request.localPort}`}`;
}

function locationPath(pass: Pass, wanted: string): string {
  const { target } = pass.request;
  // A redirect that keeps the path keeps the client's own spelling of it.
  if (!target.structural && wanted === encodePath(target.path)) return encodeRawBytes(target.rawPath);
  return encodePathKeepingEscapes(wanted);
}

/** For what is no web address: only what would break the header is encoded. */
function encodeLocation(text: string): string {
  const [before, fragment] = cut(text, '#');
  return fragment === undefined ? encodeQuery(before) : `${encodeQuery(before)}#${encodeQuery(fragment)}`;
}

// ---- CustomResponse --------------------------------------------------------------------------------------------

export function respond(
  action: Action,
  pass: Pass,
  rule: string,
  recorder: TraceRecorder | undefined,
): Verdict | RuleFailure {
  for (const template of [action.reason, action.description]) {
    if (template.broken) return cannotExpand(template.source);
  }
  if (action.status < 200 || action.status > 999) {
    return failure(`a custom response cannot have the status ${action.status}`);
  }
  const reason = action.reason.evaluate(pass).replace(/[^\x20-\x7e\xa0-\xff]/g, ' ');
  const body = action.description.evaluate(pass);
  recorder?.events.push({
    event: 'CUSTOM_RESPONSE_ACTION',
    StatusCode: action.status,
    SubStatusCode: action.subStatus,
    StatusReason: reason,
    StatusDescription: body,
  });
  return { kind: 'respond', status: action.status, subStatus: action.subStatus, reason, body, rule };
}
