/** Which of some servers is first in line, where places change all the time: a binary heap that knows where each one stands. */

/** Lowest `key` first, then lowest `tie`. Servers are numbers from 0 on. */
export class ServerHeap {
  readonly #key: Float64Array;
  readonly #tie: Float64Array;
  readonly #heap: Int32Array;
  readonly #place: Int32Array;

  /** All keys are 0, ties in the order of the numbers. */
  constructor(size: number) {
    this.#key = new Float64Array(size);
    this.#tie = Float64Array.from({ length: size }, (_, i) => i);
    this.#heap = Int32Array.from({ length: size }, (_, i) => i);
    this.#place = Int32Array.from({ length: size }, (_, i) => i);
  }

  get first(): number | undefined {
    return this.#heap[0];
  }

  keyOf(server: number): number {
    return this.#key[server] ?? 0;
  }

  tieOf(server: number): number {
    return this.#tie[server] ?? 0;
  }

  set(server: number, key: number, tie: number): void {
    const later = key - this.keyOf(server) || tie - this.tieOf(server);
    this.#key[server] = key;
    this.#tie[server] = tie;
    const place = this.#place[server] ?? 0;
    if (later > 0) this.#sink(place);
    else this.#rise(place);
  }

  /** Adds this to every key, which changes nobody's place. */
  moveAll(by: number): void {
    for (let server = 0; server < this.#key.length; server++) this.#key[server] = this.keyOf(server) + by;
  }

  /** The first of those that pass. Looks at all of them where the very first does not. */
  firstOf(passes: (server: number) => boolean): number | undefined {
    const { first } = this;
    if (first === undefined || passes(first)) return first;
    let best: number | undefined;
    for (const server of this.#heap) {
      if ((best === undefined || this.#isBefore(server, best)) && passes(server)) best = server;
    }
    return best;
  }

  #isBefore(a: number, b: number): boolean {
    const key = this.#key;
    const keyA = key[a] ?? 0;
    const keyB = key[b] ?? 0;
    return keyA < keyB || (keyA === keyB && this.tieOf(a) < this.tieOf(b));
  }

  #rise(place: number): void {
    const heap = this.#heap;
    const server = heap[place] ?? 0;
    let at = place;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above] ?? 0;
      if (!this.#isBefore(server, other)) break;
      this.#put(at, other);
      at = above;
    }
    this.#put(at, server);
  }

  #sink(place: number): void {
    const heap = this.#heap;
    const server = heap[place] ?? 0;
    const size = heap.length;
    let at = place;
    for (let below = 2 * at + 1; below < size; below = 2 * at + 1) {
      let other = heap[below] ?? 0;
      const right = heap[below + 1];
      if (right !== undefined && this.#isBefore(right, other)) {
        other = right;
        below++;
      }
      if (!this.#isBefore(other, server)) break;
      this.#put(at, other);
      at = below;
    }
    this.#put(at, server);
  }

  #put(place: number, server: number): void {
    this.#heap[place] = server;
    this.#place[server] = place;
  }
}
