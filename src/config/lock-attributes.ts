/** Lock attributes as they stand at an element: what it keeps lower levels from changing. */
import { spanWithin } from './diagnostic.ts';
import type { ElementSchema, Locks, SectionContext } from './section-tables.ts';
import type { XmlAttribute, XmlElement } from './xml.ts';

const nameLocks: Readonly<Record<string, { readonly of: 'attributes' | 'elements'; readonly except: boolean }>> = {
  lockAttributes: { of: 'attributes', except: false },
  lockAllAttributesExcept: { of: 'attributes', except: true },
  lockElements: { of: 'elements', except: false },
  lockAllElementsExcept: { of: 'elements', except: true },
};

export function isLockAttribute(name: string): boolean {
  return name.startsWith('lock') && (name === 'lockItem' || Object.hasOwn(nameLocks, name));
}

/**
 * The locks that an element sets, or nothing.
 * @param known what the locks may name; absent where the section is not read by a table
 */
export function readLocks(
  element: XmlElement,
  known: ElementSchema | undefined,
  context: SectionContext | undefined,
): Locks | undefined {
  let locks: Locks | undefined;
  for (const attribute of element.attributes) {
    if (!isLockAttribute(attribute.name)) continue;
    locks ??= { attributes: [], elements: [] };
    if (attribute.name === 'lockItem') {
      if (isItemLocked(attribute, context)) locks = { ...locks, item: attribute.span };
      continue;
    }
    const { of, except } = nameLocks[attribute.name] ?? { of: 'attributes', except: false };
    if (known !== undefined && context !== undefined) checkNames(attribute, of, known, context);
    const names = new Set(namesIn(attribute).map(({ name }) => name));
    locks = { ...locks, [of]: [...locks[of], { except, names, span: attribute.span }] };
  }
  return locks;
}

function isItemLocked({ name, value, span }: XmlAttribute, context: SectionContext | undefined): boolean {
  if (!/^(true|false)$/i.test(value.value)) {
    context?.report('LG1024', value.span.start === value.span.end ? span : value.span, {
      message: `${name}="${value.value}" is not valid: it is neither true nor false.`,
      advice: 'Write true or false.',
      iis: { status: context.status, text: `The '${name}' attribute is invalid.` },
    });
  }
  return /^true$/i.test(value.value);
}

function namesIn({ value }: XmlAttribute): readonly { readonly name: string; readonly from: number }[] {
  return [...value.value.matchAll(/[^,\s][^,]*/g)].map(({ 0: part, index }) => ({ name: part.trim(), from: index }));
}

function checkNames(
  attribute: XmlAttribute,
  of: 'attributes' | 'elements',
  schema: ElementSchema,
  { report, status }: SectionContext,
): void {
  // Widespread files lock all three words of a collection, whether or not it has them.
  const words = schema.collection === undefined ? [] : ['add', 'remove', 'clear'];
  const known =
    of === 'attributes' ? Object.keys(schema.attributes ?? {}) : [...new Set([...elementNames(schema), ...words])];
  const what = of.slice(0, -1);
  for (const { name, from } of namesIn(attribute)) {
    if (name === '*' || known.includes(name)) continue;
    const finding = {
      message: `${attribute.name} names "${name}", which is no ${what} of this element.`,
      advice: known.length === 0 ? `Remove it: there is no ${what} here.` : `Use names of: ${known.join(', ')}.`,
    };
    const span = spanWithin(attribute.value, from, from + name.length);
    // Only of this attribute it is known that IIS refuses it.
    if (attribute.name !== 'lockAttributes') report('LG1026', span, finding);
    else {
      const text = `lockAttributes contains unknown attribute '${name}'`;
      report('LG1024', span, { ...finding, iis: { status, text } });
    }
  }
}

/** Every element that may stand in one of this schema, in the order in which messages list them. */
export function elementNames({ collection, elements }: ElementSchema): readonly string[] {
  return [
    ...Object.keys(collection?.add ?? {}),
    ...(collection?.remove === true ? ['remove'] : []),
    ...(collection?.clear === true ? ['clear'] : []),
    ...Object.keys(elements ?? {}),
  ];
}
