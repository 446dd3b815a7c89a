/** What can be wrong with certificates once they are read: dates, strength, and bindings that none of them covers. */
import { createSecureContext } from 'node:tls';
import type { Report, Span } from '../config/diagnostic.ts';
import type { BindingConfig, SiteConfig } from '../config/model.ts';
import type { SettingsConfig } from '../config/settings-model.ts';
import { asLetters } from '../host-name.ts';
import { nearestHost } from '../nearest.ts';
import { type CertificateData, isForClients } from './certificate.ts';
import {
  type CertificateNames,
  canonicalListener,
  defaultNameFor,
  nameCertificates,
  namedDefault,
  usableOn,
} from './certificate-names.ts';
import { type AskedHost, type CertifiedListener, type Cure, checkAskedHosts, cureText } from './check-asked-hosts.ts';
import type { FileAtHand } from './files-at-hand.ts';
import { contextOptions, isWeak } from './tls-options.ts';

type CheckedSettings = Pick<SettingsConfig, 'file' | 'tls' | 'defaultCertificate'>;

const day = 86_400_000;
const soon = 30 * day;

export interface Served {
  readonly sites: readonly Pick<SiteConfig, 'bindings'>[];
  /** What the rules of these sites ask of the host. */
  readonly asked?: readonly AskedHost[] | undefined;
  /** Where something could not be read, which is told: nothing is said to be missing there. */
  readonly misread?: ReadonlySet<string>;
  /** Files that are not served; asked only where a certificate is missing. */
  readonly atHand?: () => readonly FileAtHand[];
}

/** @param now milliseconds since 1970 */
export function checkCertificates(
  certificates: readonly CertificateData[],
  { sites, asked = [], misread = new Set(), atHand = () => [] }: Served,
  settings: CheckedSettings,
  report: Report,
  now: number = Date.now(),
): void {
  const bindings = sites.flatMap((site) => site.bindings.filter(({ protocol }) => protocol === 'https'));
  const listeners = Map.groupBy(bindings, ({ address, port }) => canonicalListener(`${address}:${port}`));
  const ciphersWork = checkCiphers(settings, report);
  for (const certificate of certificates) {
    checkDates(certificate, report, now);
    checkStrength(certificate, report);
    if (ciphersWork) {
      checkLoading(certificate, settings, report);
    }
    if (!misread.has('sites')) checkTies(certificate, listeners, report);
  }
  let found: readonly FileAtHand[] | undefined;
  const filesAtHand = () => {
    found ??= atHand();
    return found;
  };
  const bound = new Set(bindings.map(({ host }) => host));
  const around = { certificates, settings, report, now, misread, bound, filesAtHand };
  const lacking = misread.has('certificates') ? new Set(listeners.keys()) : checkDefault(listeners, around);
  const certified = new Map<string, CertifiedListener>();
  for (const [listener, itsBindings] of listeners) {
    const its = checkListener(listener, itsBindings, lacking.has(listener), around);
    if (its) certified.set(listener, its);
  }
  if (!misread.has('certificates'))
    checkAskedHosts(asked, certified, {
      cure: (hosts) => cureFor(hosts, filesAtHand()),
      known: [...bound, ...certificates.flatMap(({ names }) => names)],
      report,
    });
}

export function checkDates({ file, subject, notBefore, notAfter }: CertificateData, report: Report, now: number): void {
  const advice = 'Renew the certificate and put the new file in place of this one.';
  if (Number.isNaN(notBefore) || Number.isNaN(notAfter)) {
    const message = `${file}: the dates of ${subject} cannot be read, so clients will refuse it, and it is shown only where nothing else fits`;
    report('LG4039', startOf(file), { message, advice: 'Have the certificate issued again.' });
  } else if (notBefore > now) {
    report('LG4022', startOf(file), {
      message: `${file}: ${subject} is valid only from ${dateOf(notBefore)} on`,
      advice: 'Check the clock of this machine, or use the previous certificate until then.',
    });
  } else if (notAfter < now) {
    report('LG4020', startOf(file), { message: `${file}: ${subject} expired on ${dateOf(notAfter)}`, advice });
  } else if (notAfter - now <= soon) {
    const days = Math.floor((notAfter - now) / day);
    report('LG4021', startOf(file), {
      message: `${file}: ${subject} expires on ${dateOf(notAfter)}, in ${days} ${days === 1 ? 'day' : 'days'}`,
      advice,
    });
  }
}

function checkStrength(certificate: CertificateData, report: Report): void {
  const { file, subject, keyType, keyBits, signatureDigest } = certificate;
  if (signatureDigest === 'sha1' || signatureDigest === 'md5') {
    report('LG4026', startOf(file), {
      message: `${file}: ${subject} is signed with ${signatureDigest.toUpperCase()}, which today's clients refuse; serving it takes OpenSSL's lowest security level on its listeners`,
      advice: 'Have it issued again with SHA-256.',
    });
  }
  if (keyType === 'rsa' && keyBits < 2048) {
    report('LG4027', startOf(file), {
      message: `${file}: ${subject} has an RSA key of ${keyBits} bits; today's clients want 2048 or more, and serving it takes OpenSSL's lowest security level on its listeners`,
      advice: 'Make a new key of 2048 bits and have the certificate issued again.',
    });
  }
}

function checkCiphers({ file, tls }: CheckedSettings, report: Report): boolean {
  try {
    createSecureContext({ ...(tls.ciphers !== undefined && { ciphers: tls.ciphers }), minVersion: tls.minVersion });
    return true;
  } catch (error) {
    report('LG4030', startOf(file), {
      message: `tls.ciphers: OpenSSL accepts no cipher of "${tls.ciphers ?? ''}" (${reasonOf(error)})`,
      advice: 'Use the names of OpenSSL, separated by colons, or leave tls.ciphers out.',
    });
    return false;
  }
}

function checkLoading(certificate: CertificateData, { tls }: CheckedSettings, report: Report): void {
  try {
    createSecureContext(contextOptions([certificate], tls, { legacy: false, weak: isWeak(certificate) }));
  } catch (error) {
    report('LG4031', startOf(certificate.file), {
      message: `${certificate.file}: OpenSSL refuses ${certificate.subject} (${reasonOf(error)})`,
      advice:
        'Have the certificate issued again with an RSA key of 2048 bits or an EC key (P-256), signed with SHA-256.',
    });
  }
}

/** OpenSSL's own short reason; its longer text is left out, as is anything about the key. */
export function reasonOf(error: unknown): string {
  return error instanceof Error && 'reason' in error ? String(error.reason) : 'no reason given';
}

function checkTies(
  { file, subject, listeners: ties }: CertificateData,
  listeners: ReadonlyMap<string, unknown>,
  report: Report,
): void {
  for (const tie of ties?.filter((each) => !listeners.has(canonicalListener(each))) ?? []) {
    report('LG4029', startOf(file), {
      message: `${file}: ${subject} is tied to ${tie}, but no https binding opens this listener`,
      advice: `Write the address and port as the binding has them; https bindings open ${listOf([...listeners.keys()])}.`,
    });
  }
}

interface Surroundings {
  readonly certificates: readonly CertificateData[];
  readonly settings: CheckedSettings;
  readonly report: Report;
  readonly now: number;
  readonly misread: ReadonlySet<string>;
  /** The hosts of all https bindings. */
  readonly bound: ReadonlySet<string>;
  readonly filesAtHand: () => readonly FileAtHand[];
}

const NONE_CURE =
  'Put a PFX file, or a PEM certificate with its key, into the certificate folder (certs); "certificates" in settings.json can name others.';

/** Of more files nobody reads. */
const MOST_NAMED = 3;

/**
 * What lies there with the name of a host is meant, or else may be what cannot be told.
 * @param hosts that lack a certificate; none where all of a listener do
 */
function cureFor(hosts: readonly string[], atHand: readonly FileAtHand[]): Cure | undefined {
  const certain = atHand.filter(({ names }) => hosts.some((host) => names.some((name) => covers(name, host))));
  const possible = atHand.filter(({ names }) => names.length === 0 || hosts.length === 0);
  const cures = (certain.length > 0 ? certain : possible).map(({ cure }) => cure);
  if (cures.length === 0) return undefined;
  const more = cures.length > MOST_NAMED ? ` There are ${cures.length - MOST_NAMED} more such files.` : '';
  return { advice: `${cures.slice(0, MOST_NAMED).join(' ')}${more}`, isCertain: certain.length > 0 };
}

/**
 * @param lacking certificates of this listener are missing, which is told: their hosts are not told once more
 * @returns what its certificates cover; nothing where it has none
 */
function checkListener(
  listener: string,
  bindings: readonly BindingConfig[],
  lacking: boolean,
  around: Surroundings,
): CertifiedListener | undefined {
  const { certificates, settings, report, now, misread, filesAtHand } = around;
  const [first] = bindings;
  const usable = usableOn(listener, certificates);
  if (first && usable.length === 0) {
    if (misread.has('certificates')) return undefined;
    const none = !certificates.some(isForClients);
    report('LG4025', first.span, {
      // One cause for all of them.
      ...(none ? { subject: '' } : {}),
      message: `the https binding ${listener} has no certificate`,
      advice: none
        ? (cureFor([], filesAtHand())?.advice ?? NONE_CURE)
        : 'All certificates are tied to other listeners: tie one to this one as well, or leave out "listeners" at one.',
    });
    return undefined;
  }
  const { defaultCertificate } = settings;
  const hosts = bindings.map(({ host }) => host).filter((host) => host !== '');
  const names = nameCertificates(certificates, { listener, defaultCertificate, hosts, now });
  for (const binding of bindings) {
    checkBinding(binding, names, lacking, around);
  }
  return { names, certified: usable.flatMap((each) => each.names) };
}

function checkBinding(
  { host, span }: BindingConfig,
  { find, fallback }: CertificateNames,
  lacking: boolean,
  { report, filesAtHand, certificates, bound }: Surroundings,
): void {
  const found = host === '' ? fallback : find(host);
  if (!found && lacking) return;
  if (!found && host.startsWith('*.')) {
    report('LG4024', span, {
      message: `no certificate has the name ${host} of this binding; clients will get ${nameOf(fallback?.[0])}`,
      advice: `Get a certificate for ${host}, or write a binding for each name.`,
    });
  } else if (!found) {
    report('LG4023', span, () => {
      const cure = cureFor([host], filesAtHand());
      const wanted = `${asMeant(host, certificates, bound)}Put a certificate that has ${host} among its alternative names into the certificate folder.`;
      return {
        // One file that lies there is one cause, however many hosts it has.
        ...(cure?.isCertain ? { subject: cure.advice } : {}),
        message: `no certificate covers ${host}; clients would get ${nameOf(fallback?.[0])}`,
        advice: cureText(wanted, cure),
      };
    });
  } else if (host !== '' && !found[0].names.some((name) => covers(name, host))) {
    report('LG4032', span, {
      message: `${found[0].file} serves ${host} by its file name, but has only the names ${listOf(found[0].names)}`,
      advice: `Clients will warn: get a certificate that has ${host} among its alternative names.`,
    });
  }
}

/** A name that a certificate has and no binding: that of a sibling is not what is misspelt. */
function asMeant(host: string, certificates: readonly CertificateData[], bound: ReadonlySet<string>): string {
  const names = certificates.flatMap((each) => each.names).filter((name) => !bound.has(name));
  const near = nearestHost(asLetters(host), names);
  return near === undefined ? '' : `Did you mean ${near}? Then write that. `;
}

function covers(name: string, host: string): boolean {
  return (
    name === host || (name.startsWith('*.') && host.indexOf('.') > 0 && host.slice(host.indexOf('.')) === name.slice(1))
  );
}

/** @returns the listeners that lack the certificate which is to be their default: whose other names it had is not known */
function checkDefault(
  listeners: ReadonlyMap<string, readonly BindingConfig[]>,
  { certificates, settings: { defaultCertificate: setting }, report, now }: Surroundings,
): ReadonlySet<string> {
  if (!setting || certificates.length === 0) return new Set();
  const entries = 'name' in setting ? [['', setting] as const] : Object.entries(setting.byListener);
  const lacking = new Set<string>();
  for (const [listener, { name, span }] of entries) {
    // For every listener: what no listener knows, tied certificates included, matches nothing.
    const candidates = usableOn(listener, listener === '' ? certificates.map(untied) : certificates);
    const { find } = nameCertificates(candidates, { listener, hosts: [], now });
    const wanted = defaultNameFor({ listener, defaultCertificate: setting }) ?? name;
    if (namedDefault(candidates, wanted, find)) continue;
    const its = listener === '' ? [...listeners.keys()] : [listener];
    for (const each of its) lacking.add(each);
    const hosts = its
      .flatMap((each) => listeners.get(each) ?? [])
      .map(({ host }) => host)
      .filter((host) => host !== '' && !find(host));
    report('LG4028', span, {
      message: `defaultCertificate: no certificate${listener && ` of ${listener}`} has the name or thumbprint "${name}"${hosts.length > 0 ? `, and none covers ${listOf([...new Set(hosts)])}` : ''}`,
      advice: `Put the file that has it into the certificate folder, name one of ${listOf([...new Set(candidates.flatMap(({ names }) => names))])}, or give the thumbprint as Windows shows it.`,
    });
  }
  return lacking;
}

function untied({ listeners: _, ...certificate }: CertificateData): CertificateData {
  return certificate;
}

function nameOf(certificate: CertificateData | undefined): string {
  return certificate ? `the certificate of ${listOf(certificate.names)}` : 'none';
}

function listOf(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown || 'no name';
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function startOf(file: string): Span {
  return { file, start: 0, end: 0 };
}
