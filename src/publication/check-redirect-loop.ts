/**
 * Redirects that come back to themselves. A request that a rule redirects is imagined, and its Location followed through
 * all rules of the site as a client would: what then goes round, goes round for real.
 */
import type { Report } from '../config/diagnostic.ts';
import type { BindingConfig, Config, SiteConfig } from '../config/model.ts';
import type { ConditionsConfig, RuleConfig } from '../config/rewrite-model.ts';
import { createSiteTable, matchSite, type SiteTable } from '../decide/match-site.ts';
import { hostOf } from '../host-name.ts';
import { sampleInputs } from '../rewrite/sample-input.ts';
import type { AskedUrl, AskUrl } from './asked-url.ts';

/** Rules looked at, times rules asked: keeps the check of very long lists within a second or two. */
const MOST_RULE_RUNS = 2_000_000;
const HOPS = 10;
/** Where neither rule nor binding names one; no rule redirects to it. */
const ANY_HOST = 'site.example';

export function checkRedirectLoops(config: Config, ask: AskUrl, report: Report): void {
  const lists = [
    { rules: config.globalRules.rules, sites: config.sites },
    ...config.sites.flatMap((site) => site.scopes.map(({ ruleSet }) => ({ rules: ruleSet.rules, sites: [site] }))),
  ];
  const named = config.sites.flatMap(({ bindings }) => bindings).filter(({ host }) => host !== '');
  const ours = createSiteTable(named.map(({ host }) => ({ host, site: true as const })));
  let runs = MOST_RULE_RUNS;
  for (const { rules, sites } of lists) {
    const imagine = imaginer(sites);
    for (const rule of rules) {
      if (!rule.enabled || rule.action.type !== 'Redirect' || !rule.action.url || dependsOnHeaders(rule)) continue;
      const round = findRound(rule, imagine(rule), ours, (url) => {
        runs -= config.globalRules.rules.length + rules.length;
        return runs > 0 ? ask(url) : undefined;
      });
      if (round) reportRound(rule, round, report);
    }
  }
}

function reportRound(rule: RuleConfig, { start, back }: Round, report: Report): void {
  report('LG2301', rule.action.url?.span ?? rule.action.span, {
    message: `The redirect of rule "${rule.name.value}" never ends: ${urlOf(start)} leads to ${back}, which is redirected again.`,
    advice:
      start.scheme === 'http' && back.startsWith('https:')
        ? 'Add the condition {HTTPS} with the pattern "off".'
        : 'Add a condition that the new URL does not meet.',
  });
}

/** Headers that a server in front of us, or the client's own doing, may change with the URL; cookies too. */
function dependsOnHeaders({ conditions }: RuleConfig): boolean {
  return (conditions?.entries ?? []).some(({ input }) =>
    /\{HTTP_(?!HOST\}|URL\}|METHOD\}|VERSION\})/i.test(input?.value ?? ''),
  );
}

interface Round {
  readonly start: AskedUrl;
  readonly back: string;
}

function findRound(
  rule: RuleConfig,
  starts: Iterable<AskedUrl>,
  ours: SiteTable<true>,
  ask: AskUrl,
): Round | undefined {
  for (const start of starts) {
    const first = ask(start);
    if (first?.kind !== 'redirect' || first.rule !== rule.name.value) continue;
    const back = follow(rule, start, ours, ask);
    // Another request may be redirected elsewhere, but one that goes round is enough, and one that ends is the rule.
    return back === undefined ? undefined : { start, back };
  }
  return undefined;
}

/** The Location at which it is certain that the client goes round; nothing where it arrives somewhere. */
function follow(rule: RuleConfig, start: AskedUrl, ours: SiteTable<true>, ask: AskUrl): string | undefined {
  const seen = new Set<string>();
  let request = start;
  let times = 0;
  for (let hop = 0; hop < HOPS; hop++) {
    const outcome = ask(request);
    if (outcome?.kind !== 'redirect') return undefined;
    if (outcome.rule === rule.name.value) times++;
    const next = requestFor(outcome.location, request);
    if (!next || (next.host !== start.host && matchSite(ours, next.host) === undefined)) return undefined;
    seen.add(urlOf(request));
    // The same URL again, or one that grows with each turn.
    if (seen.has(urlOf(next)) || times >= HOPS / 2) return outcome.location;
    request = next;
  }
  return undefined;
}

/** A client that is led to the host that it came for stays at its address. */
function requestFor(location: string, from: AskedUrl): AskedUrl | undefined {
  const [, scheme, authority = '', target = ''] = /^(https?):\/\/([^/?#]+)([^#]*)/.exec(location) ?? [];
  if (scheme !== 'http' && scheme !== 'https') return undefined;
  const host = authority.toLowerCase().replace(scheme === 'https' ? /:443$/ : /:80$/, '');
  const stays = from.address !== undefined && hostOf(host) === hostOf(from.host);
  return {
    scheme,
    host,
    target: target.startsWith('/') ? target : `/${target}`,
    ...(stays && { address: from.address }),
  };
}

function urlOf({ scheme, host, target }: AskedUrl): string {
  return `${scheme}://${host}${target}`;
}

/** Gives requests that a rule of these sites may take: every mix of a scheme, some hosts, paths and queries. */
export function imaginer(sites: readonly SiteConfig[]): (rule: RuleConfig) => Generator<AskedUrl> {
  const bindings = sites.flatMap((site) => site.bindings);
  const named = bindings.filter(({ host }) => host !== '').slice(0, 3);
  // A client names a port that is not the usual one.
  const atPorts = named.filter(({ protocol, port }) => port !== (protocol === 'https' ? 443 : 80));
  const addressOf = createAddressOf(bindings);
  return function* (rule) {
    const hosts = [
      ...[...samplesFor(rule, '{HTTP_HOST}'), ...named.map(sampleOf), ANY_HOST].map((host) => host.toLowerCase()),
      ...atPorts.map((binding) => `${sampleOf(binding)}:${binding.port}`),
    ];
    const queries = [...samplesFor(rule, '{QUERY_STRING}'), ''];
    const base = rule.basePath === '/' ? '' : rule.basePath;
    const { url, ignoreCase = true, negate = false } = rule.match ?? {};
    const paths = negate || !url ? ['a', ''] : sampleInputs(rule.patternSyntax, url.value, ignoreCase);
    for (const path of new Set(paths)) {
      for (const host of new Set(hosts)) {
        for (const query of new Set(queries)) {
          const target = encodeURI(`${base}/${path}${query === '' ? '' : `?${query}`}`);
          for (const scheme of ['https', 'http'] as const) yield { scheme, host, target, ...addressOf(host, scheme) };
        }
      }
    }
  };
}

/** A host that a binding takes: a wildcard stands for any label. */
function sampleOf({ host }: BindingConfig): string {
  return host.startsWith('*.') ? `any${host.slice(1)}` : host;
}

/** The address at which a binding takes the host; nothing where the binding has none of its own. */
function createAddressOf(bindings: readonly BindingConfig[]) {
  const tables = Map.groupBy(bindings, ({ protocol }) => protocol);
  const byProtocol = new Map(
    [...tables].map(([protocol, its]) => [
      protocol,
      createSiteTable(its.map((each) => ({ host: each.host, site: each.address }))),
    ]),
  );
  return (host: string, scheme: AskedUrl['scheme']): Pick<AskedUrl, 'address'> => {
    const table = byProtocol.get(scheme);
    const address = table && matchSite(table, host);
    return address === undefined || address === '*' ? {} : { address };
  };
}

function samplesFor(rule: RuleConfig, input: string): string[] {
  const entries: ConditionsConfig['entries'] = rule.conditions?.entries ?? [];
  return entries
    .filter((entry) => entry.input?.value.toUpperCase() === input && !entry.negate && entry.matchType === 'Pattern')
    .flatMap((entry) => sampleInputs(rule.patternSyntax, entry.pattern?.value ?? '', entry.ignoreCase));
}
