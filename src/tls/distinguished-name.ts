/** Subject and issuer of a certificate as the strings that ARR puts into `X-ARR-SSL`. */
import { childrenOf, type Element, oidOf, readElement } from './der.ts';

/** Short names as Windows writes them (`S` and `E`, where OpenSSL writes `ST` and `emailAddress`). */
export const ATTRIBUTE_OIDS: ReadonlyMap<string, string> = new Map([
  ['CN', '2.5.4.3'],
  ['SN', '2.5.4.4'],
  ['SERIALNUMBER', '2.5.4.5'],
  ['C', '2.5.4.6'],
  ['L', '2.5.4.7'],
  ['S', '2.5.4.8'],
  ['STREET', '2.5.4.9'],
  ['O', '2.5.4.10'],
  ['OU', '2.5.4.11'],
  ['T', '2.5.4.12'],
  ['G', '2.5.4.42'],
  ['I', '2.5.4.43'],
  ['E', '1.2.840.113549.1.9.1'],
  ['DC', '0.9.2342.19200300.100.1.25'],
]);

const shortNames = new Map([...ATTRIBUTE_OIDS].map(([name, oid]) => [oid, name]));

export interface NameAttribute {
  readonly oid: string;
  readonly value: string;
}

/** Issuer and subject of a certificate in DER, each attribute in the order of the file (most general first). */
export function namesOfCertificate(certificate: Buffer): { issuer: NameAttribute[]; subject: NameAttribute[] } {
  const fields = childrenOf(childrenOf(readElement(certificate))[0]);
  // The version is optional and comes first, tagged [0]; then serial number, signature, issuer, validity, subject.
  const first = fields[0]?.tag === 0xa0 ? 1 : 0;
  return { issuer: attributesOf(fields[first + 2]), subject: attributesOf(fields[first + 4]) };
}

function attributesOf(name: Element | undefined): NameAttribute[] {
  return childrenOf(name).flatMap((relative) =>
    childrenOf(relative).map((attribute) => {
      const [type, value] = childrenOf(attribute);
      return { oid: oidOf(type), value: value ? textOf(value) : '' };
    }),
  );
}

function textOf({ tag, contents }: Element): string {
  if (tag === 0x1e) {
    // BMPString: two octets a character, the high one first.
    return Buffer.from(contents.subarray(0, contents.length & ~1))
      .swap16()
      .toString('utf16le');
  }
  return contents.toString(tag === 0x0c ? 'utf8' : 'latin1');
}

/**
 * `DC=no, DC=corp, CN=Some-CA`. What a header field or the vertical bars of `X-ARR-SSL` cannot carry is written as
 * `\C3\B8`, byte by byte: http.sys refuses every request that has such a character in the raw.
 */
export function distinguishedName(attributes: readonly NameAttribute[]): string {
  return attributes.map(({ oid, value }) => `${shortNames.get(oid) ?? `OID.${oid}`}=${quoted(value)}`).join(', ');
}

function quoted(value: string): string {
  const escaped = value.replace(/[^ -~]+|\|/g, (odd) =>
    [...Buffer.from(odd)].map((octet) => `\\${octet.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
  // As Windows does: quotes around what would otherwise end the value, quotes inside doubled.
  return /[,+="<>#;]|^ | $/.test(escaped) ? `"${escaped.replaceAll('"', '""')}"` : escaped;
}
