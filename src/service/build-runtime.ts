/** Configuration to Runtime: the one place where the parts of a worker are put together. */
import { BlockList, isIP } from 'node:net';
import type { Config, WebFarmConfig } from '../config/model.ts';
import { defaultFarmSettings } from '../config/settings.ts';
import { createConnections } from '../farm/connections.ts';
import { createPinnedConnections } from '../farm/pinned-connection.ts';
import { createLookup } from '../farm/resolve.ts';
import { createDirectFarm, createWebFarm, type FarmSurroundings, type WebFarm } from '../farm/web-farm.ts';
import { planListeners } from '../listener/listener-plan.ts';
import type { Logger } from '../log.ts';
import type { AccessLog } from '../proxy/access-log.ts';
import { createSiteTable } from '../proxy/match-site.ts';
import type { RunningSite, Runtime } from '../proxy/runtime.ts';
import { compileRules } from '../rewrite/compile.ts';
import type { ShownCertificates } from '../tls/shown-certificates.ts';
import { publishedNames } from './server-names.ts';

export interface RuntimeParts {
  readonly config: Config;
  readonly ca: readonly string[];
  readonly shown: ShownCertificates;
  readonly accessLog: AccessLog;
  readonly log: Logger;
}

export function buildRuntime({ config, ca, shown, accessLog, log }: RuntimeParts): Runtime {
  const { settings } = config;
  const connections = createConnections({ lookup: createLookup(settings), upgradeIdle: settings.timeouts.upgradeIdle });
  const compiled = compileRules(config);
  const running = new Map<string, RunningSite>();
  for (const { name, id } of config.sites) {
    const rules = compiled.get(name);
    if (rules) running.set(name, { name, id, rules });
  }
  const sites = planListeners(config.sites).map(({ key, bindings }) => {
    const known = bindings.flatMap(({ host, site }) => {
      const found = running.get(site);
      return found ? [{ host, site: found }] : [];
    });
    return [key, createSiteTable(known)] as const;
  });
  const around = (farm?: WebFarmConfig) => ({
    ...surroundings(config, ca, farm),
    clientCertificate: shown.get(farm?.name.value.toLowerCase() ?? ''),
  });
  return {
    sites: new Map(sites),
    farms: new Map(config.webFarms.map((farm) => [farm.name.value.toLowerCase(), createWebFarm(farm, around(farm))])),
    direct: directProxying(config, around()),
    connections,
    pins: createPinnedConnections(settings.limits.pinned),
    limits: { bodyBytes: settings.limits.bodyBytes },
    accessLog,
    log,
  };
}

function surroundings(
  { settings, ...config }: Config,
  ca: readonly string[],
  farm?: WebFarmConfig,
): Omit<FarmSurroundings, 'clientCertificate'> {
  const own = (farm && settings.farms[farm.name.value.toLowerCase()]) ?? defaultFarmSettings(settings.file);
  return {
    settings: own,
    names: farm ? publishedNames({ settings, ...config }, farm) : [],
    ca,
    localAddress: own.localAddress ?? settings.upstream.localAddress,
    connectTimeout: settings.timeouts.connect,
  };
}

/** Most hosts that direct proxying keeps apart; the oldest is forgotten beyond that. Rules name far fewer. */
const DIRECT_HOSTS = 1000;

function directProxying({ proxy, settings }: Config, around: FarmSurroundings): Runtime['direct'] {
  const hosts = new Map<string, WebFarm>();
  const allowed = new Set(settings.upstream.allow);
  return (host, port, literalHost) => {
    if (!proxy.enabled || (!literalHost && !allowed.has(host))) return undefined;
    const key = `${host} ${port ?? ''}`;
    let farm = hosts.get(key);
    if (farm === undefined) {
      farm = createDirectFarm(host.replace(/^\[|\]$/g, ''), port, proxy, around);
      if (hosts.size >= DIRECT_HOSTS) hosts.delete(hosts.keys().next().value ?? '');
      hosts.set(key, farm);
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
