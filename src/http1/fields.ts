/** The header fields of a head: a flat list in the order of the wire, and what they say about the message itself. */
import { fieldNameAt } from './field-name.ts';
import { malformed, shownLine, tooMuch } from './message-fault.ts';

const TAB = 0x09;
const BLANK = 0x20;

export interface Fields {
  /** Names and values in turn, names in the letter case of the sender, values as latin1. Without Host. */
  readonly headers: string[];
  readonly hosts: readonly string[];
  readonly contentLengths: readonly string[];
  readonly transferEncodings: readonly string[];
  /** All values of `Connection`, with commas between them; `''` for none. */
  readonly connection: string;
  /** All values of `Upgrade`; `''` for none. */
  readonly upgrade: string;
  readonly expect: string;
  /** The value of `Keep-Alive`; `''` for none. */
  readonly keepAlive: string;
  /** `Persistent-Auth: true`. */
  readonly persistentAuth: boolean;
}

const NONE: string[] = [];

/**
 * @param text a head with its empty line, without bare CR and LF and without control characters
 * @param at where the first field begins
 * @param lenient blanks before a colon are taken away, as of an answer (RFC 9112 5.1); else they are a fault
 * @throws MessageFault
 */
export function parseFields(text: string, at: number, most: number, lenient = false): Fields {
  const headers: string[] = [];
  let hosts = NONE;
  let contentLengths = NONE;
  let transferEncodings = NONE;
  let connection = '';
  let upgrade = '';
  let expect = '';
  let keepAlive = '';
  let persistentAuth = false;
  let count = 0;
  for (let start = at; ; ) {
    const end = text.indexOf('\r', start);
    if (end === start) break;
    if (++count > most) throw tooMuch(431, 'headerCount', `more than ${most} header fields`);
    const first = text.charCodeAt(start);
    if (first === BLANK || first === TAB) throw malformed('a folded header line', shownLine(text, start, end));
    const colon = text.indexOf(':', start);
    if (colon < 0 || colon > end) throw malformed('a header line without a colon', shownLine(text, start, end));
    const { written, role } = fieldNameAt(text, start, lenient ? behindName(text, start, colon) : colon);
    const value = trimmed(text, colon + 1, end);
    start = end + 2;
    if (role === 'host') {
      hosts = added(hosts, value);
      continue;
    }
    headers.push(written, value);
    if (role === 'other') continue;
    if (role === 'connection') connection = joined(connection, value);
    else if (role === 'content-length') contentLengths = added(contentLengths, value);
    else if (role === 'transfer-encoding') transferEncodings = added(transferEncodings, value);
    else if (role === 'upgrade') upgrade = joined(upgrade, value);
    else if (role === 'expect') expect = joined(expect, value);
    else if (role === 'keep-alive') keepAlive = value;
    else if (role === 'persistent-auth') persistentAuth ||= value.toLowerCase() === 'true';
  }
  return { headers, hosts, contentLengths, transferEncodings, connection, upgrade, expect, keepAlive, persistentAuth };
}

/** Most heads hold none of these fields or one; what a hostile head holds must not be copied for every one of them. */
function added(earlier: string[], value: string): string[] {
  if (earlier === NONE) return [value];
  earlier.push(value);
  return earlier;
}

function joined(earlier: string, value: string): string {
  return earlier === '' ? value : `${earlier}, ${value}`;
}

function behindName(text: string, start: number, colon: number): number {
  let end = colon;
  while (end > start && (text.charCodeAt(end - 1) === BLANK || text.charCodeAt(end - 1) === TAB)) end--;
  return end;
}

/** RFC 9110 5.5: blanks and tabs around a value are not part of it. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  for (; start < end; start++) {
    const code = text.charCodeAt(start);
    if (code !== BLANK && code !== TAB) break;
  }
  for (; end > start; end--) {
    const code = text.charCodeAt(end - 1);
    if (code !== BLANK && code !== TAB) break;
  }
  return text.slice(start, end);
}

/** True where a list such as that of `Connection` names the option, in any letter case. */
export function namesOption(list: string, option: string): boolean {
  if (list === 'keep-alive' || list === 'Keep-Alive') return option === 'keep-alive';
  if (list.length < option.length) return false;
  if (list.length === option.length) return list === option || list.toLowerCase() === option;
  return list.split(',').some((each) => trimmed(each, 0, each.length).toLowerCase() === option);
}
