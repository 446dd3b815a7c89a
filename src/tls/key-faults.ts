/** Keys that can be read and not be worked with: a byte that was changed shows nowhere else before the first handshake. */
import { createPublicKey, type KeyObject, sign, verify, type X509Certificate } from 'node:crypto';
import { codeOf } from '../errors.ts';
import type { Fault, FileContents } from './pfx.ts';

/** What is wrong with the keys of a file, those in its certificates included. */
export function keyFault({ certificates, keys }: FileContents): Fault | undefined {
  for (const certificate of certificates) {
    const fault = publicKeyFault(certificate);
    if (fault) return fault;
  }
  return keys.every(signs) ? undefined : 'damaged';
}

/** Node decodes the key of a certificate when it is first asked for. */
function publicKeyFault(certificate: X509Certificate): Fault | undefined {
  try {
    certificate.publicKey.export({ type: 'spki', format: 'der' });
    return undefined;
  } catch (error) {
    return codeOf(error).includes('UNSUPPORTED') ? 'unsupported' : 'damaged';
  }
}

const SAMPLE = Buffer.from('Lychgate');

/** Kinds of keys that certificates of servers have, and the digest that each signs with. */
const DIGESTS = new Map<string | undefined, string | null>([
  ['rsa', 'sha256'],
  ['rsa-pss', 'sha256'],
  ['ec', 'sha256'],
  ['ed25519', null],
  ['ed448', null],
]);

/** What the private numbers sign, the public ones beside them must verify. */
function signs(key: KeyObject): boolean {
  const digest = DIGESTS.get(key.asymmetricKeyType);
  if (digest === undefined) return true;
  // RSA-PSS keys may be bound to a digest.
  const own = digest && (key.asymmetricKeyDetails?.hashAlgorithm ?? digest);
  try {
    return verify(own, SAMPLE, createPublicKey(key), sign(own, SAMPLE, key));
  } catch {
    return false;
  }
}
