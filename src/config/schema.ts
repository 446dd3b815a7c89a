/** Reads one section by its table: unknown names, required attributes, types, ranges and keys, in IIS's own words. */

import type { Span } from './diagnostic.ts';
import { isLockAttribute, readLocks } from './lock-attributes.ts';
import { type AttributeSchema, type AttributeValue, parseValue } from './schema-values.ts';
import type { CollectionSchema, ElementSchema, Entry, SectionContext, SectionNode } from './section-tables.ts';
import type { Text } from './text.ts';
import { reportText, reportUnknownAttribute, reportUnknownElement } from './unknown-names.ts';
import type { XmlAttribute, XmlElement } from './xml.ts';

const NO_VALUES = new Map<string, { value: AttributeValue; text: Text }>();
const NO_ELEMENTS = new Map<string, SectionNode>();
const NO_ENTRIES: Entry[] = [];

/** Reads an element and everything in it. */
export function readElement(element: XmlElement, schema: ElementSchema, context: SectionContext): SectionNode {
  // What is never filled is shared: there may be millions of elements.
  const values = element.attributes.length === 0 ? NO_VALUES : new Map<string, { value: AttributeValue; text: Text }>();
  const elements = element.children.length === 0 ? NO_ELEMENTS : new Map<string, SectionNode>();
  const entries: Entry[] = element.children.length === 0 ? NO_ENTRIES : [];
  const faults: Faults = {};
  if (schema.open !== true) {
    readAttributes(element, schema, context, { values, faults });
    readChildren(element, schema, context, { elements, entries, faults });
    reportText(element, context);
  }
  const { name, tagSpan: span, nameSpan } = element;
  const locks = readLocks(element, schema.open === true ? undefined : schema, context);
  return {
    ...{ schema, name, span, nameSpan, values, elements, entries },
    ...(locks === undefined ? {} : { locks }),
    ...faults,
  };
}

/** What was refused in an element. */
interface Faults {
  faulty?: true;
  refused?: Set<string>;
}

/** @param name of an attribute or element, where it can be told which was meant */
function note(faults: Faults, name: string | undefined): void {
  faults.faulty = true;
  if (name === undefined) return;
  faults.refused ??= new Set();
  faults.refused.add(name);
}

/** Whether something was refused in the element or anywhere inside it. */
export function holdsFault({ faulty, elements, entries }: SectionNode): boolean {
  return faulty === true || [...elements.values(), ...entries.map(({ node }) => node)].some(holdsFault);
}

function readAttributes(
  element: XmlElement,
  schema: ElementSchema,
  context: SectionContext,
  into: { readonly values: Map<string, { value: AttributeValue; text: Text }>; readonly faults: Faults },
): void {
  const known = schema.attributes ?? {};
  for (const attribute of element.attributes) {
    const definition = own(known, attribute.name);
    if (definition !== undefined) {
      const value = readValue(attribute, definition, context);
      if (value !== undefined) into.values.set(attribute.name, { value, text: attribute.value });
      else note(into.faults, attribute.name);
    } else if (!isLockAttribute(attribute.name) && !/^(xdt:|xmlns(:|$))/.test(attribute.name)) {
      reportUnknownAttribute(attribute, element, schema, context);
      note(into.faults, context.nearestKey(known, attribute.name));
    }
  }
  for (const [name, definition] of Object.entries(known)) {
    // One that was refused stands there, in another spelling.
    if (definition.required !== true || into.faults.refused?.has(name) === true) continue;
    if (element.attributes.some((attribute) => attribute.name === name)) continue;
    note(into.faults, name);
    context.report(context.codes.missing, element.nameSpan, {
      message: `<${element.name}> has no attribute ${name}.`,
      advice: `Add ${name}="…" to <${element.name}>.`,
      iis: { status: context.status, text: `Missing required attribute '${name}'` },
    });
  }
}

function readValue(
  attribute: XmlAttribute,
  definition: AttributeSchema,
  context: SectionContext,
): AttributeValue | undefined {
  const { value } = attribute.value;
  const parsed = parseValue(value, definition);
  if (parsed.fault !== undefined) {
    context.report(context.codes.value, valueSpan(attribute), {
      message: `${attribute.name}="${value}" is not valid: ${parsed.fault.reason}.`,
      advice: parsed.fault.advice,
      iis: {
        status: context.status,
        text: `The '${attribute.name}' attribute is invalid.  ${parsed.fault.iis}`.trimEnd(),
      },
    });
    return undefined;
  }
  if (parsed.doubt !== undefined) {
    context.report(context.codes.doubtful, valueSpan(attribute), {
      message: `IIS may refuse ${attribute.name}="${value}".`,
      advice: parsed.doubt,
    });
  }
  return parsed.value;
}

/** An empty value has no width: the attribute is shown instead. */
function valueSpan(attribute: XmlAttribute): Span {
  const { span } = attribute.value;
  return span.start === span.end ? attribute.span : span;
}

interface Children {
  readonly elements: Map<string, SectionNode>;
  readonly entries: Entry[];
  readonly faults: Faults;
}

function readChildren(
  element: XmlElement,
  schema: ElementSchema,
  context: SectionContext,
  { elements, entries, faults }: Children,
): void {
  for (const child of element.children) {
    const entry = readEntry(child, schema.collection, context);
    if (entry !== undefined) {
      entries.push(entry);
      continue;
    }
    const definition = own(schema.elements, child.name);
    if (definition === undefined) {
      reportUnknownElement(child, element, schema, context);
      note(faults, context.nearestKey(schema.elements, child.name));
    } else if (elements.has(child.name)) {
      context.report(context.codes.repeated, child.nameSpan, {
        message: `<${child.name}> stands twice in <${element.name}>.`,
        advice: 'Join the two into one element.',
      });
      note(faults, child.name);
    } else {
      elements.set(child.name, checkKeys(readElement(child, definition, context), context));
    }
  }
}

/** Collections inside a section never merge with another level, so their keys are checked on the spot. */
function checkKeys(node: SectionNode, context: SectionContext): SectionNode {
  if (node.entries.length > 0) mergeEntries([node.entries], node.schema.collection, context);
  return node;
}

function readEntry(
  child: XmlElement,
  collection: CollectionSchema | undefined,
  context: SectionContext,
): Entry | undefined {
  if (collection === undefined) return undefined;
  const added = own(collection.add, child.name);
  if (added !== undefined) {
    const node = checkKeys(readElement(child, added, context), context);
    const key = hasWholeKey(child, node, collection) ? keyOf(node, collection) : undefined;
    return { kind: 'add', node, ...(key === undefined ? {} : { key }) };
  }
  if (child.name === 'clear' && collection.clear === true)
    return { kind: 'clear', node: readElement(child, {}, context) };
  if (child.name === 'remove' && collection.remove === true) {
    const node = readElement(child, removeSchema(collection), context);
    const key = keyOf(node, collection);
    return { kind: 'remove', node, ...(key === undefined ? {} : { key }) };
  }
  return undefined;
}

const removeSchemas = new WeakMap<CollectionSchema, ElementSchema>();

/** `<remove>` takes the key attributes and nothing else. */
function removeSchema(collection: CollectionSchema): ElementSchema {
  const known = removeSchemas.get(collection);
  if (known !== undefined) return known;
  const names = collection.key ?? [];
  const attributes: Record<string, AttributeSchema> = {};
  for (const name of names) attributes[name] = { type: 'string', required: true };
  const schema = { attributes };
  removeSchemas.set(collection, schema);
  return schema;
}

/** A key with a faulty or missing part is reported already, and must not look like that of another entry. */
function hasWholeKey(element: XmlElement, node: SectionNode, { key = [] }: CollectionSchema): boolean {
  return key.every(
    (name) =>
      node.values.has(name) ||
      (node.schema.attributes?.[name]?.required !== true &&
        !element.attributes.some((attribute) => attribute.name === name)),
  );
}

function keyOf(node: SectionNode, { key, caseSensitive }: CollectionSchema): string | undefined {
  if (key === undefined) return undefined;
  const parts = key.map((name) => node.values.get(name)?.value ?? node.schema.attributes?.[name]?.default);
  if (key.length === 1 && parts[0] === undefined) return undefined;
  const joined = parts.map((part) => String(part ?? '')).join('\0');
  return caseSensitive === true ? joined : joined.toLowerCase();
}

/** Applies clear, remove and add of each level, the outermost first, and reports entries with equal keys. */
export function mergeEntries(
  levels: readonly (readonly Entry[])[],
  collection: CollectionSchema | undefined,
  context: SectionContext,
): readonly Entry[] {
  let merged = new Map<string | Entry, Entry>();
  for (const entry of levels.flat()) {
    if (entry.kind === 'clear') merged = new Map();
    else if (entry.kind === 'remove') merged.delete(entry.key ?? '');
    else if (entry.key !== undefined && merged.has(entry.key)) {
      reportDuplicate(entry.node, merged.get(entry.key)?.node, collection?.key ?? [], context);
    } else merged.set(entry.key ?? entry, entry);
  }
  return [...merged.values()];
}

function reportDuplicate(
  node: SectionNode,
  first: SectionNode | undefined,
  key: readonly string[],
  { report, codes, status }: SectionContext,
): void {
  const values = key.map((name) => String(effectiveValue(node, name) ?? '')).join(', ');
  const type = `Cannot add duplicate collection entry of type '${node.name}' with`;
  const text =
    key.length === 1
      ? `${type} unique key attribute '${key[0]}' set to '${values}'`
      : `${type} combined key attributes '${key.join(', ')}' respectively set to '${values}'`;
  const sameFile = first?.span.file === node.span.file;
  const shown = node.values.get(key[0] ?? '')?.text.span;
  report(codes.duplicate, shown === undefined || shown.start === shown.end ? node.nameSpan : shown, {
    message: `A <${node.name}> with ${key.join(', ')} "${values}" exists already${sameFile ? '' : ` in ${first?.span.file}`}.`,
    advice: sameFile
      ? 'Remove one of them, or give it another name.'
      : `Put <remove ${key[0]}="${values}" /> or <clear /> before it, or give it another name.`,
    iis: { status, text },
    ...(first === undefined ? {} : { related: { span: first.nameSpan, message: 'the first one' } }),
  });
}

function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The value of an attribute, or its default. */
function effectiveValue(node: SectionNode | undefined, name: string): AttributeValue | undefined {
  return node?.values.get(name)?.value ?? node?.schema.attributes?.[name]?.default;
}

export function boolOf(node: SectionNode, name: string): boolean {
  return effectiveValue(node, name) === true;
}

export function numberOf(node: SectionNode, name: string): number {
  const value = effectiveValue(node, name);
  return typeof value === 'number' ? value : 0;
}

export function stringOf(node: SectionNode, name: string): string {
  const value = effectiveValue(node, name);
  return typeof value === 'string' ? value : '';
}

/** The value of an enum attribute; the table vouches for `Name`. */
export function enumOf<Name extends string>(node: SectionNode, name: string): Name {
  return stringOf(node, name) as Name;
}

/** The text of an attribute as written, or nothing where it is absent or faulty. */
export function textOf(node: SectionNode, name: string): Text | undefined {
  return node.values.get(name)?.text;
}

/** The child element, read as empty where it is absent so that its defaults apply. */
export function childOf(node: SectionNode, name: string): SectionNode {
  const child = node.elements.get(name);
  if (child !== undefined) return child;
  const schema = own(node.schema.elements, name) ?? {};
  return {
    schema,
    name,
    span: node.span,
    nameSpan: node.nameSpan,
    values: new Map(),
    elements: new Map(),
    entries: [],
  };
}

/** The entries of a collection that lives inside one section. */
export function entriesOf(node: SectionNode | undefined): readonly SectionNode[] {
  const kept = new Map<string | Entry, SectionNode>();
  for (const entry of node?.entries ?? []) {
    if (entry.kind === 'clear') kept.clear();
    else if (entry.kind === 'remove') kept.delete(entry.key ?? '');
    else if (!kept.has(entry.key ?? entry)) kept.set(entry.key ?? entry, entry.node);
  }
  return [...kept.values()];
}
