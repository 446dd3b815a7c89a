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
export function compileRules(
  config: Pick<Config, 'sites' | 'globalRules' | 'withoutHost'>,
): ReadonlyMap<string, CompiledSite> {
  const withoutHost = config.withoutHost ?? false;
  const global = compileRuleSet(config.globalRules, { scope: 'Global', withoutHost });
  const compiled = new Map<string, CompiledSite>();
  for (const site of config.sites) {
    const scopes = site.scopes.map(({ path, ruleSet }) => ({
      path,
      ruleSet: compileRuleSet(ruleSet, { scope: 'Distributed', withoutHost }),
      outbound: compileOutbound(ruleSet),
    }));
    const hasOutbound = scopes.some(({ outbound }) => outbound !== undefined);
    compiled.set(site.name, { name: site.name, id: site.id, global, scopes, hasOutbound });
  }
  return compiled;
}

interface SetSurroundings {
  readonly scope: RuleSet['scope'];
  /** What allowedServerVariables holds was not read. */
  readonly withoutHost: boolean;
}

function compileRuleSet(config: RuleSetConfig, { scope, withoutHost }: SetSurroundings): RuleSet {
  const { allowedServerVariables: allowed } = config;
  const surroundings = {
    maps: compileMaps(config.rewriteMaps),
    allowedVariables: scope === 'Global' ? undefined : new Set(allowed.map((name) => name.toUpperCase())),
    // A file that has a list of its own says by it what is allowed.
    allowedUnread: withoutHost && allowed.length === 0,
    keepEscapes: !config.useOriginalURLEncoding,
    conditions: new Map(),
  };
  const rules = config.rules.filter((rule) => rule.enabled).map((rule) => compileRule(rule, surroundings));
  return { scope, rules, index: indexByHost(rules) };
}
