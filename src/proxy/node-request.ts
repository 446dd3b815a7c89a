/** Reads the request of Node's HTTP/1.1 and HTTP/2 servers into a RequestHead, and refuses what could be read in two ways. */
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { ExchangeError } from '../errors.ts';
import type { ClientConnection, RequestHead } from './request-head.ts';

export interface HeadLimits {
  readonly headerCount: number;
  readonly targetBytes: number;
}

/** RFC 9110 7.2: a host, or an address in brackets, and a port. No user part, no list. */
const AUTHORITY = /^(?:[a-z0-9._~!$&'()*+;=%-]+|\[[0-9a-f:.]+(?:%[a-z0-9._~-]+)?\])(?::\d{0,5})?$/i;

/** @throws ExchangeError for a request that is refused */
export function readHead(
  request: IncomingMessage | Http2ServerRequest,
  connection: ClientConnection,
  limits: HeadLimits,
): RequestHead {
  const raw = request.rawHeaders;
  if (raw.length / 2 > limits.headerCount) {
    throw new ExchangeError('headersTooLarge', `${raw.length / 2} header fields, ${limits.headerCount} are taken`);
  }
  return 'stream' in request
    ? readHttp2(request, raw, connection, limits)
    : readHttp1(request, raw, connection, limits);
}

function readHttp1(
  request: IncomingMessage,
  raw: readonly string[],
  connection: ClientConnection,
  limits: HeadLimits,
): RequestHead {
  const hosts = valuesOf(raw, 'host');
  const protocol = request.httpVersion === '1.1' ? 'HTTP/1.1' : request.httpVersion === '1.0' ? 'HTTP/1.0' : undefined;
  if (protocol === undefined) throw bad(`HTTP version ${request.httpVersion}`);
  if (hosts.length > 1 || (hosts.length === 0 && protocol === 'HTTP/1.1')) throw bad(`${hosts.length} Host fields`);
  const { target, authority } = splitTarget(request.url ?? '', hosts[0]);
  const body = http1Body(raw, protocol);
  // Node's parser gives up a connection behind an Upgrade, so that a body would be lost.
  if (asksForUpgrade(request) && body !== 'none') throw bad('Upgrade with a body');
  return {
    method: request.method ?? '',
    target: checkTarget(target, limits),
    scheme: connection.tls ? 'https' : 'http',
    authority: checkAuthority(authority ?? ''),
    headers: without(raw, (name) => name === 'host'),
    body,
    protocol,
    connection,
  };
}

/** What follows an Upgrade on its connection is not parsed any more, whether or not it is granted. */
export function asksForUpgrade(request: IncomingMessage): boolean {
  return valuesOf(request.rawHeaders, 'upgrade').length > 0;
}

/** Absolute form is taken only where it agrees with Host, and goes on in origin form (RFC 9112 3.2.2). */
function splitTarget(url: string, host: string | undefined): { target: string; authority: string | undefined } {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url);
  if (!absolute) return { target: url, authority: host };
  const [, authority = '', rest = ''] = absolute;
  if (host !== undefined && authority.toLowerCase() !== host.toLowerCase())
    throw bad('the target names another host than Host');
  return { target: rest.startsWith('/') ? rest : `/${rest}`, authority };
}

function http1Body(raw: readonly string[], protocol: string): RequestHead['body'] {
  const lengths = valuesOf(raw, 'content-length');
  const codings = valuesOf(raw, 'transfer-encoding');
  if (codings.length > 0) {
    if (
      codings.length > 1 ||
      codings[0]?.toLowerCase() !== 'chunked' ||
      lengths.length > 0 ||
      protocol === 'HTTP/1.0'
    ) {
      throw bad('Transfer-Encoding that is not exactly one chunked');
    }
    return 'stream';
  }
  return declaredLength(lengths) ?? 'none';
}

function readHttp2(
  request: Http2ServerRequest,
  raw: readonly string[],
  connection: ClientConnection,
  limits: HeadLimits,
): RequestHead {
  const authority = valuesOf(raw, ':authority')[0];
  const hosts = valuesOf(raw, 'host');
  // RFC 9113 8.3.1: where both are there they must agree; two different answers to "which site?" are refused.
  if (
    hosts.length > 1 ||
    (authority !== undefined && hosts.length === 1 && hosts[0]?.toLowerCase() !== authority.toLowerCase())
  ) {
    throw bad(':authority and Host differ');
  }
  const scheme = connection.tls ? 'https' : 'http';
  if (request.scheme !== scheme) throw bad(`:scheme ${request.scheme} on ${scheme}`);
  const host = authority ?? hosts[0];
  if (host === undefined || host === '') throw bad('neither :authority nor Host');
  const length = declaredLength(valuesOf(raw, 'content-length'));
  const ended = request.stream.endAfterHeaders;
  return {
    method: request.method,
    target: checkTarget(request.url, limits),
    scheme,
    authority: checkAuthority(host),
    headers: without(raw, (name) => name === 'host' || name.startsWith(':')),
    body: ended ? 'none' : (length ?? 'stream'),
    protocol: 'HTTP/2.0',
    connection,
  };
}

function declaredLength(lengths: readonly string[]): number | undefined {
  if (lengths.length === 0) return undefined;
  const length = Number(lengths[0]);
  if (lengths.length > 1 || !/^\d+$/.test(lengths[0] ?? '') || !Number.isSafeInteger(length))
    throw bad('Content-Length');
  return length;
}

function checkTarget(target: string, limits: HeadLimits): string {
  if (target.length > limits.targetBytes) {
    throw new ExchangeError('targetTooLong', `a target of ${target.length} bytes, ${limits.targetBytes} are taken`);
  }
  if (!target.startsWith('/')) throw bad(`request target ${JSON.stringify(target.slice(0, 64))}`);
  return target;
}

function checkAuthority(authority: string): string {
  if (authority !== '' && !AUTHORITY.test(authority)) throw bad(`Host ${JSON.stringify(authority.slice(0, 64))}`);
  return authority;
}

function valuesOf(raw: readonly string[], lowerCaseName: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.length === lowerCaseName.length && raw[i]?.toLowerCase() === lowerCaseName)
      values.push(raw[i + 1] ?? '');
  }
  return values;
}

function without(raw: readonly string[], drop: (lowerCaseName: string) => boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (!drop(name.toLowerCase())) kept.push(name, raw[i + 1] ?? '');
  }
  return kept;
}

function bad(reason: string): ExchangeError {
  return new ExchangeError('badRequest', reason);
}
