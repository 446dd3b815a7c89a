/** Names that rules wait for on listeners that take any host: whether clients get a certificate for them. */
import { isIP } from 'node:net';
import type { Report, Span } from '../config/diagnostic.ts';
import type { CertificateNames } from './certificate-names.ts';

/** What a condition on the host wants of a request. */
export interface AskedHost {
  /** The site whose rules ask; nothing for global rules. */
  readonly site: string | undefined;
  readonly rule: string;
  readonly pattern: string;
  readonly span: Span;
  /** Every host that it takes, lower case; nothing where they are many. */
  readonly hosts: readonly string[] | undefined;
  readonly accepts: (host: string) => boolean;
}

/** @param names what the certificates of one listener cover, which takes any host */
export function checkAskedHosts(
  asked: readonly AskedHost[],
  listener: { readonly names: CertificateNames; readonly certified: readonly string[] },
  report: Report,
): void {
  for (const each of asked) {
    const missing = uncovered(each, listener);
    if (missing === undefined) continue;
    report('LG4033', each.span, {
      message: `No certificate covers ${missing}, which rule "${each.rule}" waits for: clients that ask for it by https are warned.`,
      advice: 'Put a certificate that has the name among its alternative names into the certificate folder.',
    });
  }
}

function uncovered(
  { hosts, pattern, accepts }: AskedHost,
  { names, certified }: { readonly names: CertificateNames; readonly certified: readonly string[] },
): string | undefined {
  if (hosts) {
    // Names without a dot and addresses are for tests on the machine itself.
    const missing = hosts.filter((host) => host.includes('.') && isIP(host) === 0 && !names.find(host));
    return missing.length > 0 ? missing.join(', ') : undefined;
  }
  // Whether one of the names below a wildcard fits the pattern cannot be told.
  const some = certified.some((name) => name.startsWith('*') || accepts(name));
  return some ? undefined : `any host that "${pattern}" matches`;
}
