/** The ways to all servers of this process: each name is followed once, whoever connects to it. */
import type { Logger } from '../log.ts';
import type { OwnListeners } from './own-listeners.ts';
import { plainName, type Resolver } from './resolve.ts';
import { ResolvedName } from './resolved-name.ts';
import { createServerRoute, type RouteTarget, type ServerRoute } from './server-route.ts';

export interface ServerRoutes {
  /** What decides the ways: others with the same lead to the same places. */
  readonly key: string;
  name(address: string): ResolvedName;
  to(target: RouteTarget): ServerRoute;
  close(): void;
}

export interface ServerRoutesOptions {
  readonly key: string;
  readonly resolver: Resolver;
  readonly own: OwnListeners;
  readonly log: Logger;
}

export function createServerRoutes({ key, resolver, own, log }: ServerRoutesOptions): ServerRoutes {
  // All of them are in the configuration, `upstream.allow` included: a client cannot add to them.
  const names = new Map<string, ResolvedName>();
  const nameOf = (address: string) => {
    const key = plainName(address);
    const name = names.get(key) ?? new ResolvedName(key, resolver, log);
    names.set(key, name);
    return name;
  };
  return {
    key,
    name: nameOf,
    to: (target) => createServerRoute(target, nameOf(target.address), own),
    close() {
      for (const name of names.values()) name.close();
      resolver.close();
    },
  };
}
