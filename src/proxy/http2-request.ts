/** Reads the request of Node's HTTP/2 server into a RequestHead, and refuses what could be read in two ways. */
import type { Http2ServerRequest } from 'node:http2';
import { bad, checkAuthority, checkMethod, checkTarget, isSameAuthority } from '../decide/authority.ts';
import { ExchangeError } from '../errors.ts';
import type { ClientConnection, RequestHead } from './request-head.ts';

export interface HeadLimits {
  readonly headerCount: number;
  readonly targetBytes: number;
}

/** @throws ExchangeError for a request that is refused */
export function readHead(request: Http2ServerRequest, connection: ClientConnection, limits: HeadLimits): RequestHead {
  const raw = request.rawHeaders;
  if (raw.length / 2 > limits.headerCount) {
    throw new ExchangeError(
      'headersTooLarge',
      `${raw.length / 2} header fields, ${limits.headerCount} are taken (limits.headerCount)`,
    ).by('limits.headerCount');
  }
  const scheme = connection.tls ? 'https' : 'http';
  const authority = valuesOf(raw, ':authority')[0];
  const hosts = valuesOf(raw, 'host');
  // RFC 9113 8.3.1: where both are there they must agree; two different answers to "which site?" are refused.
  if (
    hosts.length > 1 ||
    (authority !== undefined && hosts[0] !== undefined && !isSameAuthority(hosts[0], authority, scheme))
  ) {
    throw bad(':authority and Host differ');
  }
  if (request.scheme !== scheme) throw bad(`:scheme ${request.scheme} on ${scheme}`);
  const host = authority ?? hosts[0];
  if (host === undefined || host === '') throw bad('neither :authority nor Host');
  const length = declaredLength(valuesOf(raw, 'content-length'));
  const ended = request.stream.endAfterHeaders;
  return {
    method: checkMethod(request.method),
    target: checkTarget(request.url, request.method, limits.targetBytes),
    scheme,
    authority: checkAuthority(host),
    headers: withoutPseudo(raw),
    body: length ?? (ended ? 'none' : 'stream'),
    protocol: 'HTTP/2.0',
    upgrade: '',
    expectsContinue: !ended && valuesOf(raw, 'expect')[0]?.toLowerCase() === '100-continue',
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

function valuesOf(raw: readonly string[], lowerCaseName: string): string[] {
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === lowerCaseName);
}

function withoutPseudo(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (!name.startsWith(':') && name.toLowerCase() !== 'host') kept.push(name, raw[i + 1] ?? '');
  }
  return kept;
}
