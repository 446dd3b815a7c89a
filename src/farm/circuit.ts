/**
 * A server that cannot be connected to is left alone: the circuit opens after some failures in a row, and then it is not
 * requests that find out whether the server is back, but connections made for that purpose, at growing intervals.
 */
import type { CircuitSettings } from '../config/settings-model.ts';

export interface CircuitEvents {
  /** Tries to connect, and calls once with what came of it. */
  knock(done: (connected: boolean) => void): void;
  /** @param failure the last of those that were too many */
  opened(failure: Error): void;
  closed(): void;
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

  failed(failure: Error): void {
    this.#failures++;
    if (this.#open || this.#closed || this.#failures < this.#settings.failures) return;
    this.#open = true;
    this.#events.opened(failure);
    this.#knockAfter(Math.min(this.#settings.pause, this.#settings.longestPause));
  }

  succeeded(): void {
    this.#failures = 0;
    if (!this.#open) return;
    this.#open = false;
    this.#stop();
    this.#events.closed();
  }

  /** It is not needed any more. */
  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** @param pause seconds; a little more or less, so that workers and nodes do not knock in step */
  #knockAfter(pause: number): void {
    const spread = 0.8 + 0.4 * Math.random();
    const timer = setTimeout(
      () => {
        this.#events.knock((connected) => {
          // It may have closed meanwhile, and opened again: then others knock.
          if (this.#timer !== timer) return;
          if (connected) this.succeeded();
          else this.#knockAfter(Math.min(pause * 2, this.#settings.longestPause));
        });
      },
      pause * spread * 1000,
    );
    timer.unref();
    this.#timer = timer;
  }
}
