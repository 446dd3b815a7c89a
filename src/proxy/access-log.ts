/** One line per request with the field names of IIS, as JSON or as W3C extended format. Never holds up traffic. */
import { fstatSync } from 'node:fs';
import pino from 'pino';
import type { Logger } from '../log.ts';
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

export interface AccessLog {
  write(record: AccessRecord): void;
  /** Resolves when what was written is on its way. */
  close(): Promise<void>;
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

export interface AccessLogOptions {
  readonly format: 'json' | 'w3c' | 'off';
  /** Absent: standard output. */
  readonly file?: string;
  /** Names of `FIELDS`. */
  readonly fields: readonly string[];
}

/** What may wait for a slow disk or pipe before lines are dropped and counted. */
const BUFFER_BYTES = 16 * 1024 * 1024;
/** A pipe takes this much in one piece (PIPE_BUF), so that the lines of several workers never mix. */
const PIPE_BYTES = 4096;
/** A longer value is cut: no client decides how long a line gets. */
const VALUE_LENGTH = 1024;

/** @throws the error of the file system where the file cannot be opened */
export function openAccessLog(options: AccessLogOptions, log: Logger): AccessLog {
  if (options.format === 'off') return { write: () => undefined, close: () => Promise.resolve() };
  const readers = options.fields.flatMap((name, i) => {
    const read = FIELDS[name];
    return read ? [{ name, key: `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`, own: OWN.has(name), read }] : [];
  });
  const toLine = options.format === 'w3c' ? w3cLine : jsonLine;
  const destination = pino.destination({
    dest: options.file ?? 1,
    sync: false,
    mkdir: false,
    ...batches(options.file),
    maxLength: BUFFER_BYTES,
    periodicFlush: 1000,
  });
  let readerGone = false;
  destination.once('error', ({ code }: NodeJS.ErrnoException) => {
    // pino takes nothing more from here on, and would never tell of its end.
    readerGone = code === 'EPIPE';
  });
  reportLoss(destination, log);
  if (options.format === 'w3c') destination.write(w3cHeader(options.fields));
  return {
    write: (record) => void destination.write(toLine(readers, record)),
    close: () =>
      new Promise((resolve) => {
        if (readerGone) return resolve();
        destination.once('close', resolve);
        destination.end();
      }),
  };
}

/** How much is written in one go. A write costs as much as a request, so that a file gets few and large ones. */
function batches(file: string | undefined): { minLength: number; maxWrite: number } {
  // The least is less than the most, or pino does not open it.
  if (file !== undefined) return { minLength: 32 * 1024, maxWrite: 64 * 1024 };
  if (isPipe(1)) return { minLength: PIPE_BYTES - 1, maxWrite: PIPE_BYTES };
  return { minLength: process.stdout.isTTY ? 0 : PIPE_BYTES, maxWrite: 64 * 1024 };
}

/** Values that we make: there is nothing in them to escape. */
const OWN: ReadonlySet<string> = new Set([
  ...['date', 'time', 's-ip', 'c-ip', 'cs-username', 'x-arr-log-id', 'x-protocol', 'x-tls', 'x-server-time'],
]);

interface FieldReader {
  readonly name: string;
  /** In JSON: what stands before the value. */
  readonly key: string;
  readonly own: boolean;
  readonly read: (record: AccessRecord) => Value;
}

type Readers = readonly FieldReader[];

function jsonLine(readers: Readers, record: AccessRecord): string {
  let line = '';
  for (const { key, own, read } of readers) {
    const value = read(record);
    line += key + (typeof value === 'string' ? (own ? `"${value}"` : jsonString(value)) : value);
  }
  return `${line}}\n`;
}

/** Most values need no escape, and are spared the search for one. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function jsonString(value: string): string {
  const cut = value.length > VALUE_LENGTH ? value.slice(0, VALUE_LENGTH) : value;
  if (PLAIN.test(cut)) return `"${cut}"`;
  // JSON lets the control characters from 0x7F to 0x9F stand, and terminals obey them.
  return JSON.stringify(cut).replace(/[\x7f-\x9f]/g, (each) => `\\u00${each.charCodeAt(0).toString(16)}`);
}

/** W3C extended format as IIS writes it: blanks become `+`, an empty value is `-`, and nothing can begin a new line. */
function w3cLine(readers: Readers, record: AccessRecord): string {
  let line = '';
  for (const { name, read } of readers) {
    let value = String(read(record)).slice(0, VALUE_LENGTH);
    // IIS appends the id of the request to the query, and log readers look for it there.
    if (name === 'cs-uri-query') value = `${value}${value === '' ? '' : '&'}X-ARR-LOG-ID=${record.logId}`;
    line += `${line === '' ? '' : ' '}${value === '' ? '-' : value.replaceAll(' ', '+').replace(/[^\x21-\x7e]/g, escapeCharacter)}`;
  }
  return `${line}\n`;
}

function escapeCharacter(character: string): string {
  return encodeURIComponent(character.isWellFormed() ? character : '\ufffd');
}

function w3cHeader(fields: readonly string[]): string {
  return `#Software: Lychgate\n#Version: 1.0\n#Date: ${new Date().toISOString().slice(0, 19).replace('T', ' ')}\n#Fields: ${fields.join(' ')}\n`;
}

function isPipe(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFIFO();
  } catch {
    return false; // Standard output is closed: there is nothing to keep apart.
  }
}

type Destination = ReturnType<typeof pino.destination>;

/** Lost lines are told once a second at most, with their number; a failing file once per kind of error. */
function reportLoss(destination: Destination, log: Logger): void {
  let lost = 0;
  const told = new Set<string>();
  destination.on('drop', () => {
    lost++;
    if (lost > 1) return;
    setTimeout(() => {
      log.warn({ lost }, 'access-log lines were lost: the log cannot keep up');
      lost = 0;
    }, 1000).unref();
  });
  destination.on('error', (error: NodeJS.ErrnoException) => {
    if (told.has(error.code ?? '')) return;
    told.add(error.code ?? '');
    log.error({ code: error.code }, `access log: ${error.message}`);
  });
}

/** Every field, in the order of a line. */
export const ACCESS_FIELDS: readonly string[] = Object.keys(FIELDS);
