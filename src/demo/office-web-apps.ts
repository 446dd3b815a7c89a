/** A stand-in for Office Web Apps Server: the discovery document, and an echo of every other target as it arrived. */
import type { Logger } from '../log.ts';
import { answer, answerEcho, type Call } from './answers.ts';
import { type PemCertificate, type StandIn, startStandIn } from './stand-in.ts';

export interface OfficeWebAppsOptions {
  readonly address?: string;
  /** 0: any free port. The real one listens on 443. */
  readonly httpsPort?: number;
  readonly certificate: PemCertificate;
  /** Its public name. */
  readonly host?: string;
  readonly serverName?: string;
  readonly log?: Logger;
}

/** Opens 127.0.0.1:4444 unless told otherwise. */
export function startOfficeWebApps(options: OfficeWebAppsOptions): Promise<StandIn> {
  const host = options.host ?? 'officewebapps.contoso.com';
  return startStandIn({
    serverName: options.serverName ?? 'owas01.contoso.local',
    address: options.address ?? '127.0.0.1',
    httpsPort: options.httpsPort ?? 4444,
    certificate: options.certificate,
    ...(options.log === undefined ? {} : { log: options.log }),
    answerer: (call) =>
      /^\/hosting\/discovery\/?$/i.test(call.path) ? answerHostingDiscovery(call, host) : answerEcho(call),
  });
}

/** What a Front End reads to learn how to show a presentation. */
function answerHostingDiscovery(call: Call, host: string): void {
  const root = `https://${host}`;
  const body = `<?xml version="1.0" encoding="utf-8"?>
<wopi-discovery>
  <net-zone name="external-https">
    <app name="PowerPoint" favIconUrl="${root}/p/resources/1033/FavIcon_Ppt.ico">
      <action name="view" ext="pptx" urlsrc="${root}/p/PowerPointFrame.aspx?&lt;ui=UI_LLCC&amp;&gt;" />
      <action name="present" ext="pptx" urlsrc="${root}/m/Presenter.aspx?&lt;ui=UI_LLCC&amp;&gt;" />
    </app>
  </net-zone>
</wopi-discovery>
`;
  answer(call, 200, 'text/xml; charset=utf-8', body);
}
