/** Bindings to listeners: one socket for each address and port, with the sites that are reached through it. */
import type { SiteConfig } from '../config/model.ts';

export interface PlannedBinding {
  /** Lower case; `''` for any host. */
  readonly host: string;
  readonly site: string;
}

export interface PlannedListener {
  /** `address:port`, as settings name it. */
  readonly key: string;
  /** `*` or an IP address. */
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
  readonly bindings: readonly PlannedBinding[];
  /** True where the port is also bound on `*` or on another address, so that the sockets must share it. */
  readonly shared: boolean;
}

export function planListeners(sites: readonly SiteConfig[]): readonly PlannedListener[] {
  const groups = new Map<string, { address: string; port: number; tls: boolean; bindings: PlannedBinding[] }>();
  for (const site of sites) {
    for (const { protocol, address, port, host } of site.bindings) {
      const key = listenerKey(address, port);
      const group = groups.get(key) ?? { address, port, tls: protocol === 'https', bindings: [] };
      group.bindings.push({ host, site: site.name });
      groups.set(key, group);
    }
  }
  const all = [...groups];
  return all.map(([key, group]) => ({
    ...group,
    key,
    shared: all.some(([other, { port }]) => other !== key && port === group.port),
  }));
}

/** `203.0.113.5:443`, `[2001:db8::1]:443`, `*:443`. */
export function listenerKey(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
