/** Client affinity: a cookie that binds a client to the server it was first sent to (arr.md section 7). */

import { createHmac } from 'node:crypto';
import { isIP } from 'node:net';
import type { AffinityConfig } from '../config/farm-model.ts';
import type { HeaderList } from '../header-list.ts';

/**
 * The values are the same after a restart and on every node with the same secret; nothing is kept for a client. A value
 * is a digest of farm and server under that secret, so it tells nothing of the server, and none but ours names one.
 */
export class ClientAffinity<S extends { readonly address: string }> {
  readonly #cookieName: string;
  /** How the cookie and its twin begin, with the sign behind the name. */
  readonly #own: string;
  readonly #twin: string;
  readonly #config: DomainSettings;
  readonly #values = new Map<S, string>();
  readonly #servers = new Map<string, S>();

  constructor(farm: string, servers: readonly S[], config: CookieSettings, secret: Uint8Array) {
    this.#cookieName = config.cookieName.value;
    this.#own = `${this.#cookieName}=`;
    this.#twin = `${this.#cookieName}SameSite=`;
    this.#config = config;
    for (const server of servers) {
      const name = `${farm.toLowerCase()}\n${server.address.toLowerCase()}`;
      const value = createHmac('sha256', secret).update(name).digest('hex');
      this.#values.set(server, value);
      this.#servers.set(value, server);
    }
  }

  /**
   * The server that the client is bound to. Values that are none of ours are passed over, since another farm, or a proxy
   * behind us, may have set a cookie of this name too. `undefined` where none is left, or several that differ: such a
   * client is balanced as a new one.
   * @param headers names and values in turn
   */
  serverOf(headers: HeaderList): S | undefined {
    let own: S | undefined;
    let twin: S | undefined;
    let differ = false;
    let twinsDiffer = false;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i] ?? '';
      if (name.length !== 6 || name.toLowerCase() !== 'cookie') continue;
      const line = headers[i + 1] ?? '';
      for (let at = line.indexOf(this.#cookieName); at >= 0; at = line.indexOf(this.#cookieName, at + 1)) {
        if (!beginsPair(line, at)) continue;
        if (line.startsWith(this.#own, at)) {
          const server = this.#serverAt(line, at + this.#own.length);
          differ ||= server !== undefined && own !== undefined && server !== own;
          own ??= server;
        } else if (line.startsWith(this.#twin, at)) {
          const server = this.#serverAt(line, at + this.#twin.length);
          twinsDiffer ||= server !== undefined && twin !== undefined && server !== twin;
          twin ??= server;
        }
      }
    }
    if (own !== undefined) return differ ? undefined : own;
    return twinsDiffer ? undefined : twin;
  }

  /**
   * Values of Set-Cookie for a client that is to be bound to a server. The twin is for pages within pages of other sites, where
   * browsers send none but cookies that ask for it, and over TLS alone.
   * @param authority Host as the client wrote it
   */
  cookies(server: S, { authority, secure }: { readonly authority: string; readonly secure: boolean }): string[] {
    const domain = cookieDomain(authority, this.#config);
    const value = this.#values.get(server) ?? '';
    const rest = `${value};Path=/;HttpOnly${secure ? ';Secure' : ''}${domain === '' ? '' : `;Domain=${domain}`}`;
    const own = this.#own + rest;
    return secure ? [own, `${this.#twin}${rest};SameSite=None`] : [own];
  }

  #serverAt(line: string, at: number): S | undefined {
    const end = line.indexOf(';', at);
    return this.#servers.get(line.slice(at, end < 0 ? undefined : end).trimEnd());
  }
}

type DomainSettings = Pick<AffinityConfig, 'ignoreSubDomainClientAffinity' | 'ignoreSubDomainFragmentDepth'>;

export interface CookieSettings extends DomainSettings {
  readonly cookieName: { readonly value: string };
}

/**
 * The Domain of a cookie. Browsers drop a cookie whose Domain holds a port, an address or a name without a dot: `''`, and the
 * cookie is for just this host.
 * @param authority Host as the client wrote it
 */
export function cookieDomain(
  authority: string,
  { ignoreSubDomainClientAffinity, ignoreSubDomainFragmentDepth }: DomainSettings,
): string {
  const host = authority.replace(/:\d*$/, '').toLowerCase();
  if (host.length > LONGEST_NAME || !DOMAIN.test(host) || isIP(host) !== 0) return '';
  // One label alone is a Domain that browsers refuse.
  return ignoreSubDomainClientAffinity ? lastLabels(host, Math.max(2, ignoreSubDomainFragmentDepth)) : host;
}

/** RFC 1035 2.3.4, as text. */
export const LONGEST_NAME = 253;
const DOMAIN = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/;

/** The end of a host name. */
export function lastLabels(host: string, count: number): string {
  return host.split('.').slice(-count).join('.');
}

/** Where a cookie begins: at the start of the field, or behind a semicolon (RFC 6265 4.2.1). */
function beginsPair(line: string, at: number): boolean {
  let before = at - 1;
  while (line.charCodeAt(before) === SPACE || line.charCodeAt(before) === TAB) before--;
  return before < 0 || line.charCodeAt(before) === SEMICOLON;
}

const TAB = 0x09;
const SPACE = 0x20;
const SEMICOLON = 0x3b;
