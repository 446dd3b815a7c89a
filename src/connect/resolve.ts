/** Asks once for the addresses of a server's name: the `hosts` setting, then the OS hosts file, then DNS. */
import { promises as dns, type LookupAddress } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { codeOf } from '../errors.ts';
import { comparedName } from '../host-name.ts';
import { isShared, isUnspecified, plainAddress } from '../ip-address.ts';

export interface ResolveSettings {
  /** Lower-case name to address; wins over everything else. */
  readonly hosts: Readonly<Record<string, string>>;
  /** DNS servers to ask in place of the system's; empty: the system's resolver, which reads the OS hosts file itself. */
  readonly dns: readonly string[];
}

export interface NameAnswer {
  /** At least one, at most `MOST_ADDRESSES`, each once and one that a server can have. */
  readonly addresses: readonly LookupAddress[];
  /** Seconds for which the answer holds; `undefined` where nobody said. */
  readonly ttl: number | undefined;
  /** The family of addresses that could not be asked for: nothing speaks against those known before. */
  readonly untold: 4 | 6 | undefined;
}

export interface Resolver {
  /** The one address of what needs no asking: an IP address, or a name that `hosts` of settings lists. */
  fixed(name: string): LookupAddress | undefined;
  /** Rejects with the resolver's error; `saysNone` tells those that are an answer. */
  ask(name: string): Promise<NameAnswer>;
  /** Ends what is under way, as far as it can be ended. */
  close(): void;
}

/** Of more addresses the same few are used each time, whatever their order. */
export const MOST_ADDRESSES = 16;
/** A server that answers for one family is not kept waiting for the other (RFC 8305 section 3). */
const OTHER_FAMILY_MS = 500;
/** libuv has four threads, and a name that nobody answers for holds one of them for half a minute (getaddrinfo). */
const MOST_SYSTEM_LOOKUPS = 2;

const OS_HOSTS_FILE =
  process.platform === 'win32'
    ? `${process.env.SystemRoot ?? 'C:\\Windows'}\\System32\\drivers\\etc\\hosts`
    : '/etc/hosts';

type SystemLookup = (name: string) => Promise<readonly LookupAddress[]>;

export function createResolver(
  { hosts, dns: servers }: ResolveSettings,
  systemLookup: SystemLookup = (name) => dns.lookup(name, { all: true, order: 'verbatim' }),
): Resolver {
  const own = servers.length > 0 ? new dns.Resolver({ timeout: 2000, tries: 2 }) : undefined;
  own?.setServers([...servers]);
  let closed = false;
  const fixed = new Map(Object.entries(hosts).map(([name, address]) => [plainName(name), addressOf(address)]));

  const find = async (name: string): Promise<NameAnswer> => {
    if (own === undefined) {
      return told(await inTurn(() => (closed ? Promise.reject(failure('ECANCELLED', 'closed')) : systemLookup(name))));
    }
    const listed = osHostsEntries(name);
    return listed.length > 0 ? told(listed) : askBoth(own, name);
  };
  return {
    fixed: (name) => (isIP(name) > 0 ? addressOf(name) : fixed.get(plainName(name))),
    async ask(name) {
      const plain = plainName(name);
      // The resolvers would read a part of it, or take nothing for the root.
      if (!canBeName(plain)) throw failure('ENOTFOUND', 'this can be no name');
      const { addresses, ...rest } = await find(plain);
      const usable = usableAddresses(addresses);
      if (usable.length === 0) throw failure('ENODATA', 'the name has no address that a server can have');
      return { addresses: usable, ...rest };
    },
    close() {
      closed = true;
      own?.cancel();
    },
  };
}

/** True where the failure is an answer: the name does not exist, or has no address. */
export function saysNone(error: unknown): boolean {
  return codeOf(error) === 'ENOTFOUND' || codeOf(error) === 'ENODATA';
}

const SYSTEM_FAULTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'neither a hosts file nor DNS knows it',
  ENODATA: 'DNS has no address for it',
  EAI_AGAIN: 'no DNS server answers',
  ECONNREFUSED: 'no DNS server answers',
  ETIMEOUT: 'no DNS server answers',
  ESERVFAIL: 'the DNS server could not find out',
  EREFUSED: 'the DNS server refuses to tell',
};

/** Why there is no address, in words for whoever administers the service. */
export function whyUnresolved(error: Error): string {
  // What is ours says it itself.
  return ('syscall' in error ? SYSTEM_FAULTS[codeOf(error)] : undefined) ?? error.message;
}

/** Spellings of one name: letters, their case, and the dot of the root. */
export function plainName(name: string): string {
  return comparedName(name).replace(/\.$/, '');
}

function canBeName(name: string): boolean {
  return name.length > 0 && name.length <= 253 && !/[\0- \x7f/\\@:?#[\]%]/.test(name);
}

function addressOf(address: string): LookupAddress {
  return { address, family: isIP(address) };
}

function told(addresses: readonly LookupAddress[]): NameAnswer {
  return { addresses, ttl: undefined, untold: undefined };
}

/** Each once; of many the lowest, so that an answer in another order is the same answer. */
function usableAddresses(all: readonly LookupAddress[]): readonly LookupAddress[] {
  const byAddress = new Map<string, LookupAddress>();
  for (const { address } of all) {
    const plain = plainAddress(address);
    if (isIP(plain) === 0 || isUnspecified(plain) || isShared(plain)) continue;
    // A scope is needed to connect.
    byAddress.set(plain, addressOf(address.includes('%') ? address : plain));
  }
  if (byAddress.size <= MOST_ADDRESSES) return [...byAddress.values()];
  const chosen = new Set(lowest([...byAddress.keys()]));
  return [...byAddress].filter(([plain]) => chosen.has(plain)).map(([, address]) => address);
}

/** Of both families in turn, so that neither is lost. */
function lowest(all: readonly string[]): string[] {
  const families = [6, 4].map((family) => all.filter((address) => isIP(address) === family).sort());
  return Array.from({ length: MOST_ADDRESSES }, (_, i) => families.flatMap((family) => family[i] ?? []))
    .flat()
    .slice(0, MOST_ADDRESSES);
}

let lookups = 0;
const waiting: (() => void)[] = [];

/** Of all that want the system's resolver, in this whole process, only some have it at a time. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (lookups >= MOST_SYSTEM_LOOKUPS) await new Promise<void>((resolve) => waiting.push(resolve));
  else lookups++;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else lookups--;
  }
}

interface FamilyAnswer {
  readonly family: 4 | 6;
  readonly found: readonly { readonly address: string; readonly ttl: number }[];
  /** It may have addresses all the same. */
  readonly error: unknown;
}

async function askBoth(resolver: dns.Resolver, name: string): Promise<NameAnswer> {
  const answers = await bothFamilies([
    resolver.resolve4(name, { ttl: true }).then(foundOf(4), failureOf(4)),
    resolver.resolve6(name, { ttl: true }).then(foundOf(6), failureOf(6)),
  ]);
  const found = answers.flatMap((answer) => answer.found);
  const failed = answers.find(({ error }) => error !== undefined && !saysNone(error));
  if (found.length === 0) throw failed?.error ?? answers[0]?.error ?? failure('ENODATA', 'the answer has no address');
  const missing = ([4, 6] as const).find((family) => !answers.some((answer) => answer.family === family));
  return {
    addresses: found.map(({ address }) => addressOf(address)),
    ttl: Math.min(...found.map(({ ttl }) => ttl)),
    untold: failed?.family ?? missing,
  };
}

/** Both answers, or one with addresses where the other is late. */
function bothFamilies(asked: readonly Promise<FamilyAnswer>[]): Promise<readonly FamilyAnswer[]> {
  return new Promise((resolve) => {
    const answers: FamilyAnswer[] = [];
    let timer: NodeJS.Timeout | undefined;
    const take = (answer: FamilyAnswer) => {
      answers.push(answer);
      if (answers.length === asked.length) {
        clearTimeout(timer);
        resolve(answers);
      } else if (answer.found.length > 0) {
        timer = setTimeout(() => resolve([answer]), OTHER_FAMILY_MS);
      }
    };
    for (const each of asked) void each.then(take);
  });
}

function foundOf(family: 4 | 6): (found: FamilyAnswer['found']) => FamilyAnswer {
  return (found) => ({ family, found, error: undefined });
}

function failureOf(family: 4 | 6): (error: unknown) => FamilyAnswer {
  return (error) => ({ family, found: [], error });
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
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
    if (isIP(address) > 0 && names.some((each) => comparedName(each) === name)) found.push(addressOf(address));
  }
  return found;
}
