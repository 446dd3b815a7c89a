/** The site that a request for a URL reaches, by the same tables that serve it. */
import type { SiteConfig } from '../config/model.ts';
import { planListeners } from '../listener/listener-plan.ts';
import { createSiteTable, matchSite } from '../proxy/match-site.ts';

/** Where no listener has the port, those of its scheme are looked through: ports are often mapped from outside. */
export function findSite(
  sites: readonly SiteConfig[],
  { scheme, authority, port }: { readonly scheme: 'http' | 'https'; readonly authority: string; readonly port: number },
): SiteConfig | undefined {
  const listeners = planListeners(sites).filter(({ tls }) => tls === (scheme === 'https'));
  const exact = listeners.filter((each) => each.port === port);
  for (const { bindings } of exact.length > 0 ? exact : listeners) {
    const name = matchSite(createSiteTable(bindings), authority);
    if (name !== undefined) return sites.find((site) => site.name === name);
  }
  return undefined;
}
