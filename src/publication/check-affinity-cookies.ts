/** Affinity cookies of several farms: those that overwrite each other in the browser. */
import type { Report } from '../config/diagnostic.ts';
import type { WebFarmConfig } from '../config/farm-model.ts';
import type { Config } from '../config/model.ts';
import { publishedHosts, takesAnyHost } from '../decide/published-names.ts';
import { cookieDomain } from '../farm/client-affinity.ts';

/**
 * Reports LG3120 (warning). A browser keeps one cookie of a name for each Domain and path (RFC 6265 5.3), and those of farms
 * have the same path. Ports make no difference.
 */
export function checkAffinityCookies(config: Config, report: Report): void {
  const earlier = new Map<string, WebFarmConfig>();
  for (const farm of config.webFarms) {
    const { enabled, name, affinity } = farm;
    if (!enabled || !affinity.useCookie) continue;
    const cookie = affinity.cookieName.value;
    let told = false;
    for (const [domain, host] of placesOf(config, farm)) {
      const key = `${cookie}\n${domain}`;
      const first = earlier.get(key);
      if (first === undefined) earlier.set(key, farm);
      else if (first !== farm && !told) {
        told = true;
        report('LG3120', affinity.cookieName.span, {
          message: `Web farms "${first.name.value}" and "${name.value}" both bind the clients of ${host} by the cookie ${cookie}: a client that uses both loses its server in one when it goes to the other.`,
          advice: 'Give one of them another cookieName.',
          related: { span: first.affinity.cookieName.span, message: 'the other farm' },
        });
      }
    }
  }
}

/** Where browsers keep the cookies of a farm, each with a host for which they do. */
function placesOf(config: Config, farm: WebFarmConfig): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  for (const host of publishedHosts(config, farm)) places.set(cookieDomain(host, farm.affinity) || host, host);
  if (takesAnyHost(config, farm)) places.set('*', 'any host');
  return places;
}
