/** Reads the sections of one file by their tables and sorts them by level: the server, a site, a folder of a site. */

import { type FileKind, findSections, type SectionUse } from './file-sections.ts';
import { configSourcePath, fileName } from './files.ts';
import { foreignElements, type KnownSections } from './known-sections.ts';
import { type LevelNode, looseNode } from './level-locks.ts';
import { includedText, type LoadSession, openXml } from './load-session.ts';
import { isLockAttribute, readLocks } from './lock-attributes.ts';
import { diskCacheSection, proxySection } from './proxy-section.ts';
import { type RewriteSectionName, rewriteSections } from './rewrite-section.ts';
import { readElement } from './schema.ts';
import { checkChildren } from './section-children.ts';
import {
  type ConfigFile,
  defaultLock,
  isRefusedHere,
  noteOverride,
  type Override,
  type Place,
  placeOf,
} from './section-permission.ts';
import type { ElementSchema, SectionCodes, SectionContext, SectionNode } from './section-tables.ts';
import { sitesSection } from './sites-section.ts';
import { reportHsts, reportUnserved } from './unserved-sections.ts';
import { webFarmsSection } from './web-farms-section.ts';
import type { XmlElement } from './xml.ts';

/** The rewrite sections of one file and location. */
export interface SectionLevel extends Place {
  /** False where child applications do not inherit it. */
  readonly inherits: boolean;
  readonly sections: ReadonlyMap<RewriteSectionName, SectionNode>;
  /** Those that were refused as a whole, or whose file could not be read. */
  readonly unread: ReadonlySet<RewriteSectionName>;
}

export interface ReadSections {
  readonly levels: SectionLevel[];
  readonly sites: SectionNode[];
  readonly webFarms: SectionNode[];
  readonly proxies: SectionNode[];
  /** Everything that locks can reach. */
  readonly lockable: LevelNode[];
  readonly overrides: Override[];
}

const ruleCodes = {
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

export function sectionContext(
  { report, nearestKey }: LoadSession,
  codes: SectionCodes,
  status: string,
): SectionContext {
  return { report, nearestKey, codes, status };
}

/** Faults inside rewrite sections come out as 500.51 (global rules) or 500.52, all others as 500.19. */
export function ruleContext(session: LoadSession, section: RewriteSectionName): SectionContext {
  return sectionContext(session, ruleCodes, section === 'globalRules' ? '500.51' : '500.52');
}

const rewriteGroup = 'system.webServer/rewrite/';

export function emptySections(): ReadSections {
  return { levels: [], sites: [], webFarms: [], proxies: [], lockable: [], overrides: [] };
}

interface Group {
  readonly use: SectionUse;
  readonly sections: Map<RewriteSectionName, SectionNode>;
  readonly unread: Set<RewriteSectionName>;
}

function rewriteSectionOf(path: string): RewriteSectionName | undefined {
  const name = path.startsWith(rewriteGroup) ? path.slice(rewriteGroup.length) : '';
  return Object.hasOwn(rewriteSections, name) ? (name as RewriteSectionName) : undefined;
}

/** Adds what one file says to what is read so far. */
export function readSections(file: ConfigFile, known: KnownSections, into: ReadSections, session: LoadSession): void {
  const uses = findSections(file.root, known, session);
  const groups = new Map<number, Group>();
  for (const use of uses) {
    noteOverride(use, file, into.overrides);
    const refused = isRefusedHere(use, file, known, into.overrides, session);
    const section = rewriteSectionOf(use.path);
    if (section !== undefined) {
      const node = refused
        ? undefined
        : readSection(use, file, rewriteSections[section], ruleContext(session, section), session);
      const key = use.location?.span.start ?? -1;
      const group: Group = groups.get(key) ?? { use, sections: new Map(), unread: new Set() };
      if (node !== undefined) group.sections.set(section, node);
      else group.unread.add(section);
      noteLockable(use, file, node, into);
      groups.set(key, group);
    } else if (!refused) {
      readOther(use, file, { into, known }, session);
    }
  }
  for (const { use, sections, unread } of groups.values()) {
    into.levels.push({ ...placeOf(use, file), inherits: use.location?.inherits ?? true, sections, unread });
  }
}

interface Reading {
  readonly into: ReadSections;
  readonly known: KnownSections;
}

function readOther(use: SectionUse, file: ConfigFile, { into, known }: Reading, session: LoadSession): void {
  const { report } = session;
  const farms = sectionContext(session, farmCodes, '500.19');
  switch (use.path) {
    case 'webFarms':
      push(into.webFarms, readSection(use, file, webFarmsSection, farms, session));
      break;
    case 'system.webServer/proxy':
      push(into.proxies, noteLockable(use, file, readSection(use, file, proxySection, farms, session), into));
      break;
    case 'system.webServer/diskCache':
      readSection(use, file, diskCacheSection, farms, session);
      break;
    case 'system.applicationHost/sites':
      push(into.sites, readSection(use, file, sitesSection, sectionContext(session, siteCodes, '500.19'), session));
      for (const site of use.element.children) {
        for (const child of site.children) if (child.name === 'hsts') reportHsts(child, session.acknowledge, report);
      }
      break;
    default:
      noteLockable(use, file, looseNode(use.element), into);
      checkChildren(use, report);
      reportUnserved(
        use.path,
        use.element,
        { settings: session, lock: defaultLock(use, file, known, into.overrides) },
        report,
      );
  }
}

function noteLockable(
  use: SectionUse,
  file: ConfigFile,
  node: SectionNode | undefined,
  into: ReadSections,
): SectionNode | undefined {
  const inherits = use.location?.inherits ?? true;
  if (node !== undefined) into.lockable.push({ ...placeOf(use, file), section: use.path, node, inherits });
  return node;
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
  reportBeside(use.element, session);
  const path = configSourcePath(file.file, source.value.value);
  const refuse = (message: string, advice: string) =>
    session.report('LG1013', source.span, {
      message,
      advice,
      iis: { status: '500.19', text: includedText },
    });
  if (path === undefined) {
    refuse(
      `configSource="${source.value.value}" does not name a file in the same folder or below it.`,
      'Put the file beside this one and write its name.',
    );
    return undefined;
  }
  const root = openXml(path, session, { limited: true, included: true, from: source.span });
  if (root === undefined) return undefined;
  if (root.name !== use.element.name) {
    refuse(
      `${fileName(path)} begins with <${root.name}>, not <${use.element.name}>.`,
      `Make <${use.element.name}> its root element.`,
    );
    return undefined;
  }
  const locks = readLocks(use.element, schema, context);
  const node = readElement(root, schema, context);
  return locks === undefined || node.locks !== undefined ? node : { ...node, locks };
}

/** A section with a configSource takes all it says from that file. */
function reportBeside(element: XmlElement, { report }: LoadSession): void {
  const beside =
    element.attributes.find(({ name }) => name !== 'configSource' && !isLockAttribute(name))?.span ??
    element.children[0]?.tagSpan;
  if (beside === undefined) return;
  report('LG1025', beside, {
    message: `This has no effect: <${element.name}> takes its content from the file that configSource names.`,
    advice: 'Move it to that file; IIS may refuse it here.',
  });
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
