/** The configuration of the demo: the applicationHost.config that ships, with the demo's ports, and settings with its addresses. */
import type { DemoPlan } from './demo-plan.ts';

/** Raw, for the backslashes of Windows. */
const APPLICATION = String.raw`        <application path="/">
          <virtualDirectory path="/" physicalPath="%SystemDrive%\inetpub\wwwroot" />
        </application>`;

type PublishedPlan = Pick<DemoPlan, 'listener' | 'frontEnd' | 'officeWebApps'>;

/** Only ports differ between the demo's and `config/applicationHost.config`, so that what is tried is what ships. */
export function demoApplicationHost({ listener, frontEnd, officeWebApps }: PublishedPlan): string {
  const hosts = Object.values(frontEnd.hosts) as readonly string[];
  const { host: office } = officeWebApps;
  const farms = [
    ...hosts.map((host) => farm(host, frontEnd)),
    // No rule leads there without TLS, and the stand-in has no such port.
    farm(office, { ...officeWebApps, httpPort: 80 }),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!--
  Publishes one Lync / Skype for Business pool and one Office Web Apps farm, in the shape that IIS ARR keeps it.
  To adapt it: replace contoso.com by your names, pool01 and owas01 by your servers, and give the addresses of
  those servers in settings.json under "hosts". Then run: lychgate validate
-->
<configuration>
  <system.applicationHost>
    <!-- The public names. A request for any other name is answered 400. Nothing in physicalPath is ever opened. -->
    <sites>
${site('Lync', 1, hosts, listener)}
${site('Office Web Apps', 2, [office], listener)}
    </sites>
  </system.applicationHost>

  <!--
    One farm for each name, as Microsoft's guide has it. The external web site of a Front End listens on 8080 and 4443,
    Office Web Apps on 80 and 443. Sixteen minutes, since phones hold a request for up to fifteen.
  -->
  <webFarms>
${farms.join('\n')}
  </webFarms>

  <system.webServer>
    <rewrite>
      <!-- Each rule names its host in full: with "*" the first rule would take every request. -->
      <globalRules>
${[...hosts, office].map((host) => rule(host, 'https')).join('\n')}
        <!--
          Only discovery is published without TLS: its answer holds https links and nothing else, and clients of a SIP
          domain that the certificate does not name depend on it. Any other name on port 80 is answered 404;
          examples/http-to-https-redirect-except-lyncdiscover sends it to https instead.
        -->
${rule(frontEnd.hosts.lyncdiscover, 'http')}
      </globalRules>
    </rewrite>
  </system.webServer>
</configuration>
`;
}

function site(name: string, id: number, hosts: readonly string[], listener: DemoPlan['listener']): string {
  const { address, httpsPort, httpPort } = listener;
  const bindings = [
    ...hosts.map((host) => `protocol="https" bindingInformation="${address}:${httpsPort}:${host}" sslFlags="0"`),
    ...hosts.map((host) => `protocol="http" bindingInformation="${address}:${httpPort}:${host}"`),
  ];
  return `      <site name="${name}" id="${id}">
${APPLICATION}
        <bindings>
${bindings.map((each) => `          <binding ${each} />`).join('\n')}
        </bindings>
      </site>`;
}

interface Server {
  readonly name: string;
  readonly httpPort: number;
  readonly httpsPort: number;
}

function farm(host: string, { name, httpPort, httpsPort }: Server): string {
  return `    <webFarm name="${host}" enabled="true">
      <server address="${name}" enabled="true">
        <applicationRequestRouting httpPort="${httpPort}" httpsPort="${httpsPort}" />
      </server>
      <applicationRequestRouting>
        <protocol timeout="00:16:00">
          <cache enabled="false" />
        </protocol>
      </applicationRequestRouting>
    </webFarm>`;
}

function rule(host: string, scheme: 'http' | 'https'): string {
  const [suffix, https] = scheme === 'https' ? ['_SSL', 'on'] : ['', 'off'];
  return `        <rule name="ARR_${host}_loadbalance${suffix}" patternSyntax="Wildcard" stopProcessing="true">
          <match url="*" />
          <conditions>
            <add input="{HTTPS}" pattern="${https}" />
            <add input="{HTTP_HOST}" pattern="${host}" />
          </conditions>
          <action type="Rewrite" url="${scheme}://${host}/{R:0}" />
        </rule>`;
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
