/** What shows only when all rules, sites and farms are looked at together: whether they make one publication. */
import type { Code, Report } from '../config/diagnostic.ts';
import type { Config, SiteConfig } from '../config/model.ts';
import type { RuleSetConfig } from '../config/rewrite-model.ts';
import { imaginedDecider } from '../decide/imagined-request.ts';
import { checkRules } from '../rewrite/check.ts';
import { checkUnreachable } from '../rewrite/check-unreachable.ts';
import { type AskUrl, requestOf } from './asked-url.ts';
import { checkAffinityCookies } from './check-affinity-cookies.ts';
import { checkBothLists } from './check-both-lists.ts';
import { checkHashVariables } from './check-hash-variable.ts';
import { checkHosts } from './check-hosts.ts';
import { checkLync } from './check-lync.ts';
import { checkRedirectLoops } from './check-redirect-loop.ts';
import { checkRedirectPorts } from './check-redirect-port.ts';

/** Of rules that do something else than is meant, as has been told: what is not published then is their doing. */
const ASTRAY: readonly Code[] = [
  ...(['LG2200', 'LG2203', 'LG2204', 'LG2211', 'LG2215', 'LG2220', 'LG2221', 'LG2222', 'LG2223', 'LG2228'] as const),
  ...(['LG2230', 'LG2235', 'LG2237', 'LG2245', 'LG2249', 'LG2250', 'LG2251', 'LG2252', 'LG2300', 'LG2303'] as const),
  'LG2304',
];

/** A rule leads elsewhere than is meant, or nowhere. */
const MISLED: readonly Code[] = ['LG2230', 'LG2235', 'LG2237', 'LG2245', 'LG2250', 'LG2251'];

/** Reports everything about the rules of a configuration, one by one and together. */
export function checkPublication(config: Config, report: Report): void {
  const known = checkRules(config, report);
  const { setSomewhere, farmMeant, told } = known;
  const rules = [config.globalRules, ...config.sites.flatMap(({ scopes }) => scopes.map((each) => each.ruleSet))];
  const faulty = rules.some((set) => set.rules.some((rule) => rule.faulty));
  const sound = faulty ? withoutFaulty(config) : config;
  const decide = imaginedDecider(sound);
  const ask: AskUrl = (url) => decide(requestOf(url)).outcome;
  checkUnreachable(sound, setSomewhere, known.report);
  // Where one global rule takes everything, that is the finding.
  if (!told.has('LG2236')) checkBothLists(sound, known.report);
  checkRedirectLoops(sound, ask, known.report);
  checkRedirectPorts(sound, ask, known.report);
  checkHosts(sound, farmMeant, faulty || MISLED.some((code) => told.has(code)), known.report);
  const astray = ASTRAY.some((code) => told.has(code));
  if (config.misread === undefined) checkLync(sound, ask, { astray }, known.report);
  checkHashVariables(sound, setSomewhere, known.report);
  // Which hosts come to a farm is not known where a condition compares something else than was meant.
  if (!told.has('LG2249') && !told.has('LG2252')) checkAffinityCookies(config, report);
}

/** A rule that was read wrongly takes other requests than is meant, and does something else with them. */
function withoutFaulty(config: Config): Config {
  const sound = (set: RuleSetConfig) => ({ ...set, rules: set.rules.filter(({ faulty }) => !faulty) });
  const scopesOf = (scopes: SiteConfig['scopes']) => scopes.map((each) => ({ ...each, ruleSet: sound(each.ruleSet) }));
  return {
    ...config,
    globalRules: sound(config.globalRules),
    sites: config.sites.map((site) => ({ ...site, scopes: scopesOf(site.scopes) })),
  };
}
