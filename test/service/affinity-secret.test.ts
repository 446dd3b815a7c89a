import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import { affinitySecret } from '../../src/service/affinity-secret.ts';
import { checkConfig } from '../../src/service/check-config.ts';
import type { CertificateData } from '../../src/tls/certificate.ts';
import { writeFiles } from '../config/written.ts';
import { applicationHost, writeFolder } from '../integration/environment.ts';

const span = { file: 'settings.json', start: 24, end: 36 };
const NOBODY = 0o600;

/** @param keyPems of the certificates that were read, in order */
function secretFrom(path: string | undefined, keyPems: readonly string[] = []) {
  const diagnostics: Diagnostic[] = [];
  const certificates = keyPems.map((keyPem) => ({ keyPem })) as CertificateData[];
  const settings = path === undefined ? {} : { affinitySecretFile: { path, span } };
  const secret = Buffer.from(affinitySecret(settings, certificates, reportInto(diagnostics))).toString('hex');
  return { secret, codes: diagnostics.map(({ code }) => code), diagnostics };
}

function written(content: string | Uint8Array, mode = NOBODY): string {
  const path = join(writeFiles({ secret: content }), 'secret');
  chmodSync(path, mode);
  return path;
}

const key = (type: 'ec' | 'rsa' | 'ed25519' | 'rsa-pss') => {
  const { privateKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : type === 'ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync(type as 'rsa', { modulusLength: 2048 });
  return privateKey;
};
const pem = (privateKey: ReturnType<typeof key>) => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

test('a file: its bytes, without what a text editor puts around them', () => {
  const secret = 'sixteen bytes ok';
  const expected = Buffer.from(secret).toString('hex');
  for (const text of [secret, `${secret}\n`, `\t ${secret} \r\n\r\n`]) {
    expect(secretFrom(written(text), [pem(key('ec'))])).toMatchObject({ secret: expected, codes: [] });
  }
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => 255 - i).subarray(0, 200);
  expect(secretFrom(written(bytes)).secret).toBe(Buffer.from(bytes).toString('hex'));
});

test.each<[what: string, path: () => string]>([
  ['is not there', () => join(writeFiles({}), 'secret')],
  ['is a folder', () => writeFiles({})],
  ['is empty', () => written('')],
  ['has 15 bytes and much room around them', () => written(`fifteen bytes !${' \n'.repeat(20)}`)],
  [
    'has more than anybody would write',
    () => {
      const path = written('x');
      truncateSync(path, 2 ** 33);
      return path;
    },
  ],
  ['is a device', () => '/dev/zero'],
])('a file that %s: LG6020 at the setting', (_what, path) => {
  const { diagnostics } = secretFrom(path());
  expect(diagnostics).toMatchObject([{ code: 'LG6020', severity: 'error', span }]);
});

test.each([
  [0o600, []],
  [0o640, []],
  [0o604, ['LG6021']],
  [0o666, ['LG6021']],
])('a file with the mode %o: %j', (mode, codes) => {
  expect(secretFrom(written('sixteen bytes ok', mode)).codes).toEqual(codes);
});

test('a link to a file, as containers have them', () => {
  const folder = writeFiles({ '..data/secret': 'sixteen bytes ok' });
  chmodSync(join(folder, '..data/secret'), NOBODY);
  symlinkSync('..data/secret', join(folder, 'secret'));
  expect(secretFrom(join(folder, 'secret')).codes).toEqual([]);
});

test('without a file: from the first private key, always the same, and not the key itself', () => {
  const [first, second] = [pem(key('ec')), pem(key('rsa'))];
  const { secret } = secretFrom(undefined, [first, second]);
  expect(secretFrom(undefined, [first]).secret).toBe(secret);
  expect(secretFrom(undefined, [second, first]).secret).not.toBe(secret);
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  const { d = '' } = createPrivateKey(first).export({ format: 'jwk' }) as { d?: string };
  expect(secret).not.toBe(Buffer.from(d, 'base64url').toString('hex'));
});

test('whatever file the key came in: with the point of an elliptic curve or without', () => {
  const privateKey = key('ec');
  const { d = '' } = privateKey.export({ format: 'jwk' }) as { d?: string };
  // RFC 5915 3: publicKey is optional.
  const bare = Buffer.from(
    `3041020100301306072a8648ce3d020106082a8648ce3d03010704273025020101 0420${Buffer.from(d, 'base64url').toString('hex')}`.replace(
      ' ',
      '',
    ),
    'hex',
  );
  const same = createPrivateKey({ key: bare, format: 'der', type: 'pkcs8' });
  expect(pem(same)).not.toBe(pem(privateKey));
  expect(secretFrom(undefined, [pem(same)]).secret).toBe(secretFrom(undefined, [pem(privateKey)]).secret);
});

test.each(['rsa', 'ed25519', 'rsa-pss'] as const)('a key of type %s', (type) => {
  const made = pem(key(type));
  expect(secretFrom(undefined, [made]).secret).toBe(secretFrom(undefined, [made]).secret);
});

test('with neither: another one at each start', () => {
  expect(secretFrom(undefined).secret).toMatch(/^[0-9a-f]{64}$/);
  expect(secretFrom(undefined).secret).not.toBe(secretFrom(undefined).secret);
});

test('the file is named in settings.json, relative to it', () => {
  const { configDir, dir } = writeFolder({
    iis: applicationHost({ bindings: ['http *:80:'] }),
    settings: { affinitySecretFile: '../secrets/affinity' },
  });
  expect(checkConfig(configDir).diagnostics.map(({ code }) => code)).toEqual(['LG6020']);
  mkdirSync(join(dir, 'secrets'));
  writeFileSync(join(dir, 'secrets/affinity'), 'sixteen bytes ok', { mode: NOBODY });
  const checked = checkConfig(configDir);
  expect([checked.diagnostics, Buffer.from(checked.affinitySecret).toString()]).toEqual([[], 'sixteen bytes ok']);
});
