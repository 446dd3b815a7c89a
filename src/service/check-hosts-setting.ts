/** Names in `hosts` of settings.json that are nearly those of servers: the server is looked up elsewhere then, and nobody is told. */

import { isIP } from 'node:net';
import type { Report } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import { comparedName } from '../host-name.ts';
import { nearestHost } from '../nearest.ts';
import { targetHosts } from '../rewrite/published-hosts.ts';

/** Reports LG6012. A name that is merely unused is no fault: many copy the hosts file as a whole. */
export function checkHostsSetting(config: Config, report: Report): void {
  const { settings, webFarms } = config;
  const servers = webFarms.flatMap((farm) => farm.servers.map(({ address }) => comparedName(address.value)));
  const known = new Set([...servers, ...settings.upstream.allow, ...directHosts(config)]);
  const open = servers.filter((name) => !Object.hasOwn(settings.hosts, name) && isIP(name) === 0);
  for (const { name, span } of settings.hostNames) {
    if (isIP(name) !== 0) {
      report('LG6012', span, {
        message: `${name} is an address; "hosts" has the name of a server first, and its address behind it.`,
        advice: `Write "NAME": "${name}".`,
      });
      continue;
    }
    const compared = comparedName(name);
    const only = known.has(compared) ? undefined : nearestHost(compared, open);
    if (only === undefined) continue;
    report('LG6012', span, {
      message: `No server has the name ${name}; ${only} is one, and "hosts" has no address for it.`,
      advice: `Did you mean "${only}"? Write the same name here and in the farm.`,
    });
  }
}

function directHosts({ sites, globalRules }: Config): readonly string[] {
  const sets = [globalRules, ...sites.flatMap(({ scopes }) => scopes.map(({ ruleSet }) => ruleSet))];
  return sets.flatMap((set) => set.rules.flatMap((rule) => targetHosts(rule, set)));
}
