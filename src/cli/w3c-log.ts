/** Reads the lines of an IIS log in W3C extended format: columns in any order, as the last `#Fields:` line gave them. */
import type { HeaderList } from '../header-list.ts';

/** One request of a log. Text is as in the file, each character one byte. */
export interface LogEntry {
  readonly method: string;
  /** `cs-uri-stem` as it is written. */
  readonly stem: string;
  /** Path and query as a client would have sent them, without what ARR appends to the query. */
  readonly target: string;
  readonly port: number | undefined;
  readonly serverAddress: string;
  readonly clientAddress: string;
  /** `''` for a request without Host; `undefined` where the log has no such column. */
  readonly host: string | undefined;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  /** `sc-status`, or 0. */
  readonly status: number;
  /** Of the request, without Host: as far as the log has columns for them. */
  readonly headers: HeaderList;
}

export interface W3cReader {
  /** The entry of a line; nothing for directives and empty lines; `malformed` for what cannot be read. */
  read(line: string): LogEntry | 'malformed' | undefined;
  /** Columns that a replay missed in some `#Fields:` line. */
  missing(): readonly string[];
  /** Why no request can be read from it; nothing where some can, or could if there were any. */
  trouble(): string | undefined;
}

interface Columns {
  readonly count: number;
  /** The line of a request can be made of them. */
  readonly complete: boolean;
  readonly at: ReadonlyMap<string, number>;
  /** By lower-case name of the request header. */
  readonly headers: ReadonlyMap<string, number>;
}

const REQUIRED = ['cs-method', 'cs-uri-stem'];
const WANTED = [...REQUIRED, 'cs-uri-query', 's-port', 'cs-host'];

export function createW3cReader(): W3cReader {
  let columns: Columns | undefined;
  let plusIsBlank = true;
  const missing = new Set<string>();
  let readable = false;
  return {
    read(line) {
      if (line === '') return undefined;
      if (line.charCodeAt(0) !== 0x23) return columns ? readEntry(line, columns, plusIsBlank) : 'malformed';
      const [, name = '', value = ''] = /^#(\w+):\s*(.*)$/.exec(line) ?? [];
      if (name.toLowerCase() === 'fields') {
        columns = readFields(value);
        readable ||= columns.complete;
        for (const wanted of WANTED) if (!columns.at.has(wanted)) missing.add(wanted);
      }
      // IIS writes the blank of a decoded path as "+"; our own log has the path as it was sent.
      if (name.toLowerCase() === 'software') plusIsBlank = !/^lychgate/i.test(value);
      return undefined;
    },
    missing: () => [...missing],
    trouble() {
      if (readable) return undefined;
      if (columns === undefined) return 'no line begins with "#Fields:"';
      const wanted = REQUIRED.filter((name) => missing.has(name));
      return `its line "#Fields:" has no column ${wanted.join(' and no column ')}`;
    },
  };
}

function readFields(value: string): Columns {
  const names = value.trim().toLowerCase().split(/\s+/);
  const at = new Map(names.map((name, index) => [name, index]));
  const headers = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const header = /^cs\(([^)]+)\)$/.exec(name)?.[1];
    if (header !== undefined) headers.set(header, index);
  }
  const host = headers.get('host');
  if (host !== undefined && !at.has('cs-host')) at.set('cs-host', host);
  return { count: names.length, complete: REQUIRED.every((name) => at.has(name)), at, headers };
}

function readEntry(line: string, columns: Columns, plusIsBlank: boolean): LogEntry | 'malformed' {
  const { at, headers } = columns;
  const values = columns.complete ? splitLine(line, columns.count) : undefined;
  if (values === undefined) return 'malformed';
  const column = (name: string) => fieldOf(values, at.get(name));
  const port = column('s-port');
  if (port !== undefined && !/^\d{1,5}$/.test(port)) return 'malformed';
  const stem = column('cs-uri-stem') ?? '-';
  const query = withoutArr(column('cs-uri-query') ?? '');
  const path = plusIsBlank ? encodeStem(stem) : stem;
  const host = at.has('cs-host') ? (column('cs-host') ?? '') : undefined;
  return {
    method: column('cs-method') ?? '-',
    stem,
    target: query === '' ? path : `${path}?${query}`,
    port: port === undefined ? undefined : Number(port),
    serverAddress: column('s-ip') ?? '',
    clientAddress: column('c-ip') ?? '',
    host,
    protocol: protocolOf(column('cs-version'), host),
    status: Number(column('sc-status') ?? 0),
    headers: headersOf(values, headers),
  };
}

/** IIS writes no quotes and no blanks inside values; Advanced Logging puts texts in quotes, with blanks in them. */
function splitLine(line: string, count: number): readonly string[] | undefined {
  const values = line.includes('\t') ? line.split(/[ \t]+/) : line.split(' ');
  if (values.at(-1) === '') values.pop();
  if (values.length === count) return values;
  if (!line.includes('"')) return undefined;
  const quoted = line.match(/"(?:[^"]|"")*"(?=[ \t]|$)|[^ \t]+/g) ?? [];
  return quoted.length === count ? quoted : undefined;
}

function fieldOf(values: readonly string[], index: number | undefined): string | undefined {
  const value = index === undefined ? undefined : values[index];
  if (value === undefined || value === '-') return undefined;
  if (value.length > 1 && value.startsWith('"') && value.endsWith('"')) return value.slice(1, -1).replaceAll('""', '"');
  return value;
}

function headersOf(values: readonly string[], columns: Columns['headers']): HeaderList {
  const headers: string[] = [];
  for (const [name, index] of columns) {
    const value = name === 'host' ? undefined : headerValue(name, fieldOf(values, index));
    if (value !== undefined) headers.push(name, value);
  }
  return headers;
}

/** Where no column tells, HTTP/1.0 alone may come without Host. HTTP/3 comes to rules as HTTP/2 does. */
function protocolOf(version: string | undefined, host: string | undefined): LogEntry['protocol'] {
  if (version === undefined) return host === '' ? 'HTTP/1.0' : 'HTTP/1.1';
  if (/^HTTP\/1\.[1-9]$/i.test(version)) return 'HTTP/1.1';
  return /^HTTP\/[23]/i.test(version) ? 'HTTP/2.0' : 'HTTP/1.0';
}

/** Blanks of a header stand as "+"; an address has none, so that a "+" in it is its own. */
function headerValue(name: string, value: string | undefined): string | undefined {
  return name === 'referer' ? value : value?.replaceAll('+', ' ');
}

const ARR_PARAMETERS = /(?:(?:^|&)(?:X-ARR-CACHE-HIT|X-ARR-LOG-ID|SERVER-ROUTED|SERVER-STATUS)=[^&]*)+$/;

/** What ARR appends to the query of its own log. */
function withoutArr(query: string): string {
  return query.includes('X-ARR-') ? query.replace(ARR_PARAMETERS, '') : query;
}

/** IIS logs the decoded path: blanks as "+", and signs bare that a request line cannot hold. */
function encodeStem(stem: string): string {
  if (!/[+%#? ]/.test(stem)) return stem;
  return stem
    .replace(/%(?![0-9A-Fa-f]{2})/g, '%25')
    .replace(/[+ ]/g, '%20')
    .replaceAll('#', '%23')
    .replaceAll('?', '%3F');
}
