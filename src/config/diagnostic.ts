/** A finding about the configuration: what is wrong, where, in IIS's words where it has any, and the cure. */

/** A place in a source file. Offsets are UTF-16 units from the start of the file, the end exclusive. */
export interface Span {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

export type Severity = 'error' | 'warning';

export interface IisRefusal {
  /** HTTP status and sub-status that IIS answers with, for example `500.19`. */
  readonly status: string;
  /** The text on IIS's error page. */
  readonly text: string;
}

export interface Diagnostic {
  readonly code: Code;
  readonly severity: Severity;
  readonly message: string;
  /** The cure, as a sentence. */
  readonly advice: string;
  readonly iis?: IisRefusal;
  /** True where IIS itself loads the file but IIS Manager would refuse to save it. */
  readonly ui?: true;
  readonly span: Span;
}

/**
 * Every code with its severity and a title. Codes are never reused.
 * LG1xxx files and XML, LG2xxx rules, LG3xxx farms, LG4xxx certificates and TLS, LG5xxx bindings, LG6xxx settings.
 */
export const CATALOGUE = {
  LG1001: ['error', 'file cannot be read'],
  LG1002: ['error', 'not well-formed XML'],
} as const satisfies Record<string, readonly [Severity, string]>;

export type Code = keyof typeof CATALOGUE;

export interface Finding {
  readonly message: string;
  readonly advice: string;
  readonly iis?: IisRefusal;
  readonly ui?: true;
}

/** Diagnostics are collected, never thrown: this function is passed down to everything that checks. */
export type Report = (code: Code, span: Span, finding: Finding) => void;

/** A `Report` that appends to `into`, taking the severity from the catalogue. */
export function reportInto(into: Diagnostic[]): Report {
  return (code, span, finding) => {
    into.push({ code, severity: CATALOGUE[code][0], span, ...finding });
  };
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}

/** The source place of units `from` to `to` (exclusive) of a decoded attribute value. */
export function spanWithin(
  text: { readonly span: Span; readonly offsets?: readonly number[] },
  from: number,
  to: number,
): Span {
  const { file, start, end } = text.span;
  const at = (unit: number) => Math.min(end, text.offsets ? (text.offsets[unit] ?? end) : start + unit);
  return { file, start: at(from), end: at(to) };
}
