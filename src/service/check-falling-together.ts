/**
 * Bindings of different addresses that come in at one socket, since `addresses` of settings.json lets one address of this
 * machine stand for both: fine as long as nobody could tell the difference.
 */
import type { Report, Span } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import type { SettingsConfig } from '../config/settings-model.ts';
import { type BoundListener, listenerKey, type PlannedSocket, planSockets } from '../decide/listener-plan.ts';
import { createSiteTable, matchSite, type SiteTable } from '../decide/match-site.ts';
import type { CertificateData } from '../tls/certificate.ts';
import { nameCertificates, usableOn } from '../tls/certificate-names.ts';
import { asksClients, isLegacyListener } from '../tls/tls-options.ts';

/** Reports LG5014, once for each listener that falls upon others. */
export function checkFallingTogether(
  { sites, settings }: Config,
  certificates: readonly CertificateData[],
  report: Report,
): void {
  const show = (bound: BoundListener) => ({ bound, shown: shownBy(bound, certificates, settings) });
  for (const socket of planSockets({ sites, settings })) {
    const [one, ...others] = socket.bound;
    if (others.length === 0) continue;
    const first = show(one);
    const told = new Set<BoundListener>();
    for (const other of others.map(show)) {
      const difference = differenceOf(first, other);
      if (difference === undefined) continue;
      told.add(other.bound);
      const [at, than] = [placeOf(other.bound), placeOf(first.bound)];
      reportOn(socket, { ...difference, at, than }, report);
    }
    for (const clash of clashes(socket.bound.filter((each) => !told.has(each)))) reportOn(socket, clash, report);
  }
}

interface Difference {
  readonly what: string;
  readonly advice: string;
}

/** A binding, and the listener that it is of. */
interface Place {
  readonly key: string;
  readonly span: Span;
}

interface Clash extends Difference {
  readonly at: Place;
  readonly than: Place;
}

function reportOn({ address, port }: PlannedSocket, { what, advice, at, than }: Clash, report: Report): void {
  report('LG5014', at.span, {
    message: `By "addresses" in settings.json the bindings of ${than.key} and ${at.key} come in at ${listenerKey(address, port)}, where nothing tells them apart: ${what}.`,
    advice,
    related: { span: than.span, message: 'the other binding' },
  });
}

const APART = 'let another address of this machine stand for one of them';

/** What a client sees of a listener before it says which host it wants. */
interface Shown {
  readonly certificates: string;
  readonly fallback: CertificateData | undefined;
  readonly legacy: boolean;
  readonly asks: string | undefined;
}

function shownBy(
  { key: listener, bindings, tls }: BoundListener,
  certificates: readonly CertificateData[],
  settings: SettingsConfig,
): Shown | undefined {
  if (!tls) return undefined;
  const hosts = bindings.map(({ host }) => host);
  const { defaultCertificate } = settings;
  const { fallback } = nameCertificates(certificates, { listener, defaultCertificate, hosts, now: Date.now() });
  return {
    certificates: usableOn(listener, certificates)
      .map(({ sha256, listeners }) => `${sha256}${listeners ? ' tied' : ''}`)
      .join(),
    fallback: fallback?.[0],
    legacy: isLegacyListener(settings.tls, listener),
    asks: asksClients(settings.tls, listener),
  };
}

interface ShownListener {
  readonly bound: BoundListener;
  /** Absent for http. */
  readonly shown: Shown | undefined;
}

function differenceOf(
  { bound: one, shown: mine }: ShownListener,
  { bound: other, shown: its }: ShownListener,
): Difference | undefined {
  const between = (first: string, second: string) => `${first} at ${one.key} and ${second} at ${other.key}`;
  if (one.tls !== other.tls) {
    return { what: between(scheme(one), scheme(other)), advice: `${capital(APART)}.` };
  }
  if (mine === undefined || its === undefined) return undefined;
  if (mine.certificates !== its.certificates) {
    return {
      what: 'different certificates are tied to them',
      advice: `Leave out "listeners" at these certificates, which are chosen by name then, or ${APART}.`,
    };
  }
  if (mine.fallback && its.fallback && mine.fallback.sha256 !== its.fallback.sha256) {
    return {
      what: `clients that name no host get the certificate of ${between(nameOf(mine.fallback), nameOf(its.fallback))}`,
      advice: `Name the one that all of them get: "defaultCertificate": "${nameOf(mine.fallback)}". Or ${APART}.`,
    };
  }
  if (mine.legacy !== its.legacy) {
    return {
      what: '"tls": { "legacyListeners" } names one of them only',
      advice: `Name both or none, or ${APART}.`,
    };
  }
  return mine.asks === its.asks
    ? undefined
    : {
        what: '"tls": { "clientCertificates" } names one of them only',
        advice: `Name both or none, or ${APART}.`,
      };
}

type Claim = BoundListener['bindings'][number] & { readonly key: string };

/** Requests that two listeners have for different sites. A host that only one of them knows is served at both. */
function* clashes(listeners: readonly BoundListener[]): Generator<Clash> {
  const claims = listeners.map(({ key, bindings }) => bindings.map((binding) => ({ ...binding, key })));
  const forAny = new Set(listeners.filter(({ address }) => address === '*').map(({ key }) => key));
  const merged = tableOf(claims.flat());
  const hosts = [...new Set(claims.flat().map(({ host }) => host))];
  for (const its of claims) {
    const own = tableOf(its);
    for (const host of hosts) {
      const [mine, theirs] = [claimOn(own, host), claimOn(merged, host)];
      if (!mine || !theirs || mine.site === theirs.site) continue;
      // What http.sys has for every address yields to what it has for one of them.
      if (forAny.has(mine.key) && !forAny.has(theirs.key)) continue;
      yield {
        what: `requests for ${host === '' ? 'any host' : host} are for site "${theirs.site}" at ${theirs.key} and for "${mine.site}" at ${mine.key}`,
        advice: `${capital(APART)}.`,
        at: mine,
        than: theirs,
      };
      break;
    }
  }
}

function tableOf(claims: readonly Claim[]): SiteTable<Claim> {
  return createSiteTable(claims.map((claim) => ({ host: claim.host, site: claim })));
}

/** The binding that takes a host; `*.contoso.com` stands for a name below it that nobody else has. */
function claimOn(table: SiteTable<Claim>, host: string): Claim | undefined {
  return host === '' ? table.any : matchSite(table, host);
}

function placeOf({ key, bindings: [first] }: BoundListener): Place {
  return { key, span: first?.span ?? { file: '', start: 0, end: 0 } };
}

function scheme({ tls }: BoundListener): string {
  return tls ? 'https' : 'http';
}

function nameOf({ names, subject }: CertificateData): string {
  return names[0] ?? subject;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
