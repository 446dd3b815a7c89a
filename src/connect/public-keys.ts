/** The keys that a farm's `publicKeys` lists: read, and compared with the key of a server's certificate. */
import type { PublicKeyConfig, WebFarmConfig } from '../config/farm-model.ts';

export interface PublicKey {
  /** A whole SubjectPublicKeyInfo, or the bare key that stands in one; base64. */
  readonly bytes: string;
  /** Dotted; `''` for any. */
  readonly algorithmOid: string;
}

/** The shortest key that a certificate can have: Ed25519. A SHA-1 thumbprint, which is no key, has 20 bytes. */
const SHORTEST = 32;

/** What cannot be read has kept the service from starting. */
export function readPublicKeys({ publicKeys }: WebFarmConfig): readonly PublicKey[] {
  return publicKeys.map(readPublicKey).filter((key) => typeof key !== 'string');
}

/**
 * Hexadecimal or base64, with blanks and line ends anywhere.
 * @returns what is wrong with it, where it cannot be read
 */
export function readPublicKey({ bytes: { value }, algorithmOid }: PublicKeyConfig): PublicKey | string {
  const text = value.replace(/\s+/g, '');
  const hex = /^(?:[\da-f]{2})+$/i.test(text);
  if (!hex && !/^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(text)) {
    return 'bytes is neither hexadecimal nor base64';
  }
  const bytes = Buffer.from(text, hex ? 'hex' : 'base64');
  if (bytes.length < SHORTEST) return `bytes has ${bytes.length} bytes, which is too short for a key`;
  const oid = algorithmOid.trim();
  if (!/^(?:[0-2](?:\.(?:0|[1-9]\d{0,15}))+)?$/.test(oid)) {
    return `algorithmOid "${oid}" is no object identifier such as 1.2.840.113549.1.1.1`;
  }
  return { bytes: bytes.toString('base64'), algorithmOid: oid };
}

/** @param spki the SubjectPublicKeyInfo of a certificate (RFC 5280 4.1.2.7), as OpenSSL writes it */
export function isListed(keys: readonly PublicKey[], spki: Buffer): boolean {
  const whole = spki.toString('base64');
  const { algorithmOid, key } = partsOf(spki);
  const bare = key.toString('base64');
  return keys.some(
    (each) =>
      (each.bytes === whole || each.bytes === bare) && (each.algorithmOid === '' || each.algorithmOid === algorithmOid),
  );
}

/** SEQUENCE { SEQUENCE { OBJECT IDENTIFIER, parameters }, BIT STRING }, all lengths definite. */
function partsOf(spki: Buffer): { algorithmOid: string; key: Buffer } {
  const algorithm = contentsAt(spki, contentsAt(spki, 0).start);
  const oid = contentsAt(spki, algorithm.start);
  const key = contentsAt(spki, algorithm.end);
  // The first octet of a BIT STRING counts the bits that are not used; keys have none.
  return { algorithmOid: dotted(spki.subarray(oid.start, oid.end)), key: spki.subarray(key.start + 1, key.end) };
}

/** Where the contents of the element that begins at `at` stand. */
function contentsAt(der: Buffer, at: number): { start: number; end: number } {
  const first = der.readUInt8(at + 1);
  const octets = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + octets;
  return { start, end: start + (octets === 0 ? first : der.readUIntBE(at + 2, octets)) };
}

function dotted(oid: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of oid) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [head = 0, ...rest] = arcs;
  const root = Math.min(2, Math.floor(head / 40));
  return [root, head - root * 40, ...rest].join('.');
}
