/** The one door: configuration files to a model and everything that is wrong with them. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { comparedName } from '../host-name.ts';
import { isSite, reportEntry, reportNoSite } from './absent-site.ts';
import { type Diagnostic, hasErrors, inOrder } from './diagnostic.ts';
import { fragmentRoots, knownFrom } from './file-sections.ts';
import { fileName, SETTINGS_FILE } from './files.ts';
import { globalRuleSet, scopesOf } from './inherit.ts';
import { type KnownSections, stockSections } from './known-sections.ts';
import { checkLevelLocks } from './level-locks.ts';
import { FRAGMENT_SITE, type LoadSession, newSession, openXml, reportUnreadable } from './load-session.ts';
import { misreadParts } from './misread.ts';
import type { Config, Part, SiteConfig } from './model.ts';
import { proxyOf, proxySection } from './proxy-section.ts';
import {
  emptySections,
  farmCodes,
  looksLikeApplicationHost,
  type ReadSections,
  readSections,
  sectionContext,
  siteCodes,
} from './read-sections.ts';
import { checkFarm, checkFarmSettings, checkProxy, checkSites, farmNodes } from './references.ts';
import { boolOf, entriesOf, mergeEntries, numberOf, stringOf } from './schema.ts';
import { type ConfigFile, depthOf } from './section-permission.ts';
import type { SectionContext, SectionNode } from './section-tables.ts';
import { defaultSettings, type IisEntry, type ReadSettings, readSettings } from './settings.ts';
import type { SettingsConfig } from './settings-model.ts';
import { type PassedOver, siteFiles, strayFiles } from './site-files.ts';
import { bindingOf, protocolMeant, sitesSection } from './sites-section.ts';
import { webFarmOf, webFarmsSection } from './web-farms-section.ts';

export interface LoadResult {
  /** What settings.json says: known also where the other files could not be read. */
  readonly settings: SettingsConfig;
  /** Absent where a file could not be read as XML. With errors it holds defaults in place of faulty values. */
  readonly config?: Config;
  readonly diagnostics: readonly Diagnostic[];
  /** The text of every file that was read, without byte order marks. */
  readonly sources: ReadonlyMap<string, string>;
}

export interface LoadOptions {
  /** URL path of the folder whose web.config or fragments the files are; `/` by default. */
  readonly base?: string;
}

/** Reads the folder of a service: settings.json, the IIS files it names, and the web.config files of its sites. */
export function loadConfig(configDir: string, settingsFile: string = join(configDir, SETTINGS_FILE)): LoadResult {
  const session = newSession();
  const read = readSettings(settingsFile, session);
  const { misread, acknowledge, tls } = read.settings;
  session.acknowledge = misread?.has('acknowledge') || misread?.has('tls') ? undefined : acknowledge;
  session.clientCertificates = tls.clientCertificates;
  const filesUnknown = misread?.has('iis') ?? false;
  if (filesUnknown) for (const part of ['sites', 'farms', 'rules'] as const) session.misread.add(part);
  // A file that nobody named is not what is missing then.
  const isMeant = ({ span, file }: IisEntry) => span !== undefined || !filesUnknown || existsSync(file);
  const opened = openEntries(read.iis.filter(isMeant), session);
  const hosts = opened.filter((file) => file.kind === 'applicationHost');
  const sections = emptySections();
  const known = readHosts(hosts, sections, session);
  const sites = sitesFrom(sections, read, session);
  const rest = [
    ...opened.filter((file) => file.kind !== 'applicationHost').map((file) => withSite(file, sites[0]?.name)),
    ...openSiteFiles(configDir, sites, session),
    // Outer levels first: what they lock and unlock must be known further in.
  ].toSorted((one, other) => depthOf(one.path) - depthOf(other.path));
  for (const file of rest) {
    if (hasSite(file, sites, read.iis, session)) readOne(file, known, sections, session);
  }
  if (sites.every((site) => site.bindings.length === 0)) reportNoListener(read, session);
  return result(sections, sites, read, session);
}

/** Reads one file for `validate` or `trace`. */
export function loadFile(path: string, options: LoadOptions = {}): LoadResult {
  return loadFiles([path], options);
}

/** Reads several files into one model: an applicationHost.config with a web.config, or fragments of rules. */
export function loadFiles(paths: readonly string[], { base = '/' }: LoadOptions = {}): LoadResult {
  const session = newSession();
  // The settings beside a single file are not meant for it; defaults apply.
  const read = defaultSettings(dirname(paths[0] ?? '.'));
  const opened = openEntries(
    paths.map((file) => ({ file, path: base })),
    session,
    'web.config',
  );
  const sections = emptySections();
  const known = readHosts(
    opened.filter((file) => file.kind === 'applicationHost'),
    sections,
    session,
  );
  let sites = sitesFrom(sections, read, session);
  if (sites.length === 0)
    sites = [emptySite(FRAGMENT_SITE, opened[0]?.root.tagSpan ?? { file: paths[0] ?? '', start: 0, end: 0 })];
  for (const file of opened) {
    if (file.kind !== 'applicationHost') readOne(withSite(file, sites[0]?.name), known, sections, session);
  }
  const loaded = result(sections, sites, read, session);
  const alone = opened.every((file) => file.kind !== 'applicationHost');
  if (loaded.config === undefined || !alone) return loaded;
  const { proxy } = loaded.config;
  const enabled = proxy.enabled || sections.proxies.length === 0;
  return { ...loaded, config: { ...loaded.config, withoutHost: true, proxy: { ...proxy, enabled } } };
}

/** A folder that was made and not filled yet is the likeliest reason. */
const NOT_COPIED =
  'Copy it from the ARR server, where it is in %windir%\\System32\\inetsrv\\config, and its certificates into the folder "certs" beside this one; or name other files in "iis" of settings.json.';

function openEntries(
  entries: readonly IisEntry[],
  session: LoadSession,
  otherwise: 'applicationHost' | 'web.config' = 'applicationHost',
): readonly ConfigFile[] {
  return entries.flatMap((entry): readonly ConfigFile[] => {
    const webConfig = entry.site !== undefined || /^web\./i.test(fileName(entry.file));
    const root = openXml(entry.file, session, {
      limited: webConfig,
      ...(entry.span === undefined ? { absent: NOT_COPIED } : { from: entry.span }),
    });
    if (root === undefined) return [];
    const path = normalPath(entry.path ?? '/');
    const place = { file: entry.file, root, path, ...(entry.site === undefined ? {} : { site: entry.site }) };
    if (root.name === 'configuration') {
      const host = entry.site === undefined && looksLikeApplicationHost(entry.file, root, otherwise);
      return [{ ...place, kind: host ? ('applicationHost' as const) : ('web.config' as const) }];
    }
    if (fragmentRoots.has(root.name)) return [{ ...place, kind: 'fragment' as const }];
    session.broken = true;
    session.report('LG1007', root.nameSpan, {
      message: `<${root.name}> is not what a configuration begins with.`,
      advice: `Make <configuration> the root element, or a fragment: ${[...fragmentRoots].join(', ')}.`,
      iis: { status: '500.19', text: '' },
    });
    return [];
  });
}

function normalPath(path: string): string {
  return `/${path
    .split('/')
    .filter((part) => part !== '')
    .join('/')}`;
}

function openSiteFiles(configDir: string, sites: readonly SiteConfig[], session: LoadSession): readonly ConfigFile[] {
  const { files, passedOver, closed } = siteFiles(configDir);
  const names = sites.map(({ name }) => name);
  // Where a site may be missing that stands in a file, nothing is said of its folder.
  const known = !mayMiss('sites', session);
  for (const { folder, site, why } of closed) {
    if (site === undefined || isSite(site, sites)) reportUnreadable(folder, why, session);
    else reportPassedOver({ file: folder, why, advice: 'Remove it, or name the folder after a site.' }, session);
  }
  for (const each of passedOver) reportPassedOver(each, session);
  // Which files are named is not known where settings.json was read wrongly.
  const stray = known ? strayFiles(configDir, names) : [];
  const named = new Set([...session.sources.keys()].map((file) => resolve(file)));
  for (const each of stray) if (!named.has(resolve(each.file))) reportPassedOver(each, session);
  return files.flatMap(({ file, site, path }) => {
    if (known && !isSite(site, sites)) {
      // Not even opened: what is wrong in a file without effect harms nobody.
      reportNoSite(site, { file, start: 0, end: 0 }, { what: 'this file', sites }, session);
      return [];
    }
    const root = openXml(file, session, { limited: true });
    if (root === undefined) return [];
    if (root.name === 'configuration') return [{ file, kind: 'web.config' as const, root, site, path }];
    session.broken = true;
    session.report('LG1007', root.nameSpan, {
      message: `<${root.name}> is not what a web.config begins with.`,
      advice: 'Make <configuration> the root element.',
      iis: { status: '500.19', text: '' },
    });
    return [];
  });
}

function reportPassedOver({ file, why, advice }: PassedOver, { report }: LoadSession): void {
  report('LG1028', { file, start: 0, end: 0 }, { message: `This is not read: ${why}.`, advice });
}

function withSite(file: ConfigFile, site: string | undefined): ConfigFile {
  return file.site !== undefined || site === undefined ? file : { ...file, site };
}

function readHosts(files: readonly ConfigFile[], into: ReadSections, session: LoadSession): KnownSections | undefined {
  let known: KnownSections | undefined;
  for (const file of files) {
    known = knownFrom(file.root, file.kind, known, session.report);
    readSections(file, known, into, session);
  }
  return known;
}

/** What a fragment is a part of is not known, nor what may stand there. */
const UNLOCKED = { denied: new Set<string>(), deniedByDefault: new Set<string>(), serverOnly: new Set<string>() };

function readOne(file: ConfigFile, known: KnownSections | undefined, into: ReadSections, session: LoadSession): void {
  if (file.kind !== 'fragment') {
    readSections(file, knownFrom(file.root, file.kind, known, session.report), into, session);
    return;
  }
  const before = into.levels.length;
  readSections(file, { ...stockSections, ...UNLOCKED }, into, session);
  // Global rules and what they refer to belong to the server, the rest to the site.
  for (const level of into.levels.splice(before)) {
    const { rules, outboundRules, ...server } = Object.fromEntries(level.sections);
    const own = Object.entries({ rules, outboundRules }).filter(([, node]) => node !== undefined);
    const { site: _, ...everywhere } = level;
    into.levels.push({ ...everywhere, path: '/', sections: new Map(Object.entries(server)) as typeof level.sections });
    into.levels.push({ ...level, sections: new Map(own) as typeof level.sections });
  }
}

/** False for a file that settings.json gives to a site that does not exist, which is told. */
function hasSite(
  { file, site }: ConfigFile,
  sites: readonly SiteConfig[],
  entries: readonly IisEntry[],
  session: LoadSession,
): boolean {
  if (site === undefined || isSite(site, sites) || mayMiss('sites', session)) return true;
  const span = entries.find((candidate) => candidate.file === file)?.span;
  if (span === undefined) return true;
  reportEntry(site, span, sites, session);
  return false;
}

/** What seems to be missing may stand where something could not be read, which is told. */
function mayMiss(part: Part, session: LoadSession): boolean {
  return session.broken || misreadParts(session).has(part);
}

function reportNoListener(read: ReadSettings, session: LoadSession): void {
  const { report, sources, diagnostics } = session;
  // Without an error the service would start, with nothing to do.
  const unknown = mayMiss('sites', session) || read.settings.misread?.has('bindings');
  if (unknown && hasErrors(diagnostics)) return;
  const file = sources.has(read.settings.file)
    ? read.settings.file
    : (sources.keys().next().value ?? read.settings.file);
  report(
    'LG5011',
    { file, start: 0, end: 0 },
    {
      message: 'No site has a binding for HTTP or HTTPS, so there is nothing to listen on.',
      advice: 'Put <sites> into applicationHost.config, or "bindings" into settings.json.',
    },
  );
}

function emptySite(name: string, span: SiteConfig['span']): SiteConfig {
  return { span, name, id: 1, bindings: [], applications: ['/'], scopes: [] };
}

function sitesFrom(sections: ReadSections, read: ReadSettings, session: LoadSession): readonly SiteConfig[] {
  const context = sectionContext(session, siteCodes, '500.19');
  const entries = mergeEntries(
    sections.sites.map((node) => node.entries),
    sitesSection.collection,
    context,
  );
  const sites = entries.map((entry) => siteOf(entry.node, context, session));
  if (sites.length === 0) return sitesOfSettings(read);
  if (read.bindingsSpan !== undefined) {
    session.report('LG6007', read.bindingsSpan, {
      message: 'These bindings have no effect: the IIS files hold sites.',
      advice: 'Remove them, or remove <sites> from the IIS files.',
    });
  }
  checkLocations(sections, sites, session);
  return sites;
}

function sitesOfSettings(read: ReadSettings): readonly SiteConfig[] {
  const sites = new Map<string, SiteConfig>();
  for (const { site: name, ...binding } of read.bindings) {
    const key = name.toLowerCase();
    const site = sites.get(key) ?? { ...emptySite(name, binding.span), id: sites.size + 1 };
    sites.set(key, { ...site, bindings: [...site.bindings, binding] });
  }
  return [...sites.values()];
}

function siteOf(node: SectionNode, context: SectionContext, session: LoadSession): SiteConfig {
  const starts = boolOf(node, 'serverAutoStart');
  if (!starts) {
    context.report('LG5013', node.values.get('serverAutoStart')?.text.span ?? node.nameSpan, {
      message: `Site "${stringOf(node, 'name')}" does not start by itself, so none of its bindings is served.`,
      advice: 'Write serverAutoStart="true" if it is to be served.',
    });
  }
  const written = entriesOf(node.elements.get('bindings'));
  if (written.some((binding) => protocolMeant(binding) !== undefined)) session.misread.add('sites');
  const bindings = written.flatMap((binding) => bindingOf(binding, context) ?? []);
  return {
    span: node.span,
    name: stringOf(node, 'name'),
    id: numberOf(node, 'id'),
    bindings: starts ? bindings : [],
    applications: entriesOf(node).map((application) => normalPath(stringOf(application, 'path'))),
    scopes: [],
  };
}

function checkLocations(sections: ReadSections, sites: readonly SiteConfig[], session: LoadSession): void {
  if (mayMiss('sites', session)) return;
  for (const level of sections.levels) {
    if (level.site === undefined || isSite(level.site, sites)) continue;
    const node = level.sections.values().next().value;
    if (node !== undefined) reportNoSite(level.site, node.nameSpan, { what: 'this <location>', sites }, session);
  }
}

function result(
  sections: ReadSections,
  sites: readonly SiteConfig[],
  read: ReadSettings,
  session: LoadSession,
): LoadResult {
  const context = sectionContext(session, farmCodes, '500.19');
  const farms = mergeEntries(
    sections.webFarms.map((node) => node.entries),
    webFarmsSection.collection,
    context,
  ).map((entry) => entry.node);
  const proxy = sections.proxies.at(-1) ?? absentProxy(read);
  const { settings } = read;
  const misread = misreadParts(session);
  if (!mayMiss('farms', session)) checkFarmSettings(read.farmNames, farmNodes(sections.webFarms), session.report);
  const names = new Set(farms.map((farm) => comparedName(stringOf(farm, 'name'))));
  const elsewhere = read.farmNames.some(({ name }) => !names.has(comparedName(name)));
  for (const farm of settings.misread?.has('farms') ? [] : farms) {
    checkFarm(farm, settings.farms.get(comparedName(stringOf(farm, 'name'))), elsewhere, session.report);
  }
  for (const node of sections.proxies) checkProxy(node, session.report);
  checkSites(sites, session.report);
  checkLevelLocks(sections.lockable, session.report);
  const config: Config = {
    ...(misread.size > 0 ? { misread } : {}),
    sites: sites.map((site) => ({ ...site, scopes: scopesOf(site.name, site.applications, sections.levels, session) })),
    globalRules: globalRuleSet(sections.levels, session),
    webFarms: farms.map(webFarmOf),
    proxy: proxyOf(proxy),
    settings,
  };
  const diagnostics = inOrder(session.diagnostics, session.sources.keys());
  return { settings, ...(session.broken ? {} : { config }), diagnostics, sources: session.sources };
}

function absentProxy(read: ReadSettings): SectionNode {
  const span = { file: read.settings.file, start: 0, end: 0 };
  return {
    schema: proxySection,
    name: 'proxy',
    span,
    nameSpan: span,
    values: new Map(),
    elements: new Map(),
    entries: [],
  };
}
