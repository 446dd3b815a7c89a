/** Rules that no request reaches, since an earlier one takes all that they could take. */
import type { Report } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { sendsAway } from './action-target.ts';
import { covers, matchesAll, type Reach, reachOf } from './rule-reach.ts';
import { urlPatternOf } from './url-pattern.ts';

/** Of rules for many hosts, and of rules for one host, so many are compared with each later rule. */
const MOST_COMPARED = 200;

export function checkUnreachable(config: Config, changing: ReadonlySet<string>, report: Report): void {
  const global = config.globalRules.rules;
  checkList(global, changing, report);
  const catchAll = checkCatchAll(config, report);
  for (const { scopes } of config.sites) for (const { ruleSet } of scopes) checkList(ruleSet.rules, changing, report);
  if (!catchAll) checkSitesBehind(config, changing, report);
}

interface Placed {
  readonly reach: Reach;
  /** How many rules before it change the URL and go on. */
  readonly rewrites: number;
}

/** Within one list. */
function checkList(rules: readonly RuleConfig[], changing: ReadonlySet<string>, report: Report): void {
  const wide: Placed[] = [];
  const byHost = new Map<string, Placed[]>();
  let rewrites = 0;
  for (const rule of rules) {
    const reach = reachOf(rule, changing);
    if (!reach) continue;
    const narrow = reach.hosts?.[0] === undefined ? [] : (byHost.get(reach.hosts[0]) ?? []);
    const swallower = [...wide, ...narrow].find(
      (earlier) => (earlier.reach.fixed || earlier.rewrites === rewrites) && covers(earlier.reach, reach),
    );
    if (swallower) reportSwallowed(rule, swallower.reach.rule, report);
    else if (endsList(rule)) keep({ reach, rewrites }, wide, byHost);
    if (!swallower && rule.action.type === 'Rewrite' && !rule.stopProcessing) rewrites++;
  }
}

function keep(placed: Placed, wide: Placed[], byHost: Map<string, Placed[]>): void {
  const { hosts } = placed.reach;
  if (!hosts) {
    if (wide.length < MOST_COMPARED) wide.push(placed);
    return;
  }
  for (const host of hosts) {
    const known = byHost.get(host);
    if (!known) byHost.set(host, [placed]);
    else if (known.length < MOST_COMPARED) known.push(placed);
  }
}

function endsList({ stopProcessing, action }: RuleConfig): boolean {
  return stopProcessing || answers(action);
}

function answers({ type, url }: RuleConfig['action']): boolean {
  return type === 'CustomResponse' || type === 'AbortRequest' || (type === 'Redirect' && url !== undefined);
}

/** After such a rule of the global list the rules of the site are not run. */
function endsRequest(rule: RuleConfig): boolean {
  return answers(rule.action) || (rule.stopProcessing && sendsAway(rule.action));
}

function reportSwallowed(rule: RuleConfig, by: RuleConfig, report: Report): void {
  const anyHost = by.conditions?.entries.find(
    ({ input, pattern, negate }) =>
      !negate && /^\{HTTP_HOST\}$/i.test(input?.value ?? '') && matchesAll(by.patternSyntax, pattern?.value ?? ''),
  );
  report('LG2300', rule.name.span, {
    message: `No request reaches rule "${rule.name.value}": "${by.name.value}" takes all that it could take, and ends the list.`,
    advice: anyHost
      ? `Write the host name into the {HTTP_HOST} condition of "${by.name.value}": "${anyHost.pattern?.value ?? ''}" holds for every host.`
      : `Move it before "${by.name.value}", narrow the conditions of that rule, or remove one of the two.`,
    related: { span: by.name.span, message: 'takes the requests first' },
  });
}

/** Rules of sites behind a global rule with conditions. */
function checkSitesBehind(config: Config, changing: ReadonlySet<string>, report: Report): void {
  const ending = config.globalRules.rules.filter(endsRequest).slice(0, MOST_COMPARED);
  const reaches = ending.map((rule) => reachOf(rule, changing)).filter((reach) => reach?.fixed);
  for (const { scopes } of config.sites) {
    for (const rule of scopes.flatMap(({ ruleSet }) => ruleSet.rules)) {
      const reach = reaches.length > 0 ? reachOf(rule, changing) : undefined;
      const by = reach && reaches.find((earlier) => earlier && covers(earlier, reach));
      if (by) reportSwallowed(rule, by.rule, report);
    }
  }
}

/** A global rule without conditions that matches everything and sends it away leaves nothing for the sites. */
function checkCatchAll(config: Config, report: Report): boolean {
  const catchAll = config.globalRules.rules.find(
    (rule) => rule.enabled && takesAll(rule) && (answers(rule.action) || sendsAway(rule.action)),
  );
  const hidden = catchAll && siteWithRules(config);
  if (!hidden) return false;
  report('LG2236', catchAll.name.span, {
    message: `The global rule "${catchAll.name.value}" takes every request, so the rules of site "${hidden.name}" are never run.`,
    advice: 'Add conditions to the global rule, or make the site rules global rules before it.',
  });
  return true;
}

function takesAll(rule: RuleConfig): boolean {
  const url = urlPatternOf(rule);
  return (
    url?.settled === true && !rule.conditions?.entries.length && !url.negate && matchesAll(url.syntax, url.pattern)
  );
}

function siteWithRules({ sites }: Config): Config['sites'][number] | undefined {
  return sites.find(({ scopes }) => scopes.some(({ ruleSet }) => ruleSet.rules.some(({ enabled }) => enabled)));
}
