/** Whether a host that is no web farm was rather meant to be one: the name of a farm with a slip of the keyboard. */
import { isIP } from 'node:net';
import type { Config } from '../config/model.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { asLetters, comparedName } from '../host-name.ts';
import { editDistance } from '../nearest.ts';
import { hostConditions, targetHosts } from './published-hosts.ts';

/** Finds the farm that a rule most likely means by a host, in lower case, that no farm has. */
export type FarmMeant = (rule: RuleConfig, host: string) => string | undefined;

/**
 * Hosts near a farm's name are common (`app1` beside `app2`), so one that differs in digits alone, and any that the
 * configuration names elsewhere, is taken for what it is. Any other one has to look wrong for a second reason.
 */
export function createFarmMeant(config: Config): FarmMeant {
  let known: Known | undefined;
  const nearby = new Map<string, string | undefined>();
  return (rule, host) => {
    known ??= knownOf(config);
    const { hosts, used } = known;
    if (hosts.has(host) || isIP(host.replace(/^\[|\]$/g, '')) !== 0) return undefined;
    const letters = asLetters(host);
    const near = nearby.has(host) ? nearby.get(host) : nearestOf(letters, known);
    nearby.set(host, near);
    if (near === undefined) return undefined;
    const unlikelyHost = !host.includes('.') && host.length >= SHORTEST_OF_ITS_OWN && !isLonger(letters, near);
    const sure =
      lettersOf(near) === lettersOf(letters) ||
      unlikelyHost ||
      !used.has(comparedName(near)) ||
      isMisspeltDomain(host, near, hosts);
    return sure || names(rule, near) ? near : undefined;
  };
}

interface Known {
  readonly farms: readonly string[];
  /** Named in other places of the configuration. */
  readonly hosts: ReadonlySet<string>;
  /** Where rules lead to. */
  readonly used: ReadonlySet<string>;
}

function knownOf({ webFarms, settings, sites, globalRules }: Config): Known {
  const sets = [globalRules, ...sites.flatMap(({ scopes }) => scopes.map(({ ruleSet }) => ruleSet))];
  const servers = webFarms.flatMap((farm) => farm.servers.map(({ address }) => address.value.toLowerCase()));
  return {
    farms: webFarms.map(({ name }) => name.value).filter((name) => name !== ''),
    hosts: new Set([...servers, ...Object.keys(settings.hosts), ...settings.upstream.allow]),
    used: new Set(
      sets.flatMap((set) => set.rules.filter(({ enabled }) => enabled).flatMap((rule) => targetHosts(rule, set))),
    ),
  };
}

/** Beyond so many farms only dashes are looked at: the others would take too long. */
const MOST_COMPARED = 500;

/** The one that differs least; of several the first that no rule leads to. */
function nearestOf(host: string, { farms, used }: Known): string | undefined {
  const letters = lettersOf(host);
  const near = farms.find((farm) => lettersOf(farm) === letters);
  if (near !== undefined || farms.length > MOST_COMPARED) return near;
  const rank = (farm: string) => editDistance(host, farm.toLowerCase()) + (used.has(comparedName(farm)) ? 0.5 : 0);
  const ranked = farms.filter((farm) => isNear(host, farm)).map((farm) => ({ farm, rank: rank(farm) }));
  return ranked.sort((one, other) => one.rank - other.rank)[0]?.farm;
}

/** `crm-test` beside `crm` is a name of its own. */
function isLonger(host: string, farm: string): boolean {
  return hasSuffix(host, farm.toLowerCase());
}

/** The same name in a domain that differs by a slip, and that nothing else in the configuration is in. */
function isMisspeltDomain(host: string, farm: string, hosts: ReadonlySet<string>): boolean {
  const [label, ...domain] = host.split('.');
  const [other, ...known] = farm.toLowerCase().split('.');
  if (domain.length < 2 || label !== other || domain.join('.') === known.join('.')) return false;
  return ![...hosts].some((each) => each.endsWith(`.${domain.join('.')}`));
}

/** A dash, another dash and an underscore are easily taken for each other. */
function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[\p{Dash_Punctuation}_]/gu, '');
}

/** ARR names its rules after their farm; a rule for a host often leads to the farm of that name. */
function names(rule: RuleConfig, farm: string): boolean {
  const patterns = hostConditions(rule).map(({ pattern, written = pattern }) =>
    (written?.value ?? '').replaceAll('\\', ''),
  );
  return [rule.name.value, ...patterns].some((text) => text.toLowerCase().includes(farm.toLowerCase()));
}

const SUFFIX = /^[.\p{Dash_Punctuation}_]|^(?:farm|pool|servers?)$/u;

function isNear(host: string, farm: string): boolean {
  const [one, other] = [host, farm.toLowerCase()];
  if (one.replace(/\d+/g, '') === other.replace(/\d+/g, '')) return false;
  const [left, right] = withoutSharedDomain(one, other);
  return (
    hasSuffix(one, other) ||
    hasSuffix(left, right) ||
    editDistance(left, right) <= mostSlips(Math.max(left.length, right.length))
  );
}

function hasSuffix(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return short.length >= 3 && long.startsWith(short) && SUFFIX.test(long.slice(short.length));
}

/** `meet.contoso.com` and `dialin.contoso.com` are as far from each other as `meet` and `dialin`. */
function withoutSharedDomain(one: string, other: string): [string, string] {
  const [labels, others] = [one.split('.'), other.split('.')];
  while (labels.length > 1 && others.length > 1 && labels.at(-1) === others.at(-1)) {
    labels.pop();
    others.pop();
  }
  return [labels.join('.'), others.join('.')];
}

/** Names that are shorter have neighbours that mean something else. */
const SHORTEST_OF_ITS_OWN = 5;

function mostSlips(length: number): number {
  return length < 4 ? 0 : length < 8 ? 1 : 2;
}
