/**
 * The endless loop of a missing hosts entry: a farm server whose name resolves to one of our own listeners. Looked for at
 * the start of the service, since it needs the network; what comes to be one later is refused when a connection is made, and
 * the hop count (Max-Forwards) stops what is not seen there.
 */
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { ServerConfig } from '../config/farm-model.ts';
import type { Config } from '../config/model.ts';
import { createOwnListeners, isOwnAddress } from '../connect/own-listeners.ts';
import { createResolver, plainName, type Resolver, whyUnresolved } from '../connect/resolve.ts';
import { listenerPlaces } from '../decide/listener-places.ts';
import { isLoopback, plainAddress } from '../ip-address.ts';
import { within } from '../patience.ts';

/** Longest that the names of all servers together may hold up the start. */
const LONGEST_WAIT_MS = 5000;

/** Reports LG3101 (error), LG3102 and LG3103 (warnings). */
export async function checkLoop(
  config: Config,
  report: Report,
  resolver = createResolver(config.settings),
): Promise<void> {
  const own = createOwnListeners(listenerPlaces(config));
  const { publicAddresses, addresses } = config.settings;
  // Clients still know the addresses of bindings that others stand for: whoever connects there comes to us.
  const published = new Set([...publicAddresses, ...addresses.map(({ binding }) => binding)].map(plainAddress));
  const servers = config.webFarms
    .filter((farm) => farm.enabled)
    .flatMap((farm) => farm.servers)
    .filter(({ enabled }) => enabled);
  const found = await resolveAll(resolver, new Set(servers.map(({ address }) => plainName(address.value))));

  const check = (server: ServerConfig) => {
    const name = server.address.value;
    const span = spanWithin(server.address, 0, name.length);
    const addresses = found.get(plainName(name));
    if (addresses === undefined || addresses instanceof Error) {
      report('LG3103', span, {
        subject: name,
        message: `the name ${name} does not resolve: ${addresses ? whyUnresolved(addresses) : `no answer within ${LONGEST_WAIT_MS / 1000} s`}`,
        advice: `Give it an address in "hosts" of settings.json, or in the hosts file of the machine. Until then no request reaches it.`,
      });
      return;
    }
    for (const address of addresses) {
      const listener = own(address, server.httpsPort) ?? own(address, server.httpPort);
      if (listener) {
        report('LG3101', span, {
          subject: name,
          message: `server ${name} is this proxy itself: ${address} port ${listener.port} is the listener ${listener.name}, so a request would come back to it`,
          advice: hostsAdvice(name),
        });
      } else if (published.has(plainAddress(address)) || (isOwnAddress(address) && !isLoopback(address))) {
        report('LG3102', span, {
          subject: name,
          message: `server ${name} resolves to ${address}, which is an address of this proxy`,
          advice: hostsAdvice(name),
        });
      }
    }
  };
  for (const server of servers) check(server);
}

/** The addresses of each name or why there are none; a name whose answer does not come in time is left out. */
async function resolveAll(
  resolver: Resolver,
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly string[] | Error>> {
  const found = new Map<string, readonly string[] | Error>();
  const resolve = async (name: string) => {
    const fixed = resolver.fixed(name);
    const addresses = fixed ? [fixed] : (await resolver.ask(name)).addresses;
    found.set(
      name,
      addresses.map(({ address }) => address),
    );
  };
  const all = [...names].map((name) =>
    resolve(name).catch((error: unknown) => {
      found.set(name, error instanceof Error ? error : new Error(String(error)));
    }),
  );
  await within(LONGEST_WAIT_MS, Promise.all(all), () => []);
  const inTime = new Map(found);
  resolver.close();
  return inTime;
}

function hostsAdvice(name: string): string {
  return `The hosts entry is missing: the name leads to its public address. Write the address of the inner server into settings.json: "hosts": { "${name}": "10.0.0.20" }.`;
}
