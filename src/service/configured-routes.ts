/** The ways to the servers of a configuration: its names, its DNS servers, and what is our own. */
import type { Config } from '../config/model.ts';
import { createOwnListeners } from '../connect/own-listeners.ts';
import { createResolver } from '../connect/resolve.ts';
import { createServerRoutes, type ServerRoutes } from '../connect/server-routes.ts';
import { listenerPlaces } from '../decide/listener-places.ts';
import type { Logger } from '../log.ts';

export function configuredRoutes(config: Config, log: Logger): ServerRoutes {
  const places = listenerPlaces(config);
  const { hosts, dns } = config.settings;
  const key = JSON.stringify([hosts, dns, places]);
  return createServerRoutes({ key, resolver: createResolver({ hosts, dns }), own: createOwnListeners(places), log });
}
