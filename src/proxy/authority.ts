/** Host and request target, the same for every lane: what could be read in two ways is refused. */
import { ExchangeError } from '../errors.ts';

/** RFC 9110 7.2: a host, or an address in brackets, and a port. No user part, no list. */
const AUTHORITY = /^(?:[a-z0-9._~!$&'()*+;=%-]+|\[[0-9a-f:.]+(?:%[a-z0-9._~-]+)?\])(?::(\d{0,5}))?$/i;

/** @throws ExchangeError */
export function checkAuthority(authority: string): string {
  if (authority === '') return authority;
  const match = AUTHORITY.exec(authority);
  if (match === null || Number(match[1] ?? 0) > 65_535) throw bad(`Host ${JSON.stringify(authority.slice(0, 64))}`);
  return authority;
}

/** @throws ExchangeError */
export function checkTarget(target: string, limit: number): string {
  if (target.length > limit) {
    throw new ExchangeError('targetTooLong', `a target of ${target.length} bytes, ${limit} are taken`);
  }
  if (!target.startsWith('/')) throw bad(`request target ${JSON.stringify(target.slice(0, 64))}`);
  return target;
}

export function bad(reason: string): ExchangeError {
  return new ExchangeError('badRequest', reason);
}
