/** Reads PFX (PKCS #12) files as Windows and OpenSSL export them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { at, childrenOf, type Element, octetsOf, oidOf, readElement, TAG } from './der.ts';
import { decryptWithPassword, macFits, type Password } from './pfx-encryption.ts';

/** What can be wrong with a certificate file as such. */
export type Fault = 'damaged' | 'password' | 'unsupported';

/** Certificates and keys of one file, in its order. */
export interface FileContents {
  readonly certificates: readonly X509Certificate[];
  readonly keys: readonly KeyObject[];
}

const data = '1.2.840.113549.1.7.1';
const encryptedData = '1.2.840.113549.1.7.6';
const keyBag = '1.2.840.113549.1.12.10.1.1';
const shroudedKeyBag = '1.2.840.113549.1.12.10.1.2';
const certBag = '1.2.840.113549.1.12.10.1.3';
const safeContentsBag = '1.2.840.113549.1.12.10.1.6';
const x509Certificate = '1.2.840.113549.1.9.22.1';

interface Bags {
  readonly certificates: X509Certificate[];
  readonly keys: KeyObject[];
}

/** Reads the file with the first of `passwords` that fits. */
export function readPfx(bytes: Buffer, passwords: readonly Password[]): FileContents | Fault {
  const pfx = readElement(bytes);
  const [, authSafe, macData] = childrenOf(pfx);
  const kind = oidOf(at(authSafe, 0));
  if (kind !== data) {
    // Signed by a key instead of protected by a password, or no PFX at all.
    return kind === '' ? 'damaged' : 'unsupported';
  }
  const content = octetsOf(at(authSafe, 1, 0));
  const safes = childrenOf(readElement(content));
  if (safes.length === 0) {
    return 'damaged';
  }
  let fault: Fault = 'password';
  for (const password of passwords) {
    const fits = macFits(macData, content, password);
    if (fits !== false) {
      const read = readSafes(safes, password, fits === true);
      if (typeof read !== 'string') {
        return read;
      }
      fault = read;
    }
  }
  return fault;
}

/** @param certain the password is known to be right; else what decrypts to nonsense was decrypted with a wrong one */
function readSafes(safes: readonly Element[], password: Password, certain: boolean): FileContents | Fault {
  const bags: Bags = { certificates: [], keys: [] };
  for (const safe of safes) {
    const plain = contentOf(safe, password);
    const fault = Buffer.isBuffer(plain) ? readBags(readElement(plain), password, bags) : plain;
    if (fault) {
      const decrypted = Buffer.isBuffer(plain) && oidOf(at(safe, 0)) === encryptedData;
      return decrypted && !certain ? 'password' : fault;
    }
  }
  return bags;
}

function contentOf(safe: Element, password: Password): Buffer | Fault {
  const kind = oidOf(at(safe, 0));
  if (kind === data) {
    return octetsOf(at(safe, 1, 0));
  }
  if (kind !== encryptedData) {
    return 'unsupported';
  }
  const [, algorithm, encrypted] = childrenOf(at(safe, 1, 0, 1));
  const result = decryptWithPassword(algorithm, octetsOf(encrypted), password);
  return 'plain' in result ? result.plain : result.fault;
}

function readBags(contents: Element | undefined, password: Password, into: Bags, depth = 0): Fault | undefined {
  if (contents?.tag !== TAG.sequence) {
    // Without a MAC a wrong password may show here only: the padding happened to be right, the text is noise.
    return 'password';
  }
  if (depth > 4) {
    return 'damaged';
  }
  for (const bag of childrenOf(contents)) {
    const fault = readBag(oidOf(at(bag, 0)), at(bag, 1, 0), { password, into, depth });
    if (fault) {
      return fault;
    }
  }
  return undefined;
}

function readBag(
  kind: string,
  value: Element | undefined,
  { password, into, depth }: { password: Password; into: Bags; depth: number },
): Fault | undefined {
  if (kind === certBag) {
    return oidOf(at(value, 0)) === x509Certificate ? addCertificate(octetsOf(at(value, 1, 0)), into) : undefined;
  }
  if (kind === keyBag) {
    return addKey(value?.bytes, into);
  }
  if (kind === shroudedKeyBag) {
    const result = decryptWithPassword(at(value, 0), octetsOf(at(value, 1)), password);
    return 'plain' in result ? addKey(result.plain, into) : result.fault;
  }
  return kind === safeContentsBag ? readBags(value, password, into, depth + 1) : undefined;
}

function addCertificate(bytes: Buffer, into: Bags): Fault | undefined {
  try {
    into.certificates.push(new X509Certificate(bytes));
    return undefined;
  } catch {
    return 'damaged';
  }
}

function addKey(pkcs8: Buffer | undefined, into: Bags): Fault | undefined {
  if (!pkcs8 || !readElement(pkcs8)) {
    return 'password';
  }
  try {
    into.keys.push(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
    return undefined;
  } catch {
    return 'unsupported';
  }
}
