/** Turns the names of farm servers into addresses: the `hosts` setting, then the OS hosts file, then DNS. */
import { promises as dns, type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP, type LookupFunction } from 'node:net';

export interface ResolveSettings {
  /** Lower-case name to address; wins over everything else. */
  readonly hosts: Readonly<Record<string, string>>;
  /** DNS servers to ask in place of the system's; empty: the system's resolver, which reads the OS hosts file itself. */
  readonly dns: readonly string[];
}

const OS_HOSTS_FILE =
  process.platform === 'win32'
    ? `${process.env.SystemRoot ?? 'C:\\Windows'}\\System32\\drivers\\etc\\hosts`
    : '/etc/hosts';

/**
 * A `lookup` for `net.connect` and `tls.connect`. Names are resolved anew for each connection, so that a failover
 * which moves a name is followed; nothing is kept here.
 */
export function createLookup(settings: ResolveSettings): LookupFunction {
  const resolver = settings.dns.length > 0 ? new dns.Resolver({ timeout: 2000, tries: 2 }) : undefined;
  resolver?.setServers([...settings.dns]);
  const fixed = new Map(Object.entries(settings.hosts));

  return (hostname, options, callback) => {
    const name = hostname.toLowerCase().replace(/\.$/, '');
    const address = fixed.get(name);
    if (address !== undefined) return answer([{ address, family: isIP(address) }], options, callback);
    if (resolver === undefined) return systemLookup(hostname, options, callback);
    const listed = osHostsEntries(name);
    if (listed.length > 0) return answer(listed, options, callback);
    queryBoth(resolver, name).then(
      (found) => answer(found, options, callback),
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

/** All addresses of a name, as the given lookup sees them. Rejects with the resolver's error. */
export function resolveAll(lookup: LookupFunction, hostname: string): Promise<readonly LookupAddress[]> {
  if (isIP(hostname) > 0) return Promise.resolve([{ address: hostname, family: isIP(hostname) }]);
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: true }, (error, found) => {
      if (error) reject(error);
      else resolve(Array.isArray(found) ? found : [{ address: found, family: isIP(found) }]);
    });
  });
}

/** Not before `lookup` has returned: `tls.connect` throws where a connection fails that early, and its socket's error is nobody's. */
function answer(
  found: readonly LookupAddress[],
  options: LookupOptions,
  callback: Parameters<LookupFunction>[2],
): void {
  const wanted = found.filter(
    ({ family }) => !options.family || options.family === family || options.family === `IPv${family}`,
  );
  const first = wanted[0];
  process.nextTick(() => {
    if (first === undefined) {
      callback(Object.assign(new Error('the name has no address of the wanted family'), { code: 'ENOTFOUND' }), []);
    } else if (options.all) {
      callback(null, [...wanted]);
    } else {
      callback(null, first.address, first.family);
    }
  });
}

async function queryBoth(resolver: dns.Resolver, name: string): Promise<LookupAddress[]> {
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const found = [
    ...(v4.status === 'fulfilled' ? v4.value.map((address) => ({ address, family: 4 })) : []),
    ...(v6.status === 'fulfilled' ? v6.value.map((address) => ({ address, family: 6 })) : []),
  ];
  if (found.length === 0 && v4.status === 'rejected') throw v4.reason;
  return found;
}

/** The OS resolver is not asked where `dns` is set, so its hosts file is read here, anew each time: it is small and edited live. */
function osHostsEntries(name: string): LookupAddress[] {
  let text: string;
  try {
    text = readFileSync(OS_HOSTS_FILE, 'utf8');
  } catch {
    return []; // A machine without a hosts file has no entries.
  }
  const found: LookupAddress[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) > 0 && names.some((each) => each.toLowerCase() === name)) {
      found.push({ address, family: isIP(address) });
    }
  }
  return found;
}
