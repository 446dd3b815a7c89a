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
  LG4001: ['error', 'certificate file or folder cannot be read'],
  LG4002: ['error', 'certificate file is damaged'],
  LG4003: ['error', 'password does not open the certificate file'],
  LG4004: ['error', 'certificate without its private key'],
  LG4005: ['error', 'private key does not fit the certificate'],
  LG4006: ['error', 'certificate file is protected in a way that cannot be read'],
  LG4007: ['warning', 'certificate in the folder is not used, as its key is missing'],
  LG4008: ['warning', 'intermediate certificate is missing'],
  LG4009: ['error', 'no certificate in the file'],
  LG4020: ['warning', 'certificate has expired'],
  LG4021: ['warning', 'certificate expires soon'],
  LG4022: ['warning', 'certificate is not valid yet'],
  LG4023: ['error', 'no certificate covers the host of a binding'],
  LG4024: ['warning', 'no certificate covers a wildcard binding'],
  LG4025: ['error', 'https binding without any certificate'],
  LG4026: ['warning', 'certificate is signed with a weak digest'],
  LG4027: ['warning', 'certificate has a weak key'],
  LG4028: ['error', 'defaultCertificate matches no certificate'],
  LG4029: ['warning', 'certificate is tied to a listener that no binding opens'],
  LG4030: ['error', 'OpenSSL refuses the ciphers'],
  LG4031: ['error', 'OpenSSL refuses the certificate'],
  LG4032: ['warning', 'certificate serves a host by its file name only'],
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
