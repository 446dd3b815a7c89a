/** The addresses of this machine, by its interfaces. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isLinkLocal, plainAddress } from '../ip-address.ts';

export type Interfaces = ReturnType<typeof networkInterfaces>;

/** Most that a message lists: hosts of containers have hundreds. */
const MOST_LISTED = 10;

/** The addresses of an interface that can stand for one of this kind; `undefined` where there is no such interface. */
export function addressesOn(
  name: string,
  family: 4 | 6,
  interfaces: Interfaces = networkInterfaces(),
): readonly string[] | undefined {
  return usable(interfaces[name])?.filter((address) => isIP(address) === family);
}

/** `10.0.0.5 (eth0), 127.0.0.1 (lo)`. */
export function describeMachine(interfaces: Interfaces = networkInterfaces()): string {
  const all = Object.entries(interfaces).flatMap(([name, its]) =>
    (usable(its) ?? []).map((address) => `${address} (${name})`),
  );
  const left = all.length - MOST_LISTED;
  return `${all.slice(0, MOST_LISTED).join(', ')}${left > 0 ? ` and ${left} more` : ''}` || 'none';
}

/** An address of this machine that may be meant for another one: of the same kind, and one that others reach. */
export function likelyAddress(address: string, interfaces: Interfaces = networkInterfaces()): string {
  const outer = Object.values(interfaces).flatMap((its) => usable(its?.filter(({ internal }) => !internal)) ?? []);
  return outer.find((each) => isIP(each) === isIP(address)) ?? '*';
}

/** Without those of IPv6 that count on the link alone: they need their scope, and no binding means them. */
function usable(its: Interfaces[string]): readonly string[] | undefined {
  if (its === undefined) return undefined;
  const all = new Set(its.map(({ address }) => plainAddress(address)));
  return [...all].filter((address) => isIP(address) === 4 || !isLinkLocal(address));
}
