/** The demo on paper: names, addresses, ports, logins, and the curl lines to try with what each must show. */
import { shellWord } from '../program-name.ts';
import { CONTOSO_ACCOUNTS, CONTOSO_HOSTS, type FrontEndHosts } from './front-end.ts';
import type { Account } from './windows-challenge.ts';

export interface DemoPlan {
  /** Where Lychgate listens: ports that need no root. */
  readonly listener: { readonly address: string; readonly httpsPort: number; readonly httpPort: number };
  /** Where it tells of its farms. Not the usual port: a service of this machine may have that. */
  readonly admin: { readonly address: string; readonly port: number };
  /** `name` is what applicationHost.config calls the server. */
  readonly frontEnd: {
    readonly name: string;
    readonly address: string;
    readonly httpsPort: number;
    readonly httpPort: number;
    readonly hosts: FrontEndHosts;
    readonly accounts: readonly Account[];
  };
  readonly officeWebApps: {
    readonly name: string;
    readonly address: string;
    readonly httpsPort: number;
    readonly host: string;
  };
  /** DNS names of each certificate, the subject first. */
  readonly certificates: {
    readonly listener: readonly string[];
    readonly frontEnd: readonly string[];
    readonly officeWebApps: readonly string[];
  };
  readonly tries: readonly DemoTry[];
}

/** A command to try. */
export interface DemoTry {
  readonly title: string;
  /** Who gives the answer; `proxy` means that no server is asked. */
  readonly answeredBy: 'proxy' | 'frontEnd' | 'officeWebApps';
  /** Arguments of curl. */
  readonly args: readonly string[];
  readonly status: number;
  /** A piece of what curl prints. */
  readonly shows: string;
}

export interface DemoPlanOptions {
  /** File of the authority that signed the demo's certificates, as curl is to be told. */
  readonly authority: string;
  readonly platform?: NodeJS.Platform;
  readonly listener?: DemoPlan['listener'];
  /** The first of six ports in a row that take the place of the usual ones. */
  readonly firstPort?: number | undefined;
}

const OFFICE_WEB_APPS_HOST = 'officewebapps.contoso.com';

/** The plan; pure data. */
export function demoPlan(options: DemoPlanOptions): DemoPlan {
  // A server on the listener's own address looks like a loop. macOS answers on 127.0.0.1 alone and must live with that.
  const onlyOneLoopback = (options.platform ?? process.platform) === 'darwin';
  const { firstPort } = options;
  const port = (usual: number, place: number) => (firstPort === undefined ? usual : firstPort + place);
  const listener = options.listener ?? { address: '127.0.0.1', httpsPort: port(8443, 0), httpPort: port(8880, 1) };
  const publicNames = Object.values(CONTOSO_HOSTS) as readonly string[];
  const frontEnd = 'pool01.contoso.local';
  const officeWebApps = 'owas01.contoso.local';
  return {
    listener,
    admin: { address: '127.0.0.1', port: port(9444, 5) },
    frontEnd: {
      name: frontEnd,
      address: onlyOneLoopback ? '127.0.0.1' : '127.0.0.2',
      httpsPort: port(4443, 2),
      httpPort: port(8080, 3),
      hosts: CONTOSO_HOSTS,
      accounts: CONTOSO_ACCOUNTS,
    },
    officeWebApps: {
      name: officeWebApps,
      address: onlyOneLoopback ? '127.0.0.1' : '127.0.0.3',
      httpsPort: port(4444, 4),
      host: OFFICE_WEB_APPS_HOST,
    },
    certificates: {
      listener: [...publicNames, OFFICE_WEB_APPS_HOST],
      frontEnd: [frontEnd, ...publicNames],
      officeWebApps: [officeWebApps, OFFICE_WEB_APPS_HOST],
    },
    tries: triesAt(listener, options.authority),
  };
}

function triesAt(listener: DemoPlan['listener'], authority: string): readonly DemoTry[] {
  // --connect-to keeps the port out of the Host header, as in production.
  const https = ['--cacert', authority, '--connect-to', `::${listener.address}:${listener.httpsPort}`];
  const http = ['--connect-to', `::${listener.address}:${listener.httpPort}`];
  const { webext, meet, dialin, lyncdiscover } = CONTOSO_HOSTS;
  const events = '/ucwa/v1/applications/101/events?ack=1&medium=300&low=600&timeout=5';
  const presentation = '/p/PowerPointFrame.aspx?PowerPointView=ReadingView&WopiSrc=https%3A%2F%2Fpool01%2Fwopi';
  return [
    ofFrontEnd('a meeting', [...https, `https://${meet}/meet/alice/7M3K2P`], 'Join the meeting'),
    ofFrontEnd(
      'the same as a simple URL: the Host header arrives unchanged',
      [...https, `https://${meet}/alice/7M3K2P`],
      'Join the meeting',
    ),
    ofFrontEnd('conference numbers', [...https, `https://${dialin}/`], 'Dial-in conferencing'),
    ofFrontEnd('discovery', [...https, `https://${lyncdiscover}/`], '"AccessLocation": "External"'),
    ofFrontEnd(
      'discovery without TLS, from port 8080',
      [...http, '--include', `http://${lyncdiscover}/`],
      'X-Demo-Site: http ',
    ),
    {
      ...ofFrontEnd(
        'the address book wants a login: two challenges, each on its line',
        [...https, '--http1.1', '--include', `https://${webext}/abs/handler`],
        'WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n',
      ),
      status: 401,
    },
    ofFrontEnd(
      'a Windows login through the proxy',
      [...https, '--ntlm', '--user', 'CONTOSO\\alice:secret', `https://${webext}/abs/whoami`],
      '"user": "CONTOSO\\\\alice"',
    ),
    ofFrontEnd(
      'what the server sees of a request',
      [...https, '--path-as-is', `https://${webext}/echo/a%2Fb?x=%3A%2F%2F`],
      '"target": "/echo/a%2Fb?x=%3A%2F%2F"',
    ),
    ofFrontEnd(
      'an upload, counted and hashed',
      [...https, '--data-binary', `@${authority}`, `https://${webext}/DataCollabWeb/Upload`],
      '"sha256": ',
    ),
    ofFrontEnd(
      'a long poll that ends empty after five seconds',
      [...https, `https://${webext}${events}`],
      '"sender": []',
    ),
    {
      ...ofFrontEnd(
        'Office Web Apps',
        [...https, `https://${OFFICE_WEB_APPS_HOST}/hosting/discovery`],
        '<wopi-discovery>',
      ),
      answeredBy: 'officeWebApps',
    },
    {
      ...ofFrontEnd(
        'its long URLs arrive letter for letter',
        [...https, `https://${OFFICE_WEB_APPS_HOST}${presentation}`],
        `"target": "${presentation}"`,
      ),
      answeredBy: 'officeWebApps',
    },
    ofProxy('meetings are not published without TLS', [...http, '--include', `http://${meet}/`], 404),
    ofProxy('a name that is not ours', [...http, '--include', 'http://www.contoso.com/'], 400),
  ];
}

function ofFrontEnd(title: string, args: readonly string[], shows: string): DemoTry {
  return { title, answeredBy: 'frontEnd', args, status: 200, shows };
}

function ofProxy(title: string, args: readonly string[], status: number): DemoTry {
  return { title, answeredBy: 'proxy', args, status, shows: ` ${status} ` };
}

/** The command as one pastes it into a shell. */
export function shellLine({ args }: DemoTry): string {
  return ['curl', ...args.map(shellWord)].join(' ');
}
