/** What can be wrong with web farms that ARR loads all the same: farms that have no server to give, or choose one in a way that cannot work. */
import type { Report } from '../config/diagnostic.ts';
import type { WebFarmConfig } from '../config/model.ts';
import { checkBalancing } from './check-balancing.ts';

/** Reports LG3110 (error: such a farm can never answer), LG3111 (warning: somebody may switch a server on again), and what `checkBalancing` does. */
export function checkFarms(farms: readonly WebFarmConfig[], report: Report): void {
  for (const farm of farms) {
    const { name, enabled, servers } = farm;
    if (enabled) checkBalancing(farm, report);
    if (servers.length === 0) {
      report('LG3110', name.span, {
        message: `Web farm "${name.value}" has no server, so every request to it would be answered 502.4.`,
        advice:
          'Add <server address="…" enabled="true" /> with the name or address of the inner server, or remove the farm.',
      });
    } else if (enabled && servers.every((server) => !server.enabled)) {
      report('LG3111', name.span, {
        message: `Every server of web farm "${name.value}" is switched off, so every request to it would be answered 502.4.`,
        advice: 'Write enabled="true" at one of its servers.',
      });
    }
  }
}
