/** Reads `<configSections>`: which sections a file declares, and which of them are locked further down. */
import type { Report } from './diagnostic.ts';
import type { KnownSections } from './known-sections.ts';
import type { XmlAttribute, XmlElement } from './xml.ts';

interface Collected {
  readonly sections: Set<string>;
  readonly denied: Set<string>;
  readonly serverOnly: Set<string>;
  /** What a file above has declared already. */
  readonly above: ReadonlySet<string>;
}

/** Definitions that end at the server; the others depend on what is an application, which only ASP.NET asks. */
const serverDefinitions = ['AppHostOnly', 'MachineOnly', 'MachineToRootWeb', 'MachineToWebRoot'];
const choices: Readonly<Record<string, readonly string[]>> = {
  overrideModeDefault: ['Allow', 'Deny', 'Inherit'],
  allowDefinition: [...serverDefinitions, 'MachineToApplication', 'Everywhere'],
};

const place =
  'Only one <configSections> element allowed.  It must be the first child element of the root <configuration> element';

/**
 * The declarations of a file, or nothing where it has none.
 * @param above what a file above has declared: declaring it again is a fault
 */
export function readConfigSections(
  root: XmlElement,
  above: ReadonlySet<string>,
  report: Report,
): Omit<KnownSections, 'deniedByDefault'> | undefined {
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
  const into: Collected = { sections: new Set(), denied: new Set(), serverOnly: new Set(), above };
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
  if (into.sections.has(path) || into.above.has(path)) {
    const where = into.above.has(path) ? 'in applicationHost.config already' : 'twice';
    report('LG1010', element.nameSpan, {
      message: `Section ${path} is declared ${where}.`,
      advice: 'Remove one of the two declarations.',
      iis: { status: '500.19', text: `There is a duplicate '${path}' section defined` },
    });
  }
  into.sections.add(path);
  for (const written of element.attributes) checkChoice(written, report);
  if (attribute(element, 'overrideModeDefault') === 'Deny') into.denied.add(path);
  if (serverDefinitions.includes(attribute(element, 'allowDefinition') ?? '')) into.serverOnly.add(path);
}

function checkChoice({ name, value, span }: XmlAttribute, report: Report): void {
  const names = Object.hasOwn(choices, name) ? choices[name] : undefined;
  if (names === undefined || names.includes(value.value)) return;
  report('LG1010', value.span.start === value.span.end ? span : value.span, {
    message: `${name}="${value.value}" is not valid.`,
    advice: `Write one of: ${names.join(', ')}.`,
    iis: { status: '500.19', text: `The '${name}' attribute is invalid.` },
  });
}

function attribute(element: XmlElement, name: string): string | undefined {
  return element.attributes.find((candidate) => candidate.name === name)?.value.value;
}
