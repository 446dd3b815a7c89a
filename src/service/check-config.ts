/** Reads a configuration folder and asks every part whether it can be built. Opens nothing, resolves nothing. */
import { type Diagnostic, hasErrors, inOrder, reportInto } from '../config/diagnostic.ts';
import { type LoadResult, loadConfig } from '../config/load-config.ts';
import type { Config } from '../config/model.ts';
import { checkFarms } from '../farm/check.ts';
import { checkRules } from '../rewrite/check.ts';
import { askedHosts } from '../rewrite/published-hosts.ts';
import type { CertificateData } from '../tls/certificate.ts';
import { readCa, readCertificates } from '../tls/certificate-files.ts';
import { checkCertificates } from '../tls/check.ts';
import { checkClientCertificates } from '../tls/check-client-certificates.ts';
import { readShownCertificates, type ShownCertificates } from '../tls/shown-certificates.ts';
import { affinitySecret } from './affinity-secret.ts';
import { checkAddresses } from './check-addresses.ts';
import { checkAdmin } from './check-admin.ts';
import { checkAffinityCookies } from './check-affinity-cookies.ts';

export interface CheckedConfig {
  /** Absent where a file could not be read at all. */
  readonly config: Config | undefined;
  readonly certificates: readonly CertificateData[];
  readonly ca: readonly string[];
  /** What clients of the admin API have to know; `undefined` where nothing is asked of them. */
  readonly adminToken: string | undefined;
  readonly shown: ShownCertificates;
  /** PEM of the authorities for certificates of clients. */
  readonly clientCa: readonly string[];
  /** Behind the values of affinity cookies. */
  readonly affinitySecret: Uint8Array;
  /** In order of file and place. */
  readonly diagnostics: readonly Diagnostic[];
  /** The text of every file that was read, by name. */
  readonly sources: ReadonlyMap<string, string>;
}

const NOTHING_READ = {
  certificates: [],
  ca: [],
  shown: new Map(),
  clientCa: [],
  adminToken: undefined,
  affinitySecret: new Uint8Array(),
};

/** @param configDir the folder that holds settings.json and the IIS files */
export function checkConfig(configDir: string): CheckedConfig {
  const { config, diagnostics, sources } = checkLoaded(loadConfig(configDir));
  if (config === undefined) return { config, ...NOTHING_READ, diagnostics, sources };
  const all = [...diagnostics];
  const report = reportInto(all);
  const { settings } = config;
  const certificates = readCertificates(settings, report);
  const ca = readCa(settings.upstream.ca, report);
  const shown = readShownCertificates(config, certificates, report);
  const clientCa = readCa(settings.tls.clientCertificates?.ca ?? [], report);
  const adminToken = checkAdmin(settings.admin, report);
  const asked = askedHosts(config);
  checkCertificates(certificates, { sites: config.sites, asked }, settings, report);
  checkClientCertificates(config.sites, settings, report);
  checkAddresses(config, certificates, report);
  const secret = affinitySecret(settings, certificates, report);
  const read = { certificates, ca, shown, clientCa, adminToken, affinitySecret: secret };
  return { config, ...read, diagnostics: inOrder(all, sources.keys()), sources };
}

/** Adds what can be told of the rules and farms of any file, also of one that stands alone. */
export function checkLoaded(loaded: LoadResult): LoadResult {
  const { config, diagnostics, sources } = loaded;
  if (config === undefined) return loaded;
  const all = [...diagnostics];
  const report = reportInto(all);
  checkRules(config, report);
  checkFarms(config.webFarms, report);
  checkAffinityCookies(config, report);
  return { ...loaded, diagnostics: inOrder(all, sources.keys()) };
}

/** A configuration that can be started. */
export type Startable = CheckedConfig & { readonly config: Config };

/** True where nothing stands in the way of a start. */
export function canStart(checked: CheckedConfig): checked is Startable {
  return checked.config !== undefined && !hasErrors(checked.diagnostics);
}
