/** The head of an answer as HTTP/1.1 has it on the wire (RFC 9112 4): text to parts, or why it is refused. */
import { type BodyFraming, declaredBody } from './body-framing.ts';
import { type Fields, namesOption, parseFields } from './fields.ts';
import { malformed } from './message-fault.ts';

export interface ResponseMessage {
  /** 100 to 599. */
  readonly status: number;
  readonly reason: string;
  readonly headers: string[];
  readonly body: BodyFraming;
  /** The connection can take another request behind this answer. */
  readonly keepAlive: boolean;
  /** Seconds after which the server closes an idle connection, where it says so. */
  readonly keepAliveTimeout: number | undefined;
  /** Protocols that it changes to, or offers; `''` for none. */
  readonly upgrade: string;
  /** The server knows from now on by the connection alone whose requests come on it. */
  readonly persistentAuth: boolean;
}

/** The blank behind the status is left out by some servers that send no reason. */
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: ([^\r]*))?\r/;

/**
 * @param method of the request that it answers
 * @param asked the version of that request: an answer to HTTP/1.0 ends the connection unless it says otherwise
 * @throws MessageFault
 */
export function parseResponse(
  text: string,
  method: string,
  headerCount: number,
  asked: 'HTTP/1.0' | 'HTTP/1.1' = 'HTTP/1.1',
): ResponseMessage {
  const line = STATUS_LINE.exec(text);
  if (line === null) throw malformed(`status line ${JSON.stringify(text.slice(0, Math.min(64, text.indexOf('\r'))))}`);
  const version = line[1] === '1' ? 'HTTP/1.1' : 'HTTP/1.0';
  const status = Number(line[2]);
  const fields = parseFields(text, line[0].length + 1, headerCount, true);
  const { hosts, connection, upgrade, keepAlive, persistentAuth } = fields;
  const bodiless = status < 200 || status === 204 || status === 304;
  const headers = bodiless ? withoutFraming(fields) : fields.headers;
  for (const host of hosts) headers.push('Host', host);
  const declared = bodiless ? undefined : declaredBody(fields, version);
  const body = bodiless || method === 'HEAD' ? 'none' : (declared ?? 'until-close');
  const keeps =
    version === 'HTTP/1.1' && asked === 'HTTP/1.1'
      ? connection === '' || !namesOption(connection, 'close')
      : namesOption(connection, 'keep-alive') && !namesOption(connection, 'close');
  return {
    status,
    reason: line[3] ?? '',
    headers,
    body,
    keepAlive: keeps && body !== 'until-close',
    keepAliveTimeout: keepAlive === '' ? undefined : timeoutOf(keepAlive),
    upgrade: connection !== '' && namesOption(connection, 'upgrade') ? upgrade : '',
    persistentAuth,
  };
}

/** RFC 9112 6.3, 1 and 2: such an answer has no body whatever these fields say; they mean nothing, and go no further. */
function withoutFraming({ headers, contentLengths, transferEncodings }: Fields): string[] {
  if (contentLengths.length + transferEncodings.length === 0) return headers;
  return headers.filter((_, i) => !/^(?:content-length|transfer-encoding)$/i.test(headers[i - (i % 2)] ?? ''));
}

function timeoutOf(keepAlive: string): number | undefined {
  const match = /(?:^|[,\s])timeout=(\d{1,6})(?:$|[,\s])/i.exec(keepAlive);
  return match ? Number(match[1]) : undefined;
}
