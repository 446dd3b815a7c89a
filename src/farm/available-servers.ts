/** Which servers of a farm take requests of any client: recomputed when the state or health of one has changed. */
import type { ServerState } from './server-state.ts';

/** What decides about a server. */
export type Availability = Pick<ServerState, 'state' | 'healthy' | 'marked' | 'since' | 'available'>;

/**
 * Those that are Active and healthy. Where these are fewer than `minServers`, unhealthy ones are among them, the one that was
 * healthy last first; one that an administrator took out never is (arr.md section 2.4).
 */
export function availableServers<S extends { readonly state: Availability }>(
  servers: readonly S[],
  minServers: number,
): readonly S[] {
  const available = servers.filter(({ state }) => state.available);
  const missing = minServers - available.length;
  if (missing <= 0) return available;
  const latest = new Set(unhealthyServers(servers).slice(0, missing));
  return servers.filter((server) => server.state.available || latest.has(server));
}

/** Those that tests or requests took out, the one that was healthy last first. */
export function unhealthyServers<S extends { readonly state: Availability }>(servers: readonly S[]): readonly S[] {
  const unhealthy = servers.filter(({ state }) => state.state === 'Active' && !state.healthy && !state.marked);
  return unhealthy.sort((a, b) => b.state.since - a.state.since);
}
