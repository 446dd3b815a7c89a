/** The headers a client gets: the server's, without what belongs to one connection, and what ARR adds or replaces. */
import type { ProtocolConfig } from '../config/farm-model.ts';
import type { HeaderList } from '../header-list.ts';
import { fieldName } from '../http1/field-name.ts';
import type { ResponseMessage } from '../http1/response-message.ts';
import { hopByHop, nominatedNames } from './hop-by-hop.ts';
import type { RequestHead } from './request-head.ts';

export const SERVER_NAME = 'Lychgate';

/** Flat list for the wire, letter case and order of the server kept. */
export function clientHeaders(
  { status, headers }: Pick<ResponseMessage, 'status' | 'headers'>,
  head: RequestHead,
  protocol: ProtocolConfig,
): string[] {
  const nominated = nominatedNames(headers);
  const list: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    const value = headers[i + 1] ?? '';
    const { lower } = fieldName(name);
    // The server's own challenge to a proxy is kept: it is an answer to the client behind us.
    if ((hopByHop.has(lower) || nominated?.has(lower)) && lower !== 'proxy-authenticate') continue;
    if (lower === 'server' && protocol.passServerHeader !== 'PassThrough') continue;
    if (lower === 'date') continue; // Made anew by the lane.
    // RFC 9110 15.3.6: it has no content, whatever its length was.
    if (lower === 'content-length' && status === 205) continue;
    list.push(name, protocol.reverseRewriteHostInResponseHeaders ? reverseHost(lower, value, head) : value);
  }
  if (status === 205) list.push('Content-Length', '0');
  if (protocol.passServerHeader === 'Replace') list.push('Server', SERVER_NAME);
  if (protocol.arrResponseHeader) list.push('X-Powered-By', 'ARR/3.0');
  return list;
}

/** Fields of an interim answer, such as the Link of 103. */
export function informationHeaders(headers: HeaderList): HeaderList {
  if (headers.length === 0) return headers;
  const nominated = nominatedNames(headers);
  return headers.filter((_, i) => {
    const lower = (headers[i - (i % 2)] ?? '').toLowerCase();
    return !hopByHop.has(lower) && !nominated?.has(lower);
  });
}

/** Whatever host an absolute Location names becomes the one the client asked for; so does the Domain of a cookie. */
function reverseHost(lower: string, value: string, head: RequestHead): string {
  if (lower === 'location' || lower === 'content-location') {
    const match = /^https?:\/\/[^/?#]*/i.exec(value);
    return match ? `${head.scheme}://${head.authority}${value.slice(match[0].length)}` : value;
  }
  if (lower === 'set-cookie') {
    const host = head.authority.replace(/:\d*$/, '');
    return value.replace(/(;\s*domain=)(\.?)[^;]*/i, (_all, before: string, dot: string) => before + dot + host);
  }
  return value;
}
