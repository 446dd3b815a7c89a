/** Whether rules, bindings and farms fit together: hosts that nobody can ask for, farms that nothing leads to. */
import type { Report } from '../config/diagnostic.ts';
import type { BindingConfig, Config } from '../config/model.ts';
import type { RuleConfig, RuleSetConfig } from '../config/rewrite-model.ts';
import { type Entering, type FindSite, siteFinder } from '../decide/entrances.ts';
import { createSiteTable, matchSite, type SiteTable } from '../decide/match-site.ts';
import { comparedName } from '../host-name.ts';
import { nearestHost } from '../nearest.ts';
import { splitAuthority } from '../rewrite/action.ts';
import { type Destination, destinationOf, hostSpan } from '../rewrite/destination.ts';
import type { FarmMeant } from '../rewrite/farm-meant.ts';
import { compilePattern, isFault } from '../rewrite/pattern.ts';
import {
  hostConditions,
  hostPatternMeant,
  literalHosts,
  ruleAcceptsHost,
  targetHosts,
} from '../rewrite/published-hosts.ts';
import { compileMaps, type RewriteMaps } from '../rewrite/rewrite-map.ts';

/** Beyond so many host names a pattern is not tried on all of them. */
const MOST_TRIED = 500;

/** @param misled of what leads where something has been told already, so that a farm may only seem to be left out */
export function checkHosts(config: Config, farmMeant: FarmMeant, misled: boolean, report: Report): void {
  const { sites, globalRules, misread, settings } = config;
  const mayLoop = config.proxy.enabled && !misread?.has('farms') && !settings.misread?.has('hosts');
  const all = sites.flatMap((site) => site.bindings);
  const ports = Map.groupBy(all, ({ port }) => port);
  const byPort = new Map([...ports].map(([port, bindings]) => [port, boundHosts(bindings)]));
  const farms = new Set(config.webFarms.map(({ name }) => comparedName(name.value)));
  const findSite = siteFinder(config, new Map(sites.map(({ name }) => [name, name])));
  const check = (set: RuleSetConfig, bindings: readonly BindingConfig[], site?: string) => {
    const bound = boundHosts(bindings);
    const otherSite = site === undefined ? () => undefined : createOtherSite(site, bindings, findSite);
    const maps = compileMaps(set.rewriteMaps);
    for (const rule of set.rules) {
      if (!rule.enabled) continue;
      if (!misread?.has('sites') && !isImpossible(rule, report)) {
        checkBound(rule, bound, report);
        checkTaken(rule, otherSite, report);
      }
      if (mayLoop) checkOwnHosts(rule, maps, { byPort, farms, farmMeant, inner: settings.hosts }, report);
    }
  };
  check(globalRules, all);
  for (const { name, scopes, bindings } of sites) for (const { ruleSet } of scopes) check(ruleSet, bindings, name);
  if (!misread?.has('rules') && !misled) checkFarms(config, farmMeant, report);
}

interface BoundHosts {
  readonly bindings: readonly BindingConfig[];
  /** Of those with a host, as the service takes requests by it. */
  readonly table: SiteTable<BindingConfig>;
  /** IP addresses, and `*`. */
  readonly addresses: ReadonlySet<string>;
  /** A binding takes any host, or there are none at all. */
  readonly any: boolean;
}

function boundHosts(bindings: readonly BindingConfig[]): BoundHosts {
  const named = bindings.filter(({ host }) => host !== '');
  const table = createSiteTable(named.map((binding) => ({ host: binding.host, site: binding })));
  const addresses = new Set(bindings.map(({ address }) => address));
  return { bindings, table, addresses, any: bindings.length === 0 || named.length < bindings.length };
}

/** True, and told, where a condition waits for what no Host can be. */
function isImpossible(rule: RuleConfig, report: Report): boolean {
  const found = hostConditions(rule).flatMap((condition) => {
    const meant = condition.negate ? undefined : hostPatternMeant(rule, condition);
    return condition.pattern === undefined || meant === undefined ? [] : [{ pattern: condition.pattern, meant }];
  });
  for (const { pattern, meant } of found) {
    report('LG2304', pattern.span, {
      subject: pattern.value,
      message: `No request has the host "${pattern.value}" that rule "${rule.name.value}" waits for: it is a name alone, without scheme, path or blanks.`,
      advice: `Write "${meant}".`,
    });
  }
  return found.length > 0;
}

/** A host that no binding has is answered 400 before any rule is asked. */
function checkBound(rule: RuleConfig, bound: BoundHosts, report: Report): void {
  const [condition] = hostConditions(rule).filter(({ negate }) => !negate);
  if (bound.any || !condition?.pattern) return;
  const literals = literalHosts(rule);
  const missing = literals.filter((host) => !isBound(host, bound));
  if (missing.length === 0 && (literals.length > 0 || acceptsSome(rule, bound))) return;
  const { pattern } = condition;
  // It has been told that such a pattern cannot be read.
  if (isFault(compilePattern(rule.patternSyntax, pattern?.value ?? '', condition.ignoreCase))) return;
  const names = missing.length > 0 ? missing.join(', ') : `a host that "${pattern?.value ?? ''}" matches`;
  report('LG2304', pattern?.span ?? condition.span, {
    subject: names,
    message: `No binding has ${names}: such requests are answered 400 and never come to rule "${rule.name.value}".`,
    advice: cureFor(missing, bound),
  });
}

/** Gives the site that takes all requests for a host which this one would take by a wildcard, or as any. */
type OtherSite = (host: string) => string | undefined;

function createOtherSite(site: string, bindings: readonly BindingConfig[], findSite: FindSite<string>): OtherSite {
  // Where none is for more than one host, nobody takes a request away.
  const isWide = bindings.some(({ host }) => host === '' || host.startsWith('*'));
  const entrances = isWide ? entrancesOf(bindings) : [];
  return (host) => {
    const takers = new Set(entrances.map((entrance) => findSite({ ...entrance, authority: host })));
    return takers.has(site) ? undefined : [...takers].find((each) => each !== undefined);
  };
}

function entrancesOf(bindings: readonly BindingConfig[]): readonly Omit<Entering, 'authority'>[] {
  const all = Map.groupBy(bindings, ({ protocol, address, port }) => `${protocol} ${address} ${port}`);
  return [...all.values()].flatMap(([first]) => {
    if (first === undefined) return [];
    const { protocol: scheme, address, port } = first;
    return { scheme, protocol: 'HTTP/1.1' as const, connection: { localAddress: address, localPort: port } };
  });
}

/** A host that another site names is taken away from one that would take it by a wildcard. */
function checkTaken(rule: RuleConfig, otherSite: OtherSite, report: Report): void {
  const [condition] = hostConditions(rule).filter(({ negate }) => !negate);
  const literals = literalHosts(rule);
  const takers = literals.slice(0, MOST_TRIED).map(otherSite);
  const [taker] = takers;
  if (!condition?.pattern || taker === undefined || takers.includes(undefined)) return;
  const names = literals.join(', ');
  report('LG2304', condition.pattern.span, {
    subject: names,
    message: `Requests for ${names} come to the site "${taker}", which has a binding for it, and never to rule "${rule.name.value}".`,
    advice: `Put the rule into that site, or take its binding away.`,
  });
}

/** Never to take the name out of the condition: without it the rule would take every other host. */
function cureFor(missing: readonly string[], { table }: BoundHosts): string {
  const [name = ''] = missing;
  const near = missing.length === 1 ? nearestHost(name, table.exact.keys()) : undefined;
  if (near !== undefined) {
    return `Did you mean ${near}? Write that, or add a binding for ${name}.`;
  }
  return 'Add a binding for the name. A rule for nobody else can be removed as a whole, not its condition: it would take every other host then.';
}

function isBound(host: string, { table }: BoundHosts): boolean {
  return host !== '' && matchSite(table, host) !== undefined;
}

/** The Host of a port that is not the usual one names it. */
function acceptsSome(rule: RuleConfig, { bindings, table }: BoundHosts): boolean {
  if (table.wildcards.size > 0 || table.exact.size > MOST_TRIED) return true;
  return bindings.some(({ host, port }) => ruleAcceptsHost(rule, host) || ruleAcceptsHost(rule, `${host}:${port}`));
}

interface OwnHosts {
  readonly byPort: ReadonlyMap<number, BoundHosts>;
  /** Names in lower case. */
  readonly farms: ReadonlySet<string>;
  readonly farmMeant: FarmMeant;
  /** `hosts` of the settings: a name that it leads to an inner server is no loop. */
  readonly inner: Readonly<Record<string, string>>;
}

/** A Rewrite to a name of this proxy that is no farm goes out, and comes in again. */
function checkOwnHosts(rule: RuleConfig, maps: RewriteMaps, own: OwnHosts, report: Report): void {
  if (rule.action.type !== 'Rewrite') return;
  const destination = destinationOf(rule, maps);
  for (const written of destination.authorities) {
    const split = splitAuthority(written, true);
    if (!split || own.farms.has(split.host) || own.inner[split.host] !== undefined) continue;
    const binding = ownBinding(split, destination, own);
    if (binding) reportOwnHost(rule, { written, host: split.host, destination, binding }, own, report);
  }
}

/** The binding at which a request to this host comes in again. */
function ownBinding(
  split: { readonly host: string; readonly port: number | undefined },
  { schemes = ['http', 'https'], anyPort }: Destination,
  { byPort }: OwnHosts,
): BindingConfig | undefined {
  const host = split.host.replace(/^\[|\]$/g, '');
  const usual = schemes.map((scheme) => (scheme === 'https' ? 443 : 80));
  const ports = anyPort ? [...byPort.keys()] : split.port === undefined ? usual : [split.port];
  const [bound] = ports
    .map((port) => byPort.get(port))
    .filter((each) => each !== undefined && (isBound(host, each) || each.addresses.has(host)));
  return bound?.bindings.find((each) => each.host === host || each.address === host) ?? bound?.bindings[0];
}

interface OwnHost {
  readonly written: string;
  readonly host: string;
  readonly destination: Destination;
  readonly binding: BindingConfig;
}

function reportOwnHost(
  rule: RuleConfig,
  { written, host, destination, binding }: OwnHost,
  { farmMeant }: OwnHosts,
  report: Report,
): void {
  const meant = farmMeant(rule, host);
  report('LG2302', hostSpan(rule, destination), {
    subject: written,
    message: `${written} is no web farm but a binding of this proxy: the request comes back to it, round and round until Max-Forwards runs out.`,
    advice: `${meant === undefined ? '' : `Did you mean the farm "${meant}"? `}Name the web farm or the inner server, or lead the name to it by "hosts" of settings.json.`,
    related: { span: binding.span, message: 'the binding' },
  });
}

/** Nothing but a rule leads to a farm. */
function checkFarms({ sites, globalRules, webFarms }: Config, farmMeant: FarmMeant, report: Report): void {
  const sets = [globalRules, ...sites.flatMap(({ scopes }) => scopes.map(({ ruleSet }) => ruleSet))];
  const rules = sets.flatMap((set) => set.rules.map((rule) => ({ rule, set })));
  const senders = rules.filter(
    ({ rule: { enabled, action } }) => enabled && action.type === 'Rewrite' && action.url !== undefined,
  );
  const farms = new Set(webFarms.map(({ name }) => comparedName(name.value)));
  const used = new Set(
    senders.flatMap(({ rule, set }) =>
      // That another name stands there is told at the rule.
      targetHosts(rule, set).map((host) => (farms.has(host) ? host : comparedName(farmMeant(rule, host) ?? ''))),
    ),
  );
  // That one of them names nothing has been told.
  if (rules.some(({ rule: { enabled, action } }) => enabled && action.type === 'Rewrite' && !action.url)) return;
  // Without any rule the file is but a part of a configuration.
  if (rules.length === 0) return;
  // A host that is computed may turn out to be any farm.
  const certain = ({ rule, set }: (typeof senders)[number]) =>
    destinationOf(rule, compileMaps(set.rewriteMaps)).certain;
  if (!senders.every(certain)) return;
  for (const { name, enabled } of webFarms) {
    // One without a name has been refused.
    if (!enabled || name.value === '' || used.has(comparedName(name.value))) continue;
    report('LG2303', name.span, {
      message: `No rule leads to the web farm "${name.value}".`,
      advice: `Add a rule that rewrites to https://${name.value}/{R:0}, or remove the farm where nobody needs it.`,
    });
  }
}
