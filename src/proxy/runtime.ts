/**
 * The frozen picture of everything a request needs. A request takes it once, at its start, and keeps it; a reload
 * replaces the whole. Types only: the service builds it.
 */
import type { Connections } from '../farm/connections.ts';
import type { PinnedConnections } from '../farm/pinned-connection.ts';
import type { WebFarm } from '../farm/web-farm.ts';
import type { Logger } from '../log.ts';
import type { CompiledSite } from '../rewrite/compile.ts';
import type { LimitedLog } from '../telling-limit.ts';
import type { AccessLog } from './access-log.ts';
import type { SiteTable } from './match-site.ts';

export interface RunningSite {
  readonly name: string;
  readonly id: number;
  readonly rules: CompiledSite;
}

export interface Runtime {
  /** By the name of the listener. */
  readonly sites: ReadonlyMap<string, SiteTable<RunningSite>>;
  /** By name, lower case. */
  readonly farms: ReadonlyMap<string, WebFarm>;
  /**
   * Direct proxying to a host that is no farm.
   * @returns `undefined` where it is switched off, or where a computed host is not in `upstream.allow`
   */
  direct(host: string, port: number | undefined, literalHost: boolean): WebFarm | undefined;
  readonly connections: Connections;
  readonly pins: PinnedConnections;
  readonly limits: { readonly bodyBytes: number | undefined };
  readonly accessLog: AccessLog;
  readonly log: Logger;
  /** For lines of the log that a request can cause. */
  readonly limitedLog: LimitedLog;
}
