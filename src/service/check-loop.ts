/**
 * The endless loop of a missing hosts entry: a farm server whose name resolves to one of our own listeners. Looked for at
 * the start of the service, since it needs the network; the hop count (Max-Forwards) stops what is not seen here.
 */
import { networkInterfaces } from 'node:os';
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { Config, ServerConfig } from '../config/model.ts';
import { createLookup, resolveAll } from '../farm/resolve.ts';
import { planListeners } from '../listener/listener-plan.ts';

/** Reports LG3101 (error), LG3102 and LG3103 (warnings). */
export async function checkLoop(config: Config, report: Report): Promise<void> {
  const lookup = createLookup(config.settings);
  const listeners = planListeners(config.sites);
  const own = new Set(Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address)));
  const published = new Set(config.settings.publicAddresses);

  const check = async (server: ServerConfig) => {
    const name = server.address.value;
    const span = spanWithin(server.address, 0, name.length);
    let addresses: readonly { readonly address: string }[];
    try {
      addresses = await resolveAll(lookup, name);
    } catch (error) {
      report('LG3103', span, {
        message: `the name ${name} does not resolve: ${error instanceof Error ? error.message : String(error)}`,
        advice: `Give it an address in "hosts" of settings.json, or in the hosts file of the machine. Until then its requests end with 502.3.`,
      });
      return;
    }
    for (const { address } of addresses) {
      const listener = listeners.find(
        (each) =>
          (each.port === server.httpsPort || each.port === server.httpPort) &&
          (each.address === address ||
            (each.address === '*' && own.has(address)) ||
            (each.address === '*' && isLoopback(address))),
      );
      if (listener) {
        report('LG3101', span, {
          message: `server ${name} is this proxy itself: ${address} port ${listener.port} is the listener ${listener.key}, so a request would go round for ever`,
          advice: hostsAdvice(name),
        });
      } else if (published.has(address) || (own.has(address) && !isLoopback(address))) {
        report('LG3102', span, {
          message: `server ${name} resolves to ${address}, which is an address of this proxy`,
          advice: hostsAdvice(name),
        });
      }
    }
  };
  const servers = config.webFarms.filter((farm) => farm.enabled).flatMap((farm) => farm.servers);
  await Promise.all(servers.filter(({ enabled }) => enabled).map(check));
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

function hostsAdvice(name: string): string {
  return `The hosts entry is missing: the name leads to its public address. Write the address of the inner server into settings.json: "hosts": { "${name}": "10.0.0.20" }.`;
}
