/** What the tests of this folder share: throw-away folders, the openssl command, and TLS listeners with clients for them. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';
import { type Diagnostic, reportInto, type Span } from '../../src/config/diagnostic.ts';
import type { CertificateSetting, SettingsConfig } from '../../src/config/settings-model.ts';
import { type CertificateData, describeCertificate } from '../../src/tls/certificate.ts';
import { readCertificates } from '../../src/tls/certificate-files.ts';
import type { Authority, CertificateRequest } from '../../src/tls/issue.ts';
import { issueCertificate } from '../../src/tls/issue.ts';
import { readPem } from '../../src/tls/pem.ts';

/** A folder that is gone after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'lychgate-tls-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Writes a file that may hold a key into `path` and returns its full name. */
export function put(path: string, name: string, contents: string | Buffer): string {
  const file = join(path, name);
  writeFileSync(file, contents, { mode: 0o600 });
  return file;
}

export function openssl(...args: string[]): Buffer {
  return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Exports a PFX with the openssl command. */
export function exportPfx(
  target: string,
  what: { certPem: string; keyPem: string; morePem?: string },
  ...args: string[]
): string {
  const from = mkdtempSync(join(tmpdir(), 'lychgate-pfx-'));
  try {
    const cert = put(from, 'c.pem', what.certPem + (what.morePem ?? ''));
    const key = put(from, 'k.pem', what.keyPem);
    openssl('pkcs12', '-export', '-in', cert, '-inkey', key, '-out', target, ...args);
  } finally {
    rmSync(from, { recursive: true, force: true });
  }
  return target;
}

export const settingSpan: Span = { file: '/etc/lychgate/settings.json', start: 10, end: 20 };

/** Reads folders or files as settings.json would name them. */
export function read(...settings: (string | CertificateSetting)[]): {
  certificates: CertificateData[];
  diagnostics: Diagnostic[];
} {
  const diagnostics: Diagnostic[] = [];
  const certificates = readCertificates(
    {
      certificates: settings.map((setting) =>
        typeof setting === 'string' ? { kind: 'path', path: setting, span: settingSpan } : setting,
      ),
    },
    reportInto(diagnostics),
  );
  return { certificates, diagnostics };
}

export function codes(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ code }) => code);
}

/** A certificate as it comes out of the reading, without any file. */
export function certificate(
  authority: Authority,
  request: CertificateRequest,
  from: { file?: string; listeners?: readonly string[] } = {},
): CertificateData {
  const issued = issueCertificate(authority, request);
  const contents = readPem(Buffer.from(issued.chainPem + issued.keyPem), []);
  if (typeof contents === 'string') {
    throw new Error(contents);
  }
  const [leaf, ...more] = contents.certificates;
  return describeCertificate([leaf!, ...more], contents.keys[0]!, {
    file: from.file ?? `/certs/${request.names[0] ?? 'none'}.pem`,
    ...(from.listeners && { listeners: from.listeners }),
  });
}

export const plainTls: SettingsConfig['tls'] = { minVersion: 'TLSv1.2', legacyListeners: [] };

/** Opens a TLS listener on a free port; it answers `ok` to whatever is sent. */
export async function listen(options: TlsOptions): Promise<{ port: number; listener: Server }> {
  const listener = createServer(options, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.end('ok'));
    socket.on('end', () => socket.end());
  });
  listener.on('tlsClientError', () => {});
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  onTestFinished(() => new Promise<void>((done) => void listener.close(() => done())));
  return { port: (listener.address() as AddressInfo).port, listener };
}

export interface Seen {
  readonly code: number;
  readonly text: string;
  /** Subjects of the certificates that came, in order. */
  readonly chain: string[];
  readonly protocol: string;
  readonly alpn: string;
}

/** What `openssl s_client` sees; `input` is sent once the handshake is done. */
export function connect(port: number, args: readonly string[], input = ''): Promise<Seen> {
  return new Promise((done) => {
    const client = execFile(
      'openssl',
      ['s_client', '-connect', `127.0.0.1:${port}`, '-showcerts', ...args],
      { timeout: 10_000 },
      (error, stdout, stderr) => {
        const text = stdout + stderr;
        done({
          code: typeof error?.code === 'number' ? error.code : 0,
          text,
          chain: [...stdout.matchAll(/^ *\d+ s:(.*)$/gm)].map(([, subject]) => subject!),
          protocol: /^New, (\S+), Cipher is/m.exec(stdout)?.[1]?.replace(',', '') ?? '',
          alpn: /^ALPN protocol: (.*)$/m.exec(stdout)?.[1] ?? '',
        });
      },
    );
    client.stdin?.on('error', () => {});
    client.stdin?.end(input);
  });
}
