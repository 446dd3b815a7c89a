/** Completes the chain that a listener sends: phones do not fetch a missing intermediate as Windows clients do. */
import type { X509Certificate } from 'node:crypto';
import { endOf, validityOf } from './validity.ts';

export interface Chain {
  /** Leaf first, each followed by its issuer, without the self-signed root. */
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
  /** False where not even the issuer of the leaf was found. */
  readonly issuerKnown: boolean;
}

/** Certificates by subject, to look issuers up in. */
export type Issuers = ReadonlyMap<string, readonly X509Certificate[]>;

export function issuersFrom(certificates: readonly X509Certificate[]): Issuers {
  const distinct = new Map(certificates.map((certificate) => [certificate.fingerprint256, certificate]));
  return Map.groupBy(distinct.values(), ({ subject }) => subject);
}

/**
 * @param own what stood in the leaf's own file: preferred where two certificates of one issuer would do
 * @param issuers everything found
 */
export function completeChain(leaf: X509Certificate, own: readonly X509Certificate[], issuers: Issuers): Chain {
  const certificates: [X509Certificate, ...X509Certificate[]] = [leaf];
  if (isSelfSigned(leaf)) {
    return { certificates, issuerKnown: true };
  }
  const ownPrints = new Set(own.map(({ fingerprint256 }) => fingerprint256));
  const taken = new Set([leaf.fingerprint256]);
  let current = leaf;
  for (;;) {
    const issuer = issuerOf(current, ownPrints, issuers);
    if (!issuer || taken.has(issuer.fingerprint256)) {
      return { certificates, issuerKnown: certificates.length > 1 };
    }
    if (isSelfSigned(issuer)) {
      return { certificates, issuerKnown: true };
    }
    taken.add(issuer.fingerprint256);
    certificates.push(issuer);
    current = issuer;
  }
}

function issuerOf(
  certificate: X509Certificate,
  own: ReadonlySet<string>,
  issuers: Issuers,
): X509Certificate | undefined {
  const rank = (candidate: X509Certificate) => (own.has(candidate.fingerprint256) ? 1 : 0);
  return (issuers.get(certificate.issuer) ?? [])
    .filter((candidate) => certificate.checkIssued(candidate) && certificate.verify(candidate.publicKey))
    .sort((a, b) => rank(b) - rank(a) || endOf(validityOf(b)) - endOf(validityOf(a)))[0];
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}
