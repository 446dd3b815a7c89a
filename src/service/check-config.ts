/** Reads a configuration folder and asks every part whether it can be built. Opens nothing, resolves nothing. */
import { type Diagnostic, hasErrors, type Report, reportInto } from '../config/diagnostic.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Config } from '../config/model.ts';
import { checkFarms } from '../farm/check.ts';
import { checkRules } from '../rewrite/check.ts';
import type { CertificateData } from '../tls/certificate.ts';
import { readCa, readCertificates } from '../tls/certificate-files.ts';
import { checkCertificates } from '../tls/check.ts';

export interface CheckedConfig {
  /** Absent where a file could not be read at all. */
  readonly config: Config | undefined;
  readonly certificates: readonly CertificateData[];
  readonly ca: readonly string[];
  /** In order of file and place. */
  readonly diagnostics: readonly Diagnostic[];
  /** The text of every file that was read, by name. */
  readonly sources: ReadonlyMap<string, string>;
}

/** @param configDir the folder that holds settings.json and the IIS files */
export function checkConfig(configDir: string): CheckedConfig {
  const { config, diagnostics, sources } = loadConfig(configDir);
  const all = [...diagnostics];
  if (config === undefined) return { config, certificates: [], ca: [], diagnostics: all, sources };
  const report = reportInto(all);
  checkRulesAndFarms(config, report);
  const certificates = readCertificates(config.settings, report);
  const ca = readCa(config.settings.upstream.ca, report);
  checkCertificates(certificates, config.sites, config.settings, report);
  return { config, certificates, ca, diagnostics: inOrder(all), sources };
}

/** What can be told of any file, also of one that stands alone. */
export function checkRulesAndFarms(config: Config, report: Report): void {
  checkRules(config, report);
  checkFarms(config.webFarms, report);
}

/** True where nothing stands in the way of a start. */
export function canStart(checked: CheckedConfig): checked is CheckedConfig & { readonly config: Config } {
  return checked.config !== undefined && !hasErrors(checked.diagnostics);
}

function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const files = [...new Set(diagnostics.map(({ span }) => span.file))];
  return [...diagnostics].sort(
    (a, b) => files.indexOf(a.span.file) - files.indexOf(b.span.file) || a.span.start - b.span.start,
  );
}
