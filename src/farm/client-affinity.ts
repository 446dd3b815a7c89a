/** Client affinity: a cookie that binds a client to the server it was first sent to (arr.md section 7). */
import { createHmac } from 'node:crypto';
import { isIP } from 'node:net';
import type { AffinityConfig } from '../config/model.ts';

/**
 * The values are the same after a restart and on every node with the same secret; nothing is kept for a client. A value
 * is a digest of farm and server under that secret, so it tells nothing of the server, and none but ours names one.
 */
export class ClientAffinity<S extends { readonly address: string }> {
  readonly #cookieName: string;
  /** How the cookie and its twin begin, with the sign behind the name. */
  readonly #own: string;
  readonly #twin: string;
  /** How many labels of a host are kept as the Domain of the cookie; `undefined`: all. */
  readonly #domainLabels: number | undefined;
  readonly #values = new Map<S, string>();
  readonly #servers = new Map<string, S>();

  constructor(farm: string, servers: readonly S[], config: AffinityConfig, secret: Uint8Array) {
    this.#cookieName = config.cookieName;
    this.#own = `${config.cookieName}=`;
    this.#twin = `${config.cookieName}SameSite=`;
    this.#domainLabels = config.ignoreSubDomainClientAffinity ? config.ignoreSubDomainFragmentDepth : undefined;
    for (const server of servers) {
      const name = `${farm.toLowerCase()}\n${server.address.toLowerCase()}`;
      const value = createHmac('sha256', secret).update(name).digest('hex');
      this.#values.set(server, value);
      this.#servers.set(value, server);
    }
  }

  /**
   * The server that the client is bound to. `undefined` where there is no cookie, or one of no value of ours, or several
   * that differ: such a client is balanced as a new one.
   * @param headers names and values in turn
   */
  serverOf(headers: readonly string[]): S | undefined {
    let value: string | undefined;
    let twin: string | undefined;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i] ?? '';
      if (name.length !== 6 || name.toLowerCase() !== 'cookie') continue;
      const line = headers[i + 1] ?? '';
      for (let at = line.indexOf(this.#cookieName); at >= 0; at = line.indexOf(this.#cookieName, at + 1)) {
        if (at > 0 && !BEFORE_NAME.has(line.charAt(at - 1))) continue;
        if (line.startsWith(this.#own, at)) value = either(value, valueAt(line, at + this.#own.length));
        else if (line.startsWith(this.#twin, at)) twin = either(twin, valueAt(line, at + this.#twin.length));
      }
    }
    return this.#servers.get(value ?? twin ?? '');
  }

  /**
   * Values of Set-Cookie for a client that is to be bound to a server. The twin is for pages within pages of other sites, where
   * browsers send none but cookies that ask for it, and over TLS alone.
   * @param authority Host as the client wrote it
   */
  cookies(server: S, { authority, secure }: { readonly authority: string; readonly secure: boolean }): string[] {
    const rest = `${this.#values.get(server) ?? ''};Path=/;HttpOnly${secure ? ';Secure' : ''}${this.#domain(authority)}`;
    const own = this.#own + rest;
    return secure ? [own, `${this.#twin}${rest};SameSite=None`] : [own];
  }

  /** Browsers drop a cookie whose Domain holds a port, an address or a name without a dot. */
  #domain(authority: string): string {
    const host = authority.replace(/:\d*$/, '').toLowerCase();
    if (!host.includes('.') || isIP(host) !== 0 || !/^[a-z0-9._-]+$/.test(host)) return '';
    return `;Domain=${this.#domainLabels === undefined ? host : lastLabels(host, this.#domainLabels)}`;
  }
}

const BEFORE_NAME: ReadonlySet<string> = new Set([' ', ';', '\t']);

function valueAt(line: string, at: number): string {
  const end = line.indexOf(';', at);
  return line.slice(at, end < 0 ? undefined : end).trimEnd();
}

/** What differs names nobody. */
function either(earlier: string | undefined, value: string): string {
  return earlier === undefined || earlier === value ? value : '';
}

function lastLabels(host: string, count: number): string {
  const labels = host.split('.');
  // One label alone is a Domain that browsers refuse.
  return labels.slice(-Math.max(2, count)).join('.');
}
