/** Configuration to Runtime: the one place where the parts of a worker are put together. */
import { BlockList, isIP } from 'node:net';
import type { WebFarmConfig } from '../config/farm-model.ts';
import type { Config } from '../config/model.ts';
import { type Connections, createConnections } from '../connect/connections.ts';
import { createPinnedConnections } from '../connect/pinned-connection.ts';
import type { ServerRoutes } from '../connect/server-routes.ts';
import { createDecider } from '../decide/decide.ts';
import type { FarmSurroundings } from '../farm/endpoints.ts';
import type { ServerStates } from '../farm/server-state.ts';
import { createDirectFarm, createWebFarm, directTarget, type WebFarm } from '../farm/web-farm.ts';
import { comparedName } from '../host-name.ts';
import type { Logger } from '../log.ts';
import type { AccessLog } from '../proxy/access-log.ts';
import type { Runtime } from '../proxy/runtime.ts';
import { createLimitedLog } from '../telling-limit.ts';
import { farmSurroundings } from './farm-surroundings.ts';
import type { FromServing, WorkerSetup } from './messages.ts';

export interface RuntimeParts extends Pick<WorkerSetup, 'config' | 'ca' | 'shown' | 'affinitySecret'> {
  readonly routes: ServerRoutes;
  /** Those of an earlier Runtime are taken over. */
  readonly states: ServerStates;
  /** Says something to the supervisor. */
  readonly tell: (message: FromServing) => void;
  readonly accessLog: AccessLog;
  readonly log: Logger;
}

export function buildRuntime(parts: RuntimeParts): Runtime {
  const { config, ca, shown, affinitySecret, routes, states, tell, accessLog, log } = parts;
  const { settings } = config;
  const connections = createConnections({ upgradeIdle: settings.timeouts.upgradeIdle });
  const around = (farm?: WebFarmConfig) => farmSurroundings({ config, ca, shown }, routes, farm);
  return {
    decide: createDecider(config),
    farms: new Map(
      config.webFarms.map((farm) => {
        const name = comparedName(farm.name.value);
        const askHost = (host: string) => tell({ type: 'askHost', farm: name, host });
        const shared = { connections, log, states, secret: affinitySecret, askHost };
        return [name, createWebFarm(farm, { around: around(farm), ...shared })];
      }),
    ),
    direct: directProxying(config, { around: around(), connections, log }),
    connections,
    pins: createPinnedConnections(settings.limits.pinned),
    limits: { bodyBytes: settings.limits.bodyBytes },
    accessLog,
    log,
    limitedLog: createLimitedLog(log),
  };
}

/** Most hosts that direct proxying keeps apart; the oldest is forgotten beyond that. Rules name far fewer. */
const DIRECT_HOSTS = 1000;

function directProxying(
  { proxy }: Config,
  parts: { readonly around: FarmSurroundings; readonly connections: Connections; readonly log: Logger },
): Runtime['direct'] {
  const hosts = new Map<string, WebFarm>();
  return (host, port, literalHost) => {
    const target = directTarget(host, port, !literalHost);
    let farm = hosts.get(target.key);
    if (farm === undefined) {
      farm = createDirectFarm(target, proxy, parts);
      if (hosts.size >= DIRECT_HOSTS) hosts.delete(hosts.keys().next().value ?? '');
      hosts.set(target.key, farm);
    }
    return farm;
  };
}

/** Tells whether an address is in one of the networks of `trustedProxies`. */
export function networkTest(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
