/** Runs the real curl, and makes a throw-away certificate for it to trust. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A self-signed certificate on disk for curl and as PEM text for a stand-in. */
export async function throwAwayCertificate(names: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'lychgate-demo-test-'));
  const keyFile = join(folder, 'key.pem');
  const certFile = join(folder, 'cert.pem');
  const alternatives = names.map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`)).join(',');
  const subject = ['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${alternatives}`];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  await run('openssl', ['req', '-x509', '-days', '2', '-out', certFile, ...key, ...subject]);
  return {
    certFile,
    pem: { key: await readFile(keyFile, 'utf8'), cert: await readFile(certFile, 'utf8') },
    remove: () => rm(folder, { recursive: true }),
  };
}

/** What curl wrote to standard output and to standard error; it fails the test by its exit code. */
export async function curl(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return run('curl', ['--silent', '--show-error', '--noproxy', '*', ...args], { env: { PATH: process.env.PATH } });
}
