/** Counts the connections of each client over all listeners: one alone must not take the place of all others. */
import type { Socket } from 'node:net';
import { clientNetwork } from '../ip-address.ts';

/** Connections by client, as `clientNetwork` names it. */
export type ConnectionCounts = ReadonlyMap<string, number>;

export interface ClientCount {
  /** Counts it until it closes. False where its client has as many as it may. */
  admit(socket: Socket): boolean;
  /** The clients that have at least so many here. */
  from(least: number): ConnectionCounts;
  /** Takes up what clients have in other processes. */
  elsewhere(counts: ConnectionCounts): void;
}

/** @param isCounted tells whether an address is that of a client: behind that of a proxy there are many */
export function createClientCount(limit: number, isCounted: (address: string) => boolean): ClientCount {
  const open = new Map<string, number>();
  let others: ConnectionCounts = new Map();
  return {
    admit(socket) {
      const address = socket.remoteAddress ?? '';
      if (!isCounted(address)) return true;
      const client = clientNetwork(address);
      const count = open.get(client) ?? 0;
      if (count + (others.get(client) ?? 0) >= limit) return false;
      open.set(client, count + 1);
      socket.once('close', () => {
        const left = (open.get(client) ?? 1) - 1;
        if (left > 0) open.set(client, left);
        else open.delete(client);
      });
      return true;
    },
    from: (least) => new Map([...open].filter(([, count]) => count >= least)),
    elsewhere(counts) {
      others = counts;
    },
  };
}
