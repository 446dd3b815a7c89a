/** What a replayed log comes to: which rule and farm took how much, what nobody took, and what another config changes. */
import type { Config } from '../config/model.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import type { AskedRequest } from '../decide/asked-request.ts';
import type { Fate } from '../decide/decide.ts';
import { mayLeave } from '../rewrite/action-target.ts';
import { type Action, type FateWords, fateDescriber } from './fate-words.ts';
import { createTally, ownCopy, type Tally } from './tally.ts';
import type { LogEntry } from './w3c-log.ts';

export interface RuleCount {
  readonly name: string;
  /** Absent for a global rule. */
  readonly site?: string;
  count: number;
}

export interface Change {
  readonly from: string;
  readonly to: string;
  count: number;
  readonly example: { readonly request: string; readonly from: string; readonly to: string };
  readonly paths: Tally;
}

export interface Summary {
  requests: number;
  readonly actions: Map<Action, number>;
  readonly rules: readonly RuleCount[];
  /** Enabled rules that hand the request on, so that it cannot be told which requests they were for. */
  readonly handingOn: readonly Omit<RuleCount, 'count'>[];
  readonly farms: ReadonlyMap<string, { count: number }>;
  /** Direct proxying, by scheme and host. */
  readonly direct: Tally;
  /** By path; marked where the server that wrote the log answered below 400. */
  readonly untaken: Tally;
  /** By status and message: refused targets, unknown hosts. */
  readonly refused: Tally;
  /** By rule, status and message. */
  readonly failed: Tally;
  readonly changes: { count: number; readonly groups: Map<string, Change>; others: number };
}

export interface Counter {
  readonly summary: Summary;
  /** @param other its fate in the config it is compared with */
  count(entry: LogEntry, request: AskedRequest, fate: Fate, other?: Fate): void;
}

/** Distinct names that are kept of each kind; all beyond them are counted together. */
const NAMES = 10_000;
const CHANGES = 500;
const NAMES_PER_CHANGE = 1000;

/** @param against the config that fates are compared with */
export function createCounter(config: Config, against?: Config): Counter {
  const rules = ruleCounts(config);
  const farms = new Map(config.webFarms.map(({ name }) => [name.value, { count: 0 }]));
  const describe = fateDescriber(config);
  const describeOther = against && fateDescriber(against);
  const summary: Summary = {
    requests: 0,
    actions: new Map(),
    rules: rules.all,
    handingOn: handingOn(config),
    farms,
    direct: createTally(NAMES),
    untaken: createTally(NAMES),
    refused: createTally(NAMES),
    failed: createTally(NAMES),
    changes: { count: 0, groups: new Map(), others: 0 },
  };
  return {
    summary,
    count(entry, request, fate, other) {
      summary.requests++;
      const words = describe(fate);
      summary.actions.set(words.action, (summary.actions.get(words.action) ?? 0) + 1);
      const rule = 'rule' in fate.outcome ? rules.find(fate.outcome.rule, fate.site) : undefined;
      if (rule) rule.count++;
      countWhere(summary, entry, fate, words);
      if (other && describeOther) countChange(summary, entry, request, words, describeOther(other));
    },
  };
}

function countWhere(summary: Summary, entry: LogEntry, { outcome }: Fate, words: FateWords): void {
  if (words.farm !== undefined) {
    const farm = summary.farms.get(words.farm);
    if (farm) farm.count++;
  } else if (words.direct !== undefined) {
    summary.direct.add(words.direct);
  }
  if (outcome.kind === 'none') summary.untaken.add(entry.stem, entry.status > 0 && entry.status < 400);
  if (outcome.kind === 'refused') summary.refused.add(words.detail);
  if (outcome.kind === 'error') summary.failed.add(`${outcome.rule}: ${words.detail}`);
}

function countChange(
  { changes }: Summary,
  { stem }: LogEntry,
  asked: AskedRequest,
  from: FateWords,
  to: FateWords,
): void {
  if (from.detail === to.detail && from.variables === to.variables) return;
  changes.count++;
  const target =
    to.kind === from.kind ? `${to.kind}, ${from.detail === to.detail ? 'other headers' : differing(to)}` : to.kind;
  const key = `${from.kind}\n${target}`;
  let group = changes.groups.get(key);
  if (group === undefined) {
    if (changes.groups.size >= CHANGES) {
      changes.others++;
      return;
    }
    const { method, scheme, authority: host, target: path } = asked;
    const example = {
      request: ownCopy(`${method} ${scheme}://${host}${path}`),
      from: ownCopy(from.detail),
      to: ownCopy(to.detail),
    };
    group = { from: from.kind, to: target, count: 0, example, paths: createTally(NAMES_PER_CHANGE) };
    changes.groups.set(key, group);
  }
  group.count++;
  group.paths.add(stem);
}

function differing({ action }: FateWords): string {
  if (action === 'proxy') return 'another URL';
  return action === 'redirect' ? 'another Location' : 'other words';
}

// ---- rules -----------------------------------------------------------------------------------------------------

/** The rules that can take a request, with nothing counted yet. */
function ruleCounts(config: Config): {
  readonly all: readonly RuleCount[];
  find(rule: string, site: string): RuleCount | undefined;
} {
  const global = new Map<string, RuleCount>();
  for (const rule of config.globalRules.rules) {
    if (canTake(rule)) global.set(rule.name.value, { name: rule.name.value, count: 0 });
  }
  const bySite = new Map<string, Map<string, RuleCount>>();
  for (const { name: site, scopes } of config.sites) {
    const own = new Map<string, RuleCount>();
    // An inherited rule stands in several scopes; the outermost is the last.
    for (const rule of [...scopes].reverse().flatMap(({ ruleSet }) => ruleSet.rules)) {
      const name = rule.name.value;
      if (canTake(rule) && !own.has(name)) own.set(name, { name, site, count: 0 });
    }
    bySite.set(site, own);
  }
  return {
    all: [...global.values(), ...[...bySite.values()].flatMap((own) => [...own.values()])],
    find: (rule, site) => global.get(rule) ?? bySite.get(site)?.get(rule),
  };
}

function handingOn({ globalRules, sites }: Config): Omit<RuleCount, 'count'>[] {
  const names = (rules: readonly RuleConfig[]) =>
    new Set(rules.filter((rule) => rule.enabled && !canTake(rule)).map((rule) => rule.name.value));
  return [
    ...[...names(globalRules.rules)].map((name) => ({ name })),
    ...sites.flatMap(({ name: site, scopes }) =>
      [...names(scopes.flatMap(({ ruleSet }) => ruleSet.rules))].map((name) => ({ name, site })),
    ),
  ];
}

/** A rule that only rewrites the path or sets variables hands the request on. */
function canTake({ enabled, action }: RuleConfig): boolean {
  if (!enabled || action.type === 'None') return false;
  return action.type !== 'Rewrite' || mayLeave(action);
}
