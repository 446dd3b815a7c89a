/** Every socket on which this service listens: no connection to a server may lead there. */
import type { Config } from '../config/model.ts';
import { listenerKey, type PlannedListener, planListeners } from './listener-plan.ts';

export function listenerPlaces(config: Config): readonly Pick<PlannedListener, 'name' | 'address' | 'port'>[] {
  const places = planListeners(config).map(({ name, address, port }) => ({ name, address, port }));
  const { admin } = config.settings;
  if (admin === false) return places;
  const { address, port } = admin;
  return [...places, { name: `${listenerKey(address, port)} (admin)`, address, port }];
}
