/** Which certificate serves which name on one listener: exact names before wildcards, never a guess. */
import { isIP } from 'node:net';
import type { SettingsConfig } from '../config/settings-model.ts';
import { asciiAuthority } from '../host-name.ts';
import { plainAddress } from '../ip-address.ts';
import { type CertificateData, isForClients } from './certificate.ts';
import { endOf } from './validity.ts';

/** Certificates that serve together: one, or one with an RSA and one with an EC key, of which each client gets the one it understands. */
export type CertificateChoice = readonly [CertificateData, ...CertificateData[]];

export interface CertificateNames {
  /** What serves this name, which is in ASCII; undefined where no certificate covers it. */
  readonly find: (name: string) => CertificateChoice | undefined;
  /** What serves a client without SNI, or with a name that nobody covers; undefined only where there is no certificate. */
  readonly fallback: CertificateChoice | undefined;
}

export interface NamesOptions {
  /** `address:port`. */
  readonly listener: string;
  readonly defaultCertificate?: SettingsConfig['defaultCertificate'];
  /** Hosts of the bindings, in order. */
  readonly hosts: readonly string[];
  /** Milliseconds since 1970: of two certificates for one name the valid one is taken. */
  readonly now: number;
}

/** Certificates tied to the listener win over those for all listeners. */
export function nameCertificates(certificates: readonly CertificateData[], options: NamesOptions): CertificateNames {
  const here = usableOn(options.listener, certificates);
  const tied = tierOf(
    here.filter(({ listeners }) => listeners),
    options,
  );
  const free = tierOf(
    here.filter(({ listeners }) => !listeners),
    options,
  );
  const find = (asked: string) => {
    const name = hostNameOf(asked);
    return name === undefined ? undefined : (tied.find(name) ?? free.find(name));
  };
  const wanted = defaultNameFor(options);
  const named = wanted === undefined ? undefined : namedDefault(here, wanted, find);
  return { find, fallback: named ?? tied.fallback ?? free.fallback };
}

/** Alternative names before file names, but any exact name before any wildcard. */
function tierOf(certificates: readonly CertificateData[], { hosts, now }: NamesOptions): CertificateNames {
  const indexes = [
    indexNames(certificates, ({ names }) => names, now),
    indexNames(certificates, ({ storeName }) => (storeName ? [storeName] : []), now),
  ];
  const get = (name: string) => indexes.map((index) => index.get(name)).find((choice) => choice !== undefined);
  const find = (name: string) => {
    const dot = name.indexOf('.');
    return get(name) ?? (dot > 0 ? get(`*${name.slice(dot)}`) : undefined);
  };
  const first = certificates.find((certificate) => isValid(certificate, now)) ?? certificates[0];
  const covering = hosts.map(find).find((choice) => choice !== undefined);
  return { find, fallback: covering ?? (first && [first]) };
}

/** The name in one spelling; undefined for what no host can be called (NUL, blanks, UTF-8, an IP address). */
function hostNameOf(asked: string): string | undefined {
  return asked.length > 255 || /[^!-~]/.test(asked) || isIP(asked) !== 0
    ? undefined
    : asked.toLowerCase().replace(/\.$/, '');
}

/** The certificates that may be shown on this listener. */
export function usableOn(listener: string, certificates: readonly CertificateData[]): CertificateData[] {
  const key = canonicalListener(listener);
  return certificates.filter(
    (certificate) =>
      isForClients(certificate) && (certificate.listeners?.some((each) => canonicalListener(each) === key) ?? true),
  );
}

/** One spelling for an `address:port`: `0.0.0.0:443`, `[::]:443` and `*:443` are the same listener. */
export function canonicalListener(listener: string): string {
  const colon = listener.lastIndexOf(':');
  const address = listener
    .slice(0, colon)
    .toLowerCase()
    .replace(/^\[|\]$/g, '');
  return `${['', '0.0.0.0', '::'].includes(plainAddress(address)) ? '*' : plainAddress(address)}:${listener.slice(colon + 1)}`;
}

/** What `defaultCertificate` asks for on this listener. */
export function defaultNameFor({
  defaultCertificate: setting,
  listener,
}: Pick<NamesOptions, 'defaultCertificate' | 'listener'>): string | undefined {
  if (!setting || 'name' in setting) {
    return setting?.name;
  }
  const key = canonicalListener(listener);
  return Object.entries(setting.byListener).find(([each]) => canonicalListener(each) === key)?.[1].name;
}

/** The certificate that `defaultCertificate` names: by thumbprint, or by a name it covers. */
export function namedDefault(
  certificates: readonly CertificateData[],
  wanted: string,
  find: CertificateNames['find'],
): CertificateChoice | undefined {
  const match = byThumbprint(certificates, wanted);
  return match ? [match] : find(asciiAuthority(wanted));
}

/** By SHA-1 or SHA-256, as people copy it: the dialog of Windows has blanks in it and an invisible mark in front. */
export function byThumbprint(certificates: readonly CertificateData[], pasted: string): CertificateData | undefined {
  const print = pasted.replace(/[^0-9A-Za-z]/g, '').toUpperCase();
  return certificates.find(({ thumbprint, sha256 }) => print === thumbprint || print === sha256);
}

/** Keys are names; a wildcard stands as `*.example.com`. Maps, as a client may well ask for `__proto__`. */
type NameIndex = ReadonlyMap<string, CertificateChoice>;

function indexNames(
  certificates: readonly CertificateData[],
  namesOf: (certificate: CertificateData) => readonly string[],
  now: number,
): NameIndex {
  const byName = new Map<string, [CertificateData, ...CertificateData[]]>();
  for (const certificate of certificates) {
    for (const name of namesOf(certificate)) {
      const known = byName.get(name);
      if (known) {
        known.push(certificate);
      } else {
        byName.set(name, [certificate]);
      }
    }
  }
  return new Map([...byName].map(([name, candidates]) => [name, choose(name, candidates, now)]));
}

/** The best certificate for a name, and beside it the best with the other kind of key if that is valid too. */
function choose(name: string, candidates: CertificateChoice, now: number): CertificateChoice {
  const valid = (certificate: CertificateData) => (isValid(certificate, now) ? 1 : 0);
  const named = ({ storeName }: CertificateData) => (storeName === name ? 1 : 0);
  const [best = candidates[0], ...others] = candidates.toSorted(
    (a, b) => valid(b) - valid(a) || named(b) - named(a) || endOf(b) - endOf(a),
  );
  const otherKind = best.keyType === 'rsa' ? 'ec' : best.keyType === 'ec' ? 'rsa' : undefined;
  const second = others.find((other) => other.keyType === otherKind && valid(other) === 1);
  return second && valid(best) === 1 ? [best, second] : [best];
}

function isValid({ notBefore, notAfter }: CertificateData, now: number): boolean {
  return notBefore <= now && now <= notAfter;
}
