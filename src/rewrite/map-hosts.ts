/** Hosts that a rule takes from a rewrite map: what the administrator wrote there can be told beforehand. */
import type { RewriteMapConfig, RuleConfig } from '../config/rewrite-model.ts';
import { splitAuthority } from './action.ts';
import { supplierOf } from './check-conditions.ts';
import { partsOfHost } from './check-open-redirect.ts';
import { type Part, readTemplate } from './template.ts';

interface Surroundings {
  /** Lower case, as are the hosts that settings allow. */
  readonly farms: ReadonlySet<string>;
  readonly allow: ReadonlySet<string>;
  readonly maps: readonly RewriteMapConfig[];
}

/** Whether the host of a Rewrite is always a value of one map, each of which is a farm or an allowed host. */
export function comesFromFittingMap(rule: RuleConfig, { farms, allow, maps }: Surroundings): boolean {
  const [part, ...more] = partsOfHost(readTemplate(rule.action.url?.value ?? '').parts).host;
  const name = part && more.length === 0 ? mapOf(part, rule) : undefined;
  const map = maps.find((candidate) => candidate.name.value.toLowerCase() === name);
  if (!map) return false;
  const values = [...map.entries.map(({ value }) => value), map.defaultValue].filter((value) => value !== '');
  return values.every((value) => {
    const host = splitAuthority(value, false)?.host;
    return host !== undefined && (farms.has(host) || allow.has(host));
  });
}

/** The map that a part of an expression stands for, lower case: named there, or by the condition that it is taken from. */
function mapOf(part: Part, rule: RuleConfig): string | undefined {
  if (part.kind === 'call') return part.name.toLowerCase();
  if (part.kind !== 'condition') return undefined;
  const supplier = supplierOf(rule);
  const pattern = supplier?.pattern?.value ?? '';
  const whole = part.index === 0 ? /^\^?\(?\.[*+]\)?\$?$/ : /^\^?\(\.[*+]\)\$?$/;
  if (part.index > 1 || !(rule.patternSyntax === 'Wildcard' ? pattern === '*' : whole.test(pattern))) return undefined;
  const [only, ...more] = readTemplate(supplier?.input?.value ?? '').parts;
  return only?.kind === 'call' && more.length === 0 ? only.name.toLowerCase() : undefined;
}
