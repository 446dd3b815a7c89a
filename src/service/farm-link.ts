/** A worker's side of the farms: takes up what the supervisor says of servers, and tells it what the requests show. */
import type { WebFarm } from '../farm/web-farm.ts';
import { comparedName } from '../host-name.ts';
import { BEAT_MS } from './heartbeats.ts';
import type { FromServing, ToServing } from './messages.ts';

export interface FarmLink {
  heard(message: ToServing): void;
  stop(): void;
}

/** Failures are told soon, since servers are taken out for them; what is only counted can wait. */
const FAILURES_MS = 100;
const COUNTERS_MS = BEAT_MS;

/** @param tell says something to the supervisor */
export function openFarmLink(farms: ReadonlyMap<string, WebFarm>, tell: (message: FromServing) => void): FarmLink {
  const traffic = (all: boolean) =>
    [...farms].flatMap(([farm, { servers }]) =>
      servers.flatMap((server) => {
        const { address, state } = server;
        if (!all && state.failures === 0) return [];
        const { failures, broken } = state;
        state.failures = 0;
        state.broken = 0;
        return [
          {
            farm,
            server: comparedName(address),
            failures,
            broken,
            reachable: server.isReachable,
            closed: server.closed,
            counters: { ...state.counters },
          },
        ];
      }),
    );
  let elapsed = 0;
  const timer = setInterval(() => {
    elapsed += FAILURES_MS;
    const all = elapsed >= COUNTERS_MS;
    if (all) elapsed = 0;
    const servers = traffic(all);
    // The supervisor takes a worker for dead that says nothing.
    if (all || servers.length > 0) tell({ type: 'traffic', servers });
  }, FAILURES_MS);
  timer.unref();
  return {
    heard(message) {
      switch (message.type) {
        case 'conditions': {
          const changed = new Set<WebFarm>();
          for (const condition of message.conditions) {
            const found = farms.get(condition.farm);
            if (found?.take(condition)) changed.add(found);
          }
          for (const farm of changed) farm.refresh();
          break;
        }
        case 'terminate':
          farms.get(message.farm)?.terminate(message.server);
          break;
        case 'hostServers':
          farms.get(message.farm)?.hostServers(message.host, message.servers);
          break;
        case 'report':
          tell({ type: 'traffic', id: message.id, servers: traffic(true) });
      }
    },
    stop: () => clearInterval(timer),
  };
}
