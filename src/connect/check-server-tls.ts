/** What can be wrong with the TLS that settings.json asks for toward the servers of a farm. */
import { createSecureContext } from 'node:tls';
import type { Report } from '../config/diagnostic.ts';
import type { FarmSettings, SettingsConfig } from '../config/settings-model.ts';
import { isOutdated, protocolOptions } from './server-tls.ts';

/** Reports LG4030 (error: no connection could be made) and LG4037 (warning). */
export function checkServerTls({ farms }: Pick<SettingsConfig, 'farms'>, report: Report): void {
  for (const farm of farms.values()) {
    checkCiphers(farm, report);
    const { minVersion } = farm;
    if (minVersion === undefined || !isOutdated(minVersion.value)) continue;
    report('LG4037', minVersion.span, {
      message: `${minVersion.value === 'TLSv1' ? 'TLS 1.0 and 1.1 are' : 'TLS 1.1 is'} spoken with the servers of this farm, so short keys, SHA-1 signatures and unsafe renegotiation are taken as well.`,
      advice: 'Let the servers speak TLS 1.2, then remove this.',
    });
  }
}

function checkCiphers({ ciphers, minVersion }: FarmSettings, report: Report): void {
  if (ciphers === undefined) return;
  try {
    createSecureContext(
      protocolOptions({ ciphers: ciphers.value, ...(minVersion && { minVersion: minVersion.value }) }),
    );
  } catch {
    report('LG4030', ciphers.span, {
      message: `OpenSSL accepts no cipher of "${ciphers.value}".`,
      advice:
        'Use names that "openssl ciphers" prints, separated by colons; RC4 and 3DES are no part of the OpenSSL in Node.',
    });
  }
}
