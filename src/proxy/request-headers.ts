/** The headers a server gets: the client's own, without what belongs to one connection, and what ARR adds. */
import type { ProtocolConfig } from '../config/farm-model.ts';
import { ExchangeError } from '../errors.ts';
import type { Server } from '../farm/server.ts';
import type { HeaderList } from '../header-list.ts';
import type { RequestVersion } from '../http1/head-writer.ts';
import { isForwardedField } from './forwarded-fields.ts';
import { hopByHop, nominatedNames } from './hop-by-hop.ts';
import type { ClientConnection, PassedHeaders, RequestHead } from './request-head.ts';
import { passedTrailers } from './trailers.ts';

/** Longest X-Forwarded-For that is taken over from a client; what is older than that is cut off. */
const FORWARDED_FOR_LIMIT = 2048;

/**
 * X-Original-URL, which we write; Proxy, which no client sends and which CGI hands to a program as HTTP_PROXY, the proxy that it
 * is to use (CVE-2016-5385).
 */
const NEVER_PASSED: ReadonlySet<string> = new Set(['x-original-url', 'proxy']);

/** Fields that decide how a message is read. */
const FRAMING = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'te',
  'trailer',
  'upgrade',
  'expect',
]);

export interface ServerRequest {
  readonly head: RequestHead;
  readonly server: Pick<Server, 'address' | 'hostName'>;
  /** Port of the server and whether it is the usual one of the scheme, for a Host made from its address. */
  readonly port: number;
  readonly scheme: 'http' | 'https';
  readonly protocol: ProtocolConfig;
  readonly logId: string;
  /** Headers that rules set, by lower-case name; an empty value removes the header. */
  readonly setHeaders: ReadonlyMap<string, string> | undefined;
  /** The body goes on in chunks, since its length shows only at its end. */
  readonly chunked: boolean;
  readonly version: RequestVersion;
}

/** `httpVersion` of the farm: what a server is spoken to in. HTTP/2 passes through as HTTP/1.1. */
export function versionFor({ httpVersion }: ProtocolConfig, { protocol }: RequestHead): RequestVersion {
  if (httpVersion === 'PassThrough') return protocol === 'HTTP/1.0' ? 'HTTP/1.0' : 'HTTP/1.1';
  return httpVersion === 'Http10' ? 'HTTP/1.0' : 'HTTP/1.1';
}

/**
 * Lines for the wire, in the order: Host, the client's, then ours (arr.md section 6).
 * @throws ExchangeError `tooManyForwards` where Max-Forwards is used up
 */
export function serverHeaders(request: ServerRequest): string {
  const { head, protocol, setHeaders, logId } = request;
  const { front, back } = passedHeaders(request);
  const original = setHeaders?.has('x-original-url') ? '' : `X-Original-URL: ${head.target}\r\n`;
  const id = protocol.logGuidName === '' ? '' : `${logId}\r\n`;
  return `Host: ${setHeaders?.get('host') || hostFor(request)}\r\n${front}${original}${back}${id}${framingLines(request)}`;
}

function passedHeaders(request: ServerRequest): PassedHeaders {
  const { head, protocol, setHeaders } = request;
  const { connection, headers } = head;
  const own = ownNames(protocol);
  const { passed } = connection;
  if (setHeaders === undefined && passed?.headers === headers && passed.own === own) return passed;
  const nominated = nominatedNames(headers, own);
  let lines = '';
  let forwardedFor = '';
  let cookies = '';
  let maxForwards: string | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const value = headers[i + 1] ?? '';
    const { lower, treatment } = treat(name, own);
    if (treatment === 'max-forwards') maxForwards ??= value;
    else if (treatment === 'forwarded-for') forwardedFor += forwardedFor === '' ? value : `, ${value}`;
    else if (setHeaders?.has(lower) || treatment === 'drop' || nominated?.has(lower)) continue;
    else if (treatment === 'trusted' && !connection.trusted) continue;
    // HTTP/2 may split the cookies over several fields; toward HTTP/1.1 they are joined (RFC 9113 8.2.3).
    else if (treatment === 'cookie' && head.protocol === 'HTTP/2.0') cookies += cookies === '' ? value : `; ${value}`;
    else lines += `${name}: ${value}\r\n`;
  }
  if (cookies !== '') lines += `Cookie: ${cookies}\r\n`;
  for (const [name, value] of setHeaders ?? []) {
    if (name === own.forwardedFor) forwardedFor = value;
    else if (own.last.has(name)) continue;
    else if (value !== '' && !hopByHop.has(name) && !FRAMING.has(name)) lines += `${name}: ${value}\r\n`;
  }
  const made = {
    headers,
    own,
    front: `${lines}Max-Forwards: ${forwardsLeft(maxForwards, protocol.maxForwards)}\r\n`,
    back: backLines(request, forwardedFor),
  };
  // The same block comes again as the very same list (HTTP/1.1 alone): then this is spared.
  if (setHeaders === undefined && head.protocol !== 'HTTP/2.0') connection.passed = made;
  return made;
}

function backLines({ head: { connection }, protocol }: ServerRequest, forwardedFor: string): string {
  let text = '';
  if (protocol.xForwardedByHeader !== '') text += line(protocol.xForwardedByHeaderName, protocol.xForwardedByHeader);
  text += line(protocol.xForwardedForHeaderName, withClient(forwardedFor, connection, protocol));
  if (connection.tls) text += line(protocol.sslHeaderName, sslValue(connection.tls));
  const shown = connection.clientCertificate?.base64;
  if (shown !== undefined) text += line(protocol.clientCertHeaderName, shown);
  return protocol.logGuidName === '' ? text : `${text}${protocol.logGuidName}: `;
}

/**
 * What becomes of a client's header: `drop` is for what belongs to its connection or may only be written by us, `trusted`
 * for what a trusted proxy may write too.
 */
type Treatment = 'pass' | 'drop' | 'trusted' | 'max-forwards' | 'forwarded-for' | 'cookie';

interface TreatedName {
  readonly lower: string;
  readonly treatment: Treatment;
}

interface OwnNames {
  readonly forwardedFor: string;
  /** With `-` for `_`, as servers read them. */
  readonly all: ReadonlySet<string>;
  /** Those in which what we write goes before what a rule sets: ARR writes behind the rules. */
  readonly last: ReadonlySet<string>;
  /** By name as written; the same few come again and again. Bounded, since it is clients that fill it. */
  readonly known: Map<string, TreatedName>;
}

const KNOWN_NAMES = 1024;
const LONGEST_KNOWN = 64;

const ownNamesOf = new WeakMap<ProtocolConfig, OwnNames>();

/** The names a farm's settings give to the headers we write, lower case. */
function ownNames(protocol: ProtocolConfig): OwnNames {
  let names = ownNamesOf.get(protocol);
  if (names === undefined) {
    const { xForwardedForHeaderName, xForwardedByHeaderName, xForwardedByHeader } = protocol;
    const last = namesIn([
      protocol.sslHeaderName,
      protocol.clientCertHeaderName,
      protocol.logGuidName,
      xForwardedByHeader === '' ? '' : xForwardedByHeaderName,
    ]);
    const all = namesIn([...last, xForwardedForHeaderName, xForwardedByHeaderName, protocol.logCacheHitName]);
    names = { forwardedFor: xForwardedForHeaderName.toLowerCase(), all, last, known: new Map() };
    ownNamesOf.set(protocol, names);
  }
  return names;
}

function namesIn(written: readonly string[]): ReadonlySet<string> {
  return new Set(written.map(dashed).filter((name) => name !== ''));
}

function dashed(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** Fields behind a body of a client: none that we write. */
export function clientTrailers(trailers: HeaderList, protocol: ProtocolConfig): HeaderList {
  if (trailers.length === 0) return trailers;
  const { all } = ownNames(protocol);
  return passedTrailers(trailers).filter((_, i, list) => !all.has(dashed(list[i - (i % 2)] ?? '')));
}

function treat(name: string, own: OwnNames): TreatedName {
  const found = own.known.get(name);
  if (found) return found;
  const lower = name.toLowerCase();
  const treated = { lower, treatment: treatmentOf(lower, own) };
  if (own.known.size < KNOWN_NAMES && name.length <= LONGEST_KNOWN) own.known.set(name, treated);
  return treated;
}

function treatmentOf(lower: string, own: OwnNames): Treatment {
  if (lower === 'max-forwards') return 'max-forwards';
  if (lower === own.forwardedFor) return 'forwarded-for';
  if (hopByHop.has(lower)) return 'drop';
  // It becomes such a header, or a framing header, once a server reads `_` as `-` (CGI, WSGI and IIS do).
  const read = dashed(lower);
  if (own.all.has(read) || NEVER_PASSED.has(read)) return 'drop';
  const guarded = isForwardedField(read);
  if (read !== lower && (guarded || FRAMING.has(read))) return 'drop';
  if (guarded) return 'trusted';
  return lower === 'cookie' ? 'cookie' : 'pass';
}

function hostFor({ head, server, protocol, scheme, port }: ServerRequest): string {
  if (protocol.preserveHostHeader && head.authority !== '') return head.authority;
  if (protocol.alternateHostName !== '') return protocol.alternateHostName;
  if (server.hostName !== '') return server.hostName;
  const address = server.address.includes(':') ? `[${server.address}]` : server.address;
  return port === (scheme === 'https' ? 443 : 80) ? address : `${address}:${port}`;
}

/** An incoming value is counted down, and never counts for more than the farm allows (RFC 9110 7.6.2). */
function forwardsLeft(incoming: string | undefined, allowed: number): number {
  if (incoming === undefined || !/^\d{1,9}$/.test(incoming)) return allowed;
  const left = Number(incoming);
  if (left === 0)
    throw new ExchangeError('tooManyForwards', 'Max-Forwards is used up: the request may be going round in a loop');
  return Math.min(left - 1, allowed);
}

function withClient(
  earlier: string,
  { remoteAddress, remotePort }: ClientConnection,
  protocol: ProtocolConfig,
): string {
  const bracketed = remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress;
  const client = protocol.includePortInXForwardedFor ? `${bracketed}:${remotePort}` : remoteAddress;
  if (earlier === '') return client;
  if (earlier.length <= FORWARDED_FOR_LIMIT) return `${earlier}, ${client}`;
  const cut = earlier.slice(-FORWARDED_FOR_LIMIT);
  return `${cut.slice(cut.indexOf(',') + 1).trimStart()}, ${client}`;
}

const sslValues = new WeakMap<NonNullable<ClientConnection['tls']>, string>();

/** Key bits, cipher bits, issuer and subject of the certificate we presented (arr.md section 6), in ASCII only. */
function sslValue(tls: NonNullable<ClientConnection['tls']>): string {
  let value = sslValues.get(tls);
  if (value === undefined) {
    const { cipherBits, certificate } = tls;
    const text = `${certificate?.keyBits ?? 0}|${cipherBits}|${certificate?.issuer ?? ''}|${certificate?.subject ?? ''}`;
    value = text.replace(/[^\x20-\x7e]/g, '?');
    sslValues.set(tls, value);
  }
  return value;
}

/** Settings may give a header no name: then it is not sent. */
function line(name: string, value: string): string {
  return name === '' ? '' : `${name}: ${value}\r\n`;
}

/** What concerns the connection to the server alone. A Content-Length that the client has sent is among its own. */
function framingLines({ head, chunked, protocol, version }: ServerRequest): string {
  if (version === 'HTTP/1.0') return framingLines10(head, protocol);
  let text = '';
  if (chunked) text += 'Transfer-Encoding: chunked\r\n';
  else text += emptyLength(head);
  if (head.expectsContinue) text += 'Expect: 100-continue\r\n';
  if (head.upgrade !== '') text += `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  else if (!protocol.keepAlive) text += 'Connection: close\r\n';
  return text;
}

/** No chunks, no interim answers, no upgrades, and an end behind each answer unless both sides want to go on. */
function framingLines10(head: RequestHead, { keepAlive }: ProtocolConfig): string {
  const length = emptyLength(head);
  return keepAlive ? `${length}Connection: Keep-Alive\r\n` : length;
}

/** RFC 9110 8.6: a method that has a body says so when it is empty; IIS answers 411 otherwise. */
function emptyLength({ body, method }: RequestHead): string {
  return typeof body !== 'number' && HAS_BODY.has(method) ? 'Content-Length: 0\r\n' : '';
}

const HAS_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
