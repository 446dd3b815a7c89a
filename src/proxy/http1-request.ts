/** A request as the codec reads it, made into the head that the shared stages know. */

import { bad, checkAuthority, checkTarget, isSameAuthority, whyMethodRefused } from '../decide/authority.ts';
import type { FailureKind } from '../errors.ts';
import { ExchangeError } from '../errors.ts';
import { MessageFault } from '../http1/message-fault.ts';
import type { RequestMessage } from '../http1/request-message.ts';
import type { ClientConnection, RequestHead } from './request-head.ts';

/** @throws ExchangeError */
export function headOfMessage(message: RequestMessage, connection: ClientConnection, targetBytes: number): RequestHead {
  const { method, headers, body, version, host } = message;
  // Before its target is looked at, which has a form of its own.
  const refused = whyMethodRefused(method);
  if (refused !== undefined) throw new ExchangeError('methodRefused', refused);
  const absolute = message.target.startsWith('/') ? undefined : splitAbsolute(message.target, method);
  // RFC 9110 7.4: what is asked for as secure has come on a way that is not.
  if (absolute?.scheme === 'https' && !connection.tls) throw bad('an https target on a listener without TLS');
  // RFC 9112 3.2.2 would let the absolute form win; here the two must agree, since a server might look at the other.
  if (absolute && host !== undefined && !isSameAuthority(absolute.authority, host, absolute.scheme)) {
    throw bad('the target names another host than Host');
  }
  const upgrade = message.upgrade === '' ? '' : forwardedUpgrade(message.upgrade);
  if (upgrade !== '' && body !== 'none' && body !== 0) throw bad('Upgrade with a body');
  return {
    method,
    target: checkTarget(absolute?.target ?? message.target, method, targetBytes),
    scheme: connection.tls ? 'https' : 'http',
    authority: checkAuthority(host ?? absolute?.authority ?? ''),
    headers,
    body: body === 'chunked' ? 'stream' : body,
    protocol: version,
    upgrade,
    expectsContinue: message.expectsContinue,
    connection,
  };
}

/**
 * Goes on in origin form, OPTIONS for nothing but a host in asterisk form (RFC 9112 3.2.4). Other schemes, and the form of
 * CONNECT, are left as they are, and refused.
 */
function splitAbsolute(
  target: string,
  method: string,
): { scheme: 'http' | 'https'; target: string; authority: string } | undefined {
  const match = /^(https?):\/\/([^/?#]*)(.*)$/is.exec(target);
  if (!match) return undefined;
  const [, scheme = '', authority = '', rest = ''] = match;
  return {
    scheme: scheme.length === 'https'.length ? 'https' : 'http',
    authority,
    target: rest.startsWith('/') ? rest : rest === '' && method === 'OPTIONS' ? '*' : `/${rest}`,
  };
}

/** A change to HTTP/2 or TLS would be one of this connection, and is not offered to a server (CVE-2026-88008). */
function forwardedUpgrade(list: string): string {
  return list
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '' && !/^(?:h2c?|http|tls)(?:$|\/)/i.test(each))
    .join(', ');
}

const KINDS: Readonly<Record<MessageFault['status'], FailureKind>> = {
  400: 'badRequest',
  414: 'targetTooLong',
  431: 'headersTooLarge',
  501: 'methodRefused',
  505: 'versionRefused',
};

/** What the codec throws, as a failure of an exchange. */
export function clientFault(error: unknown): unknown {
  if (!(error instanceof MessageFault)) return error;
  const { status, message, limit } = error;
  if (limit === undefined) return new ExchangeError(KINDS[status], message, error);
  return new ExchangeError(KINDS[status], `${message} (limits.${limit})`, error).by(`limits.${limit}`);
}
