/** What a farm's servers are reached with beyond their IIS section: settings, accepted names, authorities. */
import type { WebFarmConfig } from '../config/farm-model.ts';
import { defaultFarmSettings } from '../config/settings.ts';
import type { ServerRoutes } from '../connect/server-routes.ts';
import { publishedNames } from '../decide/published-names.ts';
import type { FarmSurroundings } from '../farm/endpoints.ts';
import { comparedName } from '../host-name.ts';
import type { WorkerSetup } from './messages.ts';

/** @param farm absent for direct proxying */
export function farmSurroundings(
  { config, ca, shown }: Pick<WorkerSetup, 'config' | 'ca' | 'shown'>,
  routes: ServerRoutes,
  farm?: WebFarmConfig,
): FarmSurroundings {
  const { settings } = config;
  const own = (farm && settings.farms.get(comparedName(farm.name.value))) ?? defaultFarmSettings(settings.file);
  return {
    settings: own,
    routes,
    names: farm ? publishedNames(config, farm) : [],
    ca,
    allowPartialTrustChain: own.allowPartialTrustChain ?? settings.upstream.allowPartialTrustChain,
    clientCertificate: shown.get(comparedName(farm?.name.value ?? '')),
    localAddress: own.localAddress ?? settings.upstream.localAddress,
    connectTimeout: settings.timeouts.connect,
  };
}
