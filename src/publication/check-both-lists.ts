/** Requests that a global rule sends away and a rule of the site would take as well: which of the two IIS obeys is not settled. */
import type { Report } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import type { RuleConfig, RuleSetConfig } from '../config/rewrite-model.ts';
import { imaginedDecider } from '../decide/imagined-request.ts';
import { sendsAway } from '../rewrite/action-target.ts';
import { type AskedUrl, requestOf } from './asked-url.ts';
import { imaginer } from './check-redirect-loop.ts';

/** Of each list so many rules are imagined requests for, and so many requests are tried: what is not found by then is not told. */
const MOST_RULES = 50;
const MOST_ASKED = 5000;

/** Whether IIS runs the rules of the site after a global rule sent the request away is not settled (design D3a). */
export function checkBothLists(config: Config, report: Report): void {
  const senders = config.globalRules.rules.filter(({ enabled, action }) => enabled && sendsAway(action));
  const behind = config.sites.flatMap(rulesOf);
  if (senders.length === 0 || behind.length === 0) return;
  const bySites = imaginedDecider({ ...config, globalRules: withoutRules(config.globalRules) });
  const byGlobal = imaginedDecider({ ...config, sites: config.sites.map(withoutSiteRules) });
  for (const url of requestsFor([...senders.slice(0, MOST_RULES), ...behind.slice(0, MOST_RULES)], config)) {
    const request = requestOf(url);
    const taken = bySites(request);
    if (taken.rule === '') continue;
    const sent = byGlobal(request);
    const sender = sent.outcome.kind === 'proxy' ? senders.find(({ name }) => name.value === sent.rule) : undefined;
    const site = config.sites.find(({ name }) => name === taken.site);
    const taker = site && rulesOf(site).find(({ name }) => name.value === taken.rule);
    if (!sender || !taker) continue;
    const { scheme, host, target } = url;
    report('LG2306', sender.name.span, {
      message: `What the global rule "${sender.name.value}" sends to a server, as ${scheme}://${host}${target}, does not come to the rules of site "${taken.site}"; IIS may run them all the same.`,
      advice: 'Keep all rules of such requests in one of the two lists.',
      related: { span: taker.name.span, message: 'would take it, too' },
    });
    return;
  }
}

function rulesOf({ scopes }: Config['sites'][number]): readonly RuleConfig[] {
  return scopes.flatMap(({ ruleSet }) => ruleSet.rules).filter(({ enabled }) => enabled);
}

function withoutRules(set: RuleSetConfig): RuleSetConfig {
  return { ...set, rules: [] };
}

function withoutSiteRules(site: Config['sites'][number]): Config['sites'][number] {
  const scopes = site.scopes.map(({ path, ruleSet }) => ({ path, ruleSet: withoutRules(ruleSet) }));
  return { ...site, scopes };
}

/** A rule may name the host, the other one the path: each way in with each target. */
function* requestsFor(rules: readonly RuleConfig[], { sites }: Config): Generator<AskedUrl> {
  const imagine = imaginer(sites);
  const imagined = rules.flatMap((rule) => [...imagine(rule)]);
  const entrances = new Map(
    imagined.map(({ target: _, ...entrance }) => [Object.values(entrance).join(' '), entrance] as const),
  );
  const targets = new Set(imagined.map(({ target }) => target));
  let asked = 0;
  for (const entrance of entrances.values()) {
    for (const target of targets) {
      if (++asked > MOST_ASKED) return;
      yield { ...entrance, target };
    }
  }
}
