/** How many requests of a farm may be sent a second time: a part of all, so that a farm in trouble is not hit twice as hard. */

/** What a burst may take, as when a server with many requests under way dies. */
const MOST_KEPT = 1000;

export class RetryBudget {
  readonly #part: number;
  #left = MOST_KEPT;

  /** @param percent of the requests */
  constructor(percent: number) {
    this.#part = percent / 100;
    if (percent === 0) this.#left = 0;
  }

  /** A request begins. */
  request(): void {
    if (this.#left < MOST_KEPT) this.#left += this.#part;
  }

  /** Not another one. */
  get isUsedUp(): boolean {
    return this.#left < 1;
  }

  take(): void {
    this.#left--;
  }
}
