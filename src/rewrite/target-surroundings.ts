/** What has to be known around a rule to judge where it leads. Types only. */
import type { FarmMeant } from './farm-meant.ts';
import type { RewriteMaps } from './rewrite-map.ts';

export interface TargetSurroundings {
  /** Farm names, lower case. */
  readonly farms: ReadonlySet<string>;
  readonly farmMeant: FarmMeant;
  /** Hosts of bindings: whether a rule may lead there is looked at with all of them together. */
  readonly ownHosts: ReadonlySet<string>;
  /** Farms, the hosts that settings allow, or maps may be missing here: something of them could not be read. */
  readonly farmsMisread: boolean;
  readonly allowMisread: boolean;
  readonly mapsMisread: boolean;
  /** `system.webServer/proxy` is on. */
  readonly proxyEnabled: boolean;
  /** `upstream.allow`, lower case. */
  readonly allow: ReadonlySet<string>;
  readonly useOriginalURLEncoding: boolean;
  /** No rule follows in the list. */
  readonly isLast: boolean;
  readonly maps: RewriteMaps;
}
