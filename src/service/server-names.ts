/** The names under which a farm is published: those its servers' certificates may carry. From configuration only. */
import type { Config, RuleConfig, WebFarmConfig } from '../config/model.ts';
import { literalHosts, ruleAcceptsHost, ruleTargetHost } from '../rewrite/published-hosts.ts';

/** Lower case, without wildcards. */
export function publishedNames(config: Config, farm: WebFarmConfig): string[] {
  const farmName = farm.name.value.toLowerCase();
  const names = new Set<string>();
  // The farm's own name stands in the rules that lead to it; often it is the public name.
  if (farmName.includes('.')) names.add(farmName);
  const add = (rules: readonly RuleConfig[], hosts: readonly string[]) => {
    for (const rule of rules) {
      if (!rule.enabled || ruleTargetHost(rule) !== farmName) continue;
      for (const host of [...hosts, ...literalHosts(rule)]) if (ruleAcceptsHost(rule, host)) names.add(host);
    }
  };
  for (const site of config.sites) {
    const hosts = site.bindings.map(({ host }) => host).filter((host) => host !== '' && !host.startsWith('*'));
    add(config.globalRules.rules, hosts);
    for (const { ruleSet } of site.scopes) add(ruleSet.rules, hosts);
  }
  return [...names];
}
