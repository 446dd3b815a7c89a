/** The connections of clients over all workers: each tells every second who has many, and hears what those have elsewhere. */
import type { ClientCount, ConnectionCounts } from '../listener/client-count.ts';
import type { FromServing, ToServing } from './messages.ts';

const BEAT_MS = 1000;
/** What a client has at a worker is told from this part of its share on; less of it does not count at the others. */
const TOLD_PART = 0.1;

/**
 * A worker's side.
 * @param tell says something to the supervisor
 * @returns ends it
 */
export function tellClientCounts(
  count: ClientCount,
  { limit, workers }: { readonly limit: number; readonly workers: number },
  tell: (message: FromServing) => void,
): () => void {
  const least = Math.max(1, Math.floor((TOLD_PART * limit) / workers));
  const beat = setInterval(() => tell({ type: 'clients', counts: count.from(least) }), BEAT_MS);
  beat.unref();
  return () => clearInterval(beat);
}

/** The supervisor's side. */
export interface ClientCounts {
  heard(worker: number, counts: ConnectionCounts): Extract<ToServing, { type: 'clientsElsewhere' }>;
  lost(worker: number): void;
}

export function createClientCounts(): ClientCounts {
  const told = new Map<number, ConnectionCounts>();
  return {
    heard(worker, counts) {
      told.set(worker, counts);
      const elsewhere = new Map<string, number>();
      for (const [other, its] of told) {
        if (other === worker) continue;
        for (const [client, count] of its) elsewhere.set(client, (elsewhere.get(client) ?? 0) + count);
      }
      return { type: 'clientsElsewhere', counts: elsewhere };
    },
    lost: (worker) => void told.delete(worker),
  };
}
