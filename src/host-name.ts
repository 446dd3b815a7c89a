/** Names of hosts: whatever letters one is written in, it is compared, asked for and sent in ASCII and lower case (RFC 5890, A-labels). */
import { isUtf8 } from 'node:buffer';
import { isIP } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';

/**
 * The one form of a name; `undefined` for what can be no name. One that is ASCII already is only brought to lower case: what
 * it may hold is for its reader to say.
 */
export function asciiName(name: string): string | undefined {
  return isInternational(name) ? toAscii(name) : name.toLowerCase();
}

/** The same for comparing: what can be no name is compared as text. */
export function comparedName(name: string): string {
  return asciiName(name) ?? name.toLowerCase();
}

/** The name of an authority that is ASCII: lower case, without port and without the dot of a fully qualified name. */
export function hostOf(authority: string): string {
  const lower = authority.toLowerCase();
  const last = lower.charCodeAt(lower.length - 1);
  // Neither a port nor a dot can be there.
  if (last >= 0x61 && last <= 0x7a) return lower;
  return lower.replace(/:\d*$/, '').replace(/\.$/, '');
}

/** Whether it is written in other letters than a message can hold. */
export function isInternational(text: string): boolean {
  return /[^\x00-\x7f]/.test(text);
}

/**
 * `host[:port]` in ASCII where the host is international, its letters as they are or percent-encoded (RFC 3986 3.2.2);
 * `undefined` for any other, and for what can be no name.
 */
export function internationalAuthority(text: string): string | undefined {
  const [, written = '', port = ''] = /^([^:]*)(:\d*)?$/.exec(text) ?? [];
  const name = written.includes('%') ? decoded(written) : written;
  const ascii = name !== undefined && isInternational(name) ? toAscii(name) : undefined;
  return ascii === undefined ? undefined : `${ascii}${port}`;
}

/** The same of what came over a wire: each character is a byte of UTF-8. */
export function internationalFromBytes(bytes: string): string | undefined {
  const buffer = Buffer.from(bytes, 'latin1');
  return /[^\x00-\xff]/.test(bytes) || !isUtf8(buffer) ? undefined : internationalAuthority(buffer.toString('utf8'));
}

/** `host[:port]`, or a name alone: in ASCII where that can be, else as it is. */
export function asciiAuthority(text: string): string {
  return internationalAuthority(text) ?? text;
}

/** Letters, digits, hyphens and underscores between dots, in ASCII; a star may stand for the first label. */
export function isHostName(ascii: string): boolean {
  return ascii.length <= 254 && /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/i.test(ascii);
}

/** Whether a URL can have it for its host: a name or an address, one of IPv6 in brackets. */
export function isUrlHost(ascii: string): boolean {
  return ascii.startsWith('[') ? isIP(ascii.slice(1, -1)) === 6 : !ascii.startsWith('*') && isHostName(ascii);
}

/** A name as people read it. */
export function asLetters(ascii: string): string {
  return (ascii.includes('xn--') && domainToUnicode(ascii)) || ascii;
}

/** What `domainToASCII` would drop, decode, or take for an end of the name. */
const NO_PART_OF_A_NAME = /[\x00-\x20\x7f"#%/:<>?@[\\\]^`{|}]/;
/** RFC 1035 2.3.4. */
const LONGEST_LABEL = 63;

function toAscii(name: string): string | undefined {
  if (NO_PART_OF_A_NAME.test(name)) return undefined;
  const ascii = domainToASCII(name);
  // Digits of other scripts make an address, which nobody has written.
  if (!isHostName(ascii) || isIP(ascii) !== 0) return undefined;
  return ascii.split('.').every((label) => label.length <= LONGEST_LABEL) ? ascii : undefined;
}

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined; // No UTF-8: nobody knows which letters are meant.
  }
}

/** Letters that browsers keep today (IDNA 2008), and that older software makes others of (IDNA 2003). */
const DEVIATIONS: Readonly<Record<string, string>> = { ß: 'ss', ẞ: 'ss', ς: 'σ', '\u200c': '', '\u200d': '' };

const SCRIPTS = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Hebrew', 'Arabic', 'Thai', 'Devanagari', 'Georgian'].map(
  (name) => ({ name, letter: new RegExp(`\\p{Script=${name}}`, 'u') }),
);

export interface Doubt {
  readonly subject: string;
  readonly message: string;
  readonly advice: string;
}

/** What to say of an international name that others may take for another one; `undefined` where nothing speaks for that. */
export function doubtAbout(name: string): Doubt | undefined {
  const reason = otherReading(name);
  return reason === undefined
    ? undefined
    : {
        subject: name.toLowerCase(),
        message: `The name "${name}" can be read in two ways: ${reason}.`,
        advice: 'Write the form in ASCII (xn--…) that is registered.',
      };
}

function otherReading(name: string): string | undefined {
  const ascii = isInternational(name) ? asciiName(name) : undefined;
  if (ascii === undefined) return undefined;
  const older = asciiName(name.replace(/[ßẞς\u200c\u200d]/g, (letter) => DEVIATIONS[letter] ?? ''));
  if (older !== undefined && older !== ascii) return `browsers ask for ${ascii}, older software for ${older}`;
  for (const label of domainToUnicode(ascii).split('.')) {
    const scripts = SCRIPTS.filter(({ letter }) => letter.test(label)).map((script) => script.name);
    if (scripts.length > 1) return `"${label}" mixes letters that look alike (${scripts.join(' and ')})`;
  }
  return undefined;
}
