/** Makes what the demo needs: a throw-away authority with its certificates, and a configuration folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Authority, createAuthority, issueCertificate } from '../tls/issue.ts';
import { demoApplicationHost, demoSettings } from './demo-config.ts';
import { type DemoPlan, type DemoPlanOptions, demoPlan } from './demo-plan.ts';
import { startFrontEnd } from './front-end.ts';
import { startOfficeWebApps } from './office-web-apps.ts';
import type { StandIn } from './stand-in.ts';

export interface Demo {
  readonly plan: DemoPlan;
  /** To be removed when the demo ends. */
  readonly folder: string;
  /** For `--config`. */
  readonly configDir: string;
  /** Starts the servers that stand behind the proxy. Rejects with the error of the socket where a port is taken. */
  startServers(): Promise<readonly StandIn[]>;
}

/** Writes below a new folder in the system's folder for temporary files; nothing is left there where it cannot. */
export function prepareDemo(options: Pick<DemoPlanOptions, 'listener' | 'firstPort'> = {}): Demo {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-demo-'));
  try {
    return prepareIn(folder, options);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function prepareIn(folder: string, options: Pick<DemoPlanOptions, 'listener' | 'firstPort'>): Demo {
  const certificates = join(folder, 'certs');
  // Beside the certificates, so that their chain is known to be complete.
  const authorityFile = join(certificates, 'demo-ca.pem');
  const plan = demoPlan({ ...options, authority: authorityFile });
  const authority = createAuthority('Lychgate demo, not to be trusted');
  const issue = (names: readonly string[]) => issued(authority, names);

  const configDir = join(folder, 'config');
  for (const each of [configDir, certificates]) mkdirSync(each);
  writeFileSync(authorityFile, authority.certPem);
  const listener = issue(plan.certificates.listener);
  writeFileSync(join(certificates, 'demo.crt'), listener.cert);
  writeFileSync(join(certificates, 'demo.key'), listener.key, { mode: 0o600 });
  writeFileSync(join(configDir, 'applicationHost.config'), demoApplicationHost(plan));
  const files = { certificates: '../certs', authority: '../certs/demo-ca.pem' };
  writeFileSync(join(configDir, 'settings.json'), demoSettings(plan, files));
  return { plan, folder, configDir, startServers: () => startServers(plan, issue) };
}

function issued(authority: Authority, names: readonly string[]) {
  const { certPem, keyPem } = issueCertificate(authority, { names });
  return { cert: certPem, key: keyPem };
}

async function startServers(plan: DemoPlan, issue: (names: readonly string[]) => ReturnType<typeof issued>) {
  const frontEnd = await startFrontEnd({ ...plan.frontEnd, certificate: issue(plan.certificates.frontEnd) });
  try {
    const certificate = issue(plan.certificates.officeWebApps);
    return [frontEnd, await startOfficeWebApps({ ...plan.officeWebApps, certificate })];
  } catch (error) {
    await frontEnd.close();
    throw error;
  }
}
