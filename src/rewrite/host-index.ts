/**
 * Finds rules by host, so that thousands that name their host cost no more than a few. A rule is left out of a request's
 * way only where a condition on `{HTTP_HOST}` is certain to fail and nothing before it can go wrong, so the result is
 * the same as with every rule.
 */
import type { Pass } from './action.ts';
import type { Condition } from './conditions.ts';
import { finiteInputs } from './finite-inputs.ts';
import type { Rule } from './rule.ts';
import { variableReader } from './server-variables.ts';

export interface HostIndex {
  /** For each place in the list the first rule from there on that any host may reach; `Infinity` after the last. */
  readonly nextForAny: readonly number[];
  /** Places of the rules for one value of `{HTTP_HOST}` in lower case, ascending. */
  readonly byHost: ReadonlyMap<string, readonly number[]>;
}

const NO_RULES: readonly number[] = [];

/** Nothing where no rule names its hosts. */
export function indexByHost(rules: readonly Rule[]): HostIndex | undefined {
  const byHost = new Map<string, number[]>();
  const nextForAny: number[] = new Array(rules.length + 1).fill(Number.POSITIVE_INFINITY);
  for (let at = rules.length - 1; at >= 0; at--) {
    const rule = rules[at];
    const hosts = rule && hostsOf(rule);
    nextForAny[at] = hosts ? (nextForAny[at + 1] ?? Number.POSITIVE_INFINITY) : at;
    for (const host of hosts ?? []) {
      const places = byHost.get(host);
      if (places) places.push(at);
      else byHost.set(host, [at]);
    }
  }
  if (byHost.size === 0) return undefined;
  for (const places of byHost.values()) places.reverse();
  return { nextForAny, byHost };
}

const readHost = variableReader('HTTP_HOST');

/** The rules for the Host of the request, or for what a rule has put in its place; those for any host come beside them. */
export function rulesOfHost({ byHost }: HostIndex, pass: Pass): readonly number[] {
  return byHost.get(readHost(pass).toLowerCase()) ?? NO_RULES;
}

/** The values of `{HTTP_HOST}` in lower case without which the rule cannot match; nothing where it may with others. */
function hostsOf(rule: Rule): readonly string[] | undefined {
  if (rule.failure || !rule.conditions || rule.pattern?.engine === 'counting') return undefined;
  const { any, entries } = rule.conditions;
  if (any && entries.length > 1) return undefined;
  for (const condition of entries) {
    // What comes before must not be able to end the request's way.
    if (condition.failure || condition.pattern?.engine === 'counting') return undefined;
    const hosts = requiredHosts(rule, condition);
    if (hosts) return hosts;
  }
  return undefined;
}

function requiredHosts(rule: Rule, condition: Condition): readonly string[] | undefined {
  const { input, negate, matchType, patternText } = condition;
  const [only, more] = input.syntax.parts;
  const isHost = only?.kind === 'variable' && more === undefined && only.name.toUpperCase() === 'HTTP_HOST';
  if (!isHost || negate || matchType !== 'Pattern') return undefined;
  const hosts = finiteInputs(rule.patternSyntax, patternText);
  // Of letters beyond ASCII more than one may equal another while case is ignored; the lower case would not find them.
  if (!hosts || hosts.some((host) => /[^\x00-\x7f]/.test(host))) return undefined;
  return [...new Set(hosts.map((host) => host.toLowerCase()))];
}
