/** The time of day in the forms of headers and logs, made once a second. */

let second = -1;
let httpDate = '';
let iso = '';

function tell(milliseconds: number): void {
  const now = Math.floor(milliseconds / 1000);
  if (now === second) return;
  second = now;
  const date = new Date(now * 1000);
  httpDate = date.toUTCString();
  iso = date.toISOString();
}

/** The value of `Date` (RFC 9110 5.6.7). */
export function currentHttpDate(): string {
  tell(Date.now());
  return httpDate;
}

/** @param milliseconds since 1970; `2026-11-25T21:28:00.000Z`, to the second */
export function isoTime(milliseconds: number): string {
  tell(milliseconds);
  return iso;
}
