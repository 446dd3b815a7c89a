/** Picks a server of a farm: ARR's WeightedRoundRobin and RequestHash, and least requests, which ARR 3 no longer has. */
import { bucketOf, textHash } from './request-hash.ts';
import { ServerHeap } from './server-heap.ts';

export interface Balanced {
  readonly address: string;
  readonly weight: number;
  /** Its part of the requests in relation to the others': the weight, less for a server that has just returned. Above 0. */
  readonly share: number;
  /** Requests under way. */
  readonly load: number;
}

export interface Balancer<S extends Balanced> {
  /** These take requests from now on. */
  set(servers: readonly S[]): void;
  /**
   * @param passes those that do not are left out
   * @param key what RequestHash goes by
   */
  pick(passes: (server: S) => boolean, key: string): S | undefined;
  /** The load of a server has changed. */
  loadChanged(server: S): void;
}

const MOST_TURNS_LOST = 8;
/** In steps of the heaviest server: the time begins anew before such a step is too small to count beside it. */
const FAR = 2 ** 32;

/**
 * The smooth one: with weights 2 and 1 it gives a, b, a, a, b, a. Each server has a time at which it is next, which moves on
 * by 1/weight with every request that it gets; the earliest is next.
 * @param random among servers that are equally next (`randomizeLBTies`)
 */
export function weightedRoundRobin<S extends Balanced>(random: boolean): Balancer<S> {
  let servers: readonly S[] = [];
  let heap = new ServerHeap(0);
  let now = 0;
  let heaviest = 1;
  /** Those that have just returned: with their share grown they would be due earlier. */
  const growing = new Set<number>();
  const grow = (i: number) => {
    const server = servers[i];
    if (server === undefined) return;
    const due = now + 1 / server.share;
    if (due < heap.keyOf(i)) heap.set(i, due, heap.tieOf(i));
    if (server.share === server.weight) growing.delete(i);
  };
  return {
    set(next) {
      const known = new Map(servers.map((server, i) => [server, heap.keyOf(i) - now]));
      servers = next;
      now = 0;
      heaviest = next.reduce((most, { weight }) => Math.max(most, weight), 1);
      heap = new ServerHeap(next.length);
      growing.clear();
      for (const [i, server] of next.entries()) {
        if (server.share < server.weight) growing.add(i);
        const before = known.get(server) ?? -1;
        // One that was away does not catch up on what it has missed.
        const due = before >= 0 ? before : 0.5 / server.share;
        heap.set(i, due, random ? Math.random() : i);
      }
    },
    pick(passes) {
      if (now * heaviest > FAR) {
        heap.moveAll(-now);
        now = 0;
      }
      if (growing.size > 0) for (const i of growing) grow(i);
      const turn = (i: number, due: number, { share, weight }: S) => {
        now = Math.max(now, due);
        heap.set(i, now + 1 / share, random ? Math.random() : i);
        if (share < weight) growing.add(i);
      };
      for (let tries = 0; ; tries++) {
        // Those that do not pass lose their turns; where that leads to nobody soon, all are looked at.
        const i = tries < MOST_TURNS_LOST ? heap.first : heap.firstOf((each) => isTaken(servers[each], passes));
        const server = i === undefined ? undefined : servers[i];
        if (i === undefined || server === undefined) return undefined;
        turn(i, heap.keyOf(i), server);
        if (passes(server)) return server;
      }
    },
    loadChanged: () => undefined,
  };
}

/** The server with the fewest requests under way in relation to its weight; by turns among equals. */
export function leastRequests<S extends Balanced>(random: boolean): Balancer<S> {
  let servers: readonly S[] = [];
  let heap = new ServerHeap(0);
  let places = new Map<S, number>();
  let turn = 0;
  /** Those that have just returned: their share grows while nothing else of them changes. */
  const growing = new Set<S>();
  const keyOf = (server: S) => {
    const { load, share } = server;
    if (share < server.weight) growing.add(server);
    else if (growing.size > 0) growing.delete(server);
    return (load + 1) / share;
  };
  /** Behind all others that are equal, or, by chance, before some of them. */
  const nextTurn = () => turn++ + (random ? Math.random() * servers.length : 0);
  const change = (server: S) => {
    const i = places.get(server);
    if (i === undefined) return;
    const key = keyOf(server);
    heap.set(i, key, key > heap.keyOf(i) ? nextTurn() : heap.tieOf(i));
  };
  return {
    set(next) {
      servers = next;
      places = new Map(next.map((server, i) => [server, i]));
      heap = new ServerHeap(next.length);
      growing.clear();
      for (const [i, server] of next.entries()) heap.set(i, keyOf(server), nextTurn());
    },
    pick(passes) {
      for (const server of growing) change(server);
      const i = heap.firstOf((each) => isTaken(servers[each], passes));
      return i === undefined ? undefined : servers[i];
    },
    loadChanged: change,
  };
}

/**
 * Equal keys go to the same server, from every worker and every node, and a server that comes or goes moves its own share of
 * the keys alone (rendezvous hashing, the family of ARR's CARP). A server that returns gets its share at once: the keys are what counts.
 */
export function requestHash<S extends Balanced>(): Balancer<S> {
  let servers: readonly S[] = [];
  let seeds: readonly number[] = [];
  /** For each hash the number of its server, and one; 0 where it was not asked for yet. */
  let winners = new Uint16Array(0);
  const winner = (bucket: number, passes: (server: S) => boolean): number => {
    let best = -1;
    let highest = Number.NEGATIVE_INFINITY;
    for (const [i, server] of servers.entries()) {
      if (!passes(server)) continue;
      const score = scoreOf(bucket, seeds[i] ?? 0, server.weight);
      if (score > highest) {
        highest = score;
        best = i;
      }
    }
    return best;
  };
  return {
    set(next) {
      servers = next;
      seeds = next.map(({ address }) => textHash(address.toLowerCase()));
      winners = new Uint16Array(next.length === 0 ? 0 : BUCKETS);
    },
    pick(passes, key) {
      if (servers.length === 0) return undefined;
      const bucket = bucketOf(key, BUCKETS);
      let kept = winners[bucket] ?? 0;
      if (kept === 0) {
        kept = winner(bucket, () => true) + 1;
        winners[bucket] = kept;
      }
      const server = servers[kept - 1];
      return isTaken(server, passes) ? server : servers[winner(bucket, passes)];
    },
    loadChanged: () => undefined,
  };
}

/** Keys are sorted into so many kinds, which move as one. Enough that hundreds of servers get what their weights say. */
const BUCKETS = 65_536;

/** Highest of all with a probability of weight / all weights. */
function scoreOf(bucket: number, seed: number, weight: number): number {
  const random = (bucketHash(bucket, seed) + 0.5) / 2 ** 32;
  return -weight / Math.log(random);
}

function bucketHash(bucket: number, seed: number): number {
  let hash = Math.imul(bucket ^ seed, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ seed;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function isTaken<S>(server: S | undefined, passes: (server: S) => boolean): boolean {
  return server !== undefined && passes(server);
}
