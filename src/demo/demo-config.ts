/** The configuration of the demo: the shipped applicationHost.config with the demo's ports, and settings with its addresses. */
import { StartError } from '../errors.ts';
import { typed } from '../program-name.ts';
import type { DemoPlan } from './demo-plan.ts';

/** What is changed in the shipped file: every place that has `from`, and it must have one. */
interface Replacement {
  readonly from: string;
  readonly to: string;
}

/**
 * The demo's applicationHost.config. Only ports change, so that what is tried is what ships.
 * A shipped file that has been adapted to other names no longer fits the plan and is refused.
 */
export function demoApplicationHost(shipped: string, plan: DemoPlan): string {
  for (const name of [plan.frontEnd.name, plan.officeWebApps.name]) {
    expectIn(shipped, `address="${name}"`);
  }
  return replacementsOf(plan).reduce((text, { from, to }) => {
    expectIn(shipped, from);
    return text.replaceAll(from, () => to);
  }, shipped);
}

function replacementsOf({ listener, frontEnd, officeWebApps }: DemoPlan): readonly Replacement[] {
  const binding = (address: string, port: number) => `bindingInformation="${address}:${port}:`;
  const ports = (http: number, https: number) => `httpPort="${http}" httpsPort="${https}"`;
  return [
    { from: binding('*', 443), to: binding(listener.address, listener.httpsPort) },
    { from: binding('*', 80), to: binding(listener.address, listener.httpPort) },
    { from: ports(8080, 4443), to: ports(frontEnd.httpPort, frontEnd.httpsPort) },
    // No rule leads to Office Web Apps without TLS, and its stand-in has no such port.
    { from: ports(80, 443), to: ports(80, officeWebApps.httpsPort) },
  ];
}

function expectIn(shipped: string, piece: string): void {
  if (!shipped.includes(piece)) {
    throw new StartError(
      `config/applicationHost.config has no ${piece} any more; the demo needs the file as it ships. Put your own in another folder and run: ${typed('run --config FOLDER')}`,
    );
  }
}

/** Names of files and folders, relative to the demo's settings.json. */
export interface DemoFiles {
  /** Folder with the listener's certificate. */
  readonly certificates: string;
  /** Certificate of the authority that signed those of the servers. */
  readonly authority: string;
}

/** The demo's settings.json: `hosts` leads the names of the shipped file to the stand-in servers. */
export function demoSettings(plan: DemoPlan, files: DemoFiles): string {
  const settings = {
    hosts: {
      [plan.frontEnd.name]: plan.frontEnd.address,
      [plan.officeWebApps.name]: plan.officeWebApps.address,
    },
    certificates: [files.certificates],
    defaultCertificate: plan.frontEnd.hosts.webext,
    upstream: { ca: files.authority },
    admin: { address: `${plan.admin.address}:${plan.admin.port}` },
  };
  return `// Written by the demo; a new start writes it again.\n${JSON.stringify(settings, null, 2)}\n`;
}
