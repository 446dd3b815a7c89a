/** What the rules did with one request, in the events and fields of IIS's failed request tracing. */
import type { Captures } from './pattern.ts';

export interface TraceEvent {
  readonly event: string;
  readonly [field: string]: string | number | boolean;
}

/** What a person wants to see and IIS's events have no field for. */
export type TraceNote =
  | { readonly kind: 'captured'; readonly letter: 'R' | 'C'; readonly values: Captures }
  /** `assumed` where the list of variables that may be set was not read. */
  | { readonly kind: 'set'; readonly name: string; readonly value: string; readonly assumed: boolean }
  /** A rewrite map was asked for a key; `known` where the map has it, else the value is its default. */
  | {
      readonly kind: 'asked';
      readonly map: string;
      readonly key: string;
      readonly value: string;
      readonly known: boolean;
    };

/** Filled while rules run, when somebody asked for it. */
export interface TraceRecorder {
  readonly events: TraceEvent[];
  /** In order; `after` is the number of events before it. */
  readonly notes: { readonly after: number; readonly note: TraceNote }[];
}

export function createRecorder(): TraceRecorder {
  return { events: [], notes: [] };
}

/** Adds a note behind the events so far. */
export function takeNote(recorder: TraceRecorder | undefined, note: TraceNote): void {
  recorder?.notes.push({ after: recorder.events.length, note });
}
