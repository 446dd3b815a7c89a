/** Which words are taken for a method. */

/** Standard methods are in capitals, and so are those of Exchange (`RPC_IN_DATA`) and WebDAV. */
export const METHOD = '[A-Z][A-Z0-9_-]{0,31}';

const WHOLE = new RegExp(`^${METHOD}$`);

export function isMethod(text: string): boolean {
  return WHOLE.test(text);
}
