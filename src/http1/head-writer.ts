/** Heads of messages as text for the wire, each character one byte. */

import type { HeaderList } from '../header-list.ts';
/** One line for each name and value of a flat list. */
export function fieldLines(headers: HeaderList): string {
  let text = '';
  for (let i = 0; i + 1 < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return text;
}

export type RequestVersion = 'HTTP/1.0' | 'HTTP/1.1';

/** @param lines fields as `fieldLines` makes them */
export function requestHead(
  method: string,
  target: string,
  lines: string,
  version: RequestVersion = 'HTTP/1.1',
): string {
  return `${method} ${target} ${version}\r\n${lines}\r\n`;
}

/**
 * @param reason `''` leaves it out; the blank before it stays (RFC 9112 4)
 * @param more further lines, behind the others
 */
export function responseHead(status: number, reason: string, headers: HeaderList, more = ''): string {
  return `HTTP/1.1 ${status} ${reason}\r\n${fieldLines(headers)}${more}\r\n`;
}
