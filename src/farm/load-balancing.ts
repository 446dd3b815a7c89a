/** Picks a server of a farm. Weighted round robin is the smooth one: with weights 2 and 1 it gives a, b, a, a, b, a. */

export interface Weighted {
  /** Relative, 1 or more: 200 and 100 are as 2 and 1. */
  readonly weight: number;
}

/** A picker over a fixed list; `undefined` for an empty one. */
export function weightedRoundRobin<S extends Weighted>(servers: readonly S[]): () => S | undefined {
  const total = servers.reduce((sum, server) => sum + server.weight, 0);
  const entries = servers.map((server) => ({ server, current: 0 }));
  return () => {
    let best: (typeof entries)[number] | undefined;
    for (const entry of entries) {
      entry.current += entry.server.weight;
      if (best === undefined || entry.current > best.current) best = entry;
    }
    if (best === undefined) return undefined;
    best.current -= total;
    return best.server;
  };
}
