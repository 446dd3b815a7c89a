/** The reason phrase of a status, for the answers that are ours: that of RFC 9110, which Node's table has for all but two. */
import { STATUS_CODES } from 'node:http';

/** RFC 9110 15.5.14 and 15.5.21 call them so; Node keeps the names of older RFCs. */
const RENAMED: Readonly<Record<number, string>> = { 413: 'Content Too Large', 422: 'Unprocessable Content' };

/** `''` for a status that has none. */
export function reasonPhrase(status: number): string {
  return RENAMED[status] ?? STATUS_CODES[status] ?? '';
}
