/** Why IIS refuses a regular expression, in its own words where they are known. */

/** Why a pattern is refused, in the words that follow `The expression "…" contains`. */
const FAULTS = {
  badrepeat: "a repeat expression (one of '*', '?', '+', '{' in most contexts) that is not preceded by an expression",
  badbrace: 'an invalid count in a { } expression',
  brace: 'an unmatched { or }',
  brack: 'an unmatched [ or ]',
  paren: 'an unmatched ( or )',
  collate: 'an invalid collating element name',
  ctype: 'an invalid character class name',
  escape: 'an invalid escape sequence',
  range: 'an invalid character range specifier',
  backref: 'an invalid back reference',
  syntax: 'a group of an unknown kind',
  space: 'more than Lychgate can keep of one pattern',
} as const;

type FaultKind = keyof typeof FAULTS;

export interface RegexFault {
  readonly kind: FaultKind;
  /** What is wrong, to follow `contains`. */
  readonly text: string;
  /** As IIS has it; empty where its words are not known, absent where it may well take the pattern. */
  readonly iis?: string;
  /** UTF-16 units inside the pattern, the end exclusive. */
  readonly from: number;
  readonly to: number;
}

export function refusal(kind: FaultKind, from: number, to: number): RegexFault {
  const text = FAULTS[kind];
  // The limits of the library are not known, nor what it says of a group of a kind that it does not know.
  return { kind, text, ...(kind === 'space' ? {} : { iis: kind === 'syntax' ? '' : text }), from, to };
}

/** Ends the reading of a pattern. */
export class Refusal {
  readonly fault: RegexFault;
  constructor(kind: FaultKind, from: number, to: number) {
    this.fault = refusal(kind, from, to);
  }
}
