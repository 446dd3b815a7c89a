/** The headers a server gets: the client's own, without what belongs to one connection, and what ARR adds. */
import type { ProtocolConfig } from '../config/model.ts';
import { ExchangeError } from '../errors.ts';
import type { Server } from '../farm/web-farm.ts';
import { hopByHop, nominatedNames } from './hop-by-hop.ts';
import type { ClientConnection, RequestHead } from './request-head.ts';

/** Longest X-Forwarded-For that is taken over from a client; what is older than that is cut off. */
const FORWARDED_FOR_LIMIT = 2048;

/** Written by us or by a proxy that we trust; a client that sends one lies. */
const FORWARDED = new Set([
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-by',
  'forwarded',
  'x-real-ip',
  'x-original-url',
  'front-end-https',
]);

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
  readonly server: Server;
  /** Port of the server and whether it is the usual one of the scheme, for a Host made from its address. */
  readonly port: number;
  readonly scheme: 'http' | 'https';
  readonly protocol: ProtocolConfig;
  readonly logId: string;
  /** Headers that rules set, by lower-case name; an empty value removes the header. */
  readonly setHeaders: ReadonlyMap<string, string> | undefined;
  /** The body goes on in chunks, since its length shows only at its end. */
  readonly chunked: boolean;
}

/**
 * Flat list for the wire, in the order: Host, the client's, then ours (arr.md section 6).
 * @throws ExchangeError `tooManyForwards` where Max-Forwards is used up
 */
export function serverHeaders(request: ServerRequest): string[] {
  const { head, protocol, setHeaders } = request;
  const { connection } = head;
  const own = ownNames(protocol);
  const nominated = nominatedNames(head.headers, own);
  const list = ['Host', setHeaders?.get('host') || hostFor(request)];
  let forwardedFor = '';
  let cookies = '';
  let maxForwards: string | undefined;

  for (let i = 0; i + 1 < head.headers.length; i += 2) {
    const name = head.headers[i] ?? '';
    const value = head.headers[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (lower === 'max-forwards') maxForwards ??= value;
    else if (lower === own.forwardedFor) forwardedFor += forwardedFor === '' ? value : `, ${value}`;
    else if (setHeaders?.has(lower) || hopByHop.has(lower) || nominated?.has(lower)) continue;
    else if (isForged(lower, own, connection)) continue;
    // HTTP/2 may split the cookies over several fields; toward HTTP/1.1 they are joined (RFC 9113 8.2.3).
    else if (lower === 'cookie' && head.protocol === 'HTTP/2.0') cookies += cookies === '' ? value : `; ${value}`;
    else list.push(name, value);
  }
  if (cookies !== '') list.push('Cookie', cookies);
  for (const [name, value] of setHeaders ?? []) {
    if (name === own.forwardedFor) forwardedFor = value;
    else if (value !== '' && !hopByHop.has(name) && !FRAMING.has(name)) list.push(name, value);
  }
  list.push('Max-Forwards', String(forwardsLeft(maxForwards, protocol.maxForwards)));
  if (!setHeaders?.has('x-original-url')) list.push('X-Original-URL', head.target);
  pushNamed(
    list,
    protocol.xForwardedByHeader === '' ? '' : protocol.xForwardedByHeaderName,
    protocol.xForwardedByHeader,
  );
  pushNamed(list, protocol.xForwardedForHeaderName, withClient(forwardedFor, connection, protocol));
  if (connection.tls) pushNamed(list, protocol.sslHeaderName, sslValue(connection.tls));
  pushNamed(list, protocol.logGuidName, request.logId);
  pushFraming(list, request);
  return list;
}

interface OwnNames {
  readonly forwardedFor: string;
  readonly all: ReadonlySet<string>;
}

const ownNamesOf = new WeakMap<ProtocolConfig, OwnNames>();

/** The names a farm's settings give to the headers we write, lower case. */
function ownNames(protocol: ProtocolConfig): OwnNames {
  let names = ownNamesOf.get(protocol);
  if (names === undefined) {
    const written = [
      protocol.xForwardedForHeaderName,
      protocol.xForwardedByHeaderName,
      protocol.sslHeaderName,
      protocol.clientCertHeaderName,
      protocol.logGuidName,
      protocol.logCacheHitName,
    ];
    const all = new Set(written.map((name) => name.toLowerCase()).filter((name) => name !== ''));
    names = { forwardedFor: protocol.xForwardedForHeaderName.toLowerCase(), all };
    ownNamesOf.set(protocol, names);
  }
  return names;
}

/**
 * True for a header that only we or a trusted proxy may write, and for one that becomes such a header, or a framing
 * header, once a server reads `_` as `-` (CGI, WSGI and IIS do).
 */
function isForged(lower: string, own: OwnNames, connection: ClientConnection): boolean {
  const dashed = lower.includes('_') ? lower.replaceAll('_', '-') : lower;
  const guarded = FORWARDED.has(dashed) || own.all.has(dashed) || dashed.startsWith('x-arr-');
  if (dashed !== lower) return guarded || dashed === 'x-forwarded-for' || FRAMING.has(dashed);
  if (own.all.has(lower)) return true;
  return guarded && !connection.trusted;
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

/** Key bits, cipher bits, issuer and subject of the certificate we presented (arr.md section 6), in ASCII only. */
function sslValue({ cipherBits, certificate }: NonNullable<ClientConnection['tls']>): string {
  const value = `${certificate?.keyBits ?? 0}|${cipherBits}|${certificate?.issuer ?? ''}|${certificate?.subject ?? ''}`;
  return value.replace(/[^\x20-\x7e]/g, '?');
}

function pushNamed(list: string[], name: string, value: string): void {
  if (name !== '') list.push(name, value);
}

/** What concerns the connection to the server alone. Content-Length is among the client's own. */
function pushFraming(list: string[], { head, chunked, protocol }: ServerRequest): void {
  if (chunked) list.push('Transfer-Encoding', 'chunked');
  // RFC 9110 8.6: a method that has a body says so when it is empty; IIS answers 411 otherwise.
  else if (head.body === 'none' && HAS_BODY.has(head.method)) list.push('Content-Length', '0');
  if (head.expectsContinue) list.push('Expect', '100-continue');
  if (head.upgrade !== '') list.push('Connection', 'Upgrade', 'Upgrade', head.upgrade);
  else if (!protocol.keepAlive) list.push('Connection', 'close');
}

const HAS_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
