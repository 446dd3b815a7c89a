/** Finds the certificates that settings.json names: folders as a Central Certificate Store has them, and single files. */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { basename } from 'node:path';
import type { Report, Span } from '../config/diagnostic.ts';
import type { CertificateSetting, SettingsConfig } from '../config/settings-model.ts';
import { type CertificateData, describeCertificate, hostNamesOf, publicKeyOf } from './certificate.ts';
import { completeChain, type Issuers, issuersFrom } from './certificate-chain.ts';
import { type CertificateFile, describeFault, isPfx, readOrReport, readSetting } from './certificate-reading.ts';
import { reportOpenKeys } from './open-keys.ts';
import { readPem } from './pem.ts';

/** Every certificate that has its key, in the order of the settings and then of the file names. */
export function readCertificates(settings: Pick<SettingsConfig, 'certificates'>, report: Report): CertificateData[] {
  const groups = settings.certificates.map((setting) => readGroup(setting, report));
  reportOpenKeys(
    groups.flatMap(({ files }) => files),
    report,
  );
  const issuers = issuersFrom(groups.flatMap(({ files }) => files.flatMap((file) => file.certificates)));
  const found = groups.flatMap((group) => group.files.flatMap((file) => pairFile(file, { group, issuers, report })));
  return withoutTwins(found);
}

/**
 * The certificate that these files hold with its key; of several the first. Nothing, and a diagnostic, where there is none.
 * @param files what one setting names, as `readSetting` or `readNamedFile` reads it
 */
export function pairCertificate(
  files: readonly CertificateFile[],
  span: Span,
  report: Report,
): CertificateData | undefined {
  let told = files.some(({ readable }) => !readable);
  const noting: Report = (...finding) => {
    told = true;
    report(...finding);
  };
  reportOpenKeys(files, report);
  const group = groupOf(files);
  const issuers = issuersFrom(files.flatMap(({ certificates }) => certificates));
  const [found] = files.flatMap((file) => pairFile(file, { group, issuers, report: noting }));
  if (found === undefined && !told) {
    report('LG4009', span, {
      message: 'no certificate with its key is named here',
      advice: 'Name a PFX file with "pfx", or a certificate and its key with "cert" and "key".',
    });
  }
  return found;
}

/** What one entry of `certificates` names: keys and certificates of its files are matched with each other. */
interface Group {
  readonly files: readonly CertificateFile[];
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly listeners?: readonly string[];
}

function readGroup(setting: CertificateSetting, report: Report): Group {
  const group = groupOf(readSetting(setting, report));
  return { ...group, ...(setting.kind === 'files' && setting.listeners && { listeners: setting.listeners }) };
}

function groupOf(files: readonly CertificateFile[]): Group {
  return { files, keys: new Map(files.flatMap((file) => file.keys.map((key) => [publicKeyOf(key), key] as const))) };
}

interface Surroundings {
  readonly group: Group;
  readonly issuers: Issuers;
  readonly report: Report;
}

function pairFile(file: CertificateFile, { group, issuers, report }: Surroundings): CertificateData[] {
  const from = { file: file.path, ...(group.listeners && { listeners: group.listeners }) };
  const pairs = file.certificates.flatMap((certificate) => {
    const key = group.keys.get(publicKeyOf(certificate));
    return key ? [{ certificate, key }] : [];
  });
  if (pairs.length === 0) {
    reportUnpaired(file, group, report);
  }
  return pairs.filter(isForServer).map(({ certificate, key }) => {
    const chain = completeChain(certificate, file.certificates, issuers);
    if (!chain.issuerKnown) {
      report('LG4008', spanOf(file.path), {
        message: `${file.path}: the certificate that issued this one (${printable(certificate.issuer)}) was not found, so it is sent without its intermediates`,
        advice:
          'Append the intermediate certificates to the file, put them into the same folder, or export the PFX again with "Include all certificates in the certification path". Where a root issued it directly, put the root there.',
      });
    }
    return describeCertificate(chain.certificates, key, from);
  });
}

/** An authority whose key lies in the folder (a test CA) is there to complete chains, not to be shown to clients. */
function isForServer({ certificate }: { certificate: X509Certificate }): boolean {
  return !certificate.ca || hostNamesOf(certificate).length > 0;
}

function reportUnpaired(file: CertificateFile, group: Group, report: Report): void {
  const [leaf] = file.certificates;
  const keyMayBeUnread = group.files.some((other) => !other.readable && (other.named || other.stem === file.stem));
  if (!leaf || keyMayBeUnread) {
    return;
  }
  const keyFile = [file, ...group.files].find(
    (other) => other.keys.length > 0 && (other === file || other.stem === file.stem),
  );
  if (keyFile) {
    report('LG4005', file.span, {
      message: `${keyFile.path}: the private key does not fit the certificate in ${file.path} (${printable(leaf.subject)})`,
      advice: 'Put the key there that the certificate was requested with; after a renewal replace both files.',
    });
  } else if (file.named || file.kind === 'pfx') {
    report('LG4004', file.span, {
      message: `${file.path}: no private key for the certificate ${printable(leaf.subject)}`,
      advice:
        file.kind === 'pfx'
          ? 'Export the certificate again and choose "Yes, export the private key".'
          : 'Put the key beside it as NAME.key, into the same file, or name it with "key" in settings.json.',
    });
  } else if (!leaf.ca) {
    report('LG4007', file.span, {
      message: `${file.path}: no private key for the certificate ${printable(leaf.subject)}, so it is not used`,
      advice: 'Put the key beside it as NAME.key, or take the file away.',
    });
  }
}

/** The same certificate from two files (`cert.pem` and `fullchain.pem`) is one. */
function withoutTwins(certificates: readonly CertificateData[]): CertificateData[] {
  const seen = new Map<string, CertificateData>();
  for (const certificate of certificates) {
    const id = [certificate.sha256, ...(certificate.listeners ?? [])].join(' ');
    const known = seen.get(id);
    if (!known || (known.storeName === undefined && certificate.storeName !== undefined)) {
      seen.set(id, certificate);
    }
  }
  return [...seen.values()];
}

/**
 * The authorities that servers' certificates are checked against, as PEM, one entry each.
 * @param files `upstream.ca` of the settings: PEM bundles or single certificates in DER
 */
export function readCa(files: SettingsConfig['upstream']['ca'], report: Report): string[] {
  return files.flatMap(({ path, span }) => {
    const bytes = readOrReport(path, span, report);
    if (!bytes) {
      return [];
    }
    if (isPfx(bytes)) {
      report('LG4002', span, {
        message: `${path} is a PFX; the certificates of authorities are read from PEM or DER`,
        advice: `Write them into a PEM file (openssl pkcs12 -in ${basename(path)} -nokeys -out ca.pem), and name that.`,
      });
      return [];
    }
    const contents = readPem(bytes, []);
    if (typeof contents === 'string') {
      const about = { path, kind: 'pem', passwordFile: `${path}.pass`, given: false } as const;
      const { code, ...finding } = describeFault(contents, about);
      report(code, span, finding);
      return [];
    }
    if (contents.certificates.length === 0) {
      report('LG4009', span, {
        message: `${path}: there is no certificate in this file`,
        advice: 'Name a file with the certificates of the authorities, in PEM or DER.',
      });
    }
    return contents.certificates.map(String);
  });
}

function spanOf(file: string): Span {
  return { file, start: 0, end: 0 };
}

/** Node gives a subject as one line per attribute. */
function printable(name: string): string {
  return name.replaceAll('\n', ', ');
}
