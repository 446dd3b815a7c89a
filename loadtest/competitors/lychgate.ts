/** Lychgate as its users start it: `lychgate run` on an applicationHost.config with a web farm and a rule for each host. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, PROXY_ADDRESS, type RunFolder } from '../run-folder.ts';
import {
  ALL_DUTIES,
  type Competitor,
  PATIENCE,
  type Running,
  type Setup,
  type StartContext,
  whenReady,
} from './competitor.ts';

const root = join(import.meta.dirname, '../..');

export const lychgate: Competitor = {
  name: 'lychgate',
  label: 'Lychgate',
  duties: ALL_DUTIES,
  onNode: true,
  version: () => /"version": "([^"]+)"/.exec(readFileSync(join(root, 'package.json'), 'utf8'))?.[1] ?? '',
  start,
};

async function start({ setup, folder, processes }: StartContext): Promise<Running> {
  const own = folder.subfolder('lychgate');
  const port = await freePort(PROXY_ADDRESS);
  writeFileSync(join(own, 'applicationHost.config'), applicationHost(setup, port));
  writeFileSync(join(own, 'settings.json'), settings(setup, folder, own, await freePort(PROXY_ADDRESS)));
  const process_ = processes.start(process.execPath, [join(root, 'src/main.ts'), 'run', '--config', own]);
  const endpoint = { address: PROXY_ADDRESS, port, host: setup.hosts.at(-1) ?? '' };
  return await whenReady({ endpoint, processes: [process_] });
}

export function settings(
  { workers, origin }: Setup,
  { front, authority }: RunFolder,
  own: string,
  adminPort: number,
): string {
  return JSON.stringify({
    hosts: { [origin.host]: origin.address },
    certificates: [{ cert: front.cert, key: front.key }],
    upstream: { ca: authority },
    workers,
    // All clients have one address.
    limits: { connectionsPerAddress: 20_000 },
    timeouts: { idle: PATIENCE },
    log: { level: 'warn', access: { file: join(own, 'access.log') } },
    admin: { address: `${PROXY_ADDRESS}:${adminPort}` },
  });
}

export function applicationHost({ hosts, origin }: Setup, port: number): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <system.applicationHost>
    <sites>
      <site name="Load test" id="1">
        <application path="/">
          <virtualDirectory path="/" physicalPath="%SystemDrive%\\inetpub\\wwwroot" />
        </application>
        <bindings>
${hosts.map((host) => `          <binding protocol="https" bindingInformation="${PROXY_ADDRESS}:${port}:${host}" sslFlags="1" />`).join('\n')}
        </bindings>
      </site>
    </sites>
  </system.applicationHost>
  <webFarms>
    <webFarm name="loadtest" enabled="true">
      <server address="${origin.host}" enabled="true">
        <applicationRequestRouting httpsPort="${origin.port}" />
      </server>
      <applicationRequestRouting>
        <protocol timeout="00:16:00">
          <cache enabled="false" />
        </protocol>
      </applicationRequestRouting>
    </webFarm>
  </webFarms>
  <system.webServer>
    <rewrite>
      <globalRules>
${hosts.map(rule).join('\n')}
      </globalRules>
    </rewrite>
  </system.webServer>
</configuration>
`;
}

/** As IIS Manager writes it for a farm. */
function rule(host: string): string {
  return `        <rule name="ARR_${host}_loadbalance_SSL" patternSyntax="Wildcard" stopProcessing="true">
          <match url="*" />
          <conditions>
            <add input="{HTTPS}" pattern="on" />
            <add input="{HTTP_HOST}" pattern="${host}" />
          </conditions>
          <action type="Rewrite" url="https://loadtest/{R:0}" />
        </rule>`;
}
