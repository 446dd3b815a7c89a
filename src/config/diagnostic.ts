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
  /** The other place that the finding has to do with: an opening tag, the first of two entries. */
  readonly related?: Related;
  /** So many findings of this code in this file, which are left out: this one stands for them. */
  readonly more?: number;
  readonly span: Span;
}

export interface Related {
  readonly span: Span;
  readonly message: string;
}

/**
 * Every code with its severity and a title. Codes are never reused; LG1015 is retired.
 * LG1xxx files and XML, LG2xxx rules, LG3xxx farms, LG4xxx certificates and TLS, LG5xxx bindings, LG6xxx settings.
 */
export const CATALOGUE = {
  LG1001: ['error', 'file cannot be read'],
  LG1002: ['error', 'not well-formed XML'],
  LG1003: ['error', 'encoding that cannot be read'],
  LG1004: ['error', 'file larger than IIS accepts'],
  LG1005: ['error', 'document type declaration'],
  LG1006: ['error', 'XML too deep or too large'],
  LG1007: ['error', 'root element that holds no configuration'],
  LG1008: ['error', 'unknown section'],
  LG1009: ['error', 'section twice in one file'],
  LG1010: ['error', 'faulty configSections'],
  LG1011: ['error', 'transformation file instead of a configuration'],
  LG1012: ['error', 'section locked at this level'],
  LG1013: ['error', 'configSource that cannot be used'],
  LG1014: ['error', 'faulty location element'],
  LG1016: ['warning', 'section that is not carried out'],
  LG1017: ['error', 'access-guarding section that is not carried out'],
  LG1018: ['warning', 'text in a section'],
  LG1019: ['warning', 'level that belongs to no site'],
  LG1020: ['warning', 'declared encoding differs from the real one'],
  LG1021: ['error', 'attribute on a section group'],
  LG1022: ['warning', 'section whose delegation is not confirmed'],
  LG1023: ['error', 'change of what a level above has locked'],
  LG1024: ['error', 'faulty lock attribute'],
  LG1025: ['warning', 'content beside configSource'],
  LG1026: ['warning', 'lock that names nothing known'],
  LG1027: ['warning', 'value of a location that IIS may refuse'],
  LG1028: ['warning', 'web.config that is not read'],
  LG1029: ['error', 'unknown element in a section that is not carried out'],
  LG1030: ['warning', 'name of a host that can be read in two ways'],
  LG2001: ['error', 'unknown attribute in a rule section'],
  LG2002: ['error', 'unknown element in a rule section'],
  LG2003: ['error', 'missing attribute in a rule section'],
  LG2004: ['error', 'invalid value in a rule section'],
  LG2005: ['error', 'duplicate entry in a rule section'],
  LG2006: ['error', 'element twice in a rule section'],
  LG2007: ['warning', 'value in a rule section that IIS may refuse'],
  LG2009: ['warning', 'outbound rule that refers to something missing'],
  LG2010: ['warning', 'rewrite map keys that differ in case only'],
  LG2200: ['error', 'regular expression is not valid'],
  LG2201: ['warning', 'regular expression that can take exponential time'],
  LG2202: ['warning', 'bracket or brace that opens nothing in a pattern'],
  LG2203: ['warning', 'wildcard pattern that looks like a regular expression'],
  LG2204: ['warning', 'pattern that never matches'],
  LG2205: ['warning', 'regular expression of a disabled rule is not valid'],
  LG2206: ['warning', 'pattern that looks for the query string'],
  LG2207: ['warning', 'international name in a rule'],
  LG2209: ['warning', 'regular expression that IIS may refuse'],
  LG2210: ['warning', 'brace that nothing closes in an expression'],
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
  LG2228: ['warning', 'rule without an action'],
  LG2230: ['error', 'rule sends requests to a host that is no farm while the proxy is off'],
  LG2231: ['warning', 'rule computes the host from the request'],
  LG2232: ['warning', 'rule sends requests away and does not stop processing'],
  LG2233: ['warning', 'query string is doubled'],
  LG2234: ['warning', 'escapes in the new path are encoded again'],
  LG2235: ['error', 'URL that a request cannot be sent to'],
  LG2236: ['warning', 'site rules behind a global rule that takes everything'],
  LG2237: ['warning', 'host that is nearly the name of a web farm'],
  LG2238: ['warning', 'scheme of the new URL is computed'],
  LG2239: ['warning', 'host of the new URL can be empty'],
  LG2240: ['error', 'wildcard pattern of an outbound rule without tag filters'],
  LG2241: ['warning', 'custom tags and CustomTags flag that do not go together'],
  LG2242: ['warning', 'outbound rule with a server variable and tag filters'],
  LG2243: ['warning', 'part of an outbound rule without effect'],
  LG2244: ['warning', 'outbound rule that writes the status'],
  LG2245: ['warning', 'rule that leaves requests to a file'],
  LG2246: ['warning', 'outbound rule for bodies that may be compressed'],
  LG2247: ['warning', 'variable that is set for nobody'],
  LG2248: ['warning', 'server variable that is always empty'],
  LG2249: ['warning', 'text that is meant as a variable'],
  LG2250: ['warning', 'condition that compares no variable'],
  LG2251: ['warning', 'star that repeats the character before it'],
  LG2252: ['warning', 'server variable of a header that is nearly a usual one'],
  LG2300: ['warning', 'rule that no request reaches'],
  LG2301: ['warning', 'redirect that comes back to itself'],
  LG2302: ['warning', 'rule sends requests to this proxy itself'],
  LG2303: ['warning', 'web farm that no rule uses'],
  LG2304: ['warning', 'rule for a host that no binding has'],
  LG2305: ['warning', 'redirect to a host that the client can choose'],
  LG2306: ['warning', 'site rules beside global rules that send requests away'],
  LG2310: ['warning', 'Lync name that is not published'],
  LG2311: ['warning', 'Lync paths that are not published'],
  LG2312: ['warning', 'time-out of a Lync farm is too short'],
  LG2313: ['warning', 'Lync requests go to the internal web site'],
  LG2314: ['warning', 'redirect to https catches lyncdiscover'],
  LG2320: ['warning', 'name that must stay inside is published'],
  LG2321: ['warning', 'path that must stay inside is published'],
  LG2322: ['warning', 'redirect that keeps the port of the request'],
  LG3001: ['error', 'unknown attribute in a farm or proxy section'],
  LG3002: ['error', 'unknown element in a farm or proxy section'],
  LG3003: ['error', 'missing attribute in a farm or proxy section'],
  LG3004: ['error', 'invalid value in a farm or proxy section'],
  LG3005: ['error', 'duplicate entry in a farm or proxy section'],
  LG3006: ['error', 'element twice in a farm or proxy section'],
  LG3007: ['warning', 'value in a farm or proxy section that IIS may refuse'],
  LG3008: ['error', 'web farms in the wrong place'],
  LG3009: ['error', 'encrypted password'],
  LG3010: ['warning', 'retired load-balancing algorithm'],
  LG3020: ['warning', 'forward proxy that is not used'],
  LG3021: ['warning', 'answers are held back'],
  LG3022: ['error', 'client certificate that is not there'],
  LG3023: ['error', 'public key that cannot be read'],
  LG3024: ['warning', 'public keys that servers must have'],
  LG3025: ['error', 'name of a server that no host can have'],
  LG3101: ['error', 'server that is this proxy itself'],
  LG3102: ['warning', 'server at an address of this proxy'],
  LG3103: ['warning', 'name of a server that does not resolve'],
  LG3110: ['error', 'web farm without a server'],
  LG3111: ['warning', 'web farm whose servers are all switched off'],
  LG3112: ['warning', 'live traffic that is not tested'],
  LG3113: ['error', 'URL of a health check that cannot be asked for'],
  LG3114: ['error', 'statusCodeMatch that is no set of status codes'],
  LG3115: ['error', 'liveTrafficFailureCodes that is no set of status codes'],
  LG3116: ['warning', 'URL test that is never made by itself'],
  LG3117: ['warning', 'minServers that keeps every server in use'],
  LG3120: ['warning', 'affinity cookies of two farms that overwrite each other'],
  LG3121: ['error', 'name that no cookie can have'],
  LG3122: ['warning', 'provider of host-name affinity that is not carried out'],
  LG3123: ['warning', 'affinity setting without effect'],
  LG3124: ['warning', 'hash of a server variable that nothing sets'],
  LG3125: ['warning', 'hash of a server variable and of parts of the query'],
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
  LG4033: ['warning', 'no certificate covers a host that a rule waits for'],
  LG4034: ['error', 'client certificates without an authority'],
  LG4035: ['error', 'client certificates on a listener that no binding opens'],
  LG4036: ['warning', 'certificate is not for who shows it'],
  LG4037: ['warning', 'outdated TLS with the servers of a farm'],
  LG4038: ['warning', 'private key that everybody can read'],
  LG4039: ['warning', 'certificate whose dates cannot be read'],
  LG5001: ['error', 'unknown attribute in the sites section'],
  LG5002: ['error', 'unknown element in the sites section'],
  LG5003: ['error', 'missing attribute in the sites section'],
  LG5004: ['error', 'invalid value in the sites section'],
  LG5005: ['error', 'duplicate entry in the sites section'],
  LG5006: ['error', 'element twice in the sites section'],
  LG5007: ['warning', 'value in the sites section that IIS may refuse'],
  LG5008: ['error', 'faulty binding information'],
  LG5009: ['warning', 'protocol that is not served'],
  LG5010: ['error', 'one binding in two sites'],
  LG5011: ['error', 'nothing to listen on'],
  LG5012: ['error', 'HTTP and HTTPS on one port'],
  LG5013: ['warning', 'site that does not start by itself'],
  LG5014: ['error', 'bindings that fall together'],
  LG5015: ['warning', 'binding for an address that this machine must have'],
  LG6001: ['error', 'settings are not JSON'],
  LG6002: ['error', 'unknown key in the settings'],
  LG6003: ['error', 'wrong type in the settings'],
  LG6004: ['error', 'invalid value in the settings'],
  LG6005: ['error', 'key twice in the settings'],
  LG6006: ['warning', 'settings of a farm that does not exist'],
  LG6007: ['warning', 'bindings of the settings without effect'],
  LG6008: ['error', 'file of a site that does not exist'],
  LG6009: ['warning', 'address that no binding has'],
  LG6010: ['error', 'interface that gives no address'],
  LG6011: ['warning', 'settings without anything in them'],
  LG6012: ['warning', 'name in hosts that is nearly a server'],
  LG6020: ['error', 'secret of affinity cookies that cannot be used'],
  LG6021: ['warning', 'secret of affinity cookies that everybody can read'],
  LG6030: ['error', 'token of the admin listener cannot be read'],
  LG6031: ['error', 'token of the admin listener cannot be used'],
  LG6032: ['warning', 'token of the admin listener that everybody can read'],
  LG6033: ['warning', 'admin address that other machines reach, without a token'],
  LG6034: ['warning', 'service that runs as root'],
  LG6035: ['warning', 'configuration that everybody can change'],
} as const satisfies Record<string, readonly [Severity, string]>;

export type Code = keyof typeof CATALOGUE;

export interface Finding {
  readonly message: string;
  readonly advice: string;
  readonly iis?: IisRefusal;
  readonly ui?: true;
  readonly related?: Related;
  /** What several places share that one cure mends: it is told once in a file, with the number of further places. */
  readonly subject?: string;
}

/**
 * Diagnostics are collected, never thrown: this function is passed down to everything that checks. What may be found a
 * million times in a file gives its words as a function, which is not called where nobody will read them.
 */
export type Report = (code: Code, span: Span, finding: Finding | (() => Finding)) => void;

/** Of one code in one file; the others are counted. */
const MOST_TOLD = 100;

type Open<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** What was found of one code in one file. */
interface Told {
  /** Place and message of each that is told. */
  readonly texts: Set<string>;
  /** Places of all, as numbers: there may be millions. */
  readonly places: Set<number>;
  readonly subjects: Map<string, Several>;
  rest?: Open<Diagnostic> & { more: number };
}

interface Several {
  readonly diagnostic: Open<Diagnostic>;
  message: string;
  further: number;
}

/**
 * A `Report` that appends to `into`, taking the severity from the catalogue. Each finding is told once, however many scopes
 * it shows in, and only so many of a code in a file.
 */
export function reportInto(into: Diagnostic[]): Report {
  const files = new Map<string, Map<Code, Told>>();
  const toldOf = (code: Code, file: string): Told => {
    const codes = files.get(file) ?? new Map<Code, Told>();
    const told = codes.get(code) ?? { texts: new Set(), places: new Set(), subjects: new Map() };
    files.set(file, codes.set(code, told));
    return told;
  };
  for (const [index, each] of into.entries()) {
    const told = toldOf(each.code, each.span.file);
    told.places.add(placeNumber(each.span));
    if (each.more === undefined) told.texts.add(textKey(each.span, each.message));
    else {
      told.rest = restOf(each.code, each.span, each.more);
      into[index] = told.rest;
    }
  }
  return (code, span, finding) => {
    const told = toldOf(code, span.file);
    const place = placeNumber(span);
    const full = told.texts.size >= MOST_TOLD;
    if (full && told.places.has(place)) return;
    if (!full || told.subjects.size > 0) {
      const found = typeof finding === 'function' ? finding() : finding;
      const { subject } = found;
      const several = subject === undefined ? undefined : told.subjects.get(subject);
      if (several !== undefined) {
        if (!told.places.has(place)) addPlace(several, span, found);
        told.places.add(place);
        return;
      }
      const text = textKey(span, found.message);
      if (told.texts.has(text)) return;
      if (!full) {
        const { subject: _, ...words } = found;
        const diagnostic = { code, severity: CATALOGUE[code][0], span, ...words };
        told.texts.add(text);
        told.places.add(place);
        if (subject !== undefined) told.subjects.set(subject, { diagnostic, message: found.message, further: 0 });
        into.push(diagnostic);
        return;
      }
    }
    told.places.add(place);
    told.rest ??= pushed(into, restOf(code, span, 0));
    told.rest.more += 1;
  };
}

/** Files have fewer than 2^26 units. */
function placeNumber({ start, end }: Span): number {
  return start * 2 ** 26 + (end - start);
}

function textKey({ start, end }: Span, message: string): string {
  return `${start} ${end} ${message}`;
}

/** What several places share is told at the first one in the file. */
function addPlace(several: Several, span: Span, found: Finding): void {
  const { diagnostic } = several;
  several.further += 1;
  if (span.start < diagnostic.span.start) {
    const { subject: _, ...words } = found;
    several.message = words.message;
    Object.assign(diagnostic, words, { span });
  }
  const places = several.further === 1 ? '1 more place' : `${several.further} more places`;
  diagnostic.message = `${several.message.replace(/\.$/, '')} (and at ${places}).`;
}

function restOf(code: Code, span: Span, more: number): Open<Diagnostic> & { more: number } {
  return {
    code,
    severity: CATALOGUE[code][0],
    get message() {
      return `… and ${this.more.toLocaleString('en-US')} more of ${code} in this file.`;
    },
    advice: 'Mend those that are told, then these are.',
    more,
    span,
  };
}

function pushed<Type>(into: (Type | Diagnostic)[], item: Type): Type {
  into.push(item);
  return item;
}

/**
 * By file, then by place; what was left out of a file comes behind what is told.
 * @param read the files in the order of reading; others follow them
 */
export function inOrder(diagnostics: readonly Diagnostic[], read: Iterable<string>): readonly Diagnostic[] {
  const files = new Map<string, number>();
  for (const file of [...read, ...diagnostics.map(({ span }) => span.file)]) {
    if (!files.has(file)) files.set(file, files.size);
  }
  const rank = ({ span }: Diagnostic) => files.get(span.file) ?? 0;
  return diagnostics.toSorted(
    (one, other) =>
      rank(one) - rank(other) ||
      Number(one.more !== undefined) - Number(other.more !== undefined) ||
      one.span.start - other.span.start ||
      one.span.end - other.span.end,
  );
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
