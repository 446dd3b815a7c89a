import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import { decodeText, readPem } from '../../src/tls/pem.ts';
import { folder, openssl, put } from './material.ts';

const root = createAuthority('Test Root');
const made = {
  rsa: issueCertificate(root, { names: ['rsa.example.com'], keyType: 'rsa' }),
  ec: issueCertificate(root, { names: ['ec.example.com'] }),
};
const traditional = {
  rsa: createPrivateKey(made.rsa.keyPem).export({ type: 'pkcs1', format: 'pem' }).toString(),
  ec: createPrivateKey(made.ec.keyPem).export({ type: 'sec1', format: 'pem' }).toString(),
};

function encrypted(kind: 'rsa' | 'ec', ...args: string[]): string {
  const file = put(folder(), 'k.pem', made[kind].keyPem);
  return openssl(args[0] ?? 'pkcs8', '-in', file, ...args.slice(1)).toString();
}

const legacy = ['-provider', 'legacy', '-provider', 'default'];

/** The keys found, as PKCS #8; or the fault. */
function keysOf(text: string | Buffer, ...passphrases: string[]): string[] | string {
  const contents = readPem(Buffer.from(text), passphrases);
  return typeof contents === 'string'
    ? contents
    : contents.keys.map((key) => key.export({ type: 'pkcs8', format: 'pem' }).toString());
}

test.each(['rsa', 'ec'] as const)('%s keys of every form', (kind) => {
  const { keyPem } = made[kind];
  expect(keysOf(keyPem)).toEqual([keyPem]);
  expect(keysOf(traditional[kind])).toEqual([keyPem]);
  const forms = [
    encrypted(kind, 'pkcs8', '-topk8', '-passout', 'pass:secret'),
    encrypted(kind, 'pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES', '-passout', 'pass:secret'),
    encrypted(kind, kind, '-aes256', '-passout', 'pass:secret', ...(kind === 'rsa' ? ['-traditional'] : [])),
  ];
  for (const form of forms) {
    expect(keysOf(form, 'secret')).toEqual([keyPem]);
    expect(keysOf(form, 'wrong')).toBe('password');
    expect(keysOf(form)).toBe('password');
  }
});

test('an old cipher that OpenSSL 3 has put away is called unsupported, whatever the password', () => {
  const form = encrypted('ec', 'pkcs8', '-topk8', '-v1', 'PBE-SHA1-RC2-40', '-passout', 'pass:secret', ...legacy);
  expect(keysOf(form, 'secret')).toBe('unsupported');
});

test('an EC file with its parameters in front', () => {
  const parameters = openssl('ecparam', '-name', 'prime256v1').toString();
  expect(keysOf(parameters + traditional.ec)).toEqual([made.ec.keyPem]);
});

test('certificates in order, text between them and line ends of any kind', () => {
  const text = `subject=x\r\n${made.rsa.certPem.replaceAll('\n', '\r\n')}\r\nnoise\n${root.certPem}${made.rsa.keyPem}`;
  const contents = readPem(Buffer.from(text), []);
  expect(contents).toMatchObject({ keys: [{ type: 'private' }] });
  expect(typeof contents === 'string' ? [] : contents.certificates.map(String)).toEqual([
    made.rsa.certPem,
    root.certPem,
  ]);
});

test('UTF-16 as PowerShell writes it, and a byte order mark', () => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(made.ec.keyPem, 'utf16le')]);
  expect(keysOf(utf16)).toEqual([made.ec.keyPem]);
  expect(keysOf(`\ufeff${made.ec.keyPem}`)).toEqual([made.ec.keyPem]);
  expect(decodeText(Buffer.from('\ufeffsecret'))).toBe('secret');
});

test('DER', () => {
  const { raw } = new X509Certificate(made.ec.certPem);
  expect(readPem(raw, [])).toMatchObject({ certificates: [{ subject: 'CN=ec.example.com' }], keys: [] });
  expect(readPem(raw.subarray(0, 100), [])).toBe('damaged');
});

test('half-written and damaged files', () => {
  const { certPem, keyPem } = made.ec;
  expect(keysOf(certPem.slice(0, 300))).toBe('damaged');
  expect(keysOf(certPem + keyPem.slice(0, 80))).toBe('damaged');
  expect(keysOf(certPem.replace(/\n.{20}/, '\n!!!!!'))).toBe('damaged');
  expect(keysOf(keyPem.replace(/\n.{20}/, '\n'))).toBe('damaged');
  expect(keysOf('')).toBe('damaged');
  expect(keysOf('hello')).toBe('damaged');
});
