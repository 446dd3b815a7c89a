/**
 * Connections to servers that belong to one client connection. NTLM and Negotiate authenticate the connection and not
 * the request, so a connection that has seen a login may never carry anything for anybody else.
 */

import type { Scheme } from './endpoint.ts';
import type { ServerConnection } from './server-connection.ts';

interface Pinned {
  /** The address of the server, by which its farm knows it. */
  readonly server: string;
  readonly connection: ServerConnection;
}

/** All pinned connections of a worker. */
export interface PinnedConnections {
  readonly count: number;
  /** For one new client connection. */
  forClient(): ClientPins;
}

/** @param limit how many pinned connections the worker may hold at once */
export function createPinnedConnections(limit: number): PinnedConnections {
  const budget = { count: 0, limit };
  return {
    get count() {
      return budget.count;
    },
    forClient: () => new ClientPins(budget),
  };
}

/** The pins of one client connection: at most one for each farm, by its key, and scheme. A farm that is made anew finds them again. */
export class ClientPins {
  readonly #budget: { count: number; readonly limit: number };
  /** Most clients never log in by their connection. */
  #pins: Map<string, Map<Scheme, Pinned>> | undefined;

  constructor(budget: { count: number; readonly limit: number }) {
    this.#budget = budget;
  }

  /** The connection of an earlier login, while it is open. */
  get(farm: string, scheme: Scheme): Pinned | undefined {
    return this.#pins?.get(farm)?.get(scheme);
  }

  /** Takes the connection out of its pool for ever. False where the worker holds as many as it may. */
  pin(farm: string, scheme: Scheme, pinned: Pinned): boolean {
    this.#drop(farm, scheme)?.connection.abandon();
    if (this.#budget.count >= this.#budget.limit) return false;
    this.#budget.count++;
    // It may close long after another has taken its place.
    pinned.connection.pin(() => {
      if (this.get(farm, scheme) === pinned) this.#drop(farm, scheme);
    });
    this.#pins ??= new Map();
    const ofFarm = this.#pins.get(farm) ?? new Map<Scheme, Pinned>();
    this.#pins.set(farm, ofFarm.set(scheme, pinned));
    return true;
  }

  /** Ends every pinned connection. To be called when the client connection closes. */
  close(): void {
    for (const [farm, ofFarm] of this.#pins ?? []) {
      for (const scheme of ofFarm.keys()) this.#drop(farm, scheme)?.connection.abandon();
    }
  }

  #drop(farm: string, scheme: Scheme): Pinned | undefined {
    const ofFarm = this.#pins?.get(farm);
    const pinned = ofFarm?.get(scheme);
    if (pinned === undefined) return undefined;
    ofFarm?.delete(scheme);
    this.#budget.count--;
    return pinned;
  }
}
