/** Which hosts count as one for host-name affinity: equivalent ones, and those whose last labels are the same. */
import { isIP } from 'node:net';
import type { AffinityConfig } from '../config/farm-model.ts';
import { hostOf } from '../host-name.ts';
import { LONGEST_NAME, lastLabels } from './client-affinity.ts';

export type HostSettings = Pick<AffinityConfig, 'hosts' | 'ignoreSubDomain' | 'ignoreSubDomainFragmentDepth'>;

/**
 * Gives the name that stands for a host, lower case and without port; `''` where nobody could be found under it, since it
 * is missing or longer than a name can be.
 */
export function hostNamer({
  hosts,
  ignoreSubDomain,
  ignoreSubDomainFragmentDepth,
}: HostSettings): (authority: string) => string {
  const listed = new Map<string, string>();
  for (const { name, equivalentHosts } of hosts) {
    for (const other of equivalentHosts) listed.set(hostOf(other), hostOf(name));
  }
  for (const { name } of hosts) listed.set(hostOf(name), hostOf(name));
  const depth = Math.max(1, ignoreSubDomainFragmentDepth);
  return (authority) => {
    const host = hostOf(authority);
    if (host.length > LONGEST_NAME) return '';
    const own = listed.get(host);
    if (own !== undefined) return own;
    if (!ignoreSubDomain || isAddress(host)) return host;
    const end = lastLabels(host, depth);
    return listed.get(end) ?? end;
  };
}

function isAddress(host: string): boolean {
  return host.startsWith('[') || isIP(host) !== 0;
}
