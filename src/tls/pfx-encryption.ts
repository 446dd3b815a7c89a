/** Password-based encryption and integrity of PFX files: what Windows wrote since 2000 and what it writes today. */
import { createDecipheriv, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import forge from 'node-forge';
import { at, childrenOf, type Element, integerOf, octetsOf, oidOf, TAG } from './der.ts';

/** A password; null for none at all, which a PFX tells apart from an empty one. */
export type Password = string | null;

export type Decrypted = { readonly plain: Buffer } | { readonly fault: 'password' | 'damaged' | 'unsupported' };

interface PkcsCipher {
  readonly keyLength: number;
  readonly decrypt: (key: Buffer, iv: Buffer, data: Buffer) => Buffer | undefined;
}

const tripleDes = (key: Buffer, iv: Buffer, data: Buffer) =>
  // Two-key 3DES is three-key 3DES that uses its first key twice.
  decipher('des-ede3-cbc', key.length === 16 ? Buffer.concat([key, key.subarray(0, 8)]) : key, iv, data);

const pkcs12Ciphers: ReadonlyMap<string, PkcsCipher> = new Map([
  ['1.2.840.113549.1.12.1.3', { keyLength: 24, decrypt: tripleDes }],
  ['1.2.840.113549.1.12.1.4', { keyLength: 16, decrypt: tripleDes }],
  ['1.2.840.113549.1.12.1.5', { keyLength: 16, decrypt: rc2 }],
  ['1.2.840.113549.1.12.1.6', { keyLength: 5, decrypt: rc2 }],
]);

const pbes2 = '1.2.840.113549.1.5.13';
const pbkdf2 = '1.2.840.113549.1.5.12';

const pbes2Ciphers: ReadonlyMap<string, readonly [name: string, keyLength: number]> = new Map([
  ['2.16.840.1.101.3.4.1.2', ['aes-128-cbc', 16]],
  ['2.16.840.1.101.3.4.1.22', ['aes-192-cbc', 24]],
  ['2.16.840.1.101.3.4.1.42', ['aes-256-cbc', 32]],
  ['1.2.840.113549.3.7', ['des-ede3-cbc', 24]],
]);

const pseudoRandomFunctions: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.2.7', 'sha1'],
  ['1.2.840.113549.2.8', 'sha224'],
  ['1.2.840.113549.2.9', 'sha256'],
  ['1.2.840.113549.2.10', 'sha384'],
  ['1.2.840.113549.2.11', 'sha512'],
]);

const macDigests = new Map([
  ['1.3.14.3.2.26', { name: 'sha1', create: forge.md.sha1.create, size: 20 }],
  ['2.16.840.1.101.3.4.2.1', { name: 'sha256', create: forge.md.sha256.create, size: 32 }],
  ['2.16.840.1.101.3.4.2.2', { name: 'sha384', create: forge.md.sha384.create, size: 48 }],
  ['2.16.840.1.101.3.4.2.3', { name: 'sha512', create: forge.md.sha512.create, size: 64 }],
]);

/** Beyond this a count of rounds is a damaged file, not caution: it would hold the start for minutes. */
const mostRounds = 5_000_000;

/** Decrypts `data` as its AlgorithmIdentifier says. */
export function decryptWithPassword(algorithm: Element | undefined, data: Buffer, password: Password): Decrypted {
  const oid = oidOf(at(algorithm, 0));
  const cipher = pkcs12Ciphers.get(oid);
  if (cipher) {
    return decryptPkcs12(cipher, at(algorithm, 1), data, password);
  }
  return oid === pbes2 ? decryptPbes2(at(algorithm, 1), data, password) : { fault: 'unsupported' };
}

function decryptPkcs12(cipher: PkcsCipher, params: Element | undefined, data: Buffer, password: Password): Decrypted {
  const salt = octetsOf(at(params, 0));
  const rounds = roundsOf(at(params, 1));
  if (rounds === undefined) {
    return { fault: 'damaged' };
  }
  const derive = (id: number, length: number) =>
    deriveKey({ password, salt, id, rounds, length, create: forge.md.sha1.create });
  return plainOr(cipher.decrypt(derive(1, cipher.keyLength), derive(2, 8), data));
}

function decryptPbes2(params: Element | undefined, data: Buffer, password: Password): Decrypted {
  const derivation = at(params, 0, 1);
  const cipher = pbes2Ciphers.get(oidOf(at(params, 1, 0)));
  const [salt, roundsElement, ...options] = childrenOf(derivation);
  // keyLength and prf are both optional; the prf is the sequence, and without it HMAC-SHA1 is meant.
  const prf = options.find((option) => option.tag === TAG.sequence);
  const digest = prf ? pseudoRandomFunctions.get(oidOf(at(prf, 0))) : 'sha1';
  if (oidOf(at(params, 0, 0)) !== pbkdf2 || !cipher || !digest) {
    return { fault: 'unsupported' };
  }
  const rounds = roundsOf(roundsElement);
  if (rounds === undefined) {
    return { fault: 'damaged' };
  }
  const key = pbkdf2Sync(password ?? '', octetsOf(salt), rounds, cipher[1], digest);
  return plainOr(decipher(cipher[0], key, octetsOf(at(params, 1, 1)), data));
}

/**
 * Whether the PFX's MacData fits this password; undefined where there is none, or of a kind we cannot compute, so that only
 * decrypting will tell.
 */
export function macFits(macData: Element | undefined, content: Buffer, password: Password): boolean | undefined {
  const digest = macDigests.get(oidOf(at(macData, 0, 0, 0)));
  const roundsElement = at(macData, 2);
  const rounds = roundsElement ? roundsOf(roundsElement) : 1;
  if (!digest || rounds === undefined) {
    return undefined;
  }
  const key = deriveKey({
    password,
    salt: octetsOf(at(macData, 1)),
    id: 3,
    rounds,
    length: digest.size,
    create: digest.create,
  });
  const expected = octetsOf(at(macData, 0, 1));
  const actual = createHmac(digest.name, key).update(content).digest();
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function deriveKey(how: {
  password: Password;
  salt: Buffer;
  id: number;
  rounds: number;
  length: number;
  create: () => forge.md.MessageDigest;
}): Buffer {
  const salt = forge.util.createBuffer(how.salt.toString('latin1'));
  const key = forge.pkcs12.generateKey(how.password, salt, how.id, how.rounds, how.length, how.create());
  return Buffer.from(key.getBytes(), 'latin1');
}

function rc2(key: Buffer, iv: Buffer, data: Buffer): Buffer | undefined {
  const cipher = forge.rc2.createDecryptionCipher(key.toString('latin1'), key.length * 8);
  cipher.start(iv.toString('latin1'));
  cipher.update(forge.util.createBuffer(data.toString('latin1')));
  return cipher.finish() ? Buffer.from(cipher.output.getBytes(), 'latin1') : undefined;
}

function decipher(name: string, key: Buffer, iv: Buffer, data: Buffer): Buffer | undefined {
  try {
    const cipher = createDecipheriv(name, key, iv);
    return Buffer.concat([cipher.update(data), cipher.final()]);
  } catch {
    return undefined;
  }
}

function plainOr(plain: Buffer | undefined): Decrypted {
  return plain ? { plain } : { fault: 'password' };
}

function roundsOf(element: Element | undefined): number | undefined {
  const rounds = integerOf(element);
  return rounds !== undefined && rounds > 0 && rounds <= mostRounds ? rounds : undefined;
}
