/**
 * The name of a server and the addresses it has now: asked for in the background while the name is in use, kept for a while
 * where nobody answers, and told to whoever has connections when they change.
 */
import type { LookupAddress } from 'node:dns';
import { ExchangeError } from '../errors.ts';
import { plainAddress } from '../ip-address.ts';
import type { Logger } from '../log.ts';
import { within } from '../patience.ts';
import { type NameAnswer, type Resolver, saysNone } from './resolve.ts';

/** Where DNS does not say how long its answer holds, as the system's resolver never does. */
const USUAL_PAUSE_MS = 10_000;
/** Also for records that hold for no time at all, and for names that nobody knows: a flood of requests is no flood of queries. */
const SHORTEST_PAUSE_MS = 1000;
/** Also for records that hold for a day: nobody wants to wait that long for a failover. */
const LONGEST_PAUSE_MS = 30_000;
/** Since it was asked for in use, an answer that is late by no more than this is still as good as new. */
const STALE_MS = 10_000;
/** Longest wait for a new answer where an old one is known. */
const LONGEST_WAIT_MS = 2000;
/** The same for a request whose connection could not be made: another server may be waiting to be tried. */
const SECOND_LOOK_MS = 1000;
/** How long addresses are used after DNS has last confirmed them, where it does not answer. */
export const LAST_GOOD_MS = 3_600_000;
/** How long they are used where it does answer, and says that there is no such name or no address. */
export const GONE_MS = 300_000;

interface Known extends LookupAddress {
  /** In milliseconds of `performance.now()`. */
  readonly until: number;
}

type Change = (addresses: ReadonlySet<string>) => void;

export class ResolvedName {
  readonly #name: string;
  readonly #resolver: Resolver;
  readonly #log: Logger;
  readonly #fixed: LookupAddress | undefined;
  readonly #watchers = new Set<Change>();
  #known: readonly Known[] = [];
  #plain: ReadonlySet<string> = new Set();
  #version = 0;
  #due = 0;
  #flight: Promise<void> | undefined;
  #begun = 0;
  #ended = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #fault: ExchangeError | undefined;
  /** Since when DNS says that there is none. */
  #goneSince: number | undefined;
  #closed = false;

  constructor(name: string, resolver: Resolver, log: Logger) {
    this.#name = name;
    this.#resolver = resolver;
    this.#log = log;
    this.#fixed = resolver.fixed(name);
  }

  /** The administrator wrote the address: it is an IP address, or `hosts` of settings has it. */
  get isFixed(): boolean {
    return this.#fixed !== undefined;
  }

  /** Counts how often known addresses were replaced by others. */
  get version(): number {
    return this.#version;
  }

  /**
   * Calls back with all addresses, in their one spelling, when they have changed.
   * @returns what ends it
   */
  watch(change: Change): () => void {
    this.#watchers.add(change);
    return () => this.#watchers.delete(change);
  }

  has(address: string): boolean {
    return this.#fixed !== undefined || this.#plain.has(address);
  }

  /** At once where they are known. Rejects with `nameNotResolved`. */
  async find(): Promise<readonly LookupAddress[]> {
    if (this.#fixed) return [this.#fixed];
    const now = performance.now();
    if (this.#good(now).length === 0) {
      if (this.#fault && now < this.#due) throw this.#fault;
      await this.#refresh();
    } else if (now >= this.#due) {
      const late = now >= this.#due + STALE_MS;
      const flight = this.#refresh();
      if (late) await within(this.#begun + LONGEST_WAIT_MS - now, flight, () => undefined);
    }
    const found = this.#good(performance.now());
    if (found.length > 0) return found;
    throw this.#fault ?? this.#notResolved('no address of it is known any more');
  }

  /** To be called now and then while the name is in use: asks again where it is time. */
  tend(now: number): void {
    if (this.#fixed === undefined && now >= this.#due) void this.#refresh();
  }

  /**
   * A connection could not be made to the addresses of this version: maybe they are not the right ones any more.
   * @returns whether there are others now
   */
  again(version: number): boolean | Promise<boolean> {
    if (this.#fixed) return false;
    if (this.#version !== version) return true;
    if (this.#flight === undefined && performance.now() - this.#ended < SHORTEST_PAUSE_MS) return false;
    return within(SECOND_LOOK_MS, this.#refresh(), () => undefined).then(() => this.#version !== version);
  }

  /** Nobody needs it any more: how the last question ends is nothing to tell. */
  close(): void {
    this.#closed = true;
  }

  #good(now: number): readonly Known[] {
    return this.#known.filter(({ until }) => until > now);
  }

  /** Never more than one at a time. Never rejects. */
  #refresh(): Promise<void> {
    if (this.#flight) return this.#flight;
    this.#begun = performance.now();
    this.#flight = this.#resolver
      .ask(this.#name)
      .then(
        (answer) => this.#take(answer),
        (error: unknown) => this.#fail(error),
      )
      .finally(() => {
        this.#flight = undefined;
        this.#ended = performance.now();
      });
    return this.#flight;
  }

  #take({ addresses, ttl, untold }: NameAnswer): void {
    const now = performance.now();
    if (this.#failures > 0) this.#log.info({ server: this.#name }, 'the name of a server resolves again');
    this.#failures = 0;
    this.#fault = undefined;
    this.#goneSince = undefined;
    this.#due = now + pause(ttl);
    const kept = this.#good(now).filter(({ family }) => family === untold);
    this.#set([...addresses.map((each) => ({ ...each, until: now + LAST_GOOD_MS })), ...kept]);
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    const now = performance.now();
    const text = error instanceof Error ? error.message : String(error);
    this.#fault = this.#notResolved(text, error);
    if (saysNone(error)) this.#goneSince ??= now;
    if (this.#goneSince !== undefined && now - this.#goneSince >= GONE_MS) this.#set([]);
    const known = this.#good(now).length > 0;
    this.#due =
      now + (known ? Math.min(SHORTEST_PAUSE_MS * 2 ** ++this.#failures, LONGEST_PAUSE_MS) : SHORTEST_PAUSE_MS);
    // Where nothing is known, each request that fails for it says so.
    if (known && this.#failures === 1) {
      this.#log.warn(
        { server: this.#name },
        `the name of a server does not resolve, and its last addresses are used: ${text}`,
      );
    }
  }

  #set(known: readonly Known[]): void {
    const before = this.#plain;
    this.#known = known;
    this.#plain = new Set(known.map(({ address }) => plainAddress(address)));
    if (before.size === 0 || isSame(before, this.#plain)) return;
    this.#version++;
    this.#log.info(
      { server: this.#name, before: [...before], now: [...this.#plain] },
      'the name of a server has other addresses now',
    );
    for (const each of this.#watchers) each(this.#plain);
  }

  #notResolved(reason: string, cause?: unknown): ExchangeError {
    return new ExchangeError('nameNotResolved', `the name ${this.#name} does not resolve: ${reason}`, cause);
  }
}

function pause(ttl: number | undefined): number {
  if (ttl === undefined) return USUAL_PAUSE_MS;
  return Math.min(Math.max(ttl * 1000, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
}

function isSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((each) => other.has(each));
}
