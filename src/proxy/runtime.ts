/**
 * The frozen picture of everything a request needs. A request takes it once, at its start, and keeps it; a reload
 * replaces the whole. Types only: the service builds it.
 */

import type { Connections } from '../connect/connections.ts';
import type { PinnedConnections } from '../connect/pinned-connection.ts';
import type { Decider } from '../decide/decide.ts';
import type { WebFarm } from '../farm/web-farm.ts';
import type { Logger } from '../log.ts';
import type { LimitedLog } from '../telling-limit.ts';
import type { AccessLog } from './access-log.ts';

export interface Runtime {
  readonly decide: Decider;
  /** By name, lower case. */
  readonly farms: ReadonlyMap<string, WebFarm>;
  /** Direct proxying to a host that is no farm, where it was decided that requests may go there. */
  direct(host: string, port: number | undefined, literalHost: boolean): WebFarm;
  readonly connections: Connections;
  readonly pins: PinnedConnections;
  readonly limits: { readonly bodyBytes: number | undefined };
  readonly accessLog: AccessLog;
  readonly log: Logger;
  /** For lines of the log that a request can cause. */
  readonly limitedLog: LimitedLog;
}
