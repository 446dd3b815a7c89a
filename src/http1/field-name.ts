/** Names of header fields: checked once, and kept together with what they mean for the message. */
import { malformed } from './message-fault.ts';

/** Fields that the codec itself reads. */
export type FieldRole =
  | 'host'
  | 'content-length'
  | 'transfer-encoding'
  | 'connection'
  | 'keep-alive'
  | 'upgrade'
  | 'expect'
  | 'persistent-auth'
  | 'other';

export interface FieldName {
  /** In the letter case of the sender. */
  readonly written: string;
  readonly lower: string;
  readonly role: FieldRole;
}

const ROLES: ReadonlySet<string> = new Set<FieldRole>([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'expect',
  'persistent-auth',
]);

/** RFC 9110 5.6.2. */
export const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const WHOLE_TOKEN = new RegExp(`^${TOKEN}$`);

/** The same few names come again and again. Bounded, since it is clients that fill it. */
const KNOWN_NAMES = 1024;
const LONGEST_KNOWN = 64;
const known = new Map<string, FieldName>();

/** @throws MessageFault where the text is no token: white space before the colon, an empty name, anything not ASCII */
export function fieldName(written: string): FieldName {
  const found = known.get(written);
  if (found !== undefined) return found;
  if (!WHOLE_TOKEN.test(written)) throw malformed(`header name ${JSON.stringify(written.slice(0, 64))}`);
  if (known.size >= KNOWN_NAMES || written.length > LONGEST_KNOWN) return described(written);
  const name = described(detached(written));
  known.set(name.written, name);
  return name;
}

/** By length, first and last character: a name that came before is found without being cut out of its head. */
const recent: (FieldName | undefined)[] = new Array(512).fill(undefined);

/** The same for the part of a head from `start` to `end`. */
export function fieldNameAt(head: string, start: number, end: number): FieldName {
  const slot = ((end - start) * 31 + head.charCodeAt(start) * 7 + head.charCodeAt(end - 1)) & 511;
  const found = recent[slot];
  if (found !== undefined && found.written.length === end - start && head.startsWith(found.written, start))
    return found;
  const name = fieldName(head.slice(start, end));
  if (known.has(name.written)) recent[slot] = name;
  return name;
}

function described(written: string): FieldName {
  const lower = written.toLowerCase();
  return { written, lower, role: ROLES.has(lower) ? (lower as FieldRole) : 'other' };
}

/** A part of a string keeps the whole in memory; a copy does not. */
function detached(part: string): string {
  return Buffer.from(part, 'latin1').toString('latin1');
}
