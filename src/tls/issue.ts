/** Makes throw-away authorities and certificates, for the demo, for tests, and for a first start without a real one. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import { childrenOf, der, derOid, readElement, TAG } from './der.ts';
import { ATTRIBUTE_OIDS } from './distinguished-name.ts';

/** Attribute and value pairs, most general first: `[['C', 'NO'], ['O', 'Contoso'], ['CN', 'www.contoso.com']]`. */
export type SubjectName = readonly (readonly [attribute: string, value: string])[];

export interface Authority {
  readonly certPem: string;
  readonly keyPem: string;
  /** Certificates between this one and its root, this one first; empty for a root. */
  readonly intermediatesPem: string;
  readonly subject: SubjectName;
}

export interface Issued {
  /** The leaf alone. */
  readonly certPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
  /** Leaf and intermediates, without the root. */
  readonly chainPem: string;
}

export interface IssueOptions {
  /** `ec` (P-256) where it is left out: made in a moment. */
  readonly keyType?: 'rsa' | 'ec';
  /** For RSA; 2048 where it is left out. */
  readonly keyBits?: number;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Digest of the signature; sha256 where it is left out. */
  readonly digest?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  readonly subject?: SubjectName;
}

export interface CertificateRequest extends IssueOptions {
  /** Subject alternative names: host names, wildcards and IP addresses. */
  readonly names: readonly string[];
  /** Whom it stands for, as its extended key usage says; a server where it is left out. */
  readonly usage?: 'server' | 'client' | 'both';
}

const day = 86_400_000;

/** A new authority: a root of its own, or an intermediate below `parent`. */
export function createAuthority(commonName: string, options: IssueOptions & { parent?: Authority } = {}): Authority {
  const { parent } = options;
  const key = createKey(options);
  const subject = options.subject ?? [['CN', commonName]];
  const extensions = [
    extension('2.5.29.19', der(TAG.sequence, der(0x01, Buffer.from([0xff]))), true),
    // keyCertSign and cRLSign.
    extension('2.5.29.15', bits(1, 0x06), true),
  ];
  const signer = parent ?? { keyPem: pemOf(key), subject };
  const certPem = issue({ subject, key, extensions, signer, years: 10, options });
  return {
    certPem,
    keyPem: pemOf(key),
    intermediatesPem: parent ? certPem + parent.intermediatesPem : '',
    subject,
  };
}

const usageOids = { server: ['1.3.6.1.5.5.7.3.1'], client: ['1.3.6.1.5.5.7.3.2'] } as const;

/** A certificate for these names; its common name is the first of them. */
export function issueCertificate(authority: Authority, request: CertificateRequest): Issued {
  const key = createKey(request);
  const subject = request.subject ?? [['CN', request.names[0] ?? 'localhost']];
  const names = request.names.map(alternativeName);
  const { usage = 'server' } = request;
  const usages = usage === 'both' ? [...usageOids.server, ...usageOids.client] : usageOids[usage];
  const extensions = [
    // digitalSignature and keyEncipherment.
    extension('2.5.29.15', bits(5, 0xa0), true),
    extension('2.5.29.37', der(TAG.sequence, ...usages.map(derOid))),
    ...(names.length > 0 ? [extension('2.5.29.17', der(TAG.sequence, ...names))] : []),
  ];
  const certPem = issue({ subject, key, extensions, signer: authority, years: 1, options: request });
  return { certPem, keyPem: pemOf(key), chainPem: certPem + authority.intermediatesPem };
}

function createKey({ keyType = 'ec', keyBits = 2048 }: IssueOptions): KeyObject {
  return keyType === 'ec'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    : generateKeyPairSync('rsa', { modulusLength: keyBits }).privateKey;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Puts the certificate together and signs it. */
function issue(what: {
  subject: SubjectName;
  key: KeyObject;
  extensions: Buffer[];
  signer: { keyPem: string; subject: SubjectName };
  years: number;
  options: IssueOptions;
}): string {
  const { options, signer } = what;
  const signingKey = createPrivateKey(signer.keyPem);
  const digest = options.digest ?? 'sha256';
  const algorithm = signatureAlgorithm(signingKey, digest);
  // A day back, as clocks of test machines differ.
  const notBefore = options.notBefore ?? new Date(Date.now() - day);
  const notAfter = options.notAfter ?? new Date(notBefore.getTime() + what.years * 365 * day);
  const publicKey = createPublicKey(what.key).export({ type: 'spki', format: 'der' });
  const identifiers = [
    extension('2.5.29.14', der(TAG.octetString, keyIdentifier(publicKey))),
    extension('2.5.29.35', der(TAG.sequence, der(0x80, keyIdentifier(spkiOf(signingKey))))),
  ];
  const toBeSigned = der(
    TAG.sequence,
    der(0xa0, der(TAG.integer, Buffer.from([2]))),
    der(TAG.integer, serialNumber()),
    algorithm,
    derName(signer.subject),
    der(TAG.sequence, derTime(notBefore), derTime(notAfter)),
    derName(what.subject),
    publicKey,
    der(0xa3, der(TAG.sequence, ...what.extensions, ...identifiers)),
  );
  const signature = der(TAG.bitString, Buffer.from([0]), sign(digest, toBeSigned, signingKey));
  return new X509Certificate(der(TAG.sequence, toBeSigned, algorithm, signature)).toString();
}

const signatureOids: Readonly<Record<'rsa' | 'ec', Readonly<Record<string, string>>>> = {
  rsa: {
    sha1: '1.2.840.113549.1.1.5',
    sha256: '1.2.840.113549.1.1.11',
    sha384: '1.2.840.113549.1.1.12',
    sha512: '1.2.840.113549.1.1.13',
  },
  ec: {
    sha1: '1.2.840.10045.4.1',
    sha256: '1.2.840.10045.4.3.2',
    sha384: '1.2.840.10045.4.3.3',
    sha512: '1.2.840.10045.4.3.4',
  },
};

function signatureAlgorithm(key: KeyObject, digest: string): Buffer {
  const type = key.asymmetricKeyType === 'rsa' ? 'rsa' : 'ec';
  const oid = derOid(signatureOids[type][digest] ?? '');
  // RSA algorithms carry a NULL, ECDSA ones nothing (RFC 4055, RFC 5758).
  return type === 'rsa' ? der(TAG.sequence, oid, der(TAG.null)) : der(TAG.sequence, oid);
}

/** Positive, and without a leading zero octet: the first octet is set. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

function spkiOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

/** SHA-1 of the key's bits, as RFC 5280 section 4.2.1.2 proposes. */
function keyIdentifier(spki: Buffer): Buffer {
  const [, keyBits] = childrenOf(readElement(spki));
  return createHash('sha1')
    .update(keyBits?.contents.subarray(1) ?? spki)
    .digest();
}

function derName(subject: SubjectName): Buffer {
  const parts = subject.map(([attribute, value]) => {
    const oid = derOid(ATTRIBUTE_OIDS.get(attribute) ?? attribute);
    // Country is a PrintableString, e-mail and domain component are IA5Strings, the rest may be UTF-8 (RFC 5280 appendix A).
    const tag = attribute === 'C' ? 0x13 : attribute === 'E' || attribute === 'DC' ? 0x16 : TAG.utf8String;
    return der(TAG.set, der(TAG.sequence, oid, der(tag, Buffer.from(value))));
  });
  return der(TAG.sequence, ...parts);
}

/** UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5). */
function derTime(time: Date): Buffer {
  const digits = time.toISOString().replace(/\.\d+|[-:T]/g, '');
  return time.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : der(0x18, Buffer.from(digits, 'latin1'));
}

function extension(oid: string, value: Buffer, critical = false): Buffer {
  const mark = critical ? [der(0x01, Buffer.from([0xff]))] : [];
  return der(TAG.sequence, derOid(oid), ...mark, der(TAG.octetString, value));
}

function bits(unused: number, octet: number): Buffer {
  return der(TAG.bitString, Buffer.from([unused, octet]));
}

function alternativeName(name: string): Buffer {
  const family = isIP(name);
  return family === 0 ? der(0x82, Buffer.from(name, 'latin1')) : der(0x87, addressBytes(name, family));
}

function addressBytes(address: string, family: number): Buffer {
  if (family === 4) {
    return Buffer.from(address.split('.').map(Number));
  }
  const { address: canonical } = new SocketAddress({ address, family: 'ipv6' });
  const [head = '', tail] = canonical.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
