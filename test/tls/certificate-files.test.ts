import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import { readCa, readCertificates } from '../../src/tls/certificate-files.ts';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import { certificate, codes, exportPfx, folder, openssl, put, read, settingSpan } from './material.ts';

const root = createAuthority('Test Root');
const upper = createAuthority('Upper', { parent: root });
const issuing = createAuthority('Issuing', { parent: upper });
const www = issueCertificate(issuing, { names: ['www.example.com'] });
const mail = issueCertificate(root, { names: ['mail.example.com'] });

test('a folder with all that may lie in it: order of names, pairs, keys and silence about the rest', () => {
  const certs = folder();
  put(certs, 'README.md', '# x');
  put(certs, '.gitignore', '*');
  put(certs, '.hidden.pfx', 'x');
  put(certs, 'notes.txt', 'x');
  put(certs, 'a.pfx.pass', 'x');
  mkdirSync(join(certs, 'old.pfx'));
  put(certs, 'b.crt', mail.certPem);
  put(certs, 'b.key', mail.keyPem);
  put(certs, 'a.pem', www.chainPem + www.keyPem);
  put(certs, 'root.cer', new X509Certificate(root.certPem).raw);
  put(certs, 'dhparam.pem', '-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n');
  const { certificates, diagnostics } = read(certs);
  expect(codes(diagnostics)).toEqual([]);
  expect(certificates.map(({ file, names, keyPem }) => [file, names, keyPem])).toEqual([
    [join(certs, 'a.pem'), ['www.example.com'], www.keyPem],
    [join(certs, 'b.crt'), ['mail.example.com'], mail.keyPem],
  ]);
});

test('the chain is put in order, completed from the folder, and loses its root', () => {
  const certs = folder();
  put(certs, 'z.pem', root.certPem + upper.certPem);
  put(certs, 'a.pem', www.keyPem + root.certPem + issuing.certPem + www.certPem);
  const { certificates, diagnostics } = read(certs);
  expect(codes(diagnostics)).toEqual([]);
  expect(certificates.map(({ certPem }) => certPem)).toEqual([www.certPem + issuing.certPem + upper.certPem]);
});

test('a missing intermediate is LG4008, a root left out is not', () => {
  const certs = folder();
  const alone = put(certs, 'a.pem', www.certPem + www.keyPem);
  expect(read(certs).diagnostics).toMatchObject([{ code: 'LG4008', severity: 'warning', span: { file: alone } }]);
  put(certs, 'issuing.crt', issuing.certPem);
  expect(read(certs).diagnostics).toEqual([]);
});

test('a namesake of the issuer does not complete the chain', () => {
  const certs = folder();
  put(certs, 'a.pem', www.certPem + www.keyPem);
  put(certs, 'wrong.crt', createAuthority('Issuing').certPem);
  expect(codes(read(certs).diagnostics)).toEqual(['LG4008']);
});

test('the files of certbot: one certificate', () => {
  const certs = folder();
  put(certs, 'cert.pem', www.certPem);
  put(certs, 'chain.pem', issuing.certPem + upper.certPem);
  put(certs, 'fullchain.pem', www.chainPem);
  put(certs, 'privkey.pem', www.keyPem);
  const { certificates, diagnostics } = read(certs);
  expect(codes(diagnostics)).toEqual([]);
  expect(certificates.map(({ certPem }) => certPem)).toEqual([www.chainPem]);
});

test('an authority whose key lies in the folder is not shown to clients', () => {
  const certs = folder();
  put(certs, 'ca.crt', root.certPem);
  put(certs, 'ca.key', root.keyPem);
  put(certs, 'mail.pem', mail.certPem + mail.keyPem);
  const { certificates, diagnostics } = read(certs);
  expect(codes(diagnostics)).toEqual([]);
  expect(certificates.map(({ names }) => names)).toEqual([['mail.example.com']]);
});

test('a key that does not fit is LG4005 and names both files', () => {
  const certs = folder();
  const cert = put(certs, 'a.crt', mail.certPem);
  const key = put(certs, 'a.key', www.keyPem);
  const { certificates, diagnostics } = read(certs);
  expect(certificates).toEqual([]);
  expect(diagnostics).toMatchObject([{ code: 'LG4005', severity: 'error', span: { file: cert, start: 0, end: 0 } }]);
  expect(diagnostics[0]?.message).toContain(key);
  expect(diagnostics[0]?.message).not.toContain('PRIVATE');
});

test('a certificate without a key: LG4007 in a folder, LG4004 where it is named, silence for an intermediate', () => {
  const certs = folder();
  const path = put(certs, 'a.crt', mail.certPem);
  put(certs, 'issuing.crt', issuing.certPem);
  expect(read(certs).diagnostics).toMatchObject([{ code: 'LG4007', span: { file: path } }]);
  expect(read(path).diagnostics).toMatchObject([{ code: 'LG4004', span: settingSpan }]);
});

test('one file named: its key beside it, its password beside the key', () => {
  const certs = folder();
  const path = put(certs, 'a.crt', mail.certPem + root.certPem);
  const plain = put(folder(), 'k.pem', mail.keyPem);
  openssl('pkcs8', '-topk8', '-in', plain, '-passout', 'pass:secret', '-out', join(certs, 'a.key'));
  expect(read(path).diagnostics).toMatchObject([{ code: 'LG4003', span: settingSpan }]);
  put(certs, 'a.key.pass', 'secret\n');
  expect(read(path)).toMatchObject({ certificates: [{ keyPem: mail.keyPem }], diagnostics: [] });
});

test('files with a passphrase file and listeners', () => {
  const [certs, secrets] = [folder(), folder()];
  const pfx = exportPfx(join(certs, 'a.pfx'), { ...mail, morePem: root.certPem }, '-passout', 'pass:geheim');
  const passphraseFile = put(secrets, 'pass', 'geheim\r\n');
  const setting = { kind: 'files', pfx, passphraseFile, listeners: ['203.0.113.5:443'], span: settingSpan } as const;
  expect(read(setting)).toMatchObject({ certificates: [{ listeners: ['203.0.113.5:443'] }], diagnostics: [] });
  expect(read({ ...setting, passphraseFile: `${passphraseFile}x` }).diagnostics).toMatchObject([
    { code: 'LG4001', span: settingSpan },
  ]);
});

test('cert and key named one by one', () => {
  const certs = folder();
  const [cert, key] = [put(certs, 'x', www.chainPem), put(certs, 'y', www.keyPem)];
  expect(read({ kind: 'files', cert, key, span: settingSpan })).toMatchObject({
    certificates: [{ certPem: www.chainPem, keyPem: www.keyPem, file: cert }],
    diagnostics: [],
  });
  expect(codes(read({ kind: 'files', cert, span: settingSpan }).diagnostics)).toEqual(['LG4004']);
});

test('the same certificate for all listeners and tied to one stays twice', () => {
  const certs = folder();
  const cert = put(certs, 'a.pem', mail.certPem + root.certPem + mail.keyPem);
  const { certificates } = read(certs, { kind: 'files', cert, listeners: ['10.0.0.1:443'], span: settingSpan });
  expect(certificates.map(({ listeners }) => listeners)).toEqual([undefined, ['10.0.0.1:443']]);
});

test('a path that is not there: an error where it is written, nothing where it is the stock folder', () => {
  const path = join(folder(), 'certs');
  expect(read(path).diagnostics).toMatchObject([{ code: 'LG4001', severity: 'error', span: settingSpan }]);
  const diagnostics: Diagnostic[] = [];
  const stock = { kind: 'path', path, span: { file: settingSpan.file, start: 0, end: 0 } } as const;
  expect(readCertificates({ certificates: [stock] }, reportInto(diagnostics))).toEqual([]);
  expect(diagnostics).toEqual([]);
});

test('links to files, as Kubernetes mounts secrets, and a link to nowhere', () => {
  const [real, certs] = [folder(), folder()];
  symlinkSync(put(real, '1', mail.certPem + root.certPem + mail.keyPem), join(certs, 'tls.pem'));
  expect(read(certs)).toMatchObject({ certificates: [{ keyPem: mail.keyPem }], diagnostics: [] });
  symlinkSync(join(real, 'gone'), join(certs, 'zz.pem'));
  expect(read(certs).diagnostics).toMatchObject([{ code: 'LG4001', span: { file: join(certs, 'zz.pem') } }]);
});

test.each<[what: string, put: (path: string) => void, fault: string]>([
  ['a device without an end', (path) => symlinkSync('/dev/zero', path), 'it is no regular file'],
  ['a pipe that nobody writes to', (path) => execFileSync('mkfifo', [path]), 'it is no regular file'],
  [
    'a file of 16 GiB',
    (path) => {
      writeFileSync(path, '');
      truncateSync(path, 2 ** 34);
    },
    'it is larger than 16 MiB',
  ],
])('%s among the certificates is a finding, and the others are read', (_what, place, fault) => {
  for (const name of ['zz.pem', 'zz.pfx', 'b.pem.pass']) {
    const certs = folder();
    put(certs, 'b.pem', mail.certPem + root.certPem + mail.keyPem);
    place(join(certs, name));
    const { certificates, diagnostics } = read(certs);
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      `LG4001 ${join(certs, name)} cannot be read: ${fault}`,
    ]);
    expect(certificates).toHaveLength(name.endsWith('.pass') ? 0 : 1);
  }
});

test('one bad file does not hide the others', () => {
  const certs = folder();
  put(certs, 'a.pem', 'half');
  put(certs, 'b.pem', mail.certPem + root.certPem + mail.keyPem);
  const { certificates, diagnostics } = read(certs);
  expect(codes(diagnostics)).toEqual(['LG4002']);
  expect(certificates).toHaveLength(1);
});

test.each([
  ['www.example.com.pfx', 'www.example.com'],
  ['_.example.com.pfx', '*.example.com'],
  ['WWW.Example.com.PFX', 'www.example.com'],
  ['www.pfx', undefined],
  ['www example.com.pfx', undefined],
  ['www.example.com.pem', undefined],
])('the file name %s stands for %s', (file, storeName) => {
  expect(certificate(root, { names: ['x.example.com'] }, { file: `/certs/${file}` }).storeName).toBe(storeName);
});

test('upstream authorities', () => {
  const certs = folder();
  const bundle = put(certs, 'bundle.pem', root.certPem + upper.certPem);
  const single = put(certs, 'single.cer', new X509Certificate(issuing.certPem).raw);
  const keyOnly = put(certs, 'key.pem', root.keyPem);
  const broken = put(certs, 'broken.pem', 'x');
  const diagnostics: Diagnostic[] = [];
  const paths = [bundle, single, keyOnly, broken, join(certs, 'gone.pem')];
  const found = readCa(
    paths.map((path) => ({ path, span: settingSpan })),
    reportInto(diagnostics),
  );
  expect(found).toEqual([root.certPem, upper.certPem, issuing.certPem]);
  expect(codes(diagnostics)).toEqual(['LG4009', 'LG4002', 'LG4001']);
});
