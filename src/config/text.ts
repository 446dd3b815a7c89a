/** A value of a configuration file that knows where each of its characters stands. */
import type { Span } from './diagnostic.ts';

/** A decoded attribute value. */
export interface Text {
  readonly value: string;
  /** The raw value in the source, without its quotes. */
  readonly span: Span;
  /**
   * Source offset of each UTF-16 unit of `value`, and one more for the end.
   * Absent when the value stands in the source as it is, so that unit i stands at `span.start + i`.
   */
  readonly offsets?: readonly number[];
}
