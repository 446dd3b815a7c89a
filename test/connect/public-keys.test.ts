import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isListed, readPublicKey } from '../../src/connect/public-keys.ts';

const span = { file: 'applicationHost.config', start: 0, end: 0 };
const read = (value: string, algorithmOid = '') => readPublicKey({ bytes: { value, span }, algorithmOid });

/** With the bare key, told in the formats that OpenSSL has for each kind. */
const spkiOf = (key: KeyObject) => key.export({ type: 'spki', format: 'der' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
const edwards = generateKeyPairSync('ed25519').publicKey;
const point = ({ x = '', y = '' }: { x?: string; y?: string }) =>
  Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);

const KINDS: readonly [string, Buffer, Buffer, string][] = [
  ['RSA', spkiOf(rsa), rsa.export({ type: 'pkcs1', format: 'der' }), '1.2.840.113549.1.1.1'],
  ['EC', spkiOf(ec), point(ec.export({ format: 'jwk' })), '1.2.840.10045.2.1'],
  ['Ed25519', spkiOf(edwards), Buffer.from(edwards.export({ format: 'jwk' }).x ?? '', 'base64url'), '1.3.101.112'],
];

describe.each(KINDS)('%s', (_name, spki, bare, oid) => {
  test.each([
    ['whole', spki],
    ['bare', bare],
  ])('a key that is written %s, in hexadecimal and base64, with blanks or without', (_form, bytes) => {
    const hex = bytes.toString('hex');
    const base64 = bytes.toString('base64');
    for (const text of [
      hex,
      hex.toUpperCase(),
      hex.replace(/(..)/g, '$1 '),
      base64,
      base64.replace(/(.{64})/g, '$1\r\n\t'),
    ]) {
      for (const algorithm of ['', oid, ` ${oid} `]) {
        const key = read(text, algorithm);
        if (typeof key === 'string') throw new Error(key);
        expect(isListed([key], spki)).toBe(true);
        expect(KINDS.filter(([, other]) => isListed([key], other)).map(([name]) => name)).toEqual([_name]);
      }
    }
  });

  test('a part of it, another algorithm and an empty list are not that key', () => {
    const listed = (bytes: Buffer, algorithm = '') => {
      const key = read(bytes.toString('hex'), algorithm);
      return typeof key !== 'string' && isListed([key], spki);
    };
    expect(listed(Buffer.concat([Buffer.alloc(32), bare]))).toBe(false);
    expect(listed(spki.subarray(1))).toBe(false);
    expect(listed(bare.subarray(1))).toBe(false);
    expect(listed(Buffer.concat([Buffer.from([0]), bare]))).toBe(false);
    expect(listed(bare, '1.2.3')).toBe(false);
    expect(isListed([], spki)).toBe(false);
  });
});

test.each([
  ['no key', ''],
  ['words', 'the key of our server, as exported'],
  ['half an octet', `${'ab'.repeat(40)}c`],
  ['base64 that is cut', Buffer.alloc(61, 'z').toString('base64').slice(0, -2)],
  ['a thumbprint', 'ab'.repeat(20)],
  ['base64url', '-_'.repeat(32)],
])('%s cannot be read', (_name, bytes) => {
  expect(read(bytes)).toBeTypeOf('string');
});

test.each(['RSA', '1', '1.2.', '3.1.2', '1.2.840.0113549', '1..2'])('%s is no object identifier', (oid) => {
  expect(read('ab'.repeat(40), oid)).toBeTypeOf('string');
});
