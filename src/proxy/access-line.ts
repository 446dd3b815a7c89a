/** One line of the access log: the facts of a request under the field names of IIS, as JSON or as W3C extended format. */
import { isoTime } from './http-date.ts';

/** What is known of an exchange when it ends. Times in milliseconds, sizes in bytes of bodies. */
export interface AccessRecord {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly serverIp: string;
  readonly serverPort: number;
  readonly method: string;
  readonly stem: string;
  readonly query: string;
  readonly clientIp: string;
  readonly userAgent: string;
  readonly referer: string;
  readonly host: string;
  readonly status: number;
  readonly subStatus: number;
  readonly win32: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly timeTaken: number;
  readonly logId: string;
  readonly site: string;
  readonly rule: string;
  readonly farm: string;
  readonly server: string;
  readonly protocol: string;
  readonly tls: string;
  /** `undefined` where no server was asked. */
  readonly serverTime: number | undefined;
}

type Value = string | number;

const FIELDS: Readonly<Record<string, (record: AccessRecord) => Value>> = {
  date: (r) => isoTime(r.time).slice(0, 10),
  time: (r) => isoTime(r.time).slice(11, 19),
  's-ip': (r) => r.serverIp,
  'cs-method': (r) => r.method,
  'cs-uri-stem': (r) => r.stem,
  'cs-uri-query': (r) => r.query,
  's-port': (r) => r.serverPort,
  // Who logged in is known to the server alone: the challenge passes through.
  'cs-username': () => '',
  'c-ip': (r) => r.clientIp,
  'cs(User-Agent)': (r) => r.userAgent,
  'cs(Referer)': (r) => r.referer,
  'cs-host': (r) => r.host,
  'sc-status': (r) => r.status,
  'sc-substatus': (r) => r.subStatus,
  'sc-win32-status': (r) => r.win32,
  'sc-bytes': (r) => r.bytesSent,
  'cs-bytes': (r) => r.bytesReceived,
  'time-taken': (r) => r.timeTaken,
  'x-arr-log-id': (r) => r.logId,
  'x-site': (r) => r.site,
  'x-rule': (r) => r.rule,
  'x-farm': (r) => r.farm,
  'x-server': (r) => r.server,
  'x-protocol': (r) => r.protocol,
  'x-tls': (r) => r.tls,
  'x-server-time': (r) => r.serverTime ?? '',
};

/** A longer value is cut: no client decides how long a line gets. */
const VALUE_LENGTH = 1024;

/** Values that we make: there is nothing in them to escape. */
const OWN: ReadonlySet<string> = new Set([
  ...['date', 'time', 's-ip', 'c-ip', 'cs-username', 'x-arr-log-id', 'x-protocol', 'x-tls'],
]);

const NUMBERS: ReadonlySet<string> = new Set([
  ...['s-port', 'sc-status', 'sc-substatus', 'sc-win32-status', 'sc-bytes', 'cs-bytes', 'time-taken', 'x-server-time'],
]);

interface FieldReader {
  readonly name: string;
  /** In JSON: everything from the end of the value before to the beginning of this one. */
  readonly before: string;
  /** In JSON: what stands for a value that is not there; a number has no quotes around it. */
  readonly absent: string;
  readonly plain: boolean;
  readonly read: (record: AccessRecord) => Value;
}

/** Makes lines, each with its end; in ASCII, so that a line has as many bytes as characters. */
export type LineMaker = (record: AccessRecord) => string;

/** @param names those of the fields, in their order */
export function lineMaker(format: 'json' | 'w3c', names: readonly string[]): LineMaker {
  const readers: FieldReader[] = [];
  let end = '{';
  for (const name of names) {
    const read = FIELDS[name];
    if (read === undefined) continue;
    const quote = NUMBERS.has(name) ? '' : '"';
    const before = `${end}${JSON.stringify(name)}:${quote}`;
    const absent = quote === '' ? '""' : '';
    readers.push({ name, before, absent, plain: OWN.has(name) || NUMBERS.has(name), read });
    end = `${quote},`;
  }
  const last = `${end.slice(0, -1)}}\n`;
  return format === 'w3c' ? (record) => w3cLine(readers, record) : (record) => jsonLine(readers, last, record);
}

function jsonLine(readers: readonly FieldReader[], last: string, record: AccessRecord): string {
  let line = '';
  for (const { before, absent, plain, read } of readers) {
    const value = read(record);
    line += before + (value === '' ? absent : plain ? value : escaped(String(value)));
  }
  return line + last;
}

/** Most values need no escape, and are spared the search for one. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** The inside of a JSON string. */
function escaped(value: string): string {
  const cut = value.length > VALUE_LENGTH ? value.slice(0, VALUE_LENGTH) : value;
  if (PLAIN.test(cut)) return cut;
  // JSON lets the control characters from 0x7F to 0x9F stand, and terminals obey them.
  return JSON.stringify(cut)
    .slice(1, -1)
    .replace(/[^\x20-\x7e]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const PLAIN_W3C = /^[\x21-\x7e]+$/;

/** W3C extended format as IIS writes it: blanks become `+`, an empty value is `-`, and nothing can begin a new line. */
function w3cLine(readers: readonly FieldReader[], record: AccessRecord): string {
  let line = '';
  for (const { name, read } of readers) {
    let value = String(read(record)).slice(0, VALUE_LENGTH);
    // IIS appends the id of the request to the query, and log readers look for it there.
    if (name === 'cs-uri-query') value = `${value}${value === '' ? '' : '&'}X-ARR-LOG-ID=${record.logId}`;
    line += `${line === '' ? '' : ' '}${PLAIN_W3C.test(value) ? value : w3cValue(value)}`;
  }
  return `${line}\n`;
}

function w3cValue(value: string): string {
  return value === '' ? '-' : value.replaceAll(' ', '+').replace(/[^\x21-\x7e]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return encodeURIComponent(character.isWellFormed() ? character : '\ufffd');
}

export function w3cHeader(fields: readonly string[]): string {
  return `#Software: Lychgate\n#Version: 1.0\n#Date: ${new Date().toISOString().slice(0, 19).replace('T', ' ')}\n#Fields: ${fields.join(' ')}\n`;
}
