/** Server variables: how each is read from a request, and which ones a rule may set. */
import type { ParsedTarget } from './target.ts';

/** A request as the rules see it. Header values and the target are latin1: each character one byte. */
export interface RewriteRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** The Host as sent, with its port; `''` for none. */
  readonly host: string;
  readonly target: ParsedTarget;
  readonly header: (lowerCaseName: string) => string | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** For example `1.1`. */
  readonly httpVersion: string;
  readonly siteName: string;
  readonly siteId: number;
}

/** The URL as the rules so far have made it. */
export interface CurrentUrl {
  /** Decoded, begins with `/`. */
  path: string;
  /** Fit for a request line, without `?`. */
  query: string;
  hasQuery: boolean;
  /** A rule of this pass has changed it. */
  rewritten: boolean;
}

/** The head of an answer as outbound rules see it. */
export interface ResponseHead {
  readonly status: number;
  /** The value of a header by its lower-case name; `''` where it is absent. */
  readonly header: (lowerCaseName: string) => string;
}

/** Where variables are read from. */
export interface VariableSource {
  readonly request: RewriteRequest;
  readonly url: CurrentUrl;
  /** What rules have set, by upper-case name. */
  readonly set: ReadonlyMap<string, string> | undefined;
  /** While outbound rules run. */
  readonly response?: ResponseHead;
}

type Reader = (source: VariableSource) => string;

const path: Reader = ({ url }) => url.path;
const rawTarget: Reader = ({ request }) => request.target.raw;
const none: Reader = () => '';

/** Splits `name:port`, `[v6]:port`; the port is `''` where there is none. */
export function splitHost(host: string): { name: string; port: string } {
  const found = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(host);
  return found ? { name: found[1] ?? '', port: found[2] ?? '' } : { name: host, port: '' };
}

const cacheUrl: Reader = ({ request, url }) => {
  const { name } = splitHost(request.host);
  return `${request.scheme}://${name}:${request.localPort}${url.path}`;
};

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['HTTP_HOST', ({ request }) => request.host],
  ['HTTP_URL', rawTarget],
  ['UNENCODED_URL', rawTarget],
  ['HTTP_METHOD', ({ request }) => request.method],
  ['REQUEST_METHOD', ({ request }) => request.method],
  ['HTTP_VERSION', ({ request }) => `HTTP/${request.httpVersion}`],
  ['SERVER_PROTOCOL', ({ request }) => `HTTP/${request.httpVersion}`],
  ['HTTP_X_ORIGINAL_URL', ({ request, url }) => (url.rewritten ? request.target.path : '')],
  ['IIS_WASURLREWRITTEN', ({ url }) => (url.rewritten ? '1' : '')],
  ['URL', path],
  ['PATH_INFO', path],
  ['SCRIPT_NAME', path],
  ['URL_PATH_INFO', path],
  // There are no files behind a proxy; the URL path keeps the rules that only look at the extension right.
  ['REQUEST_FILENAME', path],
  ['SCRIPT_FILENAME', path],
  ['PATH_TRANSLATED', path],
  ['SCRIPT_TRANSLATED', path],
  ['QUERY_STRING', ({ url }) => url.query],
  ['REQUEST_URI', ({ url }) => (url.query === '' ? url.path : `${url.path}?${url.query}`)],
  ['CACHE_URL', cacheUrl],
  ['HTTPS', ({ request }) => (request.scheme === 'https' ? 'ON' : 'OFF')],
  ['SERVER_PORT_SECURE', ({ request }) => (request.scheme === 'https' ? '1' : '0')],
  ['SERVER_NAME', ({ request }) => splitHost(request.host).name],
  ['SERVER_PORT', ({ request }) => String(request.localPort)],
  ['SERVER_ADDR', ({ request }) => request.localAddress],
  ['LOCAL_ADDR', ({ request }) => request.localAddress],
  ['REMOTE_ADDR', ({ request }) => request.remoteAddress],
  ['REMOTE_HOST', ({ request }) => request.remoteAddress],
  ['REMOTE_PORT', ({ request }) => String(request.remotePort)],
  ['CONTENT_LENGTH', ({ request }) => request.header('content-length') ?? ''],
  ['CONTENT_TYPE', ({ request }) => request.header('content-type') ?? ''],
  ['INSTANCE_ID', ({ request }) => String(request.siteId)],
  ['INSTANCE_NAME', ({ request }) => request.siteName],
  ['INSTANCE_META_PATH', ({ request }) => `/LM/W3SVC/${request.siteId}`],
  ['GATEWAY_INTERFACE', () => 'CGI/1.1'],
  ['MANAGED_PIPELINE_MODE', () => 'Integrated'],
  ['SERVER_SOFTWARE', () => 'Microsoft-IIS/10.0'],
]);

const BEGIN_WITH_SLASH = /^(URL|PATH_INFO|SCRIPT_NAME|URL_PATH_INFO|REQUEST_URI|UNENCODED_URL|HTTP_URL)$/i;
const WITH_QUERY = /^(REQUEST_URI|UNENCODED_URL|HTTP_URL)$/i;

/** Variables whose value always begins with a slash. */
export function beginsWithSlash(name: string): boolean {
  return BEGIN_WITH_SLASH.test(name);
}

/** Variables that always hold a number. */
export function isNumeric(name: string): boolean {
  return /^(SERVER_PORT|REMOTE_PORT|INSTANCE_ID)$/i.test(name);
}

/** Variables that hold the target as it was sent, with its escapes. */
export function isRaw(name: string): boolean {
  return /^(UNENCODED_URL|HTTP_URL)$/i.test(name);
}

/** Variables that hold the query string behind the path. */
export function holdsQuery(name: string): boolean {
  return WITH_QUERY.test(name);
}

const VALUES: Readonly<Record<string, readonly string[]>> = { HTTPS: ['ON', 'OFF'], SERVER_PORT_SECURE: ['0', '1'] };

/** The values of a variable that has only a few. */
export function valuesOfVariable(name: string): readonly string[] | undefined {
  const upper = name.toUpperCase();
  return Object.hasOwn(VALUES, upper) ? VALUES[upper] : undefined;
}

/** Why a variable that IIS knows has no value here: what it would tell does not exist behind a proxy, or not yet. */
export type Emptiness = 'login' | 'application' | 'certificate' | 'not made';

const EMPTY: ReadonlyMap<string, Emptiness> = new Map(
  Object.entries({
    login: 'AUTH_PASSWORD AUTH_TYPE AUTH_USER LOGON_USER REMOTE_USER UNMAPPED_REMOTE_USER',
    application: 'APPL_MD_PATH APPL_PHYSICAL_PATH APP_POOL_ID DOCUMENT_ROOT',
    'not made': 'ALL_HTTP ALL_RAW FORWARDED_URL REQUEST_FLAGS SSI_EXEC_DISABLED',
  }).flatMap(([why, names]) => names.split(' ').map((name) => [name, why as Emptiness] as const)),
);

/** Known to IIS, and empty here as it most often is there: no application warms up, no module is left out. */
const MOSTLY_EMPTY: ReadonlySet<string> = new Set(['APP_WARMING_UP', 'SKIP_MANAGED_MODULES']);

const OF_CERTIFICATES = /^(CERT|CRYPT)_/;

/** Those that give the decoded path; a `?` or `#` in them is part of it. */
const PATH_VARIABLES: ReadonlySet<string> = new Set([
  'URL',
  'PATH_INFO',
  'SCRIPT_NAME',
  'URL_PATH_INFO',
  'HTTP_X_ORIGINAL_URL',
  'REQUEST_FILENAME',
]);

const PREFIX = 'HTTP_';

/** The request header behind an `HTTP_…` name: prefix off, underscores to dashes, lower case. */
export function headerOfVariable(name: string): string | undefined {
  const upper = name.toUpperCase();
  return upper.startsWith(PREFIX) ? upper.slice(PREFIX.length).replaceAll('_', '-').toLowerCase() : undefined;
}

const RESPONSE_PREFIX = 'RESPONSE_';

/** The response header behind a `RESPONSE_…` name, in its letter case: prefix off, underscores to dashes. */
export function responseHeaderOfVariable(name: string): string | undefined {
  if (!name.toUpperCase().startsWith(RESPONSE_PREFIX) || isResponseStatus(name)) return undefined;
  return name.slice(RESPONSE_PREFIX.length).replaceAll('_', '-');
}

export function isResponseStatus(name: string): boolean {
  return name.toUpperCase() === 'RESPONSE_STATUS';
}

/** What the answer says goes before what an inbound rule may have set under the same name. */
function responseReader(name: string): Reader | undefined {
  const upper = name.toUpperCase();
  const header = responseHeaderOfVariable(upper)?.toLowerCase();
  if (header === undefined && !isResponseStatus(name)) return undefined;
  return ({ response, set }) => {
    if (response === undefined) return set?.get(upper) ?? '';
    return header === undefined ? String(response.status) : response.header(header);
  };
}

/** Gives how to read a variable; one that nobody knows is empty unless a rule has set it. */
export function variableReader(name: string): Reader {
  const ofResponse = responseReader(name);
  if (ofResponse) return ofResponse;
  const upper = name.toUpperCase();
  const header = headerOfVariable(name);
  const read = READERS.get(upper) ?? (header ? ({ request }: VariableSource) => request.header(header) ?? '' : none);
  return (source) => source.set?.get(upper) ?? read(source);
}

/** Whether a variable has a value that does not depend on rules setting it. */
export function isKnownVariable(name: string): boolean {
  const upper = name.toUpperCase();
  return isNamedVariable(upper) || upper.startsWith(PREFIX) || OF_CERTIFICATES.test(upper);
}

/** Whether a variable has a name of its own, and is not that of any header or field of a certificate. */
export function isNamedVariable(name: string): boolean {
  const upper = name.toUpperCase();
  return READERS.has(upper) || EMPTY.has(upper) || MOSTLY_EMPTY.has(upper);
}

export const namedVariables: readonly string[] = [...READERS.keys(), ...EMPTY.keys(), ...MOSTLY_EMPTY];

/** Known to IIS, and without a value here: tells why. */
export function whyEmpty(name: string): Emptiness | undefined {
  const upper = name.toUpperCase();
  return EMPTY.get(upper) ?? (OF_CERTIFICATES.test(upper) ? 'certificate' : undefined);
}

export function isPathVariable(name: string): boolean {
  return PATH_VARIABLES.has(name.toUpperCase());
}

/** Headers that frame the message or belong to the connection: a rule that set them would break the exchange. */
export function isForbiddenHeader(header: string): boolean {
  return /^(connection|content-length|transfer-encoding|keep-alive|te|trailer|upgrade|proxy-connection)$/.test(header);
}

/** The value as latin1 bytes for a header, or nothing where it would break the header. */
export function headerValue(value: string): string | undefined {
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) return undefined;
  return /[^\x00-\xff]/.test(value) ? Buffer.from(value, 'utf8').toString('latin1') : value;
}
