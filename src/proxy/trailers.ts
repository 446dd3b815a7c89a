/** Fields behind a body: those that may be passed on (RFC 9110 6.5.1). */

import type { HeaderList } from '../header-list.ts';
import { isForwardedField } from './forwarded-fields.ts';
import { hopByHop } from './hop-by-hop.ts';

/** Framing, routing, authentication and what decides how content is read: nobody may change these once the body is there. */
const FORBIDDEN =
  /^(?:content-.*|host|authorization|cookie2?|set-cookie2?|authentication-info|www-authenticate|max-forwards|cache-control|pragma|range|if-.*|expires|date|age|vary|location|retry-after|proxy)$/;

/** Names that become one of these when `_` is read as `-` are dropped as well. */
export function passedTrailers(trailers: HeaderList): HeaderList {
  if (trailers.length === 0) return trailers;
  const passed: string[] = [];
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    const name = trailers[i] ?? '';
    const lower = name.toLowerCase().replaceAll('_', '-');
    if (!FORBIDDEN.test(lower) && !isForwardedField(lower) && !hopByHop.has(lower))
      passed.push(name, trailers[i + 1] ?? '');
  }
  return passed;
}
