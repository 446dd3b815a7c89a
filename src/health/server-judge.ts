/** Judges one server: healthy while nothing speaks against it, be it an administrator, a test or what its requests show. */
import type { WebFarmConfig } from '../config/farm-model.ts';
import type { CounterValues } from '../farm/server-counters.ts';
import type { Logger } from '../log.ts';
import { createEjection, type Ejection } from './ejection.ts';
import type { Tested, TestResult } from './health-check.ts';
import { createLiveTrafficTest, type LiveTrafficTest } from './live-traffic.ts';
import type { PeriodOfServer } from './outlier-latency.ts';
import { startTestRounds, type TestRounds } from './test-rounds.ts';
import type { PlannedTest } from './url-tests.ts';

export interface ServerHealth {
  readonly healthy: boolean;
  /** Why, in a few words for an administrator; `''` while nothing ever spoke against it. */
  readonly reason: string;
  /** Milliseconds since 1970; `undefined` while it has not changed. */
  readonly since: number | undefined;
}

export type AnswerCounters = Pick<CounterValues, 'answers' | 'answerTime'>;

export interface JudgedServer {
  readonly farm: WebFarmConfig;
  readonly address: string;
  readonly tests: readonly PlannedTest[];
  /** Seconds until it comes back after failures of live traffic; `undefined`: it does not by itself. */
  readonly recovery: number | undefined;
  /** So many requests that were sent and got no valid answer, with no answer in between, take it out; 0: never. */
  readonly failuresInARow: number;
  /** No other server of the farm takes requests. */
  readonly isLast: () => boolean;
  /** Resolves when all workers that answer have told what they know: answers are told later than failures. */
  readonly allTold: () => Promise<unknown>;
  /** As they stand now. */
  readonly counters: () => AnswerCounters;
  readonly changed: (health: ServerHealth) => void;
  readonly log: Logger;
}

/** The worst comes first: the server got less far. */
const WORST_FIRST: readonly TestResult[] = ['ConnectionFailure', 'StatusCodeFailure', 'ResponseEntityFailure'];
/** In seconds, for slow servers where those that fail never come back by themselves: no test would bring them back. */
const SLOW_RECOVERY = 30;
const BY_ADMINISTRATOR = 'set by an administrator';

export class ServerJudge {
  health: ServerHealth = { healthy: true, reason: '', since: undefined };
  readonly #server: JudgedServer;
  readonly #rounds: readonly TestRounds[];
  readonly #liveTraffic: LiveTrafficTest | undefined;
  readonly #failed: Ejection;
  readonly #slow: Ejection;
  /** Tests that have not been passed since live traffic took it out, and when that was. */
  #toPass = new Set<TestRounds>();
  #failedAt = 0;
  #setUnhealthy = false;
  #counted: AnswerCounters;
  #inARow = 0;
  /** Answers of all workers when each of them last told something: what it tells next happened since. */
  readonly #answers = new Map<number, number>();
  #asking = false;
  #stopped = false;

  constructor(server: JudgedServer) {
    this.#server = server;
    const { maxLiveTrafficFailures, liveTrafficFailurePeriod } = server.farm.healthCheck;
    this.#liveTraffic = createLiveTrafficTest(maxLiveTrafficFailures, liveTrafficFailurePeriod);
    this.#failed = createEjection(server.recovery, (after) => this.#judge(after));
    this.#slow = createEjection(server.recovery ?? SLOW_RECOVERY, (after) => this.#judge(after));
    this.#counted = server.counters();
    this.#rounds = server.tests.map((test) => {
      const rounds: TestRounds = startTestRounds({
        interval: test.interval,
        retries: test.retries,
        // Loaded with the first test: what it needs takes a sixth of a second and 25 MB, also from who has no such test.
        once: async (signal) => (await import('./health-check.ts')).runUrlTest(test, signal),
        judged: (tested, began) => this.#tested(rounds, tested, began),
      });
      return rounds;
    });
  }

  get address(): string {
    return this.#server.address;
  }

  /**
   * @param worker who tells it
   * @param told `broken` are those of the failures in which the request was sent, and no valid answer came; `answers` all that this
   * worker ever got
   */
  traffic(
    worker: number,
    told: { readonly failures: number; readonly broken: number; readonly answers: number },
  ): void {
    const { answers } = this.#server.counters();
    const before = this.#answers.get(worker) ?? answers - told.answers;
    this.#answers.set(worker, answers);
    // Those that were under way when it was taken out do not keep it out.
    if (!this.health.healthy) return;
    this.#inARow = answers > before ? 0 : this.#inARow + told.broken;
    if (told.failures === 0) return;
    const { maxLiveTrafficFailures, liveTrafficFailurePeriod } = this.#server.farm.healthCheck;
    if (this.#liveTraffic?.failed(told.failures, performance.now())) {
      this.#takeOut(`${maxLiveTrafficFailures} requests failed within ${liveTrafficFailurePeriod} s`);
    } else if (this.#breaksAll()) void this.#askAll();
  }

  /** It may have answered requests of other workers meanwhile. */
  async #askAll(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    await this.#server.allTold();
    this.#asking = false;
    if (!this.#stopped && this.health.healthy && this.#breaksAll()) {
      this.#takeOut(`${this.#inARow} requests in a row got no valid answer`);
    }
  }

  /** Beyond ARR, and never where ARR's way is asked for. Whoever is the last may as well be tried. */
  #breaksAll(): boolean {
    const { recovery, failuresInARow, isLast } = this.#server;
    return recovery !== undefined && failuresInARow > 0 && this.#inARow >= failuresInARow && !isLast();
  }

  #takeOut(reason: string): void {
    this.#failedAt = performance.now();
    this.#toPass = new Set(this.#rounds);
    this.#failed.begin(reason);
    this.#judge();
  }

  /** What it did since this was last asked. */
  period(): PeriodOfServer & { readonly judge: ServerJudge } {
    const { answers, answerTime } = this.#counted;
    this.#counted = this.#server.counters();
    return {
      judge: this,
      healthy: this.health.healthy,
      answers: this.#counted.answers - answers,
      answerTime: this.#counted.answerTime - answerTime,
    };
  }

  /** It answers much later than the others. */
  slow({ answers, answerTime }: AnswerCounters): void {
    this.#slow.begin(`answered after ${Math.round(answerTime / answers)} ms on average, much later than the others`);
    this.#judge();
  }

  setHealthy(): void {
    this.#setUnhealthy = false;
    this.#inARow = 0;
    this.#liveTraffic?.clear();
    for (const rounds of this.#rounds) rounds.forgive();
    this.#failed.end();
    this.#slow.end();
    this.#judge(BY_ADMINISTRATOR);
  }

  setUnhealthy(): void {
    this.#setUnhealthy = true;
    this.#judge();
  }

  /** The worst result of all tests; `undefined` where there are none. */
  async test(): Promise<TestResult | undefined> {
    if (this.#rounds.length === 0) return undefined;
    const results = await Promise.all(this.#rounds.map((rounds) => rounds.now()));
    return WORST_FIRST.find((result) => results.includes(result)) ?? 'Success';
  }

  stop(): void {
    this.#stopped = true;
    for (const rounds of this.#rounds) rounds.stop();
    this.#failed.end();
    this.#slow.end();
  }

  #tested(rounds: TestRounds, { result, reason }: Tested, began: number): void {
    if (result === 'Success' && began >= this.#failedAt) {
      this.#toPass.delete(rounds);
      // As ARR has it: live traffic takes a server out, and the URL test brings it back.
      if (this.#toPass.size === 0) this.#failed.end();
    }
    this.#judge(reason);
  }

  /** @param good why the server is healthy, where it turns out to be */
  #judge(good = ''): void {
    const fault = this.#setUnhealthy
      ? BY_ADMINISTRATOR
      : (this.#rounds.find((rounds) => rounds.fault !== undefined)?.fault ?? this.#failed.reason ?? this.#slow.reason);
    const healthy = fault === undefined;
    const changes = healthy !== this.health.healthy;
    if (!changes && healthy) return;
    this.health = { healthy, reason: fault ?? good, since: changes ? Date.now() : this.health.since };
    if (!changes) return;
    this.#liveTraffic?.clear();
    this.#inARow = 0;
    const { farm, address, log, changed } = this.#server;
    const place = { farm: farm.name.value, server: address };
    if (healthy) log.info(place, `the server is healthy again: ${good}`);
    else {
      const alone = farm.healthCheck.minServers === 0 ? ' and gets no requests' : '';
      log.warn(place, `the server is unhealthy${alone}: ${fault}`);
    }
    changed(this.health);
  }
}
