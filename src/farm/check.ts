/** What can be wrong with web farms that ARR loads all the same: farms that have no server to give. */
import type { Report } from '../config/diagnostic.ts';
import type { WebFarmConfig } from '../config/model.ts';

/** Reports LG3110 (error: such a farm can never answer) and LG3111 (warning: somebody may switch a server on again). */
export function checkFarms(farms: readonly WebFarmConfig[], report: Report): void {
  for (const { name, enabled, servers } of farms) {
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
