/** Carries the locks of every section over its levels: sections read by a table, and those that nothing here reads. */
import type { Report } from './diagnostic.ts';
import { isLockAttribute, readLocks } from './lock-attributes.ts';
import { checkLocks } from './locks.ts';
import { contains, type Place, rankOf } from './section-permission.ts';
import type { Entry, SectionNode } from './section-tables.ts';
import type { Text } from './text.ts';
import type { XmlElement } from './xml.ts';

/** What one section says at one level. */
export interface LevelNode extends Place {
  readonly section: string;
  readonly node: SectionNode;
  /** False where child applications do not inherit it; whether its locks reach them is not known, so they do not. */
  readonly inherits: boolean;
}

/** An element without a table: `add`, `remove` and `clear` are entries, as is what locks itself; the rest are parts. */
export function looseNode(element: XmlElement): SectionNode {
  const values = new Map<string, { value: string; text: Text }>();
  for (const { name, value } of element.attributes) {
    if (!isLockAttribute(name)) values.set(name, { value: value.value, text: value });
  }
  const elements = new Map<string, SectionNode>();
  const entries: Entry[] = [];
  for (const child of element.children) {
    const node = looseNode(child);
    const kind = child.name === 'remove' || child.name === 'clear' ? child.name : 'add';
    if (kind !== 'add' || child.name === 'add' || node.locks?.item !== undefined)
      entries.push({ kind, node, key: keyOf(child) });
    else if (!elements.has(child.name)) elements.set(child.name, node);
  }
  const locks = readLocks(element, undefined, undefined);
  const { name, tagSpan: span, nameSpan } = element;
  return { schema: {}, name, span, nameSpan, values, elements, entries, ...(locks === undefined ? {} : { locks }) };
}

function keyOf({ attributes }: XmlElement): string {
  const key = attributes.find(({ name }) => name === 'name') ?? attributes.find(({ name }) => !isLockAttribute(name));
  return key?.value.value.toLowerCase() ?? '';
}

/** Reports every level that changes what a level above it has locked. */
export function checkLevelLocks(levels: readonly LevelNode[], report: Report): void {
  const bySection = new Map<string, LevelNode[]>();
  for (const level of levels.toSorted((one, other) => rankOf(one) - rankOf(other))) {
    const group = bySection.get(level.section) ?? [];
    bySection.set(level.section, group);
    group.push(level);
  }
  for (const group of bySection.values()) {
    if (!group.some(({ node }) => hasLocks(node))) continue;
    for (const [index, level] of group.entries()) {
      const above = group.slice(0, index).filter((one) => one.inherits && contains(one, level));
      if (above.length > 0)
        checkLocks(
          [...above, level].map(({ node }) => node),
          report,
        );
    }
  }
}

function hasLocks(node: SectionNode): boolean {
  return (
    node.locks !== undefined || [...node.elements.values(), ...node.entries.map((entry) => entry.node)].some(hasLocks)
  );
}
