/** Which site a request belongs to: by the listener it came in on, then by its Host, as http.sys does it. */
import { hostOf } from '../host-name.ts';

export interface SiteTable<Site> {
  readonly exact: ReadonlyMap<string, Site>;
  /** Bindings such as `*.contoso.com`, by the part from the first dot on. */
  readonly wildcards: ReadonlyMap<string, Site>;
  /** The binding without a host name. */
  readonly any: Site | undefined;
  /** For HTTP/1.0 without Host: `any`, else the site of the first binding. */
  readonly first: Site | undefined;
}

/** @param bindings of one listener, in order; hosts in lower case, `''` for any */
export function createSiteTable<Site>(
  bindings: readonly { readonly host: string; readonly site: Site }[],
): SiteTable<Site> {
  const exact = new Map<string, Site>();
  const wildcards = new Map<string, Site>();
  let any: Site | undefined;
  for (const { host, site } of bindings) {
    if (host === '' || host === '*') any ??= site;
    else if (host.startsWith('*.')) wildcards.set(host.slice(1), wildcards.get(host.slice(1)) ?? site);
    else exact.set(host, exact.get(host) ?? site);
  }
  return { exact, wildcards, any, first: any ?? bindings[0]?.site };
}

/**
 * @param authority Host as sent; its port is left out of account, since the listener has decided that
 * @returns `undefined` where no binding takes the host: 400, as http.sys answers
 */
export function matchSite<Site>(table: SiteTable<Site>, authority: string): Site | undefined {
  if (authority === '') return table.first;
  // As most clients write it; all others are brought to this form.
  const asWritten = table.exact.get(authority);
  if (asWritten !== undefined) return asWritten;
  const host = hostOf(authority);
  const dot = host.indexOf('.');
  return table.exact.get(host) ?? (dot > 0 ? table.wildcards.get(host.slice(dot)) : undefined) ?? table.any;
}
