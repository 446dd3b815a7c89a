/** Reads the sections of one file by their tables and sorts them by level: the server, a site, a folder of a site. */

import { type FileKind, findSections, refuseWebFarms, type SectionUse } from './file-sections.ts';
import { configSourcePath, fileName } from './files.ts';
import { foreignElements, type KnownSections } from './known-sections.ts';
import type { LoadSession } from './load-session.ts';
import { openXml } from './load-session.ts';
import { diskCacheSection, proxySection } from './proxy-section.ts';
import { type RewriteSectionName, rewriteSections } from './rewrite-section.ts';
import { type ElementSchema, readElement, type SectionContext, type SectionNode } from './schema.ts';
import { sitesSection } from './sites-section.ts';
import { reportHsts, reportUnserved } from './unserved-sections.ts';
import { webFarmsSection } from './web-farms-section.ts';
import type { XmlElement } from './xml.ts';

/** The rewrite sections of one file and location. */
export interface SectionLevel {
  /** Absent for the whole server. */
  readonly site?: string;
  /** URL path, `/` or `/a/b`. */
  readonly path: string;
  /** False where child applications do not inherit it. */
  readonly inherits: boolean;
  readonly sections: ReadonlyMap<RewriteSectionName, SectionNode>;
}

export interface ReadSections {
  readonly levels: SectionLevel[];
  readonly sites: SectionNode[];
  readonly webFarms: SectionNode[];
  readonly proxies: SectionNode[];
  /** `site\0section` in lower case: sections that a location element unlocks; the site may be empty. */
  readonly unlocked: Set<string>;
}

export interface ConfigFile {
  readonly file: string;
  readonly kind: FileKind;
  readonly root: XmlElement;
  /** Of a web.config. */
  readonly site?: string;
  readonly path: string;
}

export const ruleCodes = {
  unknownAttribute: 'LG2001',
  unknownElement: 'LG2002',
  missing: 'LG2003',
  value: 'LG2004',
  duplicate: 'LG2005',
  repeated: 'LG2006',
  doubtful: 'LG2007',
} as const;

export const farmCodes = {
  unknownAttribute: 'LG3001',
  unknownElement: 'LG3002',
  missing: 'LG3003',
  value: 'LG3004',
  duplicate: 'LG3005',
  repeated: 'LG3006',
  doubtful: 'LG3007',
} as const;

export const siteCodes = {
  unknownAttribute: 'LG5001',
  unknownElement: 'LG5002',
  missing: 'LG5003',
  value: 'LG5004',
  duplicate: 'LG5005',
  repeated: 'LG5006',
  doubtful: 'LG5007',
} as const;

/** Faults inside rewrite sections come out as 500.51 (global rules) or 500.52, all others as 500.19. */
export function ruleContext(session: LoadSession, section: RewriteSectionName): SectionContext {
  return { report: session.report, codes: ruleCodes, status: section === 'globalRules' ? '500.51' : '500.52' };
}

const rewriteGroup = 'system.webServer/rewrite/';

export function emptySections(): ReadSections {
  return { levels: [], sites: [], webFarms: [], proxies: [], unlocked: new Set() };
}

/** Adds what one file says to what is read so far. */
export function readSections(file: ConfigFile, known: KnownSections, into: ReadSections, session: LoadSession): void {
  const uses = findSections(file.root, known, session.report);
  const groups = new Map<string, { use: SectionUse; sections: Map<RewriteSectionName, SectionNode> }>();
  for (const use of uses) {
    noteOverride(use, file, into, session);
    if (isRefusedHere(use, file, known, into, session)) continue;
    const name = use.path.startsWith(rewriteGroup) ? use.path.slice(rewriteGroup.length) : '';
    if (Object.hasOwn(rewriteSections, name)) {
      const section = name as RewriteSectionName;
      const node = readSection(use, file, rewriteSections[section], ruleContext(session, section), session);
      const key = use.location?.path ?? '';
      const group = groups.get(key) ?? { use, sections: new Map() };
      if (node !== undefined) group.sections.set(section, node);
      groups.set(key, group);
    } else {
      readOther(use, file, into, session);
    }
  }
  for (const { use, sections } of groups.values()) into.levels.push({ ...placeOf(use, file), sections });
}

function readOther(use: SectionUse, file: ConfigFile, into: ReadSections, session: LoadSession): void {
  const { report } = session;
  const farms: SectionContext = { report, codes: farmCodes, status: '500.19' };
  switch (use.path) {
    case 'webFarms':
      push(into.webFarms, readSection(use, file, webFarmsSection, farms, session));
      break;
    case 'system.webServer/proxy':
      push(into.proxies, readSection(use, file, proxySection, farms, session));
      break;
    case 'system.webServer/diskCache':
      readSection(use, file, diskCacheSection, farms, session);
      break;
    case 'system.applicationHost/sites':
      push(into.sites, readSection(use, file, sitesSection, { report, codes: siteCodes, status: '500.19' }, session));
      for (const site of use.element.children) {
        for (const child of site.children) if (child.name === 'hsts') reportHsts(child, session.acknowledge, report);
      }
      break;
    default:
      reportUnserved(use.path, use.element, session.acknowledge, report);
  }
}

function push<T>(list: T[], item: T | undefined): void {
  if (item !== undefined) list.push(item);
}

function readSection(
  use: SectionUse,
  file: ConfigFile,
  schema: ElementSchema,
  context: SectionContext,
  session: LoadSession,
): SectionNode | undefined {
  const source = use.element.attributes.find((attribute) => attribute.name === 'configSource');
  if (source === undefined || file.kind === 'applicationHost') return readElement(use.element, schema, context);
  const path = configSourcePath(file.file, source.value.value);
  const refuse = (message: string, advice: string) =>
    session.report('LG1013', source.span, {
      message,
      advice,
      iis: { status: '500.19', text: 'Specified configSource cannot be parsed' },
    });
  if (path === undefined) {
    refuse(
      `configSource="${source.value.value}" does not name a file in the same folder or below it.`,
      'Put the file beside this one and write its name.',
    );
    return undefined;
  }
  const root = openXml(path, session, { limited: true, spare: true, from: source.span });
  if (root === undefined) return undefined;
  if (root.name !== use.element.name) {
    refuse(
      `${fileName(path)} begins with <${root.name}>, not <${use.element.name}>.`,
      `Make <${use.element.name}> its root element.`,
    );
    return undefined;
  }
  return readElement(root, schema, context);
}

/** Where a section counts: the level of its file, moved by its location element. */
function placeOf(use: SectionUse, file: ConfigFile): Omit<SectionLevel, 'sections'> {
  const inherits = use.location?.inherits ?? true;
  const parts = (use.location?.path ?? '').split('/').filter((part) => part !== '');
  if (file.kind === 'applicationHost') {
    const [site, ...path] = parts;
    return { ...(site === undefined ? {} : { site }), path: `/${path.join('/')}`, inherits };
  }
  const path = [...file.path.split('/').filter((part) => part !== ''), ...parts];
  return { ...(file.site === undefined ? {} : { site: file.site }), path: `/${path.join('/')}`, inherits };
}

/** Notes what a location element unlocks; what it locks is only told, not carried out. */
function noteOverride(use: SectionUse, file: ConfigFile, into: ReadSections, session: LoadSession): void {
  const { location } = use;
  if (location === undefined || location.overrideMode === 'Inherit') return;
  if (location.overrideMode === 'Allow') {
    if (file.kind === 'applicationHost') into.unlocked.add(unlockKey(location.path.split('/')[0] ?? '', use.path));
    return;
  }
  if (!use.path.startsWith(rewriteGroup)) return;
  session.report('LG1015', location.span, {
    message: `This <location> locks ${use.path}; locks are read but not carried out.`,
    advice: 'Make sure that no lower level holds the section: IIS would refuse it with 500.19, Lychgate does not.',
  });
}

function unlockKey(site: string, section: string): string {
  return `${site.toLowerCase()}\0${section}`;
}

const lockedText =
  'This configuration section cannot be used at this path. This happens when the section is locked at a parent level. ' +
  'Locking is either by default (overrideModeDefault="Deny"), or set explicitly by a location tag with ' +
  'overrideMode="Deny" or the legacy allowOverride="false".';

function isRefusedHere(
  use: SectionUse,
  file: ConfigFile,
  known: KnownSections,
  into: ReadSections,
  { report }: LoadSession,
): boolean {
  if (use.path === 'webFarms' && (file.kind === 'web.config' || use.location !== undefined)) {
    refuseWebFarms(use.element, report);
    return true;
  }
  const serverOnly = use.path === `${rewriteGroup}globalRules` || use.path.startsWith('system.applicationHost/');
  if (file.kind === 'applicationHost' && !(serverOnly && (use.location?.path ?? '') !== '')) return false;
  if (file.kind === 'fragment') return false;
  const unlocked = [file.site ?? '', ''].some((site) => into.unlocked.has(unlockKey(site, use.path)));
  if (serverOnly || (known.denied.has(use.path) && !unlocked)) {
    report('LG1012', use.element.nameSpan, {
      message: `<${use.element.name}> is locked here: it stands in applicationHost.config only${serverOnly ? ', outside every <location>' : ''}.`,
      advice: serverOnly
        ? 'Move it to applicationHost.config.'
        : `Move it to applicationHost.config, into <location path="${file.site ?? 'Site Name'}"> if only this site needs it.`,
      iis: { status: '500.19', text: lockedText },
    });
    // Its content is still worth checking, but global rules of a web.config never count.
    return serverOnly;
  }
  if (use.path === 'system.webServer/proxy' && file.kind === 'web.config') {
    report('LG1022', use.element.nameSpan, {
      message: '<proxy> in a web.config: IIS may refuse it, since the section is meant for the server.',
      advice: 'Move it to <system.webServer> in applicationHost.config.',
    });
  }
  return false;
}

/** True where a file of this name and content is an applicationHost.config. */
export function looksLikeApplicationHost(file: string, root: XmlElement, otherwise: FileKind): boolean {
  const name = fileName(file).toLowerCase();
  if (/^applicationhost(\..*)?\.config$/.test(name)) return true;
  if (/^web(\..*)?\.config$/.test(name)) return false;
  const server = new Set(['system.applicationHost', 'webFarms']);
  if (root.children.some((child) => server.has(child.name))) return true;
  if (name.includes('applicationhost')) return true;
  if (root.children.some((child) => foreignElements.has(child.name) && child.name !== 'configProtectedData'))
    return false;
  return otherwise === 'applicationHost';
}
