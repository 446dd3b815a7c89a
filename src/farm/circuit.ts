/**
 * A server that cannot be connected to is left alone: the circuit opens after some failures in a row, and then it is not
 * requests that find out whether the server is back, but connections made for that purpose, at growing intervals.
 */
import type { CircuitSettings } from '../config/model.ts';

export interface CircuitEvents {
  /** Tries to connect, and calls once with what came of it. */
  knock(done: (connected: boolean) => void): void;
  changed(open: boolean): void;
}

export class Circuit {
  readonly #settings: CircuitSettings;
  readonly #events: CircuitEvents;
  #failures = 0;
  #open = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(settings: CircuitSettings, events: CircuitEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  /** The server gets no requests. */
  get open(): boolean {
    return this.#open;
  }

  failed(): void {
    this.#failures++;
    if (this.#open || this.#closed || this.#failures < this.#settings.failures) return;
    this.#open = true;
    this.#events.changed(true);
    this.#knockAfter(this.#settings.pause);
  }

  succeeded(): void {
    this.#failures = 0;
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#timer);
    this.#events.changed(false);
  }

  /** It is not needed any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** @param pause seconds; a little more or less, so that workers and nodes do not knock in step */
  #knockAfter(pause: number): void {
    const spread = 0.8 + 0.4 * Math.random();
    this.#timer = setTimeout(
      () => {
        this.#events.knock((connected) => {
          if (!this.#open || this.#closed) return;
          if (connected) this.succeeded();
          else this.#knockAfter(Math.min(pause * 2, this.#settings.longestPause));
        });
      },
      pause * spread * 1000,
    );
    this.#timer.unref();
  }
}
