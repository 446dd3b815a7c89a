/** Where requests by https come in for hosts that no binding names: at bindings without a host, since http.sys asks those last. */
import { type PlannedConfig, planSockets } from './listener-plan.ts';
import { createSiteTable, matchSite } from './match-site.ts';

/** On more names a pattern is not tried. */
const MOST_TRIED = 500;

/** What a rule waits for: one host, or all that a pattern takes. */
export type Awaited = string | ((host: string) => boolean);

/**
 * The listeners, as `address:port`, where a rule can only meet such a host through a binding without one; none where a binding names it,
 * since clients are sent there. Only what comes to the `site` counts, where one is given.
 */
export function openEntrances(config: PlannedConfig): (awaited: Awaited, site: string | undefined) => string[] {
  const sockets = planSockets(config)
    .filter(({ bound: [{ tls }] }) => tls)
    .map(({ bound }) => {
      const bindings = bound.flatMap((each) => each.bindings);
      const named = createSiteTable(bindings.filter(({ host }) => host !== ''));
      return { key: bound[0].key, named, any: createSiteTable(bindings).any };
    });
  return (awaited, site) => {
    const isMeant = (taker: string | undefined) => taker !== undefined && (site === undefined || taker === site);
    const takers = ({ named }: (typeof sockets)[number]): (string | undefined)[] => {
      if (typeof awaited === 'string') return [matchSite(named, awaited)];
      const exact = [...named.exact].filter(([host]) => awaited(host)).map(([, taker]) => taker);
      // Whether one of the names below a wildcard fits the pattern cannot be told.
      return [...exact, ...named.wildcards.values()];
    };
    if (!sockets.some(({ any }) => isMeant(any))) return [];
    if (typeof awaited !== 'string' && sockets.some(({ named }) => named.exact.size > MOST_TRIED)) return [];
    if (sockets.some((socket) => takers(socket).some(isMeant))) return [];
    const isTakenAway = (socket: (typeof sockets)[number]) =>
      typeof awaited === 'string' && takers(socket)[0] !== undefined;
    return sockets.filter((socket) => isMeant(socket.any) && !isTakenAway(socket)).map(({ key }) => key);
  };
}
