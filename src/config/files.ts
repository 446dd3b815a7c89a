/** Reads configuration files and decodes them; with `site-files.ts` the only disk access of this folder. */
import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { codeOf } from '../errors.ts';
import { readFault } from '../file-fault.ts';

/** In the folder of a service. */
export const SETTINGS_FILE = 'settings.json';
/** In the folder of a service whose settings name no IIS files. */
export const HOST_FILE = 'applicationHost.config';

export interface SourceFile {
  /** Without the byte order mark; absent where the file cannot be read. */
  readonly text?: string;
  /** How it begins, each character one byte; but of UTF-16 as text. */
  readonly head?: string;
  readonly bytes: number;
  /** Why the file cannot be read. */
  readonly failure?: string;
  /** Why its bytes are no text, and the offset in what could be read of it. */
  readonly encodingFault?: { readonly message: string; readonly offset: number };
  /** The encoding that the XML declaration claims although the bytes show another. */
  readonly claimedEncoding?: string;
}

/** Enough to tell what it is. */
const HEAD_LENGTH = 4096;
const SIZE_LIMIT = 64 * 1024 * 1024;

/** Reads a file and decodes it by its byte order mark, else by its XML declaration, else as UTF-8. */
export function readSource(path: string): SourceFile {
  try {
    const status = statSync(path);
    if (!status.isFile()) return { bytes: 0, failure: 'it is no regular file' };
    if (status.size > SIZE_LIMIT) return { bytes: status.size, failure: 'it is larger than 64 MiB' };
    const bytes = readFileSync(path);
    const source = decode(bytes);
    const wide = markOf(bytes)?.startsWith('utf-16') ?? false;
    const head = wide ? source.text?.slice(0, HEAD_LENGTH) : bytes.toString('latin1', 0, HEAD_LENGTH);
    return { ...source, ...(head === undefined ? {} : { head }) };
  } catch (error) {
    return { bytes: 0, failure: faultAt(path, error) };
  }
}

/** Why what stands at a path cannot be read. */
export function faultAt(path: string, error: unknown): string {
  if (codeOf(error) !== 'ENOENT') return readFault(error);
  if (path.includes('\ufffd')) return 'its name is not UTF-8';
  const link = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return link ? 'it is a link that leads nowhere' : readFault(error);
}

/** Decodes the bytes of a file. */
export function decode(bytes: Uint8Array): SourceFile {
  const mark = markOf(bytes);
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 200));
  const claimed = mark === undefined ? /^<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']/.exec(head)?.[1] : undefined;
  const size = bytes.length;
  const unmarked = head.startsWith('<\0') ? 'utf-16le' : head.startsWith('\0<') ? 'utf-16be' : undefined;
  if (unmarked !== undefined) {
    const encodingFault = { message: 'This is UTF-16 without a byte order mark.', offset: 0 };
    return { ...decodeAs(unmarked, bytes), bytes: size, encodingFault };
  }
  if (claimed === undefined || /^utf-?(8|16|32|16le|16be)$|^us-ascii$/i.test(claimed)) {
    const source = decodeAs(mark ?? 'utf-8', bytes);
    const wide = claimed !== undefined && /16|32/.test(claimed);
    return { ...source, bytes: size, ...(wide ? { claimedEncoding: claimed } : {}) };
  }
  if (knows(claimed)) return { ...decodeAs(claimed, bytes), bytes: size };
  const offset = head.indexOf(claimed);
  const encodingFault = { message: `The encoding ${claimed} is not known.`, offset };
  return { ...decodeAs('utf-8', bytes), bytes: size, encodingFault };
}

function markOf(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return undefined;
}

function knows(encoding: string): boolean {
  try {
    return new TextDecoder(encoding) !== undefined;
  } catch {
    return false;
  }
}

function decodeAs(encoding: string, bytes: Uint8Array): Pick<SourceFile, 'text' | 'encodingFault'> {
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes) };
  } catch {
    return { text: new TextDecoder(encoding).decode(bytes), ...faultOf(encoding, bytes) };
  }
}

/** The end of the longest prefix that decodes; the fault begins in the character after it. */
function faultOf(encoding: string, bytes: Uint8Array): Pick<SourceFile, 'encodingFault'> {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      // Streaming, so that a character cut in two is no fault.
      new TextDecoder(encoding, { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  const offset = new TextDecoder(encoding).decode(bytes.subarray(0, good), { stream: true }).length;
  return { encodingFault: { message: `The bytes are not ${encoding.toUpperCase()}.`, offset } };
}

export function realPathOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

/** The file that a `configSource` names, or nothing where it leaves the folder of the file that names it, by a link too. */
export function configSourcePath(file: string, named: string): string | undefined {
  const folder = dirname(resolve(file));
  const relative = named.replaceAll('\\', '/');
  if (relative === '' || isAbsolute(relative) || /^[A-Za-z]:/.test(relative)) return undefined;
  const target = resolve(folder, relative);
  const inside = isWithin(folder, target) && (!existsSync(target) || isWithin(realPathOf(folder), realPathOf(target)));
  return inside ? join(dirname(file), relative) : undefined;
}

function isWithin(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

export function fileName(path: string): string {
  return basename(path);
}
