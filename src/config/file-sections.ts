/** Walks one configuration file and finds the sections in it, with the `<location>` that each stands in. */

import type { NearestKey } from '../nearest.ts';
import { didYouMean, nearest } from '../nearest.ts';
import { readConfigSections } from './config-sections.ts';
import type { Report, Span } from './diagnostic.ts';
import { foreignElements, groupsOf, type KnownSections, stockSections } from './known-sections.ts';
import type { LoadSession } from './load-session.ts';
import { namesMeant } from './misread.ts';
import type { XmlAttribute, XmlElement } from './xml.ts';

export type FileKind = 'applicationHost' | 'web.config' | 'fragment';

export interface LocationUse {
  /** Without slashes at its ends; `''` for the level of the file itself. */
  readonly path: string;
  readonly span: Span;
  readonly overrideMode: 'Allow' | 'Deny' | 'Inherit';
  readonly inherits: boolean;
}

export interface SectionUse {
  /** For example `system.webServer/rewrite/rules`. */
  readonly path: string;
  readonly element: XmlElement;
  readonly location?: LocationUse;
}

interface Walk {
  readonly report: Report;
  readonly known: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  readonly uses: SectionUse[];
  readonly passedOver: Set<string>;
  /** Of sections, groups and locations, as keys. */
  readonly names: object;
  readonly nearestKey: NearestKey;
  readonly seen: Map<string, XmlElement>;
}

/** What is declared, so that the same list can serve for files below. */
export function knownFrom(
  root: XmlElement,
  kind: FileKind,
  above: KnownSections | undefined,
  report: Report,
): KnownSections {
  const below = kind === 'applicationHost' ? undefined : above?.sections;
  const declared = root.name === 'configuration' ? readConfigSections(root, below ?? new Set(), report) : undefined;
  const base = above ?? stockSections;
  if (declared === undefined) return base;
  const both = {
    sections: new Set([...base.sections, ...declared.sections]),
    denied: base.denied,
    deniedByDefault: base.deniedByDefault,
    serverOnly: new Set([...base.serverOnly, ...declared.serverOnly]),
  };
  if (kind !== 'applicationHost') return both;
  const whole = declared.sections.has('system.webServer/handlers') || declared.sections.size > 20;
  const leftOf = (stock: ReadonlySet<string>) => [...stock].filter((path) => !declared.sections.has(path));
  return {
    sections: whole ? declared.sections : both.sections,
    denied: whole ? declared.denied : new Set([...leftOf(base.denied), ...declared.denied]),
    deniedByDefault: new Set(leftOf(base.deniedByDefault)),
    serverOnly: new Set([...leftOf(base.serverOnly), ...declared.serverOnly]),
  };
}

/** Every section of a `<configuration>` file or of a fragment of one; what is refused leaves its names in the session. */
export function findSections(
  root: XmlElement,
  { sections }: KnownSections,
  { report, passedOver, nearestKey }: Pick<LoadSession, 'report' | 'passedOver' | 'nearestKey'>,
): readonly SectionUse[] {
  reportTransformation(root, report);
  const groups = groupsOf(sections);
  const names = Object.fromEntries([...sections, ...groups, 'location'].map((path) => [leafOf(path), true]));
  const walk: Walk = { report, known: sections, groups, uses: [], passedOver, names, nearestKey, seen: new Map() };
  if (root.name === 'configuration') {
    for (const attribute of root.attributes) checkRootAttribute(attribute, report);
    walkChildren(root, '', undefined, walk);
  } else {
    walkFragment(root, walk);
  }
  return walk.uses;
}

function leafOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function checkRootAttribute(attribute: XmlAttribute, report: Report): void {
  if (/^(xmlns(:.*)?$|xdt:)/.test(attribute.name)) return;
  report('LG1021', attribute.nameSpan, {
    message: `<configuration> has no attribute "${attribute.name}".`,
    advice: 'Remove it.',
    iis: { status: '500.19', text: `Unrecognized attribute '${attribute.name}'` },
  });
}

function reportTransformation(root: XmlElement, report: Report): void {
  const mark = findTransformation(root);
  if (mark === undefined) return;
  report('LG1011', mark.nameSpan, {
    message: 'This is a transformation (XDT): it tells how to change a configuration and is none itself.',
    advice: 'Check the file that the transformation yields.',
    iis: { status: '500.19', text: `Unrecognized attribute '${mark.name}'` },
  });
}

function findTransformation(element: XmlElement): XmlAttribute | undefined {
  const queue = [element];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const mark = next.attributes.find(
      (attribute) => attribute.name.startsWith('xdt:') || attribute.name === 'xmlns:xdt',
    );
    if (mark !== undefined) return mark;
    for (const child of next.children) queue.push(child);
  }
  return undefined;
}

function walkFragment(root: XmlElement, walk: Walk): void {
  const rewrite = 'system.webServer/rewrite';
  if (root.name === 'system.webServer') walkElement(root, '', undefined, walk);
  else if (root.name === 'rewrite') walkElement(root, 'system.webServer', undefined, walk);
  else if (root.name === 'rule') {
    const section = isOutbound(root) ? 'outboundRules' : 'rules';
    addUse(`${rewrite}/${section}`, wrap(section, root), undefined, walk);
  } else if (root.name === 'rewriteMap') addUse(`${rewrite}/rewriteMaps`, wrap('rewriteMaps', root), undefined, walk);
  else if (root.name === 'webFarms') addUse('webFarms', root, undefined, walk);
  else if (root.name === 'webFarm') addUse('webFarms', wrap('webFarms', root), undefined, walk);
  else addUse(`${rewrite}/${root.name}`, root, undefined, walk);
}

/** Names that a file which is no `<configuration>` may begin with. */
export const fragmentRoots: ReadonlySet<string> = new Set([
  ...['system.webServer', 'rewrite', 'rules', 'globalRules', 'rule', 'outboundRules', 'rewriteMaps', 'rewriteMap'],
  ...['providers', 'allowedServerVariables', 'webFarms', 'webFarm'],
]);

function isOutbound(rule: XmlElement): boolean {
  const has = (element: XmlElement, names: readonly string[]) =>
    element.attributes.some((attribute) => names.includes(attribute.name));
  return (
    has(rule, ['preCondition']) ||
    rule.children.some(
      (child) =>
        (child.name === 'match' && has(child, ['filterByTags', 'serverVariable', 'pattern', 'customTags'])) ||
        (child.name === 'action' && has(child, ['value'])),
    )
  );
}

function wrap(name: string, child: XmlElement): XmlElement {
  return { name, nameSpan: child.nameSpan, tagSpan: child.tagSpan, attributes: [], children: [child] };
}

function walkChildren(element: XmlElement, group: string, location: LocationUse | undefined, walk: Walk): void {
  for (const child of element.children) walkElement(child, group, location, walk);
  if (element.text !== undefined) {
    walk.report('LG1018', element.text, {
      message: `Text stands in <${element.name}>; IIS may refuse or ignore it.`,
      advice: 'Remove it, or make it a comment: <!-- … -->.',
    });
  }
}

function walkElement(element: XmlElement, group: string, location: LocationUse | undefined, walk: Walk): void {
  const path = group === '' ? element.name : `${group}/${element.name}`;
  if (group === '' && element.name === 'configSections') return;
  if (group === '' && element.name === 'location' && location === undefined) {
    walkChildren(element, '', readLocation(element, walk.report), walk);
  } else if (walk.known.has(path)) {
    addUse(path, element, location, walk);
  } else if (element.name === 'webFarms' && group !== '') {
    refuseWebFarms(element, walk.report);
  } else if (walk.groups.has(path)) {
    checkGroup(element, walk);
    walkChildren(element, path, location, walk);
  } else if (group !== '' || !foreignElements.has(element.name)) {
    reportUnknown(element, path, group, walk);
  }
}

/** A group is no section: it takes neither attributes nor anything but sections and groups. */
function checkGroup(element: XmlElement, { report }: Walk): void {
  for (const attribute of element.attributes) {
    if (/^(xmlns|xdt)(:|$)/.test(attribute.name)) continue;
    report('LG1021', attribute.nameSpan, {
      message: `<${element.name}> takes no attributes, but has "${attribute.name}".`,
      advice: 'Remove it.',
      iis: { status: '500.19', text: `Unrecognized attribute '${attribute.name}'` },
    });
  }
}

/** @param text IIS's: none for a section that nothing declares at this place */
export function refuseWebFarms(element: XmlElement, report: Report, text = ''): void {
  report('LG3008', element.nameSpan, {
    message: '<webFarms> stands where IIS does not read it.',
    advice: 'Put it directly under <configuration> in applicationHost.config.',
    iis: { status: '500.19', text },
  });
}

/** Parts of sections that people put straight into `<rewrite>`. */
const homes: Readonly<Record<string, string>> = {
  rule: 'rules',
  rewriteMap: 'rewriteMaps',
  preConditions: 'outboundRules',
  customTags: 'outboundRules',
};

function reportUnknown(element: XmlElement, path: string, group: string, walk: Walk): void {
  const { report, passedOver } = walk;
  for (const name of namesMeant(element, walk.names, walk.nearestKey)) passedOver.add(name);
  report('LG1008', element.nameSpan, () => ({
    subject: path,
    message: `There is no section ${path}.`,
    // Its subject is asked for each time, the cure only where it is told.
    get advice() {
      return adviceForUnknown(element.name, group, walk);
    },
    iis: {
      status: '500.19',
      text:
        group === ''
          ? `The configuration section '${path}' cannot be read because it is missing a section declaration`
          : '',
    },
  }));
}

function adviceForUnknown(name: string, group: string, { known, groups }: Walk): string {
  const home = Object.hasOwn(homes, name) && group === 'system.webServer/rewrite' ? homes[name] : undefined;
  if (home !== undefined) return `Put it into <${home}>.`;
  const prefix = group === '' ? '' : `${group}/`;
  const siblings = [...known, ...groups, ...(group === '' ? foreignElements : [])]
    .filter((each) => each.startsWith(prefix) && !each.slice(prefix.length).includes('/'))
    .map((each) => each.slice(prefix.length));
  const near = nearest(name, siblings);
  return near === undefined
    ? 'Remove it, or declare it in <configSections> if the module that reads it is installed.'
    : `Write ${near}: did you mean that section?`;
}

function addUse(path: string, element: XmlElement, location: LocationUse | undefined, walk: Walk): void {
  const key = `${location?.path.toLowerCase() ?? ''}\0${path}`;
  const first = walk.seen.get(key);
  if (first !== undefined) {
    walk.passedOver.add(leafOf(path));
    walk.report('LG1009', element.nameSpan, {
      message: `Section ${path} stands twice at one level of this file.`,
      advice: 'Join the two into one.',
      iis: {
        status: '500.19',
        text: `Config section '${path}' already defined. Sections must only appear once per config file.`,
      },
      related: { span: first.nameSpan, message: 'the first one' },
    });
    return;
  }
  walk.seen.set(key, element);
  walk.uses.push({ path, element, ...(location === undefined ? {} : { location }) });
}

const MODES = ['Allow', 'Deny', 'Inherit'] as const;

function readLocation(element: XmlElement, report: Report): LocationUse {
  const read = (name: string) => element.attributes.find((attribute) => attribute.name === name);
  const allowed = ['path', 'overrideMode', 'allowOverride', 'inheritInChildApplications'];
  const unknown = element.attributes.filter(({ name }) => !allowed.includes(name) && !name.startsWith('xdt:'));
  for (const attribute of unknown) {
    const message = `<location> has no attribute "${attribute.name}".`;
    refuseLocation(
      attribute,
      message,
      `${didYouMean(attribute.name, allowed)}Use one of: ${allowed.join(', ')}.`,
      report,
    );
  }
  // A path that is misspelt is one all the same: what stands in it is for no other level.
  const pathMeant = unknown.find(({ name }) => nearest(name, allowed) === 'path');
  const mode = read('overrideMode');
  const legacy = read('allowOverride');
  if (mode !== undefined && legacy !== undefined) {
    refuseLocation(legacy, '<location> has both overrideMode and allowOverride.', 'Keep overrideMode.', report);
  }
  const named = mode && MODES.find((name) => name.toLowerCase() === mode.value.value.toLowerCase());
  if (mode !== undefined && named === undefined) {
    refuseLocation(mode, `overrideMode="${mode.value.value}" is not valid.`, 'Write Allow, Deny or Inherit.', report);
  } else if (mode !== undefined && named !== mode.value.value) {
    report('LG1027', mode.span, {
      message: `IIS may refuse overrideMode="${mode.value.value}".`,
      advice: `Write ${named}; it is taken as that.`,
    });
  }
  const inherits = read('inheritInChildApplications');
  for (const flag of [legacy, inherits]) {
    if (flag !== undefined && !/^(true|false)$/i.test(flag.value.value)) {
      refuseLocation(flag, `${flag.name}="${flag.value.value}" is not valid.`, 'Write true or false.', report);
    }
  }
  const value = (read('path') ?? pathMeant)?.value.value ?? '';
  const open = legacy === undefined ? 'Inherit' : /^true$/i.test(legacy.value.value) ? 'Allow' : 'Deny';
  return {
    path: value === '.' ? '' : value.replaceAll('\\', '/').replace(/^\/+|\/+$/g, ''),
    span: element.tagSpan,
    overrideMode: mode === undefined ? open : (named ?? 'Inherit'),
    inherits: !/^false$/i.test(inherits?.value.value ?? ''),
  };
}

function refuseLocation(attribute: XmlAttribute, message: string, advice: string, report: Report): void {
  const text = message.includes('has no attribute') ? `Unrecognized attribute '${attribute.name}'` : '';
  report('LG1014', attribute.span, { message, advice, iis: { status: '500.19', text } });
}
