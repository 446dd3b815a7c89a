/** Names and paths of a Lync / Skype for Business publication, and where the configuration publishes them. */
import type { WebFarmConfig } from '../config/farm-model.ts';
import type { Config } from '../config/model.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { siteFinder } from '../decide/entrances.ts';
import { imaginedRequest } from '../decide/imagined-request.ts';
import { comparedName } from '../host-name.ts';
import { sendsAway } from '../rewrite/action-target.ts';
import { compilePattern, isFault } from '../rewrite/pattern.ts';
import { hostConditions, literalHosts, ruleAcceptsHost } from '../rewrite/published-hosts.ts';
import { matchesAll } from '../rewrite/rule-reach.ts';
import { sampleInputs } from '../rewrite/sample-input.ts';
import type { AskUrl } from './asked-url.ts';

/** What the external web site of a Front End answers at; `/Mcx` is left out, since Server 2019 no longer has it. */
export const WEB_SERVICE_PATHS: readonly string[] = [
  '/abs/handler',
  '/Autodiscover/AutodiscoverService.svc/root',
  '/CertProv/CertProvisioningService.svc',
  '/CollabContent/x',
  '/DataCollabWeb/x',
  '/Dialin/',
  '/Fonts/x',
  '/GroupExpansion/service.svc',
  '/HybridConfig/x',
  '/lwa/',
  '/LwaClient/x',
  '/Meet/',
  '/PassiveAuth/x',
  '/PersistentChat/x',
  '/PhoneConferencing/',
  '/Reach/sip.svc',
  '/RequestHandlerExt/ucdevice.upx',
  '/RgsClients/AgentService.svc',
  '/Scheduler/',
  '/Storage/x',
  '/ucwa/v1/applications',
  '/WebTicket/WebTicketService.svc',
];

/** The first segment, as rules list it. */
export function folderOf(path: string): string {
  return `/${path.split('/')[1] ?? ''}`;
}

export type NameKind = 'meet' | 'dialin' | 'lyncdiscover' | 'web' | 'other';

/** By the first label: the simple URLs and discovery have fixed names, that of the web services is by habit. */
export function kindOf(host: string): NameKind {
  const label = host.split('.')[0] ?? '';
  if (label === 'meet' || label === 'dialin' || label === 'lyncdiscover') return label;
  return /^(webext|webdirext|webpoolext|lync(?!discover)|sfb|skype)/.test(label) ? 'web' : 'other';
}

export interface Publication {
  /** Lower case; those of a kind that Lync knows are sent to a server by some rule. */
  readonly hosts: readonly string[];
  /** A host as a person is told of it: one that was made up to fit a pattern stands nowhere, and is told by the pattern. */
  readonly told: (host: string) => string;
  /** The domain of a host, where the host is spelt out. */
  readonly domainOf: (host: string) => string | undefined;
  /** Enabled rules that send requests away, in order. */
  readonly rules: readonly RuleConfig[];
  readonly hasBindings: boolean;
  /** Https where a binding takes the host so. */
  readonly ask: (host: string, target: string, scheme?: 'http' | 'https') => ReturnType<AskUrl>;
  readonly takes: (host: string, scheme: 'http' | 'https') => boolean;
  readonly farms: readonly WebFarmConfig[];
}

export function publicationOf(config: Config, asked: AskUrl): Publication {
  const { sites, globalRules } = config;
  const bindings = sites.flatMap((site) => site.bindings);
  const sets = [globalRules, ...sites.flatMap(({ scopes }) => scopes.map(({ ruleSet }) => ruleSet))];
  const rules = [...new Set(sets.flatMap((set) => set.rules))].filter(
    ({ enabled, action }) => enabled && sendsAway(action),
  );
  const findSite = siteFinder(config, new Map(sites.map((site) => [site.name, site])));
  const takes = (host: string, scheme: 'http' | 'https') =>
    findSite(imaginedRequest({ scheme, authority: host, target: '/' })) !== undefined;
  const bound = bindings.map(({ host }) => host).filter((host) => host !== '' && !host.startsWith('*'));
  const isTaken = (host: string) => takes(host, 'https') || takes(host, 'http');
  const written = rules.flatMap(literalHosts).filter(isTaken);
  const madeUp = new Map(rules.flatMap(madeUpHosts).filter(([host]) => isTaken(host)));
  for (const host of [...bound, ...written]) madeUp.delete(host);
  const told = (host: string) => (madeUp.has(host) ? `any name that matches "${madeUp.get(host)}"` : host);
  const domainOf = (host: string) => (madeUp.has(host) ? undefined : host.slice(host.indexOf('.') + 1));
  // Other names are asked about where they matter; there may be thousands.
  const hosts = [...new Set([...bound, ...written, ...madeUp.keys()])].filter(
    (host) => kindOf(host) === 'other' || rules.some((rule) => ruleAcceptsHost(rule, host)),
  );
  const ask = (host: string, target: string, scheme?: 'http' | 'https') =>
    asked({ scheme: scheme ?? (takes(host, 'https') ? 'https' : 'http'), host, target });
  return { hosts, told, domainOf, rules, hasBindings: bindings.length > 0, ask, takes, farms: config.webFarms };
}

/** Hosts made up for patterns such as `meet.*`, each with its pattern; none for a rule that spells its hosts out. */
function madeUpHosts(rule: RuleConfig): (readonly [host: string, pattern: string])[] {
  if (literalHosts(rule).length > 0) return [];
  return hostConditions(rule)
    .filter(({ negate }) => !negate)
    .flatMap(({ pattern: { value: pattern } = { value: '' }, ignoreCase }) =>
      sampleInputs(rule.patternSyntax, pattern, ignoreCase).map((host) => [host.toLowerCase(), pattern] as const),
    )
    .filter(([host]) => /^[a-z0-9-]+\.[a-z0-9.-]+$/.test(host));
}

/** A rule that names folders of the web services one by one, instead of trusting every path. */
export function listsPaths(rule: RuleConfig): boolean {
  const { match, patternSyntax } = rule;
  const url = match?.url?.value;
  if (url === undefined || match?.negate || matchesAll(patternSyntax, url)) return false;
  const compiled = compilePattern(patternSyntax, url, match?.ignoreCase ?? true);
  if (isFault(compiled)) return false;
  const listed = WEB_SERVICE_PATHS.filter((path) => {
    const folder = folderOf(path).slice(1);
    return url.toLowerCase().includes(folder.toLowerCase()) && typeof compiled.match(path.slice(1)) === 'object';
  });
  return listed.length >= 3;
}

/** The farm that requests for a host come to. */
export function farmOf({ ask, farms }: Publication, host: string, target: string): WebFarmConfig | undefined {
  const outcome = ask(host, target);
  return outcome?.kind === 'proxy' ? farms.find(({ name }) => comparedName(name.value) === outcome.host) : undefined;
}
