/** Bindings to listeners: one socket for each address and port, with the sites that are reached through it. */
import { isIP } from 'node:net';
import type { BindingConfig, Config, SiteConfig } from '../config/model.ts';

export interface PlannedBinding {
  /** Lower case; `''` for any host. */
  readonly host: string;
  readonly site: string;
}

/** The bindings of one address and port, whatever stands for that address on this machine. */
export interface BoundListener {
  /** `address:port`, as settings name it. */
  readonly key: string;
  /** `*` or an IP address. */
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
  readonly bindings: readonly (PlannedBinding & Pick<BindingConfig, 'span'>)[];
}

/** A socket, and whose bindings come in there: those of several listeners where `addresses` lets them fall together. */
export interface PlannedSocket {
  /** `*` or an IP address. */
  readonly address: string;
  readonly port: number;
  readonly bound: readonly [BoundListener, ...BoundListener[]];
}

export interface PlannedListener {
  /** `address:port` as the binding has it: settings name it so, whatever stands for that address. */
  readonly key: string;
  /** What logs call it; no other listener has it. */
  readonly name: string;
  /** Where the socket is opened: `*` or an IP address. */
  readonly address: string;
  /** The address of the binding, where another one stands for it. */
  readonly standsFor: string | undefined;
  readonly port: number;
  readonly tls: boolean;
  readonly bindings: readonly PlannedBinding[];
  /** True where the port is also bound on `*` or on another address, so that the sockets must share it. */
  readonly shared: boolean;
}

type Addresses = Config['settings']['addresses'];
export interface PlannedConfig {
  readonly sites: readonly Pick<SiteConfig, 'name' | 'bindings'>[];
  readonly settings: { readonly addresses: Addresses };
}

/** By address and port as the bindings have them. */
export function boundListeners(sites: readonly Pick<SiteConfig, 'name' | 'bindings'>[]): readonly BoundListener[] {
  const all = sites.flatMap(({ name, bindings }) => bindings.map((binding) => ({ ...binding, site: name })));
  return [...Map.groupBy(all, ({ address, port }) => listenerKey(address, port))].flatMap(([key, bindings]) => {
    const [first] = bindings;
    if (first === undefined) return [];
    return { key, address: first.address, port: first.port, tls: first.protocol === 'https', bindings };
  });
}

/** By address and port where they come in on this machine. */
export function planSockets({ sites, settings }: PlannedConfig): readonly PlannedSocket[] {
  const sockets = new Map<string, PlannedSocket>();
  for (const bound of boundListeners(sites)) {
    for (const address of placesOf(bound.address, settings.addresses)) {
      const key = listenerKey(address, bound.port);
      const others = sockets.get(key)?.bound;
      sockets.set(key, { address, port: bound.port, bound: others ? [...others, bound] : [bound] });
    }
  }
  return [...sockets.values()];
}

/** Of bindings that fall together, the first one gives the name, and what settings say of it holds. */
export function planListeners(config: PlannedConfig): readonly PlannedListener[] {
  const sockets = planSockets(config);
  const ofPort = Map.groupBy(sockets, ({ port }) => port);
  return sockets.map(({ address, port, bound }) => {
    const [{ key, tls, address: wanted }] = bound;
    return {
      key,
      name: address === wanted ? key : `${key} at ${listenerKey(address, port)}`,
      address,
      standsFor: address === wanted ? undefined : wanted,
      port,
      tls,
      bindings: bound.flatMap(({ bindings }) => bindings.map(({ host, site }) => ({ host, site }))),
      shared: (ofPort.get(port) ?? []).length > 1,
    };
  });
}

/**
 * Where an address of bindings is listened on. An interface whose addresses are not known yet stands for itself, once for
 * each kind of address, so that it can be told what falls together there.
 */
function placesOf(address: string, addresses: Addresses): readonly string[] {
  const setting = addresses.find(({ binding }) => binding === address);
  if (setting === undefined) return [address];
  const { places, interface: name } = setting;
  return name === undefined || places.length > 0 ? places : [`${name} (IPv${isIP(address)})`];
}

/** `203.0.113.5:443`, `[2001:db8::1]:443`, `*:443`. */
export function listenerKey(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
