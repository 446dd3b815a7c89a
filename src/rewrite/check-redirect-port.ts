/** Redirects to https that keep the port of the request, where nothing is listening for https. */
import type { Report } from '../config/diagnostic.ts';
import type { Config, SiteConfig } from '../config/model.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { imagine } from './check-redirect-loop.ts';
import type { Rehearsal } from './rehearsal.ts';
import { splitHost } from './server-variables.ts';

/** Rules looked at, times rules asked. */
const MOST_RULE_RUNS = 500_000;

export function checkRedirectPorts(config: Config, rehearse: Rehearsal, report: Report): void {
  const { globalRules, sites } = config;
  const https = new Set(portsOf(sites, 'https'));
  let runs = MOST_RULE_RUNS;
  for (const site of sites) {
    // A port that a client need not name is not in its Host.
    const ports = portsOf([site], 'http').filter((port) => port !== 80 && !https.has(port));
    const rules =
      ports.length === 0 ? [] : [...globalRules.rules, ...site.scopes.flatMap((each) => each.ruleSet.rules)];
    const asking: Rehearsal = (request) => {
      runs -= rules.length;
      return runs > 0 ? rehearse(request) : undefined;
    };
    for (const rule of rules) {
      if (!rule.enabled || rule.action.type !== 'Redirect' || !rule.action.url) continue;
      const kept = ports.find((port) => keeps(rule, site, port, asking));
      if (kept !== undefined) reportKept(rule, kept, report);
    }
  }
}

function portsOf(sites: readonly SiteConfig[], protocol: 'http' | 'https'): number[] {
  const ports = sites.flatMap(({ bindings }) => bindings.filter((each) => each.protocol === protocol));
  return [...new Set(ports.map(({ port }) => port))];
}

function keeps(rule: RuleConfig, site: SiteConfig, port: number, rehearse: Rehearsal): boolean {
  for (const { scheme, host, target } of imagine(rule, [site])) {
    if (scheme !== 'http') continue;
    const outcome = rehearse({ scheme, host: `${splitHost(host).name}:${port}`, target });
    if (outcome?.kind !== 'redirect' || outcome.rule !== rule.name.value) continue;
    const found = /^https:\/\/[^/?#]*:(\d+)(?=[/?#]|$)/.exec(outcome.location);
    return Number(found?.[1]) === port;
  }
  return false;
}

function reportKept({ name, action: { url, span } }: RuleConfig, port: number, report: Report): void {
  report('LG2322', url?.span ?? span, {
    message: `Rule "${name.value}" keeps the port of the request: what comes to port ${port} is redirected to https at port ${port}, which no https binding has.`,
    advice: 'Write the host without a port: {SERVER_NAME} never has one, {HTTP_HOST} has what the client wrote.',
  });
}
