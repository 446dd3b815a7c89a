/**
 * Where the connections of an endpoint may go: to the addresses of its name, but never to one of our own listeners, and for a
 * host that a request chose not to this machine or its network link either (DNS rebinding).
 */
import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { ExchangeError } from '../errors.ts';
import { isLinkLocal, isLoopback, isShared, isUnspecified } from '../ip-address.ts';
import type { OwnListeners } from './own-listeners.ts';
import type { ResolvedName } from './resolved-name.ts';

export interface ServerRoute {
  /** For `net.connect` and `tls.connect`. Addresses where no connection may go are left out. */
  readonly lookup: LookupFunction;
  /** Why no connection may be made where the endpoint is an IP address, for which no `lookup` is called. */
  refusal(): ExchangeError | undefined;
}

export interface RouteTarget {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string | undefined;
  /** The address is a host that a request chose, among those of `upstream.allow`. */
  readonly computedHost: boolean;
}

export function createServerRoute(target: RouteTarget, name: ResolvedName, own: OwnListeners): ServerRoute {
  const { address: host, port, localAddress } = target;
  const family = localAddress === undefined ? undefined : isIP(localAddress);
  const faultOf = ({ address, family: its }: LookupAddress): string | undefined => {
    const listener = own(address, port);
    if (listener) return `port ${port} there is our own listener ${listener.name}`;
    if (isUnspecified(address) || isShared(address)) return 'no server can have that address';
    if (target.computedHost && !name.isFixed && (isLoopback(address) || isLinkLocal(address))) {
      return 'a host that a request chose may lead there only where "hosts" of settings.json says so';
    }
    return family === undefined || family === its ? undefined : `there is no way from ${localAddress}, our own address`;
  };
  const refuse = (address: string, fault: string) =>
    new ExchangeError('cannotConnect', `${host}:${port}: no connection to ${address}: ${fault}`);

  return {
    lookup(_hostname, options, callback) {
      name.find().then(
        (found) => {
          const faults = found.map(faultOf);
          const allowed = found.filter((_, i) => faults[i] === undefined);
          const first = allowed[0];
          if (first === undefined) callback(refuse(found[0]?.address ?? host, faults[0] ?? 'there is none'), []);
          else if (options.all)
            callback(
              null,
              allowed.map(({ address, family }) => ({ address, family })),
            );
          else callback(null, first.address, first.family);
        },
        (error: Error) => callback(error, []),
      );
    },
    refusal() {
      const literal = isIP(host) === 0 ? undefined : { address: host, family: isIP(host) };
      const fault = literal && faultOf(literal);
      return fault === undefined ? undefined : refuse(host, fault);
    },
  };
}
