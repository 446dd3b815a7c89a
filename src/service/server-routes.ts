/** The ways to the servers of a configuration: its names, its DNS servers, and what is our own. */
import type { Config } from '../config/model.ts';
import { listenerPlaces } from '../decide/listener-places.ts';
import { createOwnListeners } from '../farm/own-listeners.ts';
import { createResolver } from '../farm/resolve.ts';
import { createServerRoutes, type ServerRoutes } from '../farm/server-routes.ts';
import type { Logger } from '../log.ts';

export function serverRoutes(config: Config, log: Logger): ServerRoutes {
  const own = createOwnListeners(listenerPlaces(config));
  return createServerRoutes({ resolver: createResolver(config.settings), own, log });
}
