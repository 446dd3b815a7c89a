/** Tells a client that does not take what is sent to it: neither protocol has a time limit of its own for that. */

/** As IIS's `minBytesPerSecond`: a client that takes less is dropped. */
const LEAST_BYTES_PER_SECOND = 240;

export class SlowReader {
  #length = 0;
  #since = 0;

  /**
   * To be asked again and again.
   * @param length bytes that wait to be sent
   * @param now milliseconds of `turnTime`
   * @param timeout seconds that any client has
   * @returns true where nothing has left for longer than the slowest client that is served would need for all of it
   */
  isStalled(length: number, now: number, timeout: number): boolean {
    if (length === 0 || length !== this.#length) {
      this.#length = length;
      this.#since = now;
      return false;
    }
    return now - this.#since > 1000 * Math.max(timeout, length / LEAST_BYTES_PER_SECOND);
  }
}
