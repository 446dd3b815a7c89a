/** The time of day in the forms of headers and logs, each made once a second. */

/** The value of `Date` (RFC 9110 5.6.7). */
export function currentHttpDate(): string {
  return httpDate(Date.now());
}

/** @param milliseconds since 1970; gives `2026-11-25T21:28:00.000Z`, to the second */
export const isoTime = oncePerSecond((date) => date.toISOString());

// Apart from the other: what is logged began up to minutes before what is answered now.
const httpDate = oncePerSecond((date) => date.toUTCString());

function oncePerSecond(format: (date: Date) => string): (milliseconds: number) => string {
  let second = Number.NaN;
  let text = '';
  return (milliseconds) => {
    const now = Math.floor(milliseconds / 1000);
    if (now !== second) {
      second = now;
      text = format(new Date(now * 1000));
    }
    return text;
  };
}
