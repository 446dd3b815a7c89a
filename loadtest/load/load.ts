/** What a load generator is told to do, and what it tells afterwards. */
import type { Endpoint } from '../wait-ready.ts';

export interface LoadJob {
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  /** Bytes of the request's body. */
  readonly uploadBytes: number;
  readonly connections: number;
  /** Requests of all connections together. */
  readonly amount: number;
  /** A new connection, with a full handshake, for each request. */
  readonly reconnect: boolean;
}

export interface LoadResult {
  /** Answers with a status of 2xx. */
  readonly succeeded: number;
  /** Other statuses, broken connections, time-outs and requests without an answer. */
  readonly failed: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

/** Seconds that an answer may take. */
export const ANSWER_TIMEOUT = 60;

/** Puts a result together from the milliseconds that each successful answer took. */
export function loadResult(job: LoadJob, milliseconds: readonly number[], seconds: number): LoadResult {
  const sorted = Float64Array.from(milliseconds).sort();
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return {
    succeeded: sorted.length,
    failed: Math.max(0, job.amount - sorted.length),
    seconds,
    p50: at(0.5),
    p99: at(0.99),
  };
}
