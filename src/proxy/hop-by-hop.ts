/** Fields that belong to one connection and are never passed on (RFC 9110 7.6.1). */
import type { HeaderList } from '../header-list.ts';

export const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  // Sent anew where the client waits for it.
  'expect',
  'host',
]);

/**
 * Fields that mean the same to every recipient. A `Connection` list that names one is an attempt to take something away
 * from the server (authentication, framing, the address of the client), so the list is not followed for these.
 */
const endToEnd: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'cache-control',
  'date',
  'etag',
  'location',
  'origin',
  'range',
  'referer',
  'user-agent',
  'vary',
  'www-authenticate',
  'x-forwarded-for',
  'max-forwards',
]);

/**
 * Names that the message's own `Connection` fields take out of it.
 * @param own names that we write and that nobody can take out
 */
export function nominatedNames(
  headers: HeaderList,
  own?: { readonly all: ReadonlySet<string> },
): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const field = headers[i] ?? '';
    if (field.length !== CONNECTION.length || field.toLowerCase() !== CONNECTION) continue;
    const value = headers[i + 1] ?? '';
    if (value === 'keep-alive' || value === 'Keep-Alive' || value === 'close') continue;
    for (const part of value.split(',')) {
      const name = part.trim().toLowerCase();
      if (name === '' || name === 'close' || name === 'keep-alive') continue;
      if (!endToEnd.has(name) && !own?.all.has(name)) {
        names ??= new Set();
        names.add(name);
      }
    }
  }
  return names;
}

const CONNECTION = 'connection';
