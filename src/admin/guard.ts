/** Who may use the admin listener: by Host, by origin, and by token or, without one, by being on this machine. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback, plainAddress } from '../ip-address.ts';
import { type Problem, problem } from './problem.ts';

export interface GuardOptions {
  /** Of the listener: an IP address, or `*`. */
  readonly address: string;
  readonly token: string | undefined;
}

/** @returns why a request is refused; `undefined` where it may go on */
export type Guard = (request: IncomingMessage) => Problem | undefined;

/** An address that stands for all of this machine. */
export function isAnyAddress(address: string): boolean {
  return address === '*' || isSame(address, '0.0.0.0') || isSame(address, '::');
}

export function createGuard({ address, token }: GuardOptions): Guard {
  const fits = token === undefined ? undefined : tokenCheck(token);
  const local = isLoopback(address);
  return (request) =>
    checkHost(request, address) ??
    checkOrigin(request) ??
    (fits ? checkToken(request, fits) : checkNearness(request, local));
}

/** A page of the web that names this listener by a DNS name of its own (DNS rebinding) cannot choose its Host. */
function checkHost({ rawHeaders, headers, socket }: IncomingMessage, address: string): Problem | undefined {
  const count = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  const [, six, other = ''] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(headers.host ?? '') ?? [];
  const name = six ?? other;
  const own = isAnyAddress(address) ? (socket.localAddress ?? '') : address;
  const fits = name.toLowerCase() === 'localhost' || isLoopback(name) || isSame(name, own);
  if (count === 1 && fits && (six === undefined || isIP(six) === 6)) return undefined;
  return problem(
    'hostRefused',
    'The admin listener is asked by its address, by a loopback address or as localhost; the Host of this request is another.',
  );
}

/** What a browser sends for a page of another site. Programs send neither field. */
function checkOrigin({ headers: { host = '', origin, 'sec-fetch-site': site } }: IncomingMessage): Problem | undefined {
  const same = origin === undefined || /^https?:\/\/(.+)$/i.exec(origin)?.[1]?.toLowerCase() === host.toLowerCase();
  if (same && (site === undefined || site === 'same-origin' || site === 'none')) return undefined;
  return problem('crossSite', 'A page of another site may not use the admin listener.');
}

function checkToken({ headers: { authorization } }: IncomingMessage, fits: (token: string) => boolean) {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (given !== undefined && fits(given)) return undefined;
  const fault = authorization === undefined ? 'This request has none' : 'The one of this request is not it';
  return problem(
    'tokenWanted',
    `The field "Authorization: Bearer TOKEN" must hold the token of the file that "tokenFile" of settings.json names. ${fault}.`,
  );
}

/** Digests have one length, and are compared in constant time. */
function tokenCheck(token: string): (given: string) => boolean {
  const key = randomBytes(32);
  const digest = (text: string) => createHmac('sha256', key).update(text).digest();
  const wanted = digest(token);
  return (given) => timingSafeEqual(digest(given), wanted);
}

const PASSED_ON = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip', 'x-arr-log-id'];

function checkNearness({ headers, socket }: IncomingMessage, local: boolean): Problem | undefined {
  const cure = 'Write a token into a file, and its name into "admin": { "tokenFile": … } of settings.json.';
  if (!local)
    return problem(
      'localOnly',
      `Other machines reach this address, so there must be a token for more than health. ${cure}`,
    );
  if (!isLoopback(socket.remoteAddress ?? ''))
    return problem('localOnly', `This request comes from another machine. ${cure}`);
  // Whoever a proxy on this machine speaks for is not on it.
  const passed = PASSED_ON.find((name) => headers[name] !== undefined);
  return passed === undefined
    ? undefined
    : problem('localOnly', `This request has come through a proxy: it has the field ${passed}. ${cure}`);
}

/** Two spellings of one address. */
function isSame(one: string, other: string): boolean {
  return isIP(one) !== 0 && plainAddress(one) === plainAddress(other);
}
