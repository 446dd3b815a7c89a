/** The fields of a header block as a flat list, and a look into it. */

/** Names and values in turn, in the order of the wire, names in the letter case they came in. Values are latin1. */
export type HeaderList = readonly string[];

/** The first value of a header, by its lower-case name. */
export function headerOf(headers: HeaderList, lowerCaseName: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    if (name?.length === lowerCaseName.length && name.toLowerCase() === lowerCaseName) return headers[i + 1];
  }
  return undefined;
}
