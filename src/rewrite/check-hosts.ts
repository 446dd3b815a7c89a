/** Whether rules, bindings and farms fit together: hosts that nobody can ask for, farms that nothing leads to. */
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { BindingConfig, Config, RuleConfig, SiteConfig, Text } from '../config/model.ts';
import { literalAuthority, splitAuthority } from './action.ts';
import { hostConditions, literalHosts, ruleAcceptsHost, ruleTargetHost } from './published-hosts.ts';
import { compileTemplate } from './template.ts';

export function checkHosts(config: Config, report: Report): void {
  const { sites, globalRules } = config;
  const bindings = sites.flatMap((site) => site.bindings);
  for (const rule of globalRules.rules) checkRule(rule, bindings, sites, config, report);
  for (const site of sites) {
    for (const { ruleSet } of site.scopes) {
      for (const rule of ruleSet.rules) checkRule(rule, site.bindings, sites, config, report);
    }
  }
  checkFarms(config, report);
}

function checkRule(
  rule: RuleConfig,
  bindings: readonly BindingConfig[],
  sites: readonly SiteConfig[],
  config: Config,
  report: Report,
): void {
  if (!rule.enabled) return;
  checkBound(rule, bindings, report);
  checkOwnHost(rule, sites, config, report);
}

/** A host that no binding has is answered 400 before any rule is asked. */
function checkBound(rule: RuleConfig, bindings: readonly BindingConfig[], report: Report): void {
  const hosts = [...new Set(bindings.map(({ host }) => host))];
  const [condition] = hostConditions(rule).filter(({ negate }) => !negate);
  if (hosts.length === 0 || hosts.includes('') || !condition) return;
  const missing = literalHosts(rule).filter((host) => !hosts.some((bound) => takes(bound, host)));
  const taken = hosts.some((host) => host.startsWith('*') || acceptsWithPort(rule, host, bindings));
  if (missing.length === 0 && taken) return;
  const pattern = condition.pattern;
  const names = missing.length > 0 ? missing.join(', ') : `a host that "${pattern?.value ?? ''}" matches`;
  report('LG2304', pattern?.span ?? condition.span, {
    message: `No binding has ${names}: such requests are answered 400 and never come to rule "${rule.name.value}".`,
    advice: 'Add a binding for the name, or take it out of the rule.',
  });
}

function takes(bound: string, host: string): boolean {
  return bound === host || (bound.startsWith('*') && host.endsWith(bound.slice(1)));
}

/** The Host of a port that is not the usual one names it. */
function acceptsWithPort(rule: RuleConfig, host: string, bindings: readonly BindingConfig[]): boolean {
  const ports = bindings.filter((binding) => binding.host === host).map(({ port }) => port);
  return [host, ...ports.map((port) => `${host}:${port}`)].some((value) => ruleAcceptsHost(rule, value));
}

/** A Rewrite to a name of this proxy that is no farm goes out, and comes in again. */
function checkOwnHost(rule: RuleConfig, sites: readonly SiteConfig[], config: Config, report: Report): void {
  const { url, type } = rule.action;
  if (type !== 'Rewrite' || !url || !config.proxy.enabled) return;
  const written = literalAuthority(compileTemplate(url.value, new Map()));
  const split = written === undefined ? undefined : splitAuthority(written, true);
  if (written === undefined || !split || isFarm(split.host, config)) return;
  // A name that settings.json leads to an inner server is no loop.
  if (config.settings.hosts[split.host] !== undefined) return;
  const port = split.port ?? (/^https:/i.test(url.value) ? 443 : 80);
  const host = split.host.replace(/^\[|\]$/g, '');
  const own = sites
    .flatMap(({ bindings }) => bindings)
    .find(
      (binding) => binding.port === port && (binding.address === host || (binding.host && takes(binding.host, host))),
    );
  if (!own) return;
  report('LG2302', hostSpan(url, written), {
    message: `${written} is no web farm but a binding of this proxy: the request comes back to it, round and round until Max-Forwards runs out.`,
    advice: `Name the web farm, or the inner server; if the name leads inside by the "hosts" of settings.json, make a farm with it.`,
    related: { span: own.span, message: 'the binding' },
  });
}

function hostSpan(url: Text, written: string) {
  const at = url.value.indexOf('//') + 2;
  return spanWithin(url, at, at + written.length);
}

function isFarm(host: string, { webFarms }: Config): boolean {
  return webFarms.some(({ name }) => name.value.toLowerCase() === host);
}

/** Nothing but a rule leads to a farm. */
function checkFarms({ sites, globalRules, webFarms }: Config, report: Report): void {
  const sets = [globalRules, ...sites.flatMap(({ scopes }) => scopes.map(({ ruleSet }) => ruleSet))];
  const rules = sets.flatMap((set) => set.rules);
  const senders = rules.filter(
    ({ enabled, action }) => enabled && action.type === 'Rewrite' && action.url !== undefined,
  );
  const used = new Set(senders.map(ruleTargetHost));
  // Without any rule the file is but a part of a configuration.
  if (rules.length === 0) return;
  if (senders.some(({ action }) => action.url && mayBeAnyFarm(action.url))) return;
  for (const { name, enabled } of webFarms) {
    if (!enabled || used.has(name.value.toLowerCase())) continue;
    report('LG2303', name.span, {
      message: `No rule leads to the web farm "${name.value}".`,
      advice: `Add a rule that rewrites to https://${name.value}/{R:0}, or remove the farm.`,
    });
  }
}

/** A host that is computed may turn out to be any farm. */
function mayBeAnyFarm(url: Text): boolean {
  const template = compileTemplate(url.value, new Map());
  const [first] = template.syntax.parts;
  if (first?.kind === 'text' && !/^https?:\/\//i.test(first.text)) return false;
  return first !== undefined && literalAuthority(template) === undefined;
}
