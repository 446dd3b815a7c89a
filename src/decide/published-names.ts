/** The names under which a farm is published: those its servers' certificates may carry. From configuration only. */
import type { WebFarmConfig } from '../config/farm-model.ts';
import type { Config } from '../config/model.ts';
import type { RuleConfig, RuleSetConfig } from '../config/rewrite-model.ts';
import { comparedName } from '../host-name.ts';
import { literalHosts, ruleAcceptsHost, targetHosts } from '../rewrite/published-hosts.ts';

/** Lower case, without wildcards. */
export function publishedNames(config: Config, farm: WebFarmConfig): string[] {
  const farmName = comparedName(farm.name.value);
  // The farm's own name stands in the rules that lead to it; often it is the public name.
  return [...new Set([...(farmName.includes('.') ? [farmName] : []), ...publishedHosts(config, farm)])];
}

/** The hosts that bindings and rules name and whose requests rules lead to the farm; lower case, without wildcards. */
export function publishedHosts(config: Config, farm: WebFarmConfig): ReadonlySet<string> {
  const farmName = comparedName(farm.name.value);
  const names = new Set<string>();
  const add = (set: RuleSetConfig, hosts: readonly string[]) => {
    for (const rule of set.rules) {
      if (!rule.enabled || !targetHosts(rule, set).includes(farmName)) continue;
      for (const host of [...hosts, ...literalHosts(rule)]) if (ruleAcceptsHost(rule, host)) names.add(host);
    }
  };
  for (const site of config.sites) {
    const hosts = site.bindings.map(({ host }) => host).filter((host) => host !== '' && !host.startsWith('*'));
    for (const set of [config.globalRules, ...site.scopes.map(({ ruleSet }) => ruleSet)]) add(set, hosts);
  }
  return names;
}

/** Whether rules lead requests to the farm for hosts that nobody has named, through bindings without a host. */
export function takesAnyHost(config: Config, farm: WebFarmConfig): boolean {
  const farmName = comparedName(farm.name.value);
  const takes = (rule: RuleConfig, set: RuleSetConfig) =>
    rule.enabled && targetHosts(rule, set).includes(farmName) && ruleAcceptsHost(rule, NAMED_BY_NOBODY);
  return config.sites.some(
    ({ bindings, scopes }) =>
      bindings.some(({ host }) => host === '') &&
      [config.globalRules, ...scopes.map(({ ruleSet }) => ruleSet)].some((set) =>
        set.rules.some((rule) => takes(rule, set)),
      ),
  );
}

/** RFC 6761 6.4: there is no such host. */
const NAMED_BY_NOBODY = 'any.invalid';
