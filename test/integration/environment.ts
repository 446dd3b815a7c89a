/** A proxy in front of stand-in servers, for tests over real sockets: configuration folder, certificates, clean-up. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import type { Config } from '../../src/config/model.ts';
import { type CheckedConfig, canStart, checkConfig } from '../../src/service/check-config.ts';
import type { FromServing } from '../../src/service/messages.ts';
import { type Serving, serve } from '../../src/service/serve.ts';
import { createAuthority, issueCertificate } from '../../src/tls/issue.ts';

/** One authority for everything that a test process makes. */
export const authority = createAuthority('Lychgate tests');

export function certificateFor(...names: string[]): { cert: string; key: string } {
  const { certPem, keyPem } = issueCertificate(authority, { names });
  return { cert: certPem, key: keyPem };
}

export interface Folder {
  readonly dir: string;
  readonly configDir: string;
  readonly ca: string;
}

export interface FolderContents {
  /** applicationHost.config. */
  readonly iis: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** File name without ending, to the names of its certificate. */
  readonly certificates?: Readonly<Record<string, readonly string[]>>;
  /** More files, by name: those of settings.json begin with `../`, as they do there. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

/** Writes a configuration folder with certificates beside it; it goes when the test ends. */
export function writeFolder({ iis, settings = {}, certificates = {}, files = {} }: FolderContents): Folder {
  const dir = mkdtempSync(join(tmpdir(), 'lychgate-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const configDir = join(dir, 'config');
  mkdirSync(configDir);
  mkdirSync(join(dir, 'certs'));
  const ca = join(dir, 'ca.pem');
  writeFileSync(ca, authority.certPem);
  writeFileSync(join(configDir, 'applicationHost.config'), iis);
  const all = {
    upstream: { ca: '../ca.pem' },
    admin: false,
    log: { level: 'silent', access: { format: 'off' } },
    ...settings,
  };
  writeFileSync(join(configDir, 'settings.json'), JSON.stringify(all, null, 2));
  for (const [file, names] of Object.entries(certificates)) {
    const { cert, key } = certificateFor(...names);
    writeFileSync(join(dir, 'certs', `${file}.crt`), cert);
    writeFileSync(join(dir, 'certs', `${file}.key`), key, { mode: 0o600 });
  }
  for (const [name, contents] of Object.entries(files)) writeFileSync(join(configDir, name), contents);
  return { dir, configDir, ca };
}

export interface Published extends Folder {
  readonly config: Config;
  readonly serving: Serving;
  /** Lines of the service log, as objects. */
  readonly logged: readonly Record<string, unknown>[];
  /** What the supervisor would have been told. */
  readonly told: readonly FromServing[];
}

export interface Alone {
  /** Stands for the supervisor; nobody answers by default. */
  readonly tell?: (message: FromServing) => void;
  /** The secret of affinity cookies; the same for all by default. */
  readonly affinitySecret?: Uint8Array;
}

/** Checks the folder and serves it in this process; it stops when the test ends. */
export async function startProxy(contents: FolderContents, alone: Alone = {}): Promise<Published> {
  const folder = writeFolder(contents);
  const checked: CheckedConfig = checkConfig(folder.configDir);
  if (!canStart(checked))
    throw new Error(`the test's configuration: ${JSON.stringify(checked.diagnostics, undefined, 2)}`);
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'info', base: null }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const { config, certificates, ca, shown, clientCa } = checked;
  const told: FromServing[] = [];
  const { tell = (message) => told.push(message), affinitySecret = new Uint8Array(32).fill(7) } = alone;
  const keys = { ticketKeys: new Uint8Array(48).fill(7), affinitySecret };
  const setup = { config, certificates, ca, shown, clientCa, ...keys, workers: 1 };
  const serving = await serve(setup, log, tell);
  onTestFinished(async () => {
    await serving.stop(0);
  });
  return { ...folder, config: checked.config, serving, logged, told };
}

/** applicationHost.config of one site, its farms and global rules. */
export function applicationHost(parts: {
  readonly bindings: readonly string[];
  readonly farms?: string;
  readonly rules?: string;
  readonly more?: string;
}): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <system.applicationHost>
    <sites>
      <site name="Published" id="1">
        <application path="/"><virtualDirectory path="/" physicalPath="C:\\inetpub\\wwwroot" /></application>
        <bindings>
          ${parts.bindings.map((each) => `<binding protocol="${each.split(' ')[0]}" bindingInformation="${each.split(' ')[1]}" />`).join('\n          ')}
        </bindings>
      </site>
    </sites>
  </system.applicationHost>
  <webFarms>${parts.farms ?? ''}</webFarms>
  <system.webServer>
    ${parts.more ?? ''}
    <rewrite><globalRules>${parts.rules ?? ''}</globalRules></rewrite>
  </system.webServer>
</configuration>
`;
}

export interface FarmParts {
  readonly servers: readonly {
    readonly address: string;
    readonly httpPort?: number;
    readonly httpsPort?: number;
    readonly weight?: number;
    readonly enabled?: boolean;
    readonly hostName?: string;
    /** Further attributes of its `applicationRequestRouting`. */
    readonly routing?: string;
  }[];
  /** Attributes of `protocol`. */
  readonly protocol?: string;
  /** Attributes of `healthCheck`. */
  readonly healthCheck?: string;
  /** Attributes of the farm itself. */
  readonly farm?: string;
  /** Elements beside `protocol` and `healthCheck`. */
  readonly routing?: string;
}

export function webFarm(
  name: string,
  { servers, protocol = 'timeout="00:16:00"', healthCheck = '', farm = '', routing = '' }: FarmParts,
): string {
  const each = servers.map((server) => {
    const { address, httpPort = 8080, httpsPort = 4443, weight = 100, enabled = true, hostName, routing = '' } = server;
    const named = hostName === undefined ? '' : ` hostName="${hostName}"`;
    return `<server address="${address}" enabled="${enabled}"><applicationRequestRouting httpPort="${httpPort}" httpsPort="${httpsPort}" weight="${weight}"${named} ${routing} /></server>`;
  });
  const tests = healthCheck === '' ? '' : `<healthCheck ${healthCheck} />`;
  return `<webFarm name="${name}" enabled="true" ${farm}>${each.join('')}<applicationRequestRouting><protocol ${protocol}><cache enabled="false" /></protocol>${tests}${routing}</applicationRequestRouting></webFarm>`;
}

/** The two rules that IIS Manager writes for a farm, for one host. */
export function farmRules(farm: string, host: string, farmName = farm): string {
  const rule = (suffix: string, https: string, scheme: string) => `
    <rule name="ARR_${farmName}_loadbalance${suffix}" patternSyntax="Wildcard" stopProcessing="true">
      <match url="*" />
      <conditions>
        <add input="{HTTPS}" pattern="${https}" />
        <add input="{HTTP_HOST}" pattern="${host}" />
      </conditions>
      <action type="Rewrite" url="${scheme}://${farm}/{R:0}" />
    </rule>`;
  return rule('_SSL', 'on', 'https') + rule('', 'off', 'http');
}
