/** The temporary folder of a run: throw-away certificates, and where competitors keep their files and logs. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, type Issued, issueCertificate } from '../src/tls/issue.ts';
import { LoadtestFailure } from './failure.ts';

/** Published names are `NAME.loadtest.test`; `.test` is reserved and leads nowhere. */
export const DOMAIN = 'loadtest.test';
export const ORIGIN_NAME = `origin.${DOMAIN}`;
/** Different addresses, so that each side has the whole range of ports to itself. */
export const PROXY_ADDRESS = '127.0.0.1';
export const ORIGIN_ADDRESS = '127.0.0.2';
/** The one suite that all speak, since Go would choose another than OpenSSL does. */
export const CIPHER_SUITE = 'TLS_AES_256_GCM_SHA384';

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
  /** Both in one file. */
  readonly bundle: string;
}

export interface RunFolder {
  readonly path: string;
  readonly authority: string;
  readonly front: KeyPair;
  readonly origin: KeyPair;
  /** A new folder in it. */
  subfolder(name: string): string;
  remove(): void;
}

export function createRunFolder(): RunFolder {
  const path = mkdtempSync(join(tmpdir(), 'lychgate-loadtest-'));
  const authority = createAuthority('Load test');
  let count = 0;
  const write = (name: string, text: string) => {
    const file = join(path, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const pair = (name: string, issued: Issued): KeyPair => ({
    cert: write(`${name}.crt`, issued.chainPem),
    key: write(`${name}.key`, issued.keyPem),
    bundle: write(`${name}.pem`, issued.chainPem + issued.keyPem),
  });
  return {
    path,
    authority: write('authority.crt', authority.certPem),
    front: pair('front', issueCertificate(authority, { names: [`*.${DOMAIN}`] })),
    origin: pair('origin', issueCertificate(authority, { names: [ORIGIN_NAME] })),
    subfolder(name) {
      const folder = join(path, `${name}-${++count}`);
      mkdirSync(folder);
      chmodSync(folder, 0o700);
      return folder;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Below the range that Linux takes for outgoing connections, so that none of the load's own can sit on it. */
const PORTS = { from: 20_000, to: 32_000 };
let next = PORTS.from + (process.pid % 10_000);

/** A port that nobody listens on. */
export async function freePort(address: string): Promise<number> {
  for (let tries = 0; tries < 1000; tries++) {
    next = next + 1 > PORTS.to ? PORTS.from : next + 1;
    if (await isFree(address, next)) return next;
  }
  throw new LoadtestFailure(`no free port on ${address}`);
}

function isFree(address: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}
