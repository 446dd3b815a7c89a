/** What the rules did with one request, in the events and fields of IIS's failed request tracing. */

export interface TraceEvent {
  readonly event: string;
  readonly [field: string]: string | number | boolean;
}

/** Filled while rules run, when somebody asked for it. */
export interface TraceRecorder {
  readonly events: TraceEvent[];
}

export function createRecorder(): TraceRecorder {
  return { events: [] };
}
