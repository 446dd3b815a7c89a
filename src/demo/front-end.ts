/** A stand-in for the external web site of a Lync / Skype for Business Front End: ports 8080 and 4443, paths as the real one has them. */
import type { Logger } from '../log.ts';
import { type Answerer, answer, answerEcho, answerJson, answerPage, type Call } from './answers.ts';
import { answerDiscovery, answerTicketWanted } from './discovery.ts';
import { createLongPolls, type LongPolls } from './long-poll.ts';
import { type PemCertificate, type StandIn, startStandIn } from './stand-in.ts';
import { answerDownload, answerUpload } from './transfers.ts';
import { type Account, createWindowsChallenge, type WindowsChallenge } from './windows-challenge.ts';

/** The public names; which one a request names in `Host` matters to the simple URLs. */
export interface FrontEndHosts {
  readonly webext: string;
  readonly meet: string;
  readonly dialin: string;
  readonly lyncdiscover: string;
}

/** The names of the documentation. */
export const CONTOSO_HOSTS: FrontEndHosts = {
  webext: 'webext.contoso.com',
  meet: 'meet.contoso.com',
  dialin: 'dialin.contoso.com',
  lyncdiscover: 'lyncdiscover.contoso.com',
};

/** Who can log in when nothing else is said. */
export const CONTOSO_ACCOUNTS: readonly Account[] = [
  { domain: 'CONTOSO', user: 'alice', password: 'secret' },
  { domain: 'CONTOSO', user: 'bob', password: 'hidden' },
];

export interface FrontEndOptions {
  readonly address?: string;
  /** 0: any free port. */
  readonly httpPort?: number;
  readonly httpsPort?: number;
  readonly certificate: PemCertificate;
  readonly hosts?: FrontEndHosts;
  readonly accounts?: readonly Account[];
  /** Seconds that no long poll is held beyond, whatever it asks for; 900 as in UCWA. */
  readonly pollSeconds?: number;
  /** What `X-MS-Server-Fqdn` says; tells the members of a farm apart. */
  readonly serverName?: string;
  readonly log?: Logger;
}

/** A host of the table below, a pattern for the path, and who answers. */
interface Page {
  readonly host?: keyof FrontEndHosts;
  readonly path: RegExp;
  readonly answerer: Answerer;
}

/** Opens 8080 and 4443 unless told otherwise. */
export async function startFrontEnd(options: FrontEndOptions): Promise<StandIn> {
  const hosts = options.hosts ?? CONTOSO_HOSTS;
  const polls = createLongPolls(options.pollSeconds ?? 900);
  const challenge = createWindowsChallenge(options.accounts ?? CONTOSO_ACCOUNTS, {
    domain: 'CONTOSO',
    computer: 'FE01',
    dnsDomain: 'contoso.local',
    dnsComputer: 'fe01.contoso.local',
  });
  const pages = pagesOf(hosts, polls, challenge);
  const standIn = await startStandIn({
    serverName: options.serverName ?? 'fe01.contoso.local',
    address: options.address ?? '127.0.0.1',
    httpPort: options.httpPort ?? 8080,
    httpsPort: options.httpsPort ?? 4443,
    certificate: options.certificate,
    ...(options.log === undefined ? {} : { log: options.log }),
    answerer: (call) => findPage(pages, hosts, call).answerer(call),
  });
  return {
    ...standIn,
    close: () => {
      polls.close();
      return standIn.close();
    },
  };
}

const notFound: Page = {
  path: /^/,
  answerer: (call) => answerPage(call, 404, 'Front End: not found', 'The Front End has nothing at this address.'),
};

function findPage(pages: readonly Page[], hosts: FrontEndHosts, call: Call): Page {
  const found = pages.find(
    ({ host, path }) => (host === undefined || hosts[host] === call.host) && path.test(call.path),
  );
  return found ?? notFound;
}

/** First match wins. Paths are matched without regard to letter case, as IIS does. */
function pagesOf(hosts: FrontEndHosts, polls: LongPolls, challenge: WindowsChallenge): readonly Page[] {
  const discovery: Answerer = (call) => answerDiscovery(call, hosts.webext);
  return [
    { path: /^\/echo(\/|$)/i, answerer: answerEcho },
    { path: /^\/autodiscover\/autodiscoverservice\.svc\/root\/?$/i, answerer: discovery },
    {
      path: /^\/autodiscover\/autodiscoverservice\.svc\/root\/(oauth\/)?user$/i,
      answerer: (call) => answerTicketWanted(call, hosts.webext),
    },
    { host: 'lyncdiscover', path: /^\/?$/, answerer: discovery },
    {
      path: /^\/(abs|groupexpansion|webticket\/webticketservice\.svc|rgsclients)(\/|$)/i,
      answerer: (call) => answerToUser(call, challenge),
    },
    { path: /^\/ucwa\/v1\/applications\/[^/]+\/events$/i, answerer: (call) => polls.answer(call) },
    { path: /^\/datacollabweb\/upload$/i, answerer: answerUpload },
    { path: /^\/collabcontent\//i, answerer: answerDownload },
    { path: /^\/scheduler(\/|$)/i, answerer: schedulerPage },
    { path: /^\/meet(\/|$)/i, answerer: meetPage },
    { path: /^\/dialin(\/|$)/i, answerer: dialinPage },
    // The simple URLs: only the Host header tells what `/alice/7M3K2P` is, so a proxy that replaces it breaks them.
    { host: 'meet', path: /^\//, answerer: meetPage },
    { host: 'dialin', path: /^\/$/, answerer: dialinPage },
  ];
}

function meetPage(call: Call): void {
  answerPage(call, 200, 'Join the meeting', 'Front End: the meeting join page.');
}

function dialinPage(call: Call): void {
  answerPage(call, 200, 'Dial-in conferencing', 'Front End: conference numbers and PIN.');
}

function schedulerPage(call: Call): void {
  answerPage(call, 200, 'Web Scheduler', 'Front End: plan a meeting in the browser.');
}

/** Address book, group expansion, web tickets: a login first, then who the connection belongs to. */
function answerToUser(call: Call, challenge: WindowsChallenge): void {
  const verdict = challenge(call.request.socket, call.request.headers.authorization);
  if ('authenticate' in verdict) {
    const lines = verdict.authenticate.map((value) => ['WWW-Authenticate', value] as const);
    answer(call, 401, 'text/html', '401 - Unauthorized: the Front End wants a Windows login.\n', lines);
    return;
  }
  const { connection, turn } = call.arrived;
  answerJson(call, 200, { user: verdict.identity, connection, turn }, [['Persistent-Auth', 'true']]);
}
