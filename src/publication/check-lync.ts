/** What a Lync / Skype for Business publication lacks: names, paths, ports and time-outs that its clients count on. */
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { WebFarmConfig } from '../config/farm-model.ts';
import type { Config } from '../config/model.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { comparedName } from '../host-name.ts';
import { compilePattern, isFault } from '../rewrite/pattern.ts';
import { ruleAcceptsHost } from '../rewrite/published-hosts.ts';
import type { AskUrl } from './asked-url.ts';
import {
  farmOf,
  folderOf,
  kindOf,
  listsPaths,
  type NameKind,
  type Publication,
  publicationOf,
  WEB_SERVICE_PATHS,
} from './lync-names.ts';

/** Below it mobile clients lose their pending requests. */
const SHORTEST_TIMEOUT = 200;

/** Of names and rules that may or may not belong to Lync. */
const MOST_LOOKED_AT = 50;

/** What each kind of name is asked for. */
const PROBES: Readonly<Record<Exclude<NameKind, 'other'>, string>> = {
  meet: '/alice/7M3K2P',
  dialin: '/',
  lyncdiscover: '/?sipuri=alice@contoso.com',
  web: '/WebTicket/WebTicketService.svc',
};

/** @param astray rules are known to do something else than is meant: what they publish cannot be told */
export function checkLync(
  config: Config,
  asked: AskUrl,
  { astray }: { readonly astray: boolean },
  report: Report,
): void {
  const publication = publicationOf(config, asked);
  const lists = publication.rules.filter(listsPaths).slice(0, MOST_LOOKED_AT);
  const kinds = new Set(publication.hosts.map(kindOf));
  const isLync = kinds.has('lyncdiscover') || (kinds.has('meet') && kinds.has('dialin')) || lists.length > 0;
  checkInside(config, publication, report);
  if (!isLync) return;
  const farms = lyncFarms(publication);
  if (!astray) {
    checkNames(publication, farms, report);
    checkPaths(publication, lists, report);
  }
  for (const { farm, schemes } of farms) checkFarm(farm, schemes, report);
  checkDiscoveryRedirect(config, publication, report);
  checkAdmin(config, publication, farms, report);
}

interface LyncFarm {
  readonly farm: WebFarmConfig;
  readonly schemes: ReadonlySet<string>;
}

function lyncFarms({ hosts, ask, takes, farms }: Publication): LyncFarm[] {
  const found = new Map<WebFarmConfig, Set<string>>();
  for (const host of hosts) {
    const kind = kindOf(host);
    if (kind === 'other') continue;
    for (const scheme of ['https', 'http'] as const) {
      const outcome = takes(host, scheme) ? ask(host, PROBES[kind], scheme) : undefined;
      const farm = outcome?.kind === 'proxy' && farms.find(({ name }) => comparedName(name.value) === outcome.host);
      if (farm) found.set(farm, (found.get(farm) ?? new Set()).add(outcome.scheme));
    }
  }
  return [...found].map(([farm, schemes]) => ({ farm, schemes }));
}

// ---- names -----------------------------------------------------------------------------------------------------

/** Nothing is said of fragments: other names may stand elsewhere. */
function checkNames(publication: Publication, farms: readonly LyncFarm[], report: Report): void {
  const { hosts, rules, hasBindings } = publication;
  const first = rules.find((rule) => hosts.some((host) => kindOf(host) !== 'other' && ruleAcceptsHost(rule, host)));
  const missing = missingNames(publication, farms);
  if (!hasBindings || !first || missing.length === 0) return;
  report('LG2310', first.name.span, {
    message: `A Lync or Skype for Business publication needs ${missing.join(' and ')} too, and no rule sends ${missing.length > 1 ? 'them' : 'it'} to a server.`,
    advice: 'Add the binding, the certificate name and the rule, or ignore this if another proxy publishes it.',
  });
}

function missingNames(publication: Publication, farms: readonly LyncFarm[]): string[] {
  const { hosts, rules, domainOf } = publication;
  const of = (kind: NameKind) => hosts.filter((host) => kindOf(host) === kind);
  const [meet, dialin, discover] = [of('meet'), of('dialin'), of('lyncdiscover')];
  const some = meet[0] ?? dialin[0] ?? discover[0];
  if (some === undefined) return [];
  // Simple URLs may be paths of one name: https://sfb.contoso.com/meet.
  const asPath = (name: string) => rules.some(({ match }) => match?.url?.value.toLowerCase().includes(name));
  const inDomain = (label: string, host: string) => {
    const domain = domainOf(host) ?? [...meet, ...dialin, ...discover].map(domainOf).find((known) => known);
    return domain === undefined ? `the name "${label}" of each domain` : `${label}.${domain}`;
  };
  const missing: string[] = [];
  if (meet.length === 0 && dialin.length > 0 && !asPath('meet')) missing.push(inDomain('meet', some));
  if (dialin.length === 0 && meet.length > 0 && !asPath('dialin')) missing.push(inDomain('dialin', some));
  // What was made up for a pattern stands for every domain.
  const hasDiscovery = (domain: string | undefined) =>
    discover.some((host) => domain === undefined || [undefined, domain].includes(domainOf(host)));
  for (const host of meet.length > 0 ? meet : [some]) {
    if (!hasDiscovery(domainOf(host))) missing.push(inDomain('lyncdiscover', host));
  }
  const others = hosts.filter((host) => ['web', 'other'].includes(kindOf(host))).slice(0, MOST_LOOKED_AT);
  const servers = new Set(farms.flatMap(({ farm }) => farm.servers.map(({ address }) => address.value.toLowerCase())));
  const webServices = others.some((host) => {
    const farm = farmOf(publication, host, PROBES.web);
    return kindOf(host) === 'web' || farm?.servers.some(({ address }) => servers.has(address.value.toLowerCase()));
  });
  if (!webServices) missing.push('the name of the external web services');
  return [...new Set(missing)];
}

// ---- paths -----------------------------------------------------------------------------------------------------

function checkPaths(publication: Publication, lists: readonly RuleConfig[], report: Report): void {
  const told = new Set<string>();
  for (const rule of lists) {
    const { hosts } = publication;
    const own = hosts.filter(
      (host) => ruleAcceptsHost(rule, host) && kindOf(host) !== 'lyncdiscover' && !told.has(host),
    );
    const services = own.filter((host) => ['web', 'other'].includes(kindOf(host)));
    const folders = WEB_SERVICE_PATHS.filter((path) =>
      (services.length > 0 ? services : own).some((host) => publication.ask(host, path)?.kind !== 'proxy'),
    ).map(folderOf);
    const simple = own.filter((host) => {
      const kind = kindOf(host);
      return (kind === 'meet' || kind === 'dialin') && publication.ask(host, PROBES[kind])?.kind !== 'proxy';
    });
    for (const host of own) told.add(host);
    const lacks = [
      ...folders,
      ...simple.map((host) => `any path of ${publication.told(host)}, which is the simple URL itself`),
    ];
    const url = rule.match?.url;
    if (lacks.length === 0 || !url) continue;
    report('LG2311', url.span, {
      message: `Rule "${rule.name.value}" lists paths of Lync, and these are published by no rule: ${lacks.join(', ')}.`,
      advice: 'Publish every path of these names with the pattern ".*", as Microsoft says; updates add paths.',
    });
  }
}

// ---- farms -----------------------------------------------------------------------------------------------------

function checkFarm(farm: WebFarmConfig, schemes: ReadonlySet<string>, report: Report): void {
  const name = farm.name.value;
  if (farm.protocol.timeout < SHORTEST_TIMEOUT) {
    report('LG2312', farm.protocol.span, {
      message: `The farm "${name}" is given ${farm.protocol.timeout} seconds to answer, and Lync clients hold requests for minutes: they will be signed out.`,
      advice: 'Set timeout="00:16:00" on its protocol element; without mobile clients 200 seconds may do.',
    });
  }
  for (const server of farm.servers) {
    const internal =
      schemes.has('https') && server.httpsPort === 443 ? 443 : schemes.has('http') && server.httpPort === 80 ? 80 : 0;
    if (!server.enabled || internal === 0) continue;
    report('LG2313', server.span, {
      message: `Port ${internal} of ${server.address.value} is the internal web site of a Front End: clients outside will be given internal addresses.`,
      advice: 'Set httpPort="8080" httpsPort="4443" on its applicationRequestRouting element.',
    });
  }
}

// ---- discovery -------------------------------------------------------------------------------------------------

function checkDiscoveryRedirect(config: Config, { hosts, ask, takes, told }: Publication, report: Report): void {
  for (const host of hosts) {
    if (kindOf(host) !== 'lyncdiscover' || !takes(host, 'http')) continue;
    const outcome = ask(host, PROBES.lyncdiscover, 'http');
    if (outcome?.kind !== 'redirect' || !outcome.location.startsWith('https:')) continue;
    const rule = everyRule(config).find(({ name, enabled }) => enabled && name.value === outcome.rule);
    if (!rule) continue;
    report('LG2314', rule.name.span, {
      message: `Rule "${outcome.rule}" redirects ${told(host)} from http to https: clients that look there because their SIP domain is not in the certificate cannot sign in.`,
      advice: `Add the condition {HTTP_HOST} with the pattern "^lyncdiscover\\." and negate="true", and a rule that sends http requests for ${told(host)} to port 8080.`,
    });
  }
}

function everyRule({ globalRules, sites }: Config): RuleConfig[] {
  return [...globalRules.rules, ...sites.flatMap(({ scopes }) => scopes.flatMap(({ ruleSet }) => ruleSet.rules))];
}

// ---- what must stay inside -------------------------------------------------------------------------------------

/** Folders that only the inside may reach, as rules name them. */
const INSIDE = /(?<![a-z])(cscp|ocspowershell|powershell|locationinformation)(?![a-z])/i;

function checkInside(config: Config, publication: Publication, report: Report): void {
  const { hosts, rules, ask } = publication;
  for (const host of hosts) {
    if (!host.startsWith('lyncdiscoverinternal.') || ask(host, '/')?.kind !== 'proxy') continue;
    reportName(config, publication, host, 'clients outside would take it for a sign that they are inside', report);
  }
  for (const rule of rules) {
    const url = rule.match?.url;
    const found = url && INSIDE.exec(url.value);
    if (!url || !found || !matchesFolder(rule, found[0])) continue;
    // Another rule may refuse it before.
    const outcome = ask(hosts.find((each) => ruleAcceptsHost(rule, each)) ?? 'site.example', `/${found[0]}/`);
    if (outcome && outcome.kind !== 'refused' && (outcome.kind !== 'proxy' || outcome.rule !== rule.name.value))
      continue;
    report('LG2321', spanWithin(url, found.index, found.index + found[0].length), {
      message: `/${found[0]} is for administrators inside; rule "${rule.name.value}" publishes it.`,
      advice: 'Take it out of the list.',
    });
  }
}

function matchesFolder({ patternSyntax, match }: RuleConfig, folder: string): boolean {
  const compiled = compilePattern(patternSyntax, match?.url?.value ?? '', match?.ignoreCase ?? true);
  if (isFault(compiled) || match?.negate) return false;
  return [folder, `${folder}/`, `${folder}/x`].some((path) => typeof compiled.match(path) === 'object');
}

/** `admin.` of a Lync publication is the simple URL of the control panel; elsewhere it is a name like others. */
function checkAdmin(config: Config, publication: Publication, farms: readonly LyncFarm[], report: Report): void {
  for (const host of publication.hosts) {
    const farm = host.startsWith('admin.') ? farmOf(publication, host, '/') : undefined;
    if (farm && farms.some((each) => each.farm === farm)) {
      reportName(config, publication, host, 'it is the simple URL of the control panel', report);
    }
  }
}

function reportName(config: Config, { told }: Publication, host: string, why: string, report: Report): void {
  const binding = config.sites.flatMap(({ bindings }) => bindings).find((each) => each.host === host);
  const rule = everyRule(config).find((each) => each.enabled && ruleAcceptsHost(each, host));
  const span = binding?.span ?? rule?.name.span;
  if (!span) return;
  report('LG2320', span, {
    message: `${told(host)} must not be reachable from outside: ${why}.`,
    advice: 'Remove its binding and its rule.',
  });
}
