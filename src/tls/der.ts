/** The little of ASN.1 that certificates and PFX files need: reads BER (Windows writes indefinite lengths), writes DER. */

export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One tag with its contents. */
export interface Element {
  /** The identifier octet; the constructed bit (0x20) is part of it. */
  readonly tag: number;
  readonly contents: Buffer;
  /** Identifier, length and contents as they stand in the file. */
  readonly bytes: Buffer;
}

const deepest = 32;

/** The first element of `bytes`, or undefined where it is cut short or is no ASN.1. */
export function readElement(bytes: Buffer, depth = 0): Element | undefined {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined || depth > deepest || (tag & 0x1f) === 0x1f) {
    return undefined;
  }
  if (first === 0x80) {
    return readIndefinite(bytes, tag, depth);
  }
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  const start = 2 + lengthOctets;
  if (lengthOctets > 4 || start > bytes.length) {
    return undefined;
  }
  const length = lengthOctets === 0 ? first : bytes.readUIntBE(2, lengthOctets);
  const end = start + length;
  return end > bytes.length ? undefined : { tag, contents: bytes.subarray(start, end), bytes: bytes.subarray(0, end) };
}

function readIndefinite(bytes: Buffer, tag: number, depth: number): Element | undefined {
  let at = 2;
  for (;;) {
    const inner = readElement(bytes.subarray(at), depth + 1);
    if (!inner) {
      return undefined;
    }
    if (inner.tag === 0 && inner.contents.length === 0) {
      return { tag, contents: bytes.subarray(2, at), bytes: bytes.subarray(0, at + 2) };
    }
    at += inner.bytes.length;
  }
}

/** The elements inside a constructed one; empty where it is damaged. */
export function childrenOf(element: Element | undefined): Element[] {
  const children: Element[] = [];
  if (!element || (element.tag & 0x20) === 0) {
    return children;
  }
  for (let at = 0; at < element.contents.length; ) {
    const child = readElement(element.contents.subarray(at));
    if (!child) {
      return [];
    }
    children.push(child);
    at += child.bytes.length;
  }
  return children;
}

/** The element reached by going down by these child numbers. */
export function at(element: Element | undefined, ...path: number[]): Element | undefined {
  let current = element;
  for (const index of path) {
    current = childrenOf(current)[index];
  }
  return current;
}

/** The octets of an OCTET STRING, which BER may have cut into pieces. */
export function octetsOf(element: Element | undefined): Buffer {
  if (!element) {
    return Buffer.alloc(0);
  }
  return (element.tag & 0x20) === 0 ? element.contents : Buffer.concat(childrenOf(element).map(octetsOf));
}

/** A small INTEGER; undefined where it is none or larger than JavaScript counts exactly. */
export function integerOf(element: Element | undefined): number | undefined {
  if (element?.tag !== TAG.integer || element.contents.length === 0 || element.contents.length > 6) {
    return undefined;
  }
  return element.contents.readIntBE(0, element.contents.length);
}

/** An OBJECT IDENTIFIER in dotted form; `''` where it is none. */
export function oidOf(element: Element | undefined): string {
  if (element?.tag !== TAG.oid) {
    return '';
  }
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of element.contents) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const head = arcs.shift() ?? 0;
  const root = Math.min(2, Math.floor(head / 40));
  return [root, head - root * 40, ...arcs].join('.');
}

/** Writes one element. */
export function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) {
    return Buffer.concat([Buffer.from([tag, body.length]), body]);
  }
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const octets = length.subarray(length.findIndex((octet) => octet !== 0));
  return Buffer.concat([Buffer.from([tag, 0x80 | octets.length]), octets, body]);
}

/** Writes an OBJECT IDENTIFIER given in dotted form. */
export function derOid(dotted: string): Buffer {
  const [root = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(TAG.oid, Buffer.from([root * 40 + second, ...rest].flatMap(base128)));
}

function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
    octets.unshift(0x80 | (rest % 128));
  }
  return octets;
}
