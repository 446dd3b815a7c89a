/** What a file is that was given as a log and is none, told by how it begins. */

const CHOOSE = 'in IIS Manager, "Logging", the format W3C is to be chosen';

/** The first that fits. Each character is one byte; where nothing else is said, it is the first line that counts. */
const FORMATS: readonly (readonly [RegExp, string])[] = [
  [/^(?:\xff\xfe|\xfe\xff|#\0|\0#)/, 'UTF-16 text: it has to be UTF-8, as IIS writes it'],
  [/^PK\x03\x04/, 'a ZIP archive: unpack it first'],
  [/\0/, 'a binary file'],
  [
    /^\s*\{.*"sc-status"/,
    'a log of Lychgate in JSON: with "log": { "access": { "format": "w3c" } } in settings.json it can be replayed',
  ],
  [/^\s*[{[]/, 'JSON'],
  [/^\s*</, 'XML or HTML'],
  [/^\S+ \S+ .+ \[\d\d\/\w{3}\/\d{4}:[^\]]*\] "/, `a log in NCSA format: ${CHOOSE}`],
  [/^[^,]+, .*, W3SVC\d+, /i, `a log in IIS format: ${CHOOSE}`],
];

/**
 * @param head the first bytes of a file
 * @returns nothing where it is a log, or may be one that begins in the midst of its lines
 */
export function otherFormat(head: string): string | undefined {
  const text = head.replace(/^\xef\xbb\xbf/, '');
  return /^#\w+:/.test(text) ? undefined : FORMATS.find(([pattern]) => pattern.test(text))?.[1];
}
