/** The head of a request as HTTP/1.1 has it on the wire (RFC 9112 3): text to parts, or why it is refused. */
import { isMethod, METHOD } from '../method.ts';
import { type BodyFraming, declaredBody } from './body-framing.ts';
import { namesOption, parseFields } from './fields.ts';
import { MessageFault, malformed, tooMuch } from './message-fault.ts';

export interface RequestMessage {
  readonly method: string;
  /** As sent, each character one byte: origin, absolute, authority or asterisk form. */
  readonly target: string;
  /** 1.2 to 1.9 are read as 1.1. */
  readonly version: 'HTTP/1.0' | 'HTTP/1.1';
  /** The value of Host; `undefined` where there is none, which only HTTP/1.0 may do. */
  readonly host: string | undefined;
  /** Without Host. */
  readonly headers: string[];
  readonly body: Exclude<BodyFraming, 'until-close'>;
  /** The client means to send more requests on this connection. */
  readonly keepAlive: boolean;
  /** Protocols that the client offers to change to; `''` for none. */
  readonly upgrade: string;
  /** The client waits for `100 Continue` before its body. */
  readonly expectsContinue: boolean;
  /** Everything behind the request line, as sent; `''` where it is too long to be kept. */
  readonly fieldText: string;
}

export interface MessageLimits {
  readonly headerCount: number;
  readonly targetBytes: number;
}

/** Any run of visible characters, and of bytes from 0x80 on, without a fragment. */
const TARGET = '[\\x21\\x22\\x24-\\x7e\\x80-\\xff]+';
const REQUEST_LINE = new RegExp(`^(${METHOD}) (${TARGET}) HTTP/1\\.(\\d)\r`);
const SLASH = 0x2f;

/** A longer block is not kept, since it would be kept for every connection. */
const LONGEST_REPEATED = 4096;

/**
 * @param earlier what the client sent before: a block of fields that is the same again has been read already
 * @throws MessageFault
 */
export function parseRequest(text: string, limits: MessageLimits, earlier?: RequestMessage): RequestMessage {
  const line = REQUEST_LINE.exec(text);
  if (line === null) throw requestLineFault(text, limits);
  const [, method = '', target = ''] = line;
  // RFC 9110 2.5: a higher minor version is served as the highest that is known.
  const version = line[3] === '0' ? 'HTTP/1.0' : 'HTTP/1.1';
  if (target.length > limits.targetBytes) throw targetTooLong(target, limits);
  if (!hasForm(method, target)) throw malformed(`request target ${JSON.stringify(target.slice(0, 64))} of ${method}`);

  const at = line[0].length + 1;
  if (
    earlier?.version === version &&
    earlier.fieldText.length === text.length - at &&
    text.endsWith(earlier.fieldText)
  ) {
    return { ...earlier, method, target };
  }
  return { method, target, ...readFields(text, at, version, limits.headerCount) };
}

function readFields(
  text: string,
  at: number,
  version: RequestMessage['version'],
  headerCount: number,
): Omit<RequestMessage, 'method' | 'target'> {
  const fields = parseFields(text, at, headerCount);
  const { hosts, connection, upgrade, headers } = fields;
  if (hosts.length > 1 || (hosts.length === 0 && version === 'HTTP/1.1'))
    throw malformed(`${hosts.length} Host fields`);
  const body = declaredBody(fields, version) ?? 'none';
  return {
    version,
    host: hosts[0],
    headers,
    body,
    keepAlive:
      version === 'HTTP/1.1' ? connection === '' || !namesOption(connection, 'close') : keepsAlive10(connection),
    upgrade: upgrade !== '' && version === 'HTTP/1.1' && namesOption(connection, 'upgrade') ? upgrade : '',
    expectsContinue: expectsContinue(fields.expect, version, body),
    fieldText: text.length - at <= LONGEST_REPEATED ? text.slice(at) : '',
  };
}

/** RFC 9112 3.2: a path; for OPTIONS also `*`; for CONNECT host and port and nothing else; a whole URL for all others. */
function hasForm(method: string, target: string): boolean {
  if (method === 'CONNECT') return /^[^/?@]+:\d{1,5}$/.test(target);
  if (target.charCodeAt(0) === SLASH) return true;
  return target === '*' ? method === 'OPTIONS' : /^https?:\/\/[^/?]/i.test(target);
}

/** What is wrong with a request line that is none. */
function requestLineFault(text: string, limits: MessageLimits): MessageFault {
  const line = text.slice(0, text.indexOf('\r'));
  const methodEnd = line.indexOf(' ');
  const targetEnd = line.lastIndexOf(' ');
  if (methodEnd < 1 || methodEnd === targetEnd) return malformed('request line');
  const method = line.slice(0, methodEnd);
  const target = line.slice(methodEnd + 1, targetEnd);
  const version = line.slice(targetEnd + 1);
  if (!/^HTTP\/\d\.\d$/.test(version)) return malformed('HTTP version');
  if (!version.startsWith('HTTP/1')) return new MessageFault(505, `version ${version}`);
  if (!isMethod(method)) return new MessageFault(501, `method ${JSON.stringify(method.slice(0, 32))}`);
  if (target.length > limits.targetBytes) return targetTooLong(target, limits);
  return malformed('a blank, a fragment or nothing at all in the request target');
}

function targetTooLong(target: string, { targetBytes }: MessageLimits): MessageFault {
  return tooMuch(414, 'targetBytes', `a target of ${target.length} bytes, ${targetBytes} are taken`);
}

function keepsAlive10(connection: string): boolean {
  return namesOption(connection, 'keep-alive') && !namesOption(connection, 'close');
}

/** RFC 9110 10.1.1: without a body, and in HTTP/1.0, the expectation means nothing. Another one is nobody's to keep. */
function expectsContinue(expect: string, version: string, body: BodyFraming): boolean {
  if (expect === '' || version === 'HTTP/1.0') return false;
  if (expect.toLowerCase() !== '100-continue') throw malformed(`Expect ${JSON.stringify(expect.slice(0, 64))}`);
  return body !== 'none' && body !== 0;
}
