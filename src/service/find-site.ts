/** The site that a request for a URL reaches, by the same tables that serve it. */
import type { SiteConfig } from '../config/model.ts';
import { boundListeners } from '../listener/listener-plan.ts';
import { createSiteTable, matchSite } from '../proxy/match-site.ts';

/** Where a request comes in. */
export interface Entrance {
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly port: number;
  /** The address of the machine that the client connected to; `''` where nobody knows. */
  readonly address: string;
}

export type FindSite = (entrance: Entrance) => SiteConfig | undefined;

/** Where no listener has the port, those of its scheme are looked through: ports are often mapped from outside. */
export function siteFinder(sites: readonly SiteConfig[]): FindSite {
  const byName = new Map(sites.map((site) => [site.name, site]));
  const listeners = boundListeners(sites).map(({ bindings, ...listener }) => ({
    ...listener,
    table: createSiteTable(bindings),
  }));
  return ({ scheme, authority, port, address }) => {
    const ofScheme = listeners.filter(({ tls }) => tls === (scheme === 'https'));
    const exact = ofScheme.filter((each) => each.port === port);
    const own = exact.filter((each) => each.address === address);
    for (const { table } of [...own, ...(exact.length > 0 ? exact : ofScheme)]) {
      const name = matchSite(table, authority);
      if (name !== undefined) return byName.get(name);
    }
    return undefined;
  };
}

/** Scheme and host of the first binding of each port: what is taken for granted where a log does not tell. */
export function firstBindings(
  sites: readonly SiteConfig[],
): ReadonlyMap<number, { readonly scheme: 'http' | 'https'; readonly host: string }> {
  const first = new Map<number, { scheme: 'http' | 'https'; host: string }>();
  for (const { port, tls, bindings } of boundListeners(sites)) {
    if (!first.has(port)) first.set(port, { scheme: tls ? 'https' : 'http', host: bindings[0]?.host ?? '' });
  }
  return first;
}
