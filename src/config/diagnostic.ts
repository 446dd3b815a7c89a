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
  LG2200: ['error', 'regular expression is not valid'],
  LG2201: ['warning', 'regular expression nests repeats'],
  LG2202: ['warning', 'bracket or brace that opens nothing in a pattern'],
  LG2203: ['warning', 'wildcard pattern that looks like a regular expression'],
  LG2204: ['warning', 'pattern that never matches'],
  LG2205: ['warning', 'regular expression of a disabled rule is not valid'],
  LG2210: ['error', 'brace that nothing closes in an expression'],
  LG2211: ['warning', 'unknown rewrite map or function'],
  LG2212: ['error', 'rule uses a provider'],
  LG2213: ['warning', 'back-reference beyond the groups'],
  LG2214: ['warning', 'back-reference above 9'],
  LG2215: ['warning', 'server variable that nothing sets'],
  LG2216: ['warning', 'condition back-reference after a negated condition'],
  LG2220: ['warning', 'rule without a pattern'],
  LG2221: ['warning', 'condition without an input'],
  LG2222: ['warning', 'condition without a pattern'],
  LG2223: ['warning', 'action without a URL'],
  LG2224: ['warning', 'custom response without a usable status'],
  LG2225: ['warning', 'condition asks for a file'],
  LG2226: ['warning', 'server variable is not allowed to be set'],
  LG2227: ['error', 'rule sets a header that belongs to the connection'],
  LG2230: ['error', 'rule sends requests to a host that is no farm while the proxy is off'],
  LG2231: ['warning', 'rule computes the host from the request'],
  LG2232: ['warning', 'rule sends requests away and does not stop processing'],
  LG2233: ['warning', 'query string is doubled'],
  LG2234: ['warning', 'escapes in the new path are encoded again'],
  LG2235: ['error', 'URL that a request cannot be sent to'],
  LG2236: ['warning', 'site rules behind a global rule that takes everything'],
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
