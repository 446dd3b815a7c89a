/** The configuration of all rules -> what each site runs. */
import type { Config } from '../config/model.ts';
import type { RuleSetConfig } from '../config/rewrite-model.ts';
import { type HostIndex, indexByHost } from './host-index.ts';
import { compileOutbound, type OutboundRule } from './outbound-rule.ts';
import { compileMaps } from './rewrite-map.ts';
import { compileRule, type Rule } from './rule.ts';

/** The compiled rules of one scope, in order. */
export interface RuleSet {
  readonly scope: 'Global' | 'Distributed';
  readonly rules: readonly Rule[];
  /** Absent where no rule names its hosts. */
  readonly index: HostIndex | undefined;
}

export interface CompiledSite {
  readonly name: string;
  readonly id: number;
  readonly global: RuleSet;
  /** Deepest path first. */
  readonly scopes: readonly CompiledScope[];
  /** Whether any scope has outbound rules. */
  readonly hasOutbound: boolean;
}

export interface CompiledScope {
  readonly path: string;
  readonly ruleSet: RuleSet;
  /** Absent where there are none. */
  readonly outbound: readonly OutboundRule[] | undefined;
}

/** Each site by its name; the global rules are shared. Rules that cannot be compiled fail when they are run. */
export function compileRules(config: Pick<Config, 'sites' | 'globalRules'>): ReadonlyMap<string, CompiledSite> {
  const global = compileRuleSet(config.globalRules, 'Global');
  const compiled = new Map<string, CompiledSite>();
  for (const site of config.sites) {
    const scopes = site.scopes.map(({ path, ruleSet }) => ({
      path,
      ruleSet: compileRuleSet(ruleSet, 'Distributed'),
      outbound: compileOutbound(ruleSet),
    }));
    const hasOutbound = scopes.some(({ outbound }) => outbound !== undefined);
    compiled.set(site.name, { name: site.name, id: site.id, global, scopes, hasOutbound });
  }
  return compiled;
}

function compileRuleSet(config: RuleSetConfig, scope: RuleSet['scope']): RuleSet {
  const surroundings = {
    maps: compileMaps(config.rewriteMaps),
    allowedVariables:
      scope === 'Global' ? undefined : new Set(config.allowedServerVariables.map((name) => name.toUpperCase())),
    keepEscapes: !config.useOriginalURLEncoding,
    conditions: new Map(),
  };
  const rules = config.rules.filter((rule) => rule.enabled).map((rule) => compileRule(rule, surroundings));
  return { scope, rules, index: indexByHost(rules) };
}
