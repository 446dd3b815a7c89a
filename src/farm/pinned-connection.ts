/**
 * Connections to servers that belong to one client connection. NTLM and Negotiate authenticate the connection and not
 * the request, so a connection that has seen a login may never carry anything for anybody else.
 */
import type { Client } from 'undici';
import type { Connections } from './connections.ts';
import type { Scheme, Server, WebFarm } from './web-farm.ts';

export interface Pinned {
  readonly server: Server;
  readonly client: Client;
}

/** The pins of one client connection: at most one for each farm and scheme. */
export interface ClientPins {
  get(farm: WebFarm, scheme: Scheme): Pinned | undefined;
  /** Pins a server, or gives the pin that is there already. `undefined`: the worker holds as many as it may. */
  pin(farm: WebFarm, scheme: Scheme, server: Server): Pinned | undefined;
  /** Ends every pinned connection. To be called when the client connection closes. */
  close(): void;
}

export interface PinnedConnections {
  /** For one new client connection. */
  forClient(): ClientPins;
  readonly count: number;
}

/** @param limit how many pinned connections the worker may hold at once */
export function createPinnedConnections(connections: Connections, limit: number): PinnedConnections {
  let count = 0;
  return {
    get count() {
      return count;
    },
    forClient() {
      const pins = new Map<WebFarm, Map<Scheme, Pinned>>();
      return {
        get: (farm, scheme) => pins.get(farm)?.get(scheme),
        pin(farm, scheme, server) {
          const existing = pins.get(farm)?.get(scheme);
          if (existing || count >= limit) return existing;
          const pinned = { server, client: connections.openPinned(server.endpoint(scheme)) };
          const ofFarm = pins.get(farm) ?? new Map<Scheme, Pinned>();
          pins.set(farm, ofFarm.set(scheme, pinned));
          count++;
          return pinned;
        },
        close() {
          for (const ofFarm of pins.values()) {
            for (const { client } of ofFarm.values()) {
              count--;
              client.destroy().catch(() => undefined); // A connection that is gone already is what is wanted.
            }
          }
          pins.clear();
        },
      };
    },
  };
}
