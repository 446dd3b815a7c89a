/** Which site a request comes to: by the listener that it came in on, or by scheme, port and address where nobody knows that. */
import type { SiteConfig } from '../config/model.ts';
import type { AskedRequest } from './asked-request.ts';
import {
  boundListeners,
  type PlannedBinding,
  type PlannedConfig,
  planListeners,
  planSockets,
} from './listener-plan.ts';
import { createSiteTable, matchSite, type SiteTable } from './match-site.ts';

/** `undefined` where no binding takes the host: 400, as http.sys answers. */
export type FindSite<Site> = (asked: Entering) => Site | undefined;

export type Entering = Pick<AskedRequest, 'scheme' | 'authority' | 'protocol'> & {
  readonly connection: Pick<AskedRequest['connection'], 'listener' | 'localAddress' | 'localPort'>;
};

/** @param sites by name */
export function siteFinder<Site>(config: PlannedConfig, sites: ReadonlyMap<string, Site>): FindSite<Site> {
  // A file of rules alone has no bindings: its one site takes every request. A service cannot be started so.
  if (config.sites.every(({ bindings }) => bindings.length === 0)) {
    const only = sites.get(config.sites[0]?.name ?? '');
    return () => only;
  }
  const byListener = new Map(
    planListeners(config).map(({ name, bindings }) => [name, tableOf(bindings, sites)] as const),
  );
  let others: FindSite<Site> | undefined;
  return (asked) => {
    const { listener } = asked.connection;
    if (listener !== undefined) return taken(byListener.get(listener), asked);
    others ??= withoutListener(config, sites);
    return others(asked);
  };
}

function tableOf<Site>(bindings: readonly PlannedBinding[], sites: ReadonlyMap<string, Site>): SiteTable<Site> {
  return createSiteTable(
    bindings.flatMap(({ host, site }) => {
      const found = sites.get(site);
      return found === undefined ? [] : [{ host, site: found }];
    }),
  );
}

function taken<Site>(table: SiteTable<Site> | undefined, { authority, protocol }: Entering): Site | undefined {
  if (table === undefined) return undefined;
  // A Host without a name is no host of a binding; only HTTP/1.0 may leave it out.
  return authority === '' && protocol !== 'HTTP/1.0' ? table.any : matchSite(table, authority);
}

/**
 * By the listeners that the service opens: one socket takes a connection, that of its address or else the one for all. Where nobody
 * knows the address, or no listener has the port (ports are often mapped from outside), all that could be meant are looked through.
 */
function withoutListener<Site>(config: PlannedConfig, sites: ReadonlyMap<string, Site>): FindSite<Site> {
  const sockets = planSockets(config).map(({ address, port, bound }) => ({
    port,
    tls: bound[0].tls,
    isForAll: address === '*',
    // Where another address stands for that of the binding, rules and old logs have that of the binding.
    addresses: new Set([address, ...bound.map((each) => each.address)].filter((each) => each !== '*')),
    table: tableOf(
      bound.flatMap(({ bindings }) => bindings),
      sites,
    ),
  }));
  return (asked) => {
    const { localPort, localAddress } = asked.connection;
    const ofScheme = sockets.filter(({ tls }) => tls === (asked.scheme === 'https'));
    const ofPort = ofScheme.filter(({ port }) => port === localPort);
    const own = ofPort.filter(({ addresses }) => addresses.has(localAddress));
    const forAll = ofPort.filter(({ isForAll }) => isForAll);
    for (const { table } of [own, forAll, ofPort, ofScheme].find((each) => each.length > 0) ?? []) {
      const site = taken(table, asked);
      if (site !== undefined) return site;
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
