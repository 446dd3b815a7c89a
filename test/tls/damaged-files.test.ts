/** One bad file in a folder of certificates: a finding at that file, while the others are read and served as if it were not there. */
import { createPrivateKey, sign, verify, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CheckedConfig, checkConfig } from '../../src/service/check-config.ts';
import type { CertificateData } from '../../src/tls/certificate.ts';
import { createCertificateStore } from '../../src/tls/certificate-store.ts';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';
import { writeFiles } from '../config/written.ts';
import { numbers, outcome, runs, seed } from '../random.ts';
import { exportPfx, plainTls, put } from './material.ts';

const root = createAuthority('Root');
const issuer = createAuthority('Issuing CA', { parent: root });
const GOOD = 'www.contoso.com';
const good = issueCertificate(issuer, { names: [GOOD] });

/** A folder with a sound certificate, and another file beside it. */
function folderWith(files: Readonly<Record<string, string | Buffer>>): string {
  return writeFiles({
    'certs/a-good.pem': good.chainPem + good.keyPem,
    'certs/root.crt': root.certPem,
    ...Object.fromEntries(Object.entries(files).map(([name, contents]) => [`certs/${name}`, contents])),
    'settings.json': JSON.stringify({
      ...{ iis: [], certificates: ['certs'] },
      bindings: [{ protocol: 'https', host: GOOD }],
    }),
  });
}

function findings({ diagnostics }: CheckedConfig, folder: string): string[] {
  return diagnostics.map(({ code, span }) => `${code} ${span.file.replace(join(folder, 'certs/'), '')}`);
}

function storeOf(certificates: readonly CertificateData[]) {
  return createCertificateStore(certificates, { listener: '*:443', hosts: [GOOD], tls: plainTls });
}

function pem(label: string, der: Buffer): string {
  return `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;
}

const bad = issueCertificate(issuer, { names: ['bad.contoso.com'] });

/** The point of its key lies on no curve. */
function withoutPublicKey(certPem: string): string {
  const { raw, publicKey } = new X509Certificate(certPem);
  const changed = Buffer.from(raw);
  const point = raw.indexOf(publicKey.export({ type: 'spki', format: 'der' }).subarray(-65));
  changed[point] = 0x05;
  return pem('CERTIFICATE', changed);
}

/** Another number than that of its public key. */
function withAnotherNumber(keyPem: string): string {
  const key = createPrivateKey(keyPem);
  const der = key.export({ type: 'pkcs8', format: 'der' });
  const number = der.indexOf(Buffer.from(String(key.export({ format: 'jwk' }).d), 'base64url'));
  der[number + 20] = (der[number + 20] ?? 0) ^ 1;
  return pem('PRIVATE KEY', der);
}

function withoutDates(certPem: string): string {
  const { raw } = new X509Certificate(certPem);
  const changed = Buffer.from(raw);
  // notBefore is the first UTCTime, notAfter the second.
  const second = raw.indexOf(Buffer.from([0x17, 0x0d]), raw.indexOf(Buffer.from([0x17, 0x0d])) + 15);
  changed.write('9999', second + 4, 'latin1');
  return pem('CERTIFICATE', changed);
}

test.each<[string, Readonly<Record<string, string>>, string[]]>([
  ['a byte of the key in a certificate', { 'b.pem': withoutPublicKey(bad.certPem) + bad.keyPem }, ['LG4002 b.pem']],
  ['the same in an intermediate', { 'b.crt': withoutPublicKey(issuer.certPem) }, ['LG4002 b.crt']],
  ['a byte of the private key', { 'b.pem': bad.chainPem + withAnotherNumber(bad.keyPem) }, ['LG4002 b.pem']],
  [
    'the same in a file of its own',
    { 'b.crt': bad.chainPem, 'b.key': withAnotherNumber(bad.keyPem) },
    ['LG4002 b.key'],
  ],
  ['a key cut short', { 'b.crt': bad.chainPem, 'b.key': bad.keyPem.slice(0, 60) }, ['LG4002 b.key']],
  ['nothing at all', { 'b.pfx': '' }, ['LG4002 b.pfx']],
  // It is not what its issuer signed any more.
  ['dates that cannot be read', { 'b.pem': withoutDates(bad.certPem) + bad.keyPem }, ['LG4008 b.pem', 'LG4039 b.pem']],
])('%s', (_what, files, expected) => {
  const folder = folderWith(files);
  const checked = checkConfig(folder);
  expect(findings(checked, folder)).toEqual(expected);
  expect(storeOf(checked.certificates).certificateFor(GOOD).sha256).toBe(sha256Of(good.certPem));
});

function sha256Of(certPem: string): string {
  return new X509Certificate(certPem).fingerprint256.replaceAll(':', '');
}

test('a certificate whose dates cannot be read comes behind all others of its name, however many there are', () => {
  const two = [1, 2].map((years) =>
    issueCertificate(issuer, { names: [GOOD], notAfter: new Date(Date.now() + years * 400 * 86_400_000) }),
  );
  const [first, last] = two.map(({ chainPem, keyPem }) => chainPem + keyPem);
  const undated = [1, 2].map(() => issueCertificate(issuer, { names: [GOOD] }));
  const [one, other] = undated.map(({ certPem, keyPem }) => withoutDates(certPem) + keyPem);
  const folder = folderWith({ '0.pem': one!, '1.pem': last!, 'b.pem': other!, 'c.pem': first! });
  const { certificates } = checkConfig(folder);
  expect(certificates).toHaveLength(5);
  expect(storeOf(certificates).certificateFor(GOOD).sha256).toBe(sha256Of(two[1]!.certPem));
});

/** What an administrator may have put into the folder: files by name, each kind as often as any. */
let kinds: readonly Readonly<Record<string, Buffer>>[];

beforeAll(() => {
  const place = mkdtempSync(join(tmpdir(), 'lychgate-tls-'));
  kinds = (['rsa', 'ec'] as const).flatMap((keyType) => {
    const { certPem, chainPem, keyPem } = issueCertificate(issuer, { names: ['bad.contoso.com'], keyType });
    const pfx = (...args: string[]) => {
      const file = exportPfx(
        join(place, 'x.pfx'),
        { certPem: chainPem, keyPem },
        '-passout',
        'pass:',
        '-iter',
        '10',
        ...args,
      );
      return { 'm.pfx': readFileSync(file) };
    };
    return [
      { 'm.pem': Buffer.from(chainPem + keyPem) },
      { 'm.crt': Buffer.from(chainPem), 'm.key': Buffer.from(keyPem) },
      { 'm.cer': new X509Certificate(certPem).raw, 'm.key': Buffer.from(keyPem) },
      pfx(),
      pfx('-legacy', '-certpbe', 'PBE-SHA1-3DES', '-keypbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'),
      pfx('-nomac'),
      pfx('-keypbe', 'NONE', '-certpbe', 'NONE', '-nomac'),
    ];
  });
  rmSync(place, { recursive: true });
});

type Random = (limit: number) => number;

/** Cut short, a byte more, a few less, one bit, or a few others. */
function mutated(bytes: Buffer, random: Random): Buffer {
  const at = random(bytes.length);
  const out = Buffer.from(bytes);
  switch (random(5)) {
    case 0:
      return out.subarray(0, at);
    case 1:
      return Buffer.concat([out.subarray(0, at), Buffer.from([random(256)]), out.subarray(at)]);
    case 2:
      return Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + random(8))]);
    case 3:
      out[at] = (out[at] ?? 0) ^ (1 << random(8));
      return out;
    default:
      for (let times = random(4); times >= 0; times--) out[random(out.length)] = random(256);
      return out;
  }
}

/** Of a PEM file as often what is in one of its blocks as its text. */
function mutatedFile(bytes: Buffer, random: Random): Buffer {
  const blocks = [...bytes.toString('latin1').matchAll(/-----BEGIN ([A-Z ]+)-----\n([\s\S]*?)-----END \1-----\n/g)];
  const block = blocks[random(Math.max(1, blocks.length))];
  if (block === undefined || random(3) === 0) return mutated(bytes, random);
  const [text, label = '', base64 = ''] = block;
  const inside = pem(label, mutated(Buffer.from(base64, 'base64'), random));
  return Buffer.from(bytes.toString('latin1').replace(text, inside), 'latin1');
}

/** What is read can be worked with; what cannot is told, at that file. */
function faultOf(folder: string): string | undefined {
  const checked = checkConfig(folder);
  const told = findings(checked, folder);
  const elsewhere = told.find((each) => !/ m\.\w+$/.test(each));
  if (elsewhere) return `found ${elsewhere}`;
  const store = storeOf(structuredClone(checked.certificates));
  for (const { names } of checked.certificates) for (const name of names) store.secureContextFor(name);
  if (store.certificateFor(GOOD).sha256 !== sha256Of(good.certPem)) return 'the sound certificate is not served';
  const taken = checked.certificates.find(({ file }) => file.startsWith(join(folder, 'certs/m.')));
  if (taken === undefined) return told.length > 0 ? undefined : 'left out, and nothing is told';
  const key = createPrivateKey(taken.keyPem);
  const sample = Buffer.from('sample');
  const fits = verify('sha256', sample, new X509Certificate(taken.certPem).publicKey, sign('sha256', sample, key));
  if (!fits) return 'its key signs what the certificate does not verify';
  const { validFrom, validTo } = new X509Certificate(taken.certPem);
  const dated = !/Bad/.test(validFrom + validTo);
  return dated || told.some((each) => each.startsWith('LG4039'))
    ? undefined
    : 'dates that nobody can read are not told';
}

test('mutations of PEM, PFX and DER: a finding at the file or none, and the others are read and served', () => {
  const random = numbers(seed);
  const folder = folderWith({});
  for (let run = 0; run < runs(280, 4200); run++) {
    const kind = kinds[run % kinds.length]!;
    const names = Object.keys(kind);
    const changed = names[random(names.length)]!;
    const contents = mutatedFile(kind[changed]!, random);
    for (const name of names) put(join(folder, 'certs'), name, name === changed ? contents : kind[name]!);
    const about = `seed ${seed}, run ${run}: ${changed} of ${names}, ${contents.toString('base64')}`;
    expect(
      outcome(() => faultOf(folder)),
      about,
    ).toBeUndefined();
    for (const name of names) rmSync(join(folder, 'certs', name));
  }
});

describe('what is told of files that only seem to be missing or damaged', () => {
  const told = (folder: string, code: string) =>
    checkConfig(folder).diagnostics.flatMap((each) => (each.code === code ? [`${each.message} ${each.advice}`] : []));

  test.each(['b.pfx', 'b.p12'])('a PEM file that is called %s', (name) => {
    const folder = folderWith({ [name]: bad.chainPem + bad.keyPem });
    expect(told(folder, 'LG4002')).toEqual([expect.stringMatching(/ is a PEM file, not a PFX Rename it to b\.pem\.$/)]);
  });

  test('with lines before it', () => {
    const folder = folderWith({ 'b.pfx': `Bag Attributes\n  friendlyName: b\n${bad.certPem}` });
    expect(told(folder, 'LG4002')).toEqual([expect.stringContaining('is a PEM file')]);
  });

  test.each(['b.pem', 'b.crt', 'b.cer'])('a PFX that is called %s', (name) => {
    const folder = folderWith({ [name]: Buffer.from('3082010002010330820100', 'hex') });
    expect(told(folder, 'LG4002')).toEqual([
      expect.stringContaining('is a PFX, not a PEM file Rename it to b.pfx, with its password in b.pfx.pass'),
    ]);
  });

  test('a binding without a certificate where one lacks its key', () => {
    const settings = { iis: [], certificates: ['certs'], bindings: [{ protocol: 'https', host: GOOD }] };
    const folder = writeFiles({ 'certs/b.crt': bad.certPem, 'settings.json': JSON.stringify(settings) });
    expect(told(folder, 'LG4025')).toEqual([
      `the https binding *:443 has no certificate ${join(folder, 'certs/b.crt')} holds a certificate without its key: put the key beside it as NAME.key, or a PFX file with both into the folder.`,
    ]);
  });
});
