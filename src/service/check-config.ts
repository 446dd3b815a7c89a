/** Reads a configuration folder and asks every part whether it can be built. Opens nothing, resolves nothing. */
import { dirname } from 'node:path';
import { CATALOGUE, type Diagnostic, hasErrors, inOrder, type Report, reportInto } from '../config/diagnostic.ts';
import { type LoadResult, loadConfig } from '../config/load-config.ts';
import type { Config, Part } from '../config/model.ts';
import type { SettingsConfig } from '../config/settings-model.ts';
import { checkServerTls } from '../connect/check-server-tls.ts';
import { openEntrances } from '../decide/open-entrances.ts';
import { checkFarms } from '../farm/check.ts';
import { checkPublication } from '../publication/check-publication.ts';
import { askedHosts } from '../rewrite/published-hosts.ts';
import type { CertificateData } from '../tls/certificate.ts';
import { readCa, readCertificates } from '../tls/certificate-files.ts';
import { checkCertificates } from '../tls/check.ts';
import type { AskedHost } from '../tls/check-asked-hosts.ts';
import { checkClientCertificates } from '../tls/check-client-certificates.ts';
import { filesAtHand } from '../tls/files-at-hand.ts';
import { readShownCertificates, type ShownCertificates } from '../tls/shown-certificates.ts';
import { affinitySecret } from './affinity-secret.ts';
import { checkAddresses } from './check-addresses.ts';
import { checkAdmin } from './check-admin.ts';
import { checkHostsSetting } from './check-hosts-setting.ts';
import { checkPermissions } from './check-permissions.ts';

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

/**
 * @param configDir the folder that holds settings.json and the IIS files
 * @param settingsFile where it has another name
 */
export function checkConfig(configDir: string, settingsFile?: string): CheckedConfig {
  const { config, settings, diagnostics, sources } = checkLoaded(loadConfig(configDir, settingsFile));
  const all = [...diagnostics];
  const report = reportInto(all);
  const { certificates, complete } = readAllCertificates(settings, report);
  const ca = readCa(settings.upstream.ca, report);
  const clientCa = readCa(settings.tls.clientCertificates?.ca ?? [], report);
  const adminToken = checkAdmin(settings.admin, report);
  const secret = affinitySecret(settings, certificates, report);
  const read = { certificates, ca, clientCa, adminToken, affinitySecret: secret };
  const misread = new Set<string>([...misreadOf(config), ...(complete ? [] : ['certificates'])]);
  const shown = readShownCertificates(config ?? { settings }, certificates, { report, misread });
  const asked = misread.has('sites') ? undefined : config && awaitedHosts(config);
  const atHand = () => filesAtHand(settings, certificates);
  checkCertificates(certificates, { sites: config?.sites ?? [], asked, misread, atHand }, settings, report);
  checkServerTls(settings, report);
  checkPermissions(sources.keys(), report);
  if (config && !misread.has('farms') && !settings.misread?.has('hosts')) checkHostsSetting(config, report);
  checkClientCertificates(misread.has('sites') ? undefined : config?.sites, settings, report);
  if (config && !misread.has('sites') && !misread.has('certificates')) checkAddresses(config, certificates, report);
  return { config, ...read, shown, diagnostics: inOrder(all, sources.keys()), sources };
}

/** What rules ask of the host, and where it may come in. */
function awaitedHosts(config: Config): AskedHost[] {
  const entrances = openEntrances(config);
  return askedHosts(config).map(({ site, ...each }) => ({
    ...each,
    entrances: (host?: string) => entrances(host ?? each.accepts, site),
  }));
}

/** Without a configuration nothing is known of any part. */
function misreadOf(config: Config | undefined): Iterable<Part> {
  return config === undefined ? ['sites', 'farms', 'rules'] : (config.misread ?? []);
}

/** Of files that could not be read nobody knows which names they would cover: `complete` is false. */
function readAllCertificates(settings: SettingsConfig, report: Report) {
  // Where the setting was refused in part, files lack what it names.
  if (settings.misread?.has('certificates')) return { certificates: [], complete: false };
  let complete = true;
  const certificates = readCertificates(settings, (code, ...found) => {
    if (CATALOGUE[code][0] === 'error') complete = false;
    report(code, ...found);
  });
  return { certificates, complete };
}

/**
 * What is wrong with settings and the files that they name, as the check of the whole folder tells it; IIS files are read
 * where they are there, and what is wrong with those is left out.
 */
export function checkSettings(settingsFile: string): Pick<CheckedConfig, 'diagnostics' | 'sources'> {
  const { diagnostics, sources } = checkConfig(dirname(settingsFile), settingsFile);
  const isOfSettings = ({ code, span: { file } }: Diagnostic) =>
    file === settingsFile || !(sources.has(file) || code.startsWith('LG1'));
  const kept = diagnostics.filter(isOfSettings);
  const shown = new Set([settingsFile, ...kept.flatMap(({ related }) => related?.span.file ?? [])]);
  return { diagnostics: kept, sources: new Map([...sources].filter(([file]) => shown.has(file))) };
}

/** Adds what can be told of the rules and farms of any file, also of one that stands alone. */
export function checkLoaded(loaded: LoadResult): LoadResult {
  const { config, diagnostics, sources } = loaded;
  if (config === undefined) return loaded;
  const all = [...diagnostics];
  const report = reportInto(all);
  checkPublication(config, report);
  checkFarms(config.webFarms, report);
  return { ...loaded, diagnostics: inOrder(all, sources.keys()) };
}

/** A configuration that can be started. */
export type Startable = CheckedConfig & { readonly config: Config };

/** True where nothing stands in the way of a start. */
export function canStart(checked: CheckedConfig): checked is Startable {
  return checked.config !== undefined && !hasErrors(checked.diagnostics);
}
