/** From when until when a certificate is valid, in milliseconds since 1970: NaN for what its file says in no way that can be read. */
import type { X509Certificate } from 'node:crypto';

export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

export function validityOf(certificate: X509Certificate): Validity {
  const { validFrom, validFromDate, validTo, validToDate } = certificate;
  return { notBefore: timeOf(validFrom, validFromDate), notAfter: timeOf(validTo, validToDate) };
}

/** The order of ends: without one among those that cannot be read, a sound certificate could come behind. */
export function endOf({ notAfter }: Pick<Validity, 'notAfter'>): number {
  return Number.isNaN(notAfter) ? 0 : notAfter;
}

/** Of a date that OpenSSL cannot read Node makes any date; its words tell. */
function timeOf(words: string, date: Date): number {
  return words.startsWith('Bad') ? Number.NaN : date.getTime();
}
