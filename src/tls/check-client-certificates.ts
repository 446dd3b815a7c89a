/** What can be wrong with `tls.clientCertificates`: no authority to judge by, and listeners that are not there. */
import type { Report } from '../config/diagnostic.ts';
import type { SiteConfig } from '../config/model.ts';
import type { SettingsConfig } from '../config/settings-model.ts';
import { canonicalListener } from './certificate-names.ts';

/**
 * Errors: somebody who was to be kept out would be let in, or nobody would be.
 * @param sites nothing where not all of their bindings are known
 */
export function checkClientCertificates(
  sites: readonly Pick<SiteConfig, 'bindings'>[] | undefined,
  { file, misread, tls: { clientCertificates } }: Pick<SettingsConfig, 'file' | 'misread' | 'tls'>,
  report: Report,
): void {
  if (clientCertificates === undefined || misread?.has('tls')) return;
  const span = { file, start: 0, end: 0 };
  if (clientCertificates.ca.length === 0) {
    report('LG4034', span, {
      message: 'tls.clientCertificates: "ca" names no file, so no certificate of a client would be trusted',
      advice: 'Name the file with the certificates of the authorities that issue those of your clients.',
    });
  }
  if (sites === undefined) return;
  const bindings = sites.flatMap((site) => site.bindings.filter(({ protocol }) => protocol === 'https'));
  const open = new Set(bindings.map(({ address, port }) => canonicalListener(`${address}:${port}`)));
  for (const listener of clientCertificates.listeners ?? []) {
    if (open.has(canonicalListener(listener))) continue;
    report('LG4035', span, {
      message: `tls.clientCertificates: no https binding opens ${listener}, so nobody is asked for a certificate there`,
      advice: `Write the address and port as the binding has them; https bindings open ${[...open].join(', ') || 'nothing'}.`,
    });
  }
}
