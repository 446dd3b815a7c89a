/** Attributes, elements and text that stand in a section although its table knows nothing of them, with what was likely meant. */

import { nearest } from '../nearest.ts';
import { elementNames } from './lock-attributes.ts';
import type { ElementSchema, SectionContext } from './section-tables.ts';
import type { XmlAttribute, XmlElement } from './xml.ts';

export function reportUnknownAttribute(
  attribute: XmlAttribute,
  element: XmlElement,
  schema: ElementSchema,
  { report, codes, status }: SectionContext,
): void {
  report(codes.unknownAttribute, attribute.nameSpan, () => ({
    message: `<${element.name}> has no attribute "${attribute.name}".`,
    advice: adviceFor(attribute.name, Object.keys(schema.attributes ?? {}), schema, 'attribute'),
    iis: { status, text: `Unrecognized attribute '${attribute.name}'` },
  }));
}

function adviceFor(
  name: string,
  names: readonly string[],
  schema: ElementSchema,
  what: 'attribute' | 'element',
): string {
  const hint = schema.hints !== undefined && Object.hasOwn(schema.hints, name) ? schema.hints[name] : undefined;
  if (hint !== undefined) return hint;
  const near = nearest(name, names);
  if (near !== undefined) return `Write ${near}: did you mean that ${what}?`;
  if (names.length === 0) return `Remove it: no ${what} may stand here.`;
  return `Remove it, or use one of: ${names.join(', ')}.`;
}

export function reportUnknownElement(
  child: XmlElement,
  parent: XmlElement,
  schema: ElementSchema,
  {
    report,
    codes,
    status,
  }: Pick<SectionContext, 'report' | 'status'> & {
    readonly codes: Pick<SectionContext['codes'], 'unknownElement'>;
  },
): void {
  report(codes.unknownElement, child.nameSpan, () => ({
    message: `<${parent.name}> cannot hold <${child.name}>.`,
    advice: adviceFor(child.name, elementNames(schema), schema, 'element'),
    iis: { status, text: `Unrecognized element '${child.name}'` },
  }));
}

export function reportText(element: XmlElement, { report }: SectionContext): void {
  if (element.text === undefined) return;
  report('LG1018', element.text, {
    message: `Text stands in <${element.name}>; IIS may refuse or ignore it.`,
    advice: 'Remove it, or make it a comment: <!-- … -->.',
  });
}
