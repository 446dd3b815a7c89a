/** The certificates that we show to servers: which one each farm has, and what is wrong with it. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, win32 } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Report, Span } from '../config/diagnostic.ts';
import type { ProtocolConfig } from '../config/farm-model.ts';
import type { Config } from '../config/model.ts';
import type { CertificateFileSetting, SettingsConfig } from '../config/settings-model.ts';
import type { Text } from '../config/text.ts';
import { comparedName } from '../host-name.ts';
import { type CertificateData, isForClients, isForServers } from './certificate.ts';
import { pairCertificate } from './certificate-files.ts';
import { byThumbprint } from './certificate-names.ts';
import { readNamedFile, readSetting } from './certificate-reading.ts';
import { checkDates, reasonOf } from './check.ts';

/** By farm name, lower case; `''` for direct proxying. */
export type ShownCertificates = ReadonlyMap<string, CertificateData>;

interface Known {
  /** Every certificate of the setting `certificates`. */
  readonly certificates: readonly CertificateData[];
  /** False where some could not be read. */
  readonly complete: boolean;
  readonly settings: SettingsConfig;
  readonly report: Report;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Reading {
  readonly report: Report;
  /** Where something could not be read, which is told: nothing is said to be missing there. */
  readonly misread: ReadonlySet<string>;
  readonly now?: number;
}

/**
 * settings.json goes first, then the thumbprint, then the name of a file.
 * @param certificates those that were read for the listeners: a thumbprint may mean one of them
 */
export function readShownCertificates(
  { webFarms, proxy, settings }: Pick<Config, 'settings'> & Partial<Pick<Config, 'webFarms' | 'proxy'>>,
  certificates: readonly CertificateData[],
  { report, misread, now = Date.now() }: Reading,
): ShownCertificates {
  const known: Known = { certificates, complete: !misread.has('certificates'), settings, report, now };
  const wanted = wantedBy(webFarms, settings);
  if (proxy?.enabled) wanted.push({ key: '', protocol: proxy, setting: undefined });
  const found = wanted.flatMap(({ key, protocol, setting }) => {
    const certificate = setting ? fromSettings(setting, known) : protocol && fromProtocol(protocol, known);
    return certificate ? [[key, certificate] as const] : [];
  });
  if (!misread.has('farms')) checkIdle(certificates, new Set(found.map(([, { sha256 }]) => sha256)), report);
  return new Map(found);
}

interface Wanted {
  readonly key: string;
  readonly protocol?: ProtocolConfig;
  readonly setting: CertificateFileSetting | undefined;
}

/** Where the farms are not known, what settings.json says of them. */
function wantedBy(farms: Config['webFarms'] | undefined, settings: SettingsConfig): Wanted[] {
  if (!farms) return [...settings.farms].map(([key, { clientCertificate: setting }]) => ({ key, setting }));
  return farms.map(({ name, protocol }) => {
    const key = comparedName(name.value);
    return { key, protocol, setting: settings.farms.get(key)?.clientCertificate };
  });
}

function fromSettings(setting: CertificateFileSetting, known: Known): CertificateData | undefined {
  if (known.settings.misread?.has('farms')) return undefined;
  const found = pairCertificate(readSetting(setting, known.report), setting.span, known.report);
  return found && checked(found, setting.span, known);
}

function fromProtocol(protocol: ProtocolConfig, known: Known): CertificateData | undefined {
  const { clientCertHash: hash, clientCertFileName: name } = protocol;
  if (hash) return fromStore(hash, known);
  return name && fromFile(name, protocol.clientCertPassword, known);
}

function fromStore(hash: Text, known: Known): CertificateData | undefined {
  const found = byThumbprint(known.certificates, hash.value);
  if (found) return checked(found, hash.span, known);
  if (!known.complete) return undefined;
  known.report('LG3022', hash.span, {
    message: 'clientCertHash is the thumbprint of no certificate that was read.',
    advice:
      'Export the certificate with its key from the store of the Windows machine, and put the PFX file into a folder of "certificates" in settings.json (certs).',
  });
  return undefined;
}

function fromFile(name: Text, password: Text | undefined, known: Known): CertificateData | undefined {
  const { settings, report } = known;
  const path = placesOf(name, settings).find((each) => existsSync(each));
  if (path === undefined) {
    if (known.settings.misread?.has('certificates')) return undefined;
    report('LG3022', name.span, {
      message: `${win32.basename(name.value)} lies neither beside ${basename(name.span.file)} nor in a folder of "certificates".`,
      advice: 'Copy it there, its password in a file NAME.pass beside it.',
    });
    return undefined;
  }
  // What is encrypted has been told of (LG3009).
  const plain = password && !password.value.startsWith('[enc:') ? { value: password.value } : undefined;
  const { span } = name;
  const origin = { span, ...(plain && { password: { ...plain, where: 'clientCertPassword' } }) };
  const found = pairCertificate([readNamedFile(path, origin, report)], span, report);
  return found && checked(found, span, known);
}

/** Where a file of the Windows machine may have been copied to: its folder there means nothing here. */
function placesOf({ value, span }: Text, { certificates }: SettingsConfig): string[] {
  const file = win32.basename(value);
  return [
    join(dirname(span.file), file),
    ...certificates.flatMap((each) => {
      const paths = each.kind === 'path' ? [each.path] : [each.pfx, each.cert].filter((path) => path !== undefined);
      return paths.map((path) => (basename(path) === file ? path : join(path, file)));
    }),
  ];
}

/** Nothing where OpenSSL does not take it. */
function checked(certificate: CertificateData, span: Span, known: Known): CertificateData | undefined {
  const { report, certificates, now } = known;
  const { file, subject, certPem, keyPem, sha256 } = certificate;
  try {
    createSecureContext({ cert: certPem, key: keyPem });
  } catch (error) {
    report('LG4031', span, {
      message: `${file}: OpenSSL refuses ${subject} (${reasonOf(error)})`,
      advice:
        'Have the certificate issued again with an RSA key of 2048 bits or an EC key (P-256), signed with SHA-256.',
    });
    return undefined;
  }
  if (!isForServers(certificate)) {
    report('LG4036', span, {
      message: `${file}: ${subject} is not for client authentication, so servers may refuse it`,
      advice: 'Have a certificate issued whose extended key usage has client authentication.',
    });
  }
  if (!certificates.some((each) => each.sha256 === sha256)) checkDates(certificate, report, now);
  return certificate;
}

/** A certificate for client authentication alone is of use for a farm, and for nothing else. */
function checkIdle(certificates: readonly CertificateData[], used: ReadonlySet<string>, report: Report): void {
  for (const certificate of certificates) {
    const { file, subject, sha256 } = certificate;
    if (isForClients(certificate) || used.has(sha256)) continue;
    report(
      'LG4036',
      { file, start: 0, end: 0 },
      {
        message: `${file}: ${subject} is not for server authentication, so it is not shown to clients; and no farm shows it to its servers`,
        advice: 'Name it with "clientCertificate" of a farm in settings.json, or take the file away.',
      },
    );
  }
}
