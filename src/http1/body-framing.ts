/** How long the body of a message is (RFC 9112 6.3): told by its head, and refused where the head can be read in two ways. */
import type { Fields } from './fields.ts';
import { malformed } from './message-fault.ts';

/** No body; its bytes; chunked; or everything until the connection ends, which only an answer can have. */
export type BodyFraming = 'none' | number | 'chunked' | 'until-close';

/**
 * @returns what `Content-Length` and `Transfer-Encoding` say, `undefined` where neither is there
 * @throws MessageFault
 */
export function declaredBody(
  { contentLengths, transferEncodings }: Pick<Fields, 'contentLengths' | 'transferEncodings'>,
  version: 'HTTP/1.0' | 'HTTP/1.1',
): number | 'chunked' | undefined {
  if (transferEncodings.length === 0) return contentLengths.length === 0 ? undefined : contentLength(contentLengths);
  if (contentLengths.length > 0) throw malformed('Content-Length beside Transfer-Encoding');
  if (version === 'HTTP/1.0') throw malformed('Transfer-Encoding in HTTP/1.0');
  if (transferEncodings.length > 1 || transferEncodings[0]?.toLowerCase() !== 'chunked') {
    throw malformed('Transfer-Encoding that is not exactly one chunked');
  }
  return 'chunked';
}

/** RFC 9110 8.6 would let equal lengths pass; here there is one, and it has one spelling. */
function contentLength(values: readonly string[]): number {
  const [value = ''] = values;
  const length = Number(value);
  if (values.length > 1 || !/^(?:0|[1-9]\d{0,15})$/.test(value) || !Number.isSafeInteger(length)) {
    throw malformed(`Content-Length ${JSON.stringify(values.join(', ').slice(0, 64))}`);
  }
  return length;
}
