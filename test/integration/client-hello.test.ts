/** Row T01 of the list of threats: server names that no library would send, in a ClientHello written by hand. */
import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { ask, openRaw } from './clients.ts';
import { applicationHost, authority, startProxy } from './environment.ts';
import { freePort } from './ports.ts';

const EXACT = 'meet.contoso.com';
const WILDCARD = '*.fabrikam.com';
const FALLBACK = 'default.contoso.com';

const u8 = (value: number) => Buffer.from([value]);
const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const sized = (bytes: Buffer) => Buffer.concat([u16(bytes.length), bytes]);
const extension = (type: number, bytes: Buffer) => Buffer.concat([u16(type), sized(bytes)]);
/** RFC 6066 3: a list of names of type 0. */
const serverNames = (...names: readonly Buffer[]) =>
  extension(0, sized(Buffer.concat(names.map((name) => Buffer.concat([u8(0), sized(name)])))));

/** TLS 1.2, so that the certificate comes in the clear. */
function clientHello(sni: Buffer): Buffer {
  const extensions = Buffer.concat([
    sni,
    extension(10, sized(Buffer.concat([u16(23), u16(29)]))),
    extension(11, Buffer.from([1, 0])),
    extension(13, sized(Buffer.concat([u16(0x0403), u16(0x0804), u16(0x0401)]))),
  ]);
  const ciphers = sized(Buffer.concat([0xc02b, 0xc02f, 0xc02c, 0xc030].map(u16)));
  const body = Buffer.concat([
    u16(0x0303),
    Buffer.alloc(32, 7),
    u8(0),
    ciphers,
    Buffer.from([1, 0]),
    sized(extensions),
  ]);
  const message = Buffer.concat([u8(1), u8(0), u16(body.length), body]);
  return Buffer.concat([u8(22), u16(0x0301), sized(message)]);
}

/** The name in the certificate that came, or the alert. */
function toldBy(received: string): string | undefined {
  const bytes = Buffer.from(received, 'latin1');
  let handshake = Buffer.alloc(0);
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    const record = bytes.subarray(at + 5, at + 5 + bytes.readUInt16BE(at + 3));
    if (bytes[at] === 21 && record.length === 2) return `alert ${record[1]}`;
    handshake = Buffer.concat([handshake, record]);
  }
  for (let at = 0; at + 4 <= handshake.length; at += 4 + handshake.readUIntBE(at + 1, 3)) {
    const message = handshake.subarray(at + 4, at + 4 + handshake.readUIntBE(at + 1, 3));
    if (handshake[at] !== 11 || message.length < handshake.readUIntBE(at + 1, 3)) continue;
    const certificate = new X509Certificate(message.subarray(6, 6 + message.readUIntBE(3, 3)));
    return certificate.subjectAltName?.replace('DNS:', '');
  }
  return undefined;
}

const UNRECOGNIZED_NAME = 'alert 112';
const DECODE_ERROR = 'alert 50';
const names = (text: string) => serverNames(Buffer.from(text, 'latin1'));

test('every server name has its certificate, the default or an alert, and none brings the listener down', async () => {
  const port = await freePort();
  await startProxy({
    iis: applicationHost({ bindings: [`https *:${port}:${EXACT}`, `https *:${port}:`] }),
    certificates: { exact: [EXACT], wildcard: [WILDCARD], fallback: [FALLBACK] },
    settings: { defaultCertificate: FALLBACK },
  });
  const rows: readonly [string, Buffer, string][] = [
    ['none', Buffer.alloc(0), FALLBACK],
    ['known', names(EXACT), EXACT],
    ['capitals', names(EXACT.toUpperCase()), EXACT],
    ['trailing dot', names(`${EXACT}.`), EXACT],
    ['wildcard', names('a.fabrikam.com'), WILDCARD],
    ['wildcard in capitals, with a trailing dot', names('A.FABRIKAM.COM.'), WILDCARD],
    ['one label too many', names('a.b.fabrikam.com'), FALLBACK],
    ['the wildcard itself', names(WILDCARD), WILDCARD],
    ['unknown', names('nobody.example'), FALLBACK],
    ['an IPv4 address', names('127.0.0.1'), FALLBACK],
    ['an IPv6 address', names('::1'), FALLBACK],
    ['255 bytes', names('x'.repeat(255)), FALLBACK],
    ['256 bytes', names('x'.repeat(256)), UNRECOGNIZED_NAME],
    ['NUL', names(`${EXACT}\0.evil.example`), UNRECOGNIZED_NAME],
    ['only NUL', names('\0'), UNRECOGNIZED_NAME],
    ['a path', names('../../etc/passwd'), FALLBACK],
    ['an underscore', names('a_b.fabrikam.com'), WILDCARD],
    ['UTF-8', serverNames(Buffer.from('wwẃ.example')), FALLBACK],
    ['bytes that are no UTF-8', names('\xff\xfe\x80'), FALLBACK],
    ['a line end', names('a\r\nb'), FALLBACK],
    ['a name of JavaScript', names('__proto__'), FALLBACK],
    ['empty', names(''), FALLBACK],
    ['two names', serverNames(Buffer.from(EXACT), Buffer.from('evil.example')), DECODE_ERROR],
    ['an empty list', extension(0, sized(Buffer.alloc(0))), DECODE_ERROR],
    ['a list that is cut', extension(0, u16(40)), DECODE_ERROR],
    ['two lists', Buffer.concat([names(EXACT), names('evil.example')]), 'alert 47'],
  ];
  const told: Record<string, string | undefined> = {};
  for (const [name, sni] of rows) {
    const client = openRaw(port);
    client.socket.write(clientHello(sni));
    told[name] = toldBy(await client.when((received) => toldBy(received) !== undefined));
    client.socket.destroy();
  }
  expect(told).toEqual(Object.fromEntries(rows.map(([name, , expected]) => [name, expected])));
  const after = await ask({ protocol: 'HTTP/1.1', port, host: EXACT, ca: authority.certPem });
  expect(after.certificate).toBe(`DNS:${EXACT}`);
});
