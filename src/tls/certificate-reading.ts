/** Reads the files behind one entry of `certificates`: which there are, with which password, and what is wrong with them. */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { Code, Report, Span } from '../config/diagnostic.ts';
import type { CertificateFileSetting, CertificateSetting } from '../config/settings-model.ts';
import { codeOf } from '../errors.ts';
import { readFault } from '../file-fault.ts';
import { isOpenToAll } from '../file-permissions.ts';
import { keyFault } from './key-faults.ts';
import { decodeText, readPem } from './pem.ts';
import { type Fault, type FileContents, readPfx } from './pfx.ts';

export interface CertificateFile {
  readonly path: string;
  /** The path without its extension: `www.crt` and `www.key` share it. */
  readonly stem: string;
  readonly kind: 'pfx' | 'pem';
  /** True where settings.json names the file itself, not just its folder. */
  readonly named: boolean;
  /** Where to say what is wrong with it: the entry in settings.json if that names it, else the file. */
  readonly span: Span;
  /** False where something was wrong with it, which has been reported; it is empty then. */
  readonly readable: boolean;
  readonly certificates: readonly X509Certificate[];
  readonly keys: readonly KeyObject[];
  /** Everybody can read its keys, or its password with it. */
  readonly open: boolean;
}

const pfxExtensions = new Set(['.pfx', '.p12']);
const pemExtensions = new Set(['.pem', '.crt', '.cer', '.key']);

/** Where and how a file was asked for. */
interface Origin {
  readonly named: boolean;
  readonly span: Span;
  readonly passphraseFile?: string;
  /** The password itself, which then stands in no file. */
  readonly password?: { readonly value: string; readonly where: string };
}

export function readSetting(setting: CertificateSetting, report: Report): CertificateFile[] {
  return setting.kind === 'files' ? readNamedFiles(setting, report) : readPath(setting.path, setting.span, report);
}

/** A file that stands in none of the settings; `span` names it. */
export function readNamedFile(
  path: string,
  { span, password }: Pick<Origin, 'span' | 'password'>,
  report: Report,
): CertificateFile {
  return readCertificateFile(path, { named: true, span, ...(password && { password }) }, report);
}

function readNamedFiles(setting: CertificateFileSetting, report: Report): CertificateFile[] {
  const { pfx, cert, key, passphraseFile, span } = setting;
  const origin: Origin = { named: true, span, ...(passphraseFile !== undefined && { passphraseFile }) };
  const paths = [pfx, cert, key].filter((path) => path !== undefined);
  return paths.map((path) => readCertificateFile(path, origin, report));
}

function readPath(path: string, span: Span, report: Report): CertificateFile[] {
  if (isFile(path)) {
    const key = stemOf(path).concat('.key');
    const paths = key !== path && isFile(key) ? [path, key] : [path];
    return paths.map((each) => readCertificateFile(each, { named: true, span }, report));
  }
  // An empty span stands for a setting that nobody wrote: the stock folder may be missing.
  if (span.start === span.end && !existsSync(path)) {
    return [];
  }
  try {
    return readFolder(path, report);
  } catch (error) {
    reportUnreadable({ path, span, error }, report);
    return [];
  }
}

function readFolder(folder: string, report: Report): CertificateFile[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => isCertificateFile(path) && !isFolder(path))
    .map((path) => readCertificateFile(path, { named: false, span: { file: path, start: 0, end: 0 } }, report));
}

/** By its name: others are not read. */
export function isCertificateFile(path: string): boolean {
  const extension = extname(path).toLowerCase();
  return pfxExtensions.has(extension) || pemExtensions.has(extension);
}

function readCertificateFile(path: string, origin: Origin, report: Report): CertificateFile {
  const { span, named } = origin;
  const kind = pfxExtensions.has(extname(path).toLowerCase()) ? 'pfx' : 'pem';
  const contents = readContents(path, { origin, kind, report });
  const about = { path, stem: stemOf(path), kind, named, span } as const;
  return contents
    ? { ...about, readable: true, ...contents }
    : { ...about, readable: false, certificates: [], keys: [], open: false };
}

/** Undefined, and a diagnostic, where the file cannot be read or understood. */
function readContents(
  path: string,
  { origin, kind, report }: { origin: Origin; kind: 'pfx' | 'pem'; report: Report },
): (FileContents & Pick<CertificateFile, 'open'>) | undefined {
  const { span } = origin;
  const bytes = readOrReport(path, span, report);
  const password = bytes && readPassword(path, origin, report);
  if (!bytes || !password) {
    return undefined;
  }
  const parsed = parse(bytes, kind, password.words);
  const contents = typeof parsed === 'string' ? parsed : (keyFault(parsed) ?? parsed);
  if (typeof contents === 'string') {
    const given = password.words.length > 0;
    const named = contents === 'damaged' ? misnamed(path, bytes, kind) : undefined;
    const about = { path, kind, passwordFile: password.file, given };
    const { code, ...finding } = named ?? describeFault(contents, about);
    report(code, span, finding);
    return undefined;
  }
  if (kind === 'pfx' && contents.certificates.length === 0) {
    report('LG4009', span, {
      message: `${path}: there is no certificate in this file`,
      advice: 'Export the certificate together with its private key.',
    });
  }
  const isOpen = contents.keys.length > 0 && isOpenToAll(path);
  return { ...contents, open: isOpen && !keepsKeys({ bytes, kind, password }) };
}

/** The password that its keys need is not open as well. */
function keepsKeys(file: { bytes: Buffer; kind: 'pfx' | 'pem'; password: PasswordFile }): boolean {
  const { bytes, kind, password } = file;
  if (password.words.length === 0 || password.open) return false;
  const without = parse(bytes, kind, []);
  return typeof without === 'string' || without.keys.length === 0;
}

function parse(bytes: Buffer, kind: 'pfx' | 'pem', passwords: readonly string[]): FileContents | Fault {
  return kind === 'pfx' ? readPfx(bytes, [...passwords, '', null]) : readPem(bytes, passwords);
}

interface PasswordFile {
  /** Where it stands, or should. */
  readonly file: string;
  /** Empty where there is no such file. */
  readonly words: readonly string[];
  readonly open: boolean;
}

/** The password of a file stands in `NAME.pfx.pass` beside it, unless settings.json names another file. */
function readPassword(
  path: string,
  { passphraseFile, password, span }: Origin,
  report: Report,
): PasswordFile | undefined {
  if (password !== undefined) return { file: password.where, words: [password.value], open: false };
  const file = passphraseFile ?? `${path}.pass`;
  if (passphraseFile === undefined && !existsSync(file)) {
    return { file, words: [], open: false };
  }
  const bytes = readOrReport(file, span, report);
  return bytes && { file, words: [decodeText(bytes).replace(/\r?\n$/, '')], open: isOpenToAll(file) };
}

/** The file's bytes; undefined, and a diagnostic, where it cannot be read. */
export function readOrReport(path: string, span: Span, report: Report): Buffer | undefined {
  try {
    const fault = whyNoFile(path);
    if (fault === undefined) return readFileSync(path);
    report('LG4001', span, { message: `${path} cannot be read: ${fault}`, advice: 'Name another file, or remove it.' });
  } catch (error) {
    reportUnreadable({ path, span, error }, report);
  }
  return undefined;
}

/** Far more than all public authorities together take. */
const SIZE_LIMIT = 16 * 2 ** 20;

/** A device has no end, and a pipe waits for a writer. What is not there, or is a folder, reading tells. */
function whyNoFile(path: string): string | undefined {
  const status = statSync(path);
  if (!status.isFile() && !status.isDirectory()) return 'it is no regular file';
  return status.size > SIZE_LIMIT ? 'it is larger than 16 MiB' : undefined;
}

const READ_ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'Check the name; it is relative to the settings file.',
  EACCES: 'Give the account of the service the right to read it.',
  EISDIR: 'Name a file here.',
};

function reportUnreadable({ path, span, error }: { path: string; span: Span; error: unknown }, report: Report): void {
  report('LG4001', span, {
    message: `${path} cannot be read: ${readFault(error)}`,
    advice: READ_ADVICE[codeOf(error)] ?? 'Check the file and its disk.',
  });
}

/** A file of one kind with the name of the other: nothing is damaged. */
function misnamed(path: string, bytes: Buffer, kind: 'pfx' | 'pem'): ReturnType<typeof describeFault> | undefined {
  const stem = basename(stemOf(path));
  if (kind === 'pfx' && /^(?:[^\n]*\n)*?-----BEGIN [A-Z ]+-----/.test(bytes.toString('latin1', 0, 4096))) {
    return { code: 'LG4002', message: `${path} is a PEM file, not a PFX`, advice: `Rename it to ${stem}.pem.` };
  }
  if (kind === 'pfx' || !isPfx(bytes)) return undefined;
  const advice = `Rename it to ${stem}.pfx, with its password in ${stem}.pfx.pass beside it.`;
  return { code: 'LG4002', message: `${path} is a PFX, not a PEM file`, advice };
}

/** Whatever it is called: the version of a PFX is 3 (RFC 7292 4). */
export function isPfx(bytes: Buffer): boolean {
  return /^0[\x80-\x84][\s\S]{0,4}\x02\x01\x03/.test(bytes.toString('latin1', 0, 16));
}

/**
 * What to say about a fault of a file; never anything from inside it.
 * @param about where its password should stand, and whether there is one
 */
export function describeFault(
  fault: Fault,
  { path, kind, passwordFile, given }: { path: string; kind: 'pfx' | 'pem'; passwordFile: string; given: boolean },
): { code: Code; message: string; advice: string } {
  if (fault === 'damaged') {
    const expected = kind === 'pfx' ? 'a PFX (PKCS #12) file' : 'a certificate or key in PEM or DER';
    return {
      code: 'LG4002',
      message: `${path} is damaged, cut short or not ${expected}`,
      advice: 'Copy the file again in binary mode, or export it again.',
    };
  }
  if (fault === 'password') {
    return given
      ? {
          code: 'LG4003',
          message: `${path} cannot be opened with the password in ${passwordFile}`,
          advice: 'Correct the password; of line ends and blanks only one line end at the end is cut off.',
        }
      : {
          code: 'LG4003',
          message: `${path} is protected with a password, and none was given`,
          advice: `Write the password into ${passwordFile}.`,
        };
  }
  return {
    code: 'LG4006',
    message: `${path} is protected in a way that cannot be read here, or holds a kind of key that OpenSSL does not know`,
    advice: 'Export it again with a password (not to a Windows group or user) and AES256-SHA256 or TripleDES-SHA1.',
  };
}

/** `www.crt` and `www.key` share it. */
export function stemOf(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
