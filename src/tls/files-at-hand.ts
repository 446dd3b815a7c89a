/** Files that lie there and are not served, where a certificate is missing: most likely one of them is meant. */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { SettingsConfig } from '../config/settings-model.ts';
import { type CertificateData, hostNamesOf, publicKeyOf } from './certificate.ts';
import { isCertificateFile, isPfx, stemOf } from './certificate-reading.ts';
import { readPem } from './pem.ts';

export interface FileAtHand {
  /** The hosts of the certificate, where they can be read. */
  readonly names: readonly string[];
  /** A sentence with the file, what is the matter with it, and the cure. */
  readonly cure: string;
}

/** Of a folder; who has more has no use for a guess. */
const MOST_LOOKED_AT = 100;
const LONGEST_READ = 2 ** 16;

/** @param served what is not at hand, but in use */
export function filesAtHand(
  { file, certificates }: Pick<SettingsConfig, 'file' | 'certificates'>,
  served: readonly CertificateData[],
): readonly FileAtHand[] {
  const folders = certificates.flatMap((each) => (each.kind === 'files' || !isFolder(each.path) ? [] : [each.path]));
  const [folder] = folders;
  const used = { keys: new Set(served.map(keyOf)), files: new Set(served.map((each) => each.file)) };
  const inFolders = folders.flatMap((each) =>
    withoutPartners(entriesOf(each)).flatMap((path) =>
      isFolder(path) ? inside(path, each, folders) : inFolder(path, used),
    ),
  );
  const beside = folder === undefined || folders.includes(dirname(file)) ? [] : entriesOf(dirname(file));
  const misplaced = beside
    .filter((path) => !used.files.has(path) && ['.pfx', '.p12', '.key'].includes(extname(path).toLowerCase()))
    .map((path) => ({
      names: [],
      cure: `${path} lies where certificates are not looked for: move it${withPassword(path)} to ${folder}.`,
    }));
  return [...inFolders, ...misplaced];
}

/** A key beside a request or a certificate of its name is not told of as well. */
function withoutPartners(paths: readonly string[]): readonly string[] {
  const isKey = (path: string) => path.toLowerCase().endsWith('.key');
  const stems = new Set(paths.filter((path) => !isKey(path) && /\.(?:crt|cer|pem|csr|req)$/i.test(path)).map(stemOf));
  return paths.filter((path) => !isKey(path) || !stems.has(stemOf(path)));
}

interface Used {
  readonly keys: ReadonlySet<string>;
  readonly files: ReadonlySet<string>;
}

function inFolder(path: string, used: Used): FileAtHand[] {
  if (used.files.has(path)) return [];
  const bytes = beginOf(path);
  const text = bytes.toString('latin1');
  const told = (cure: string, names: readonly string[] = []) => [{ names, cure: `${path} ${cure}` }];
  if (/-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----/.test(text)) {
    return told('is only the request for a certificate: put the certificate that was issued for it in its place.');
  }
  if (text.includes('-----BEGIN PKCS7-----') || /\.p7[bc]$/i.test(path)) {
    return told(
      'holds certificates as PKCS #7, which has no keys and is not read: export a PFX with the private key, or put the certificate as NAME.crt beside its NAME.key.',
    );
  }
  if (isCertificateFile(path)) return halfOf(bytes, used).flatMap(({ cure, names }) => told(cure, names));
  const kind = isPfx(bytes)
    ? 'pfx'
    : /-----BEGIN (?:[A-Z0-9]+ )*(?:CERTIFICATE|PRIVATE KEY)-----/.test(text)
      ? 'pem'
      : '';
  if (kind === '' || path.endsWith('.pass')) return [];
  if (kind === 'pem' && isUsed(bytes, used)) return [];
  const name = basename(path, extname(path));
  const meant = isCertificateFile(name) ? name : `${name}.${kind}`;
  return told(
    `is not read, as its name ends in ${extname(path) || 'nothing'}: rename it to ${meant}${withPassword(path)}.`,
  );
}

/** A certificate without its key, or a key without its certificate. */
function halfOf(bytes: Buffer, used: Used): FileAtHand[] {
  const contents = readPem(bytes, []);
  if (typeof contents === 'string') return [];
  const [leaf] = contents.certificates;
  const [key] = contents.keys;
  if (leaf !== undefined && !leaf.ca && !used.keys.has(publicKeyOf(leaf))) {
    const cure =
      'holds a certificate without its key: put the key beside it as NAME.key, or a PFX file with both into the folder.';
    return [{ names: hostNamesOf(leaf), cure }];
  }
  if (leaf !== undefined || key === undefined || used.keys.has(publicKeyOf(key))) return [];
  return [{ names: [], cure: 'holds a key without its certificate: put the certificate beside it as NAME.crt.' }];
}

/** A copy of what is served. */
function isUsed(bytes: Buffer, { keys }: Used): boolean {
  const contents = readPem(bytes, []);
  return (
    typeof contents === 'object' &&
    [...contents.certificates, ...contents.keys].some((each) => keys.has(publicKeyOf(each)))
  );
}

function withPassword(path: string): string {
  return existsSync(`${path}.pass`) ? ' (its .pass file too)' : '';
}

function inside(folder: string, above: string, folders: readonly string[]): FileAtHand[] {
  if (folders.includes(folder)) return [];
  const cure = (path: string) =>
    `${path} is not read, as folders inside are not: move it${withPassword(path)} to ${above}, or name its folder in "certificates" too.`;
  return entriesOf(folder)
    .filter((path) => isCertificateFile(path))
    .map((path) => ({ names: [], cure: cure(path) }));
}

function keyOf({ certPem }: CertificateData): string {
  const contents = readPem(Buffer.from(certPem), []);
  const leaf = typeof contents === 'string' ? undefined : contents.certificates[0];
  return leaf === undefined ? '' : publicKeyOf(leaf);
}

/** What cannot be read is not at hand. */
function entriesOf(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
    return names
      .sort()
      .slice(0, MOST_LOOKED_AT)
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function beginOf(path: string): Buffer {
  try {
    if (!statSync(path).isFile()) return Buffer.alloc(0);
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(LONGEST_READ);
      return bytes.subarray(0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch {
    return Buffer.alloc(0);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
