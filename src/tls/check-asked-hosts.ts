/** Names that rules wait for on listeners that take any host: whether clients get a certificate for them. */
import { isIP } from 'node:net';
import type { Report, Span } from '../config/diagnostic.ts';
import { asLetters } from '../host-name.ts';
import { nearestHost } from '../nearest.ts';
import { type CertificateNames, canonicalListener } from './certificate-names.ts';

/** What a condition on the host wants of a request. */
export interface AskedHost {
  readonly rule: string;
  readonly pattern: string;
  readonly span: Span;
  /** Every host that it takes, lower case; nothing where they are many. */
  readonly hosts: readonly string[] | undefined;
  readonly accepts: (host: string) => boolean;
  /** The listeners (`address:port`) where such a host, or any that it takes, can come in without a binding that names it. */
  readonly entrances: (host: string | undefined) => readonly string[];
}

/** What the certificates of a listener cover. */
export interface CertifiedListener {
  readonly names: CertificateNames;
  readonly certified: readonly string[];
}

/** What a file that lies there has to do with it. */
export interface Cure {
  readonly advice: string;
  /** It holds the certificate that is missing. */
  readonly isCertain: boolean;
}

/** @param wanted what is to be done where no file is at hand */
export function cureText(wanted: string, cure: Cure | undefined): string {
  if (cure === undefined) return wanted;
  return cure.isCertain ? cure.advice : `${wanted} It may be there: ${cure.advice}`;
}

interface Telling {
  /** Nothing where no file is at hand. */
  readonly cure: (hosts: readonly string[]) => Cure | undefined;
  /** Hosts of bindings and names of certificates: one of them may be meant. */
  readonly known: readonly string[];
  readonly report: Report;
}

/** @param listeners by their canonical name; what is not there has no certificates at all, which is told */
export function checkAskedHosts(
  asked: readonly AskedHost[],
  listeners: ReadonlyMap<string, CertifiedListener>,
  { cure, known, report }: Telling,
): void {
  for (const each of asked) {
    const missing = uncovered(each, listeners);
    if (missing === undefined) continue;
    report('LG4033', each.span, () => {
      const near = each.hosts?.length === 1 ? nearestHost(asLetters(missing), known) : undefined;
      const meant = near === undefined ? '' : `Did you mean ${near}? Then write that. `;
      const wanted = `${meant}Put a certificate that has the name among its alternative names into the certificate folder.`;
      const found = cure(each.hosts ?? []);
      return {
        ...(found?.isCertain ? { subject: found.advice } : {}),
        message: `No certificate covers ${missing}, which rule "${each.rule}" waits for: clients that ask for it by https are warned.`,
        advice: cureText(wanted, found),
      };
    });
  }
}

function uncovered(
  { hosts, pattern, accepts, entrances }: AskedHost,
  listeners: ReadonlyMap<string, CertifiedListener>,
): string | undefined {
  /** Nobody but the name service knows at which of them clients come in: one that has the certificate is the one. */
  const isMissing = (host: string | undefined, covers: (listener: CertifiedListener) => boolean) => {
    const found = entrances(host).map((each) => listeners.get(canonicalListener(each)));
    return found.length > 0 && found.every((listener) => listener !== undefined && !covers(listener));
  };
  if (hosts) {
    const missing = hosts.filter(
      // Names without a dot and addresses are for tests on the machine itself.
      (host) =>
        host.includes('.') && isIP(host) === 0 && isMissing(host, ({ names }) => names.find(host) !== undefined),
    );
    return missing.length > 0 ? missing.join(', ') : undefined;
  }
  // Whether one of the names below a wildcard fits the pattern cannot be told.
  const fits = ({ certified }: CertifiedListener) => certified.some((name) => name.startsWith('*') || accepts(name));
  return isMissing(undefined, fits) ? `any host that "${pattern}" matches` : undefined;
}
