/** A certificate of ours with its chain and key, as plain data that can be sent to other processes. */
import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import { basename, extname } from 'node:path';
import { asciiName, isHostName } from '../host-name.ts';
import { distinguishedName, namesOfCertificate } from './distinguished-name.ts';
import { validityOf } from './validity.ts';

/** Everything a listener, a check and a log line need of one certificate. Holds the private key: never log it whole. */
export interface CertificateData {
  /** SHA-1 of the certificate in upper-case hexadecimal, as Windows shows it. */
  readonly thumbprint: string;
  /** SHA-256 of the certificate in upper-case hexadecimal. */
  readonly sha256: string;
  /** DNS names and IP addresses of the subject alternative names, lower case; the common name only where there are none. */
  readonly names: readonly string[];
  /** The name that a Central Certificate Store file name stands for: `www.example.com`, or `*.example.com` for `_.example.com.pfx`. */
  readonly storeName?: string;
  /** Object identifiers of what it may be used for (extended key usage); empty: for anything. */
  readonly usages: readonly string[];
  /** Leaf first, then each issuer in order, without the root. */
  readonly certPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
  /** Milliseconds since 1970; NaN where the file has no date that can be read. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly keyType: 'rsa' | 'ec' | 'other';
  readonly keyBits: number;
  /** Digest of the signature on the leaf, lower case (`sha256`); `''` where the algorithm names none. */
  readonly signatureDigest: string;
  /** As in `X-ARR-SSL`: most general part first, ASCII only. */
  readonly subject: string;
  readonly issuer: string;
  /** The file that it came from. */
  readonly file: string;
  /** `address:port` of the listeners it is tied to; absent: all. */
  readonly listeners?: readonly string[];
}

/** @param chain leaf first; @param key fits the leaf */
export function describeCertificate(
  chain: readonly [X509Certificate, ...X509Certificate[]],
  key: KeyObject,
  from: { file: string; listeners?: readonly string[] },
): CertificateData {
  const [leaf] = chain;
  const { subject, issuer } = namesOfCertificate(leaf.raw);
  const storeName = storeNameOf(from.file);
  return {
    thumbprint: leaf.fingerprint.replaceAll(':', ''),
    sha256: leaf.fingerprint256.replaceAll(':', ''),
    names: hostNamesOf(leaf),
    ...(storeName && { storeName }),
    // Node's name for the extended key usage.
    usages: leaf.keyUsage ?? [],
    certPem: chain.map((certificate) => certificate.toString()).join(''),
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...validityOf(leaf),
    ...keyOf(leaf),
    signatureDigest: digestOf(leaf),
    subject: distinguishedName(subject),
    issuer: distinguishedName(issuer),
    file: from.file,
    ...(from.listeners && { listeners: from.listeners }),
  };
}

const anyUsage = '2.5.29.37.0';

/** Whether it may be shown to clients. One for client authentication alone may not. */
export function isForClients({ usages }: Pick<CertificateData, 'usages'>): boolean {
  return usages.length === 0 || usages.includes('1.3.6.1.5.5.7.3.1') || usages.includes(anyUsage);
}

/** Whether it may be shown to servers, as the certificate of a client. */
export function isForServers({ usages }: Pick<CertificateData, 'usages'>): boolean {
  return usages.length === 0 || usages.includes('1.3.6.1.5.5.7.3.2') || usages.includes(anyUsage);
}

/** The names a certificate is good for; empty where it has none that a host could bear. */
export function hostNamesOf(certificate: X509Certificate): string[] {
  const names = [...alternativeNames(certificate.subjectAltName ?? '')];
  if (names.length > 0) {
    return [...new Set(names)];
  }
  const { subject } = namesOfCertificate(certificate.raw);
  const commonName = subject.findLast(({ oid }) => oid === '2.5.4.3')?.value ?? '';
  const name = coveredName(commonName);
  return name === undefined ? [] : [name];
}

/** A name as clients ask for it, in ASCII; nothing where no host could bear it. */
function coveredName(written: string): string | undefined {
  const name = asciiName(written);
  return name !== undefined && isHostName(name) && !name.endsWith('.') ? name : undefined;
}

/** Node quotes a value that holds a comma or a quote; such a value is no host name and is passed over. */
function* alternativeNames(text: string): Generator<string> {
  for (const [, type, value = ''] of text.matchAll(/(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)/g)) {
    const name = type === 'DNS' ? coveredName(value) : undefined;
    if (name !== undefined) {
      yield name;
    } else if (type === 'IP Address' && isIP(value) !== 0) {
      yield new SocketAddress({ address: value, family: isIP(value) === 6 ? 'ipv6' : 'ipv4' }).address;
    }
  }
}

function storeNameOf(file: string): string | undefined {
  const extension = extname(file).toLowerCase();
  const name = coveredName(basename(file).slice(0, -extension.length).replace(/^_\./, '*.'));
  return extension === '.pfx' && name?.includes('.') ? name : undefined;
}

const curveBits: Readonly<Record<string, number>> = {
  prime256v1: 256,
  secp256k1: 256,
  secp384r1: 384,
  secp521r1: 521,
};

function keyOf({ publicKey }: X509Certificate): Pick<CertificateData, 'keyType' | 'keyBits'> {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
  if (type === 'rsa' || type === 'rsa-pss') {
    return { keyType: 'rsa', keyBits: details?.modulusLength ?? 0 };
  }
  if (type === 'ec') {
    return { keyType: 'ec', keyBits: curveBits[details?.namedCurve ?? ''] ?? 0 };
  }
  return { keyType: 'other', keyBits: type === 'ed448' ? 456 : 256 };
}

function digestOf({ signatureAlgorithm }: X509Certificate): string {
  const found = /(md5|sha-?1|sha-?224|sha-?256|sha-?384|sha-?512)/i.exec(signatureAlgorithm ?? '');
  const digest = found?.[0].toLowerCase().replace('-', '') ?? '';
  return digest;
}

/** What a private key and the certificates it fits have in common. */
export function publicKeyOf(holder: X509Certificate | KeyObject): string {
  const key = 'publicKey' in holder ? holder.publicKey : createPublicKey(holder);
  return key.export({ type: 'spki', format: 'der' }).toString('base64');
}
