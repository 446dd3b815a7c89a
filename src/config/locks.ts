/** Whether levels keep to the locks of those above them. */
import type { Report, Span } from './diagnostic.ts';
import type { SectionNode } from './section-tables.ts';

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
