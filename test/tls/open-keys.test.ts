/** Keys that every account of the machine can read: told once for a folder, and not where they are of no use without a password. */
import { chmodSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import { exportPfx, folder, openssl, put, read } from './material.ts';

const authority = createAuthority('Root');
const { certPem, keyPem } = issueCertificate(authority, { names: ['www.contoso.com'] });

/** Writes files with these permissions; what is found is told with the names of files alone. */
function told(files: Readonly<Record<string, readonly [contents: string | Buffer, mode: number]>>): string[] {
  const certs = folder();
  for (const [name, [contents, mode]] of Object.entries(files)) chmodSync(put(certs, name, contents), mode);
  const { certificates, diagnostics } = read(certs);
  expect(certificates.length).toBeGreaterThan(0);
  return diagnostics.flatMap(({ code, message, span }) =>
    code === 'LG4038' ? [`${basename(span.file)}: ${message.replaceAll(`${certs}/`, '')}`] : [],
  );
}

describe.runIf(process.platform !== 'win32')('by permissions', () => {
  test.each([
    [0o600, false],
    [0o400, false],
    [0o640, false],
    [0o660, false],
    [0o644, true],
    [0o604, true],
    [0o602, true],
    [0o777, true],
  ])('%o', (mode, open) => {
    expect(told({ 'www.crt': [certPem, 0o644], 'www.key': [keyPem, mode] })).toEqual(
      open ? ['www.key: every account of this machine can read or change the private key in www.key'] : [],
    );
  });

  test('several of a folder: one finding', () => {
    const files = ['a', 'b', 'c', 'd', 'e'].map((name) => [`${name}.pem`, [certPem + keyPem, 0o644]] as const);
    expect(told(Object.fromEntries(files))).toEqual([
      'a.pem: every account of this machine can read or change the private keys in a.pem, b.pem, c.pem, 2 more',
    ]);
  });

  test('certificates without a key are public', () => {
    expect(told({ 'www.pem': [certPem + keyPem, 0o600], 'root.crt': [authority.certPem, 0o644] })).toEqual([]);
  });

  test.each([
    ['of its own account', 0o600, false],
    ['that all can read', 0o644, true],
  ])('a PFX and an encrypted key, the password in a file %s', (_what, mode, open) => {
    const place = folder();
    const pfx = exportPfx(join(place, 'x.pfx'), { certPem, keyPem }, '-passout', 'pass:secret');
    const key = openssl('pkey', '-in', put(place, 'k.pem', keyPem), '-aes256', '-passout', 'pass:secret');
    expect(told({ 'x.pfx': [readFileSync(pfx), 0o644], 'x.pfx.pass': ['secret', mode] })).toHaveLength(open ? 1 : 0);
    expect(told({ 'x.crt': [certPem, 0o644], 'x.key': [key, 0o644], 'x.key.pass': ['secret', mode] })).toHaveLength(
      open ? 1 : 0,
    );
  });

  test('a password that nothing needs protects nothing', () => {
    const pfx = readFileSync(exportPfx(join(folder(), 'x.pfx'), { certPem, keyPem }, '-passout', 'pass:'));
    expect(told({ 'x.pfx': [pfx, 0o644], 'x.pfx.pass': ['', 0o600] })).toHaveLength(1);
    expect(told({ 'x.pem': [certPem + keyPem, 0o644], 'x.pem.pass': ['secret', 0o600] })).toHaveLength(1);
  });

  test('a file that settings.json names is told at itself, and once beside its folder', () => {
    const certs = folder();
    chmodSync(put(certs, 'www.pem', certPem + keyPem), 0o644);
    const { diagnostics } = read(certs, join(certs, 'www.pem'));
    expect(diagnostics.filter(({ code }) => code === 'LG4038')).toMatchObject([
      { severity: 'warning', span: { file: join(certs, 'www.pem') }, advice: expect.stringContaining('chmod 600 ') },
    ]);
  });
});
