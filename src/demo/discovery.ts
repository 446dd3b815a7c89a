/** The autodiscover document of a Front End's external site: JSON, or XML for who asks for it. */
import { answer, answerJson, type Call } from './answers.ts';

/** What a mobile client learns first: where everything is, always as https links to the external web services. */
export function answerDiscovery(call: Call, webext: string): void {
  const links = linksTo(webext);
  const accept = call.request.headers.accept ?? '';
  if (/\bxml\b/i.test(accept) && !/json/i.test(accept)) {
    answer(call, 200, 'application/vnd.microsoft.rtc.autodiscover+xml; v=1', xmlOf(links));
    return;
  }
  answerJson(call, 200, {
    AccessLocation: 'External',
    Root: { Links: links.map(([token, href]) => ({ href, token })) },
  });
}

/** `/root/user` wants a web ticket first and says where to get one. */
export function answerTicketWanted(call: Call, webext: string): void {
  const lines = [
    ['X-MS-WebTicketURL', `https://${webext}/WebTicket/WebTicketService.svc`],
    ['X-MS-WebTicketSupported', 'cwt,saml'],
  ] as const;
  answer(call, 401, 'text/html', 'A web ticket is needed.\n', lines);
}

function linksTo(webext: string): readonly (readonly [token: string, href: string])[] {
  const root = `https://${webext}/Autodiscover/AutodiscoverService.svc/root`;
  return [
    ['Domain', `${root}/domain`],
    ['User', `${root}/user`],
    ['OAuth', `${root}/oauth/user`],
    ['External/XFrame', `https://${webext}/Autodiscover/XFrame/XFrame.html`],
    ['External/Ucwa', `https://${webext}/ucwa/v1/applications`],
    ['External/WebTicket', `https://${webext}/WebTicket/WebTicketService.svc`],
  ];
}

function xmlOf(links: readonly (readonly [token: string, href: string])[]): string {
  const lines = links.map(([token, href]) => `    <Link token="${token}" href="${href}" />`);
  return `<?xml version="1.0" encoding="utf-8"?>
<AutodiscoverResponse AccessLocation="External">
  <Root>
${lines.join('\n')}
  </Root>
</AutodiscoverResponse>
`;
}
