/** What changes about a server while the service runs and outlives a reload, as a worker keeps it: state, health, counters. */

import { comparedName } from '../host-name.ts';
import { type CounterValues, ServerCounters } from './server-counters.ts';

/** ARR's words: all requests; only those of clients that are bound to it; none. */
export type RunState = 'Active' | 'Draining' | 'Inactive';

/** What the supervisor tells every worker about a server. Plain data. */
export interface ServerCondition {
  /** Name of the farm and address of the server, lower case. */
  readonly farm: string;
  readonly server: string;
  readonly state: RunState;
  readonly healthy: boolean;
  /** It is unhealthy because an administrator said so. */
  readonly marked?: boolean;
  /** When its health last changed, in milliseconds since 1970; absent while it has not. */
  readonly since?: number;
}

/** What a worker tells the supervisor of the requests to a server. */
export interface ServerTraffic {
  readonly farm: string;
  readonly server: string;
  /** Requests that failed, or were answered with one of `liveTrafficFailureCodes`, since it last told. */
  readonly failures: number;
  /** Requests that were sent and got no valid answer, where nobody else got one meanwhile, since it last told. */
  readonly broken: number;
  /** Connections can be made at one of its ports, as far as the worker knows. */
  readonly reachable: boolean;
  /** By scheme the ports that requests ask for and where none can be made. */
  readonly closed: readonly ('http' | 'https')[];
  /** As they stand now, since the worker began. */
  readonly counters: CounterValues;
}

export class ServerState {
  state: RunState = 'Active';
  healthy = true;
  /** An administrator said SetUnhealthy: no test and no `minServers` brings it requests. */
  marked = false;
  /** When it became able to take requests again, in milliseconds of `performance.now()`; `undefined`: it always was. */
  returned: number | undefined;
  /** When its health last changed, in milliseconds since 1970: the same in all workers. */
  since = 0;
  readonly counters = new ServerCounters();
  /** What the supervisor has not heard of: failures of live traffic, and requests that got no valid answer. */
  failures = 0;
  broken = 0;

  /** It takes requests of any client. */
  get available(): boolean {
    return this.state === 'Active' && this.healthy;
  }

  /** It takes requests of the clients that are bound to it. */
  get keepsClients(): boolean {
    return this.state !== 'Inactive' && this.healthy;
  }
}

/** The states of all servers of a worker, by `stateKey`. A reload takes them over. */
export type ServerStates = Map<string, ServerState>;

export function stateKey(farm: string, address: string): string {
  return `${comparedName(farm)}\n${comparedName(address)}`;
}

/** The one that is kept, or a new one. */
export function stateOf(states: ServerStates, farm: string, address: string): ServerState {
  const key = stateKey(farm, address);
  let state = states.get(key);
  if (state === undefined) {
    state = new ServerState();
    states.set(key, state);
  }
  return state;
}
