/** What a run of the load test ends with, or a scenario of one competitor: a sentence for the person who started it. */
export class LoadtestFailure extends Error {
  override readonly name = 'LoadtestFailure';
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
