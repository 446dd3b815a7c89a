/** Lock attributes: what an element keeps lower levels from changing, and the check that they keep to it. */
import { type Report, type Span, spanWithin } from './diagnostic.ts';
import type { ElementSchema, SectionContext, SectionNode } from './schema.ts';
import type { XmlAttribute, XmlElement } from './xml.ts';

/** `lockElements="a,b"`, `lockAllElementsExcept="a"` or `*`. */
interface NameLock {
  readonly except: boolean;
  readonly names: ReadonlySet<string>;
  readonly span: Span;
}

export interface Locks {
  readonly attributes: readonly NameLock[];
  readonly elements: readonly NameLock[];
  /** Where `lockItem="true"` stands. */
  readonly item?: Span;
}

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

/** Reports what a level changes although one above it has locked it. The outermost level comes first. */
export function checkLocks(levels: readonly SectionNode[], report: Report): void {
  const above: SectionNode[] = [];
  const items = new Map<string, SectionNode>();
  for (const node of levels) {
    if (above.length > 0) checkLevel(node, above, items, report);
    above.push(node);
    for (const entry of node.entries) {
      if (entry.kind === 'add' && entry.key !== undefined && entry.node.locks?.item !== undefined)
        items.set(entry.key, entry.node);
    }
  }
  for (const name of new Set(levels.flatMap((node) => [...node.elements.keys()]))) {
    checkLocks(
      levels.flatMap((node) => node.elements.get(name) ?? []),
      report,
    );
  }
}

function checkLevel(
  node: SectionNode,
  above: readonly SectionNode[],
  items: ReadonlyMap<string, SectionNode>,
  report: Report,
): void {
  const lockOf = (of: 'attributes' | 'elements', name: string) => {
    for (const { locks } of above) {
      const lock = locks?.[of].find((one) => one.names.has('*') || one.names.has(name) !== one.except)?.span;
      if (lock !== undefined || locks?.item !== undefined) return lock ?? locks?.item;
    }
    return undefined;
  };
  for (const [name, { text }] of node.values) {
    const lock = lockOf('attributes', name);
    const { span } = text;
    if (lock !== undefined)
      violation(span.start === span.end ? node.nameSpan : span, `${name} of <${node.name}>`, lock, report);
  }
  for (const child of [...node.elements.values(), ...node.entries.map((entry) => entry.node)]) {
    const lock = lockOf('elements', child.name);
    if (lock !== undefined) violation(child.nameSpan, `<${child.name}> in <${node.name}>`, lock, report);
  }
  for (const { kind, key, node: entry } of node.entries) {
    const locked =
      kind === 'clear' ? items.values().next().value : kind === 'remove' ? items.get(key ?? '') : undefined;
    if (locked?.locks?.item !== undefined) {
      violation(entry.nameSpan, `the <${locked.name}> that this <${kind}> drops`, locked.locks.item, report);
    }
  }
}

function violation(span: Span, what: string, lock: Span, report: Report): void {
  report('LG1023', span, {
    message: `A level above has locked ${what}.`,
    advice: 'Remove it here, or take the lock away there.',
    iis: { status: '500.19', text: 'Lock violation' },
    related: { span: lock, message: 'the lock' },
  });
}
