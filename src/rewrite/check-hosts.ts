/** Whether rules, bindings and farms fit together: hosts that nobody can ask for, farms that nothing leads to. */
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { BindingConfig, Config } from '../config/model.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import type { Text } from '../config/text.ts';
import { literalAuthority, splitAuthority } from './action.ts';
import type { FarmMeant } from './farm-meant.ts';
import { compilePattern, isFault } from './pattern.ts';
import { hostConditions, literalHosts, ruleAcceptsHost, ruleTargetHost } from './published-hosts.ts';
import { readTemplate } from './template.ts';

/** Beyond so many host names a pattern is not tried on all of them. */
const MOST_TRIED = 500;

export function checkHosts(config: Config, farmMeant: FarmMeant, report: Report): void {
  const { sites, globalRules, misread, settings } = config;
  const mayLoop = config.proxy.enabled && !misread?.has('farms') && !settings.misread?.has('hosts');
  const all = sites.flatMap((site) => site.bindings);
  const ports = Map.groupBy(all, ({ port }) => port);
  const byPort = new Map([...ports].map(([port, bindings]) => [port, boundHosts(bindings)]));
  const farms = new Set(config.webFarms.map(({ name }) => name.value.toLowerCase()));
  const check = (rules: Iterable<RuleConfig>, bindings: readonly BindingConfig[]) => {
    const bound = boundHosts(bindings);
    for (const rule of rules) {
      if (!rule.enabled) continue;
      if (!misread?.has('sites')) checkBound(rule, bound, report);
      if (mayLoop) checkOwnHost(rule, { byPort, farms, farmMeant, inner: settings.hosts }, report);
    }
  };
  check(globalRules.rules, all);
  for (const site of sites) check(new Set(site.scopes.flatMap(({ ruleSet }) => ruleSet.rules)), site.bindings);
  if (!misread?.has('rules')) checkFarms(config, farmMeant, report);
}

interface BoundHosts {
  readonly bindings: readonly BindingConfig[];
  /** Without wildcards. */
  readonly names: ReadonlySet<string>;
  /** Such as `.contoso.com`. */
  readonly endings: readonly string[];
  /** IP addresses, and `*`. */
  readonly addresses: ReadonlySet<string>;
  /** A binding takes any host, or there are none at all. */
  readonly any: boolean;
}

function boundHosts(bindings: readonly BindingConfig[]): BoundHosts {
  const hosts = new Set(bindings.map(({ host }) => host));
  const endings = [...hosts].filter((host) => host.startsWith('*')).map((host) => host.slice(1));
  const names = new Set([...hosts].filter((host) => !host.startsWith('*')));
  const addresses = new Set(bindings.map(({ address }) => address));
  return { bindings, names, endings, addresses, any: hosts.size === 0 || hosts.has('') };
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
    advice: 'Add a binding for the name, or take it out of the rule.',
  });
}

function isBound(host: string, { names, endings }: BoundHosts): boolean {
  return names.has(host) || endings.some((ending) => host.endsWith(ending));
}

/** The Host of a port that is not the usual one names it. */
function acceptsSome(rule: RuleConfig, { bindings, names, endings }: BoundHosts): boolean {
  if (endings.length > 0 || names.size > MOST_TRIED) return true;
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
function checkOwnHost(rule: RuleConfig, { byPort, farms, farmMeant, inner }: OwnHosts, report: Report): void {
  const { url, type } = rule.action;
  if (type !== 'Rewrite' || !url) return;
  const written = literalAuthority(readTemplate(url.value).parts);
  const split = written === undefined ? undefined : splitAuthority(written, true);
  if (written === undefined || !split || farms.has(split.host) || inner[split.host] !== undefined) return;
  const port = split.port ?? (/^https:/i.test(url.value) ? 443 : 80);
  const host = split.host.replace(/^\[|\]$/g, '');
  const bound = byPort.get(port);
  if (!bound || !(isBound(host, bound) || bound.addresses.has(host))) return;
  const own = bound.bindings.find((binding) => binding.host === host || binding.address === host) ?? bound.bindings[0];
  const meant = farmMeant(rule, split.host);
  report('LG2302', hostSpan(url, written), {
    message: `${written} is no web farm but a binding of this proxy: the request comes back to it, round and round until Max-Forwards runs out.`,
    advice: `${meant === undefined ? '' : `Did you mean the farm "${meant}"? `}Name the web farm or the inner server, or lead the name to it by "hosts" of settings.json.`,
    ...(own ? { related: { span: own.span, message: 'the binding' } } : {}),
  });
}

function hostSpan(url: Text, written: string) {
  const at = url.value.indexOf('//') + 2;
  return spanWithin(url, at, at + written.length);
}

/** Nothing but a rule leads to a farm. */
function checkFarms({ sites, globalRules, webFarms }: Config, farmMeant: FarmMeant, report: Report): void {
  const sets = [globalRules, ...sites.flatMap(({ scopes }) => scopes.map(({ ruleSet }) => ruleSet))];
  const rules = sets.flatMap((set) => set.rules);
  const senders = rules.filter(
    ({ enabled, action }) => enabled && action.type === 'Rewrite' && action.url !== undefined,
  );
  const farms = new Set(webFarms.map(({ name }) => name.value.toLowerCase()));
  const used = new Set(
    senders.map((rule) => {
      const host = ruleTargetHost(rule);
      // That another name stands there is told at the rule.
      return host === undefined || farms.has(host) ? host : farmMeant(rule, host)?.toLowerCase();
    }),
  );
  // That one of them names nothing has been told.
  if (rules.some(({ enabled, action: { type, url } }) => enabled && type === 'Rewrite' && url === undefined)) return;
  // Without any rule the file is but a part of a configuration.
  if (rules.length === 0) return;
  if (senders.some(({ action }) => action.url && mayBeAnyFarm(action.url))) return;
  for (const { name, enabled } of webFarms) {
    // One without a name has been refused.
    if (!enabled || name.value === '' || used.has(name.value.toLowerCase())) continue;
    report('LG2303', name.span, {
      message: `No rule leads to the web farm "${name.value}".`,
      advice: `Add a rule that rewrites to https://${name.value}/{R:0}, or remove the farm.`,
    });
  }
}

/** A host that is computed may turn out to be any farm. */
function mayBeAnyFarm(url: Text): boolean {
  const { parts } = readTemplate(url.value);
  const [first] = parts;
  if (first?.kind === 'text' && !/^https?:\/\//i.test(first.text)) return false;
  return first !== undefined && literalAuthority(parts) === undefined;
}
