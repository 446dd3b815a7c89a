/** A traced request as JSON (design, section 3): what was asked, what became of it, and every event on the way. */

import { comparedName } from '../host-name.ts';
import type { Refusal, RewriteOutcome } from './outcome.ts';
import type { TraceEvent, TraceRecorder } from './trace.ts';

/** A farm as far as a trace shows it; `servers` for the scheme that the rule wrote. */
export interface TracedFarm {
  readonly name: string;
  readonly servers: (scheme: 'http' | 'https') => readonly string[];
}

export interface TracedRequest {
  readonly method: string;
  readonly url: string;
}

export interface TraceJson {
  readonly request: TracedRequest;
  readonly outcome: {
    readonly action: RewriteOutcome['kind'];
    readonly [field: string]: unknown;
  };
  /** What rewrite maps were asked for, in order; absent where they were not. */
  readonly lookUps?: readonly LookUp[];
  readonly events: readonly TraceEvent[];
}

interface LookUp {
  readonly map: string;
  readonly key: string;
  readonly value: string;
  /** The map has the key; else the value is its default. */
  readonly known: boolean;
}

/** @param farms the farms of the configuration; the host of the outcome is looked up by name, ignoring case */
export function traceJson(
  outcome: RewriteOutcome | Refusal,
  recording: TraceRecorder,
  request: TracedRequest,
  farms: readonly TracedFarm[] = [],
): TraceJson {
  const lookUps = recording.notes.flatMap(({ note }) => {
    if (note.kind !== 'asked') return [];
    const { map, key, value, known } = note;
    return [{ map, key, value, known }];
  });
  return {
    request,
    outcome: outcomeJson(outcome, farms),
    ...(lookUps.length > 0 ? { lookUps } : {}),
    events: recording.events,
  };
}

function outcomeJson(outcome: RewriteOutcome | Refusal, farms: readonly TracedFarm[]): TraceJson['outcome'] {
  switch (outcome.kind) {
    case 'none':
      return {
        action: 'none',
        url: outcome.target,
        ...(outcome.rule === '' ? {} : { rule: outcome.rule }),
        ...variables(outcome.setVariables),
      };
    case 'proxy': {
      const { scheme, host } = outcome;
      const farm = farms.find(({ name }) => comparedName(name) === host);
      return {
        action: 'proxy',
        url: proxiedUrl(outcome),
        ...(farm ? { farm: farm.name, servers: farm.servers(scheme) } : {}),
        ...variables(outcome.setVariables),
      };
    }
    case 'redirect':
      return {
        action: 'redirect',
        status: outcome.status,
        location: outcome.location,
        ...variables(outcome.setVariables),
      };
    case 'respond': {
      const { status, subStatus, reason, body } = outcome;
      return { action: 'respond', status, subStatus, reason, body, ...variables(outcome.setVariables) };
    }
    case 'abort':
      return { action: 'abort' };
    case 'error':
    case 'refused':
      return { action: 'error', error: errorJson(outcome) };
  }
}

export interface TracedError {
  /** What the client is answered with. */
  readonly status: number;
  /** The same as IIS writes it, where IIS has this answer. */
  readonly iisStatus?: string;
  readonly message: string;
}

function errorJson(outcome: (RewriteOutcome & { kind: 'error' }) | Refusal): TracedError {
  const { message } = outcome;
  if (outcome.kind === 'error') {
    const written = iisStatus(outcome);
    // What came with the request would have broken a header: a check of ours.
    return { status: Number.parseInt(written, 10), ...(outcome.badRequest ? {} : { iisStatus: written }), message };
  }
  return { status: outcome.status, ...(outcome.ours ? {} : { iisStatus: String(outcome.status) }), message };
}

/** The absolute URL after rewriting, with the name of the farm for its host. */
export function proxiedUrl({ scheme, host, port, target }: RewriteOutcome & { kind: 'proxy' }): string {
  return `${scheme}://${host}${port === undefined ? '' : `:${port}`}${target}`;
}

/** The status of a rule that could not be carried out, as IIS writes it. */
export function iisStatus(outcome: RewriteOutcome & { kind: 'error' }): string {
  if (outcome.badRequest) return '400';
  return outcome.global ? '500.51' : '500.50';
}

function variables(set: ReadonlyMap<string, string> | undefined): { setVariables?: Record<string, string> } {
  return set && set.size > 0 ? { setVariables: Object.fromEntries(set) } : {};
}
