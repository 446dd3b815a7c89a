/** Reads `<configSections>`: which sections a file declares, and which of them are locked further down. */
import type { Report } from './diagnostic.ts';
import type { XmlElement } from './xml.ts';

export interface DeclaredSections {
  readonly sections: ReadonlySet<string>;
  readonly denied: ReadonlySet<string>;
}

interface Collected {
  sections: Set<string>;
  denied: Set<string>;
}

const place =
  'Only one <configSections> element allowed.  It must be the first child element of the root <configuration> element';

/** The declarations of a file, or nothing where it has none. */
export function readConfigSections(root: XmlElement, report: Report): DeclaredSections | undefined {
  const found = root.children.filter((child) => child.name === 'configSections');
  for (const element of found) {
    if (element === root.children[0]) continue;
    report('LG1010', element.nameSpan, {
      message: '<configSections> is not the first element of <configuration>.',
      advice: 'Move it to the start of <configuration>, and join several into one.',
      iis: { status: '500.19', text: place },
    });
  }
  if (found.length === 0) return undefined;
  const into: Collected = { sections: new Set(), denied: new Set() };
  for (const element of found) for (const child of element.children) readDeclaration(child, '', into, report);
  return into;
}

function readDeclaration(element: XmlElement, group: string, into: Collected, report: Report): void {
  const name = attribute(element, 'name');
  if ((element.name !== 'section' && element.name !== 'sectionGroup') || name === undefined) {
    if (element.name === 'clear' || element.name === 'remove') return;
    report('LG1010', element.nameSpan, {
      message: `<${element.name}> cannot be read as the declaration of a section.`,
      advice: 'Write <sectionGroup name="…"> and <section name="…" />.',
      iis: {
        status: '500.19',
        text: name === undefined ? "Missing required attribute 'name'" : `Unrecognized element '${element.name}'`,
      },
    });
    return;
  }
  const path = group === '' ? name : `${group}/${name}`;
  if (element.name === 'sectionGroup') {
    for (const child of element.children) readDeclaration(child, path, into, report);
    return;
  }
  if (into.sections.has(path)) {
    report('LG1010', element.nameSpan, {
      message: `Section ${path} is declared twice.`,
      advice: 'Remove one of the two declarations.',
      iis: { status: '500.19', text: `There is a duplicate '${path}' section defined` },
    });
  }
  into.sections.add(path);
  const only = attribute(element, 'allowDefinition');
  if (attribute(element, 'overrideModeDefault') === 'Deny' || only === 'AppHostOnly' || only === 'MachineOnly')
    into.denied.add(path);
}

function attribute(element: XmlElement, name: string): string | undefined {
  return element.attributes.find((candidate) => candidate.name === name)?.value.value;
}
