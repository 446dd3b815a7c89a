/** Method, Host and request target, the same for every lane: what could be read in two ways is refused. */
import { ExchangeError } from '../errors.ts';
import { internationalFromBytes } from '../host-name.ts';
import { isMethod } from '../method.ts';

/** RFC 9110 7.2: a host, or an address in brackets, and a port. No user part, no list. */
const AUTHORITY = /^(?:[a-z0-9._~!$&'()*+;=-]+|\[[0-9a-f:.]+(?:%[a-z0-9._~-]+)?\])(?::(\d{0,5}))?$/i;
const WITH_ESCAPES = /^[a-z0-9._~!$&'()*+;=%-]+(?::(\d{0,5}))?$/i;

/**
 * The authority as it came; an international name, whose letters may come as bytes of UTF-8 or percent-encoded, in ASCII.
 * @param authority each character one byte
 * @throws ExchangeError
 */
export function checkAuthority(authority: string): string {
  if (authority === '') return authority;
  const match = AUTHORITY.exec(authority);
  if (match === null) return checkOddAuthority(authority);
  if (Number(match[1] ?? 0) > 65_535) throw badHost(authority);
  return authority;
}

function checkOddAuthority(authority: string): string {
  const international = internationalFromBytes(authority);
  if (international !== undefined) return checkAuthority(international);
  const match = WITH_ESCAPES.exec(authority);
  if (match === null || Number(match[1] ?? 0) > 65_535) throw badHost(authority);
  return authority;
}

/**
 * Whether a request names one host only: two are written alike, whatever their letter case and their escapes.
 * @param scheme whose usual port may be left out (RFC 9110 4.2.3)
 */
export function isSameAuthority(one: string, other: string, scheme: 'http' | 'https'): boolean {
  return one === other || comparable(one, scheme) === comparable(other, scheme);
}

function comparable(authority: string, scheme: 'http' | 'https'): string {
  return checkAuthority(authority)
    .toLowerCase()
    .replace(scheme === 'https' ? /:(?:0*443)?$/ : /:(?:0*80)?$/, '');
}

function badHost(authority: string): ExchangeError {
  return bad(`Host ${JSON.stringify(authority.slice(0, 64))}`);
}

/**
 * Origin form, or the asterisk of OPTIONS (RFC 9112 3.2.4).
 * @throws ExchangeError
 */
export function checkTarget(target: string, method: string, limit: number): string {
  if (target.length > limit) {
    throw new ExchangeError(
      'targetTooLong',
      `a target of ${target.length} bytes, ${limit} are taken (limits.targetBytes)`,
    ).by('limits.targetBytes');
  }
  if (!target.startsWith('/') && !(target === '*' && method === 'OPTIONS'))
    throw bad(`request target ${JSON.stringify(target.slice(0, 64))}`);
  return target;
}

/**
 * The grammar of a method, for lanes whose codec does not ask for it.
 * @throws ExchangeError
 */
export function checkMethod(method: string): string {
  if (!isMethod(method)) throw new ExchangeError('methodRefused', `method ${JSON.stringify(method.slice(0, 32))}`);
  return method;
}

/**
 * CONNECT would make a tunnel, and TRACE shows a client what the server was sent: neither is proxied.
 * @returns why, or nothing
 */
export function whyMethodRefused(method: string): string | undefined {
  return method === 'CONNECT' || method === 'TRACE' || method === 'TRACK'
    ? `the method ${method} is not proxied`
    : undefined;
}

export function bad(reason: string): ExchangeError {
  return new ExchangeError('badRequest', reason);
}
