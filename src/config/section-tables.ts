/** What a table says of a section, and what is read by it. Types only: the tables are in the *-section.ts files. */
import type { NearestKey } from '../nearest.ts';
import type { Code, Report, Span } from './diagnostic.ts';
import type { AttributeSchema, AttributeValue } from './schema-values.ts';
import type { Text } from './text.ts';

export interface CollectionSchema {
  /** Elements that add an entry, by name. */
  readonly add: Readonly<Record<string, ElementSchema>>;
  readonly remove?: true;
  readonly clear?: true;
  /** The unique key, or the parts of a combined one; without it duplicates are fine. */
  readonly key?: readonly string[];
  readonly caseSensitive?: true;
}

export interface ElementSchema {
  readonly attributes?: Readonly<Record<string, AttributeSchema>>;
  readonly elements?: Readonly<Record<string, ElementSchema>>;
  readonly collection?: CollectionSchema;
  /** Its content has no effect here and is not looked at. */
  readonly open?: true;
  /** Cures for names that people write here although they do not belong here. */
  readonly hints?: Readonly<Record<string, string>>;
}

/** One set of codes for each family of sections, so that a code says where the fault stands. */
export interface SectionCodes {
  readonly unknownAttribute: Code;
  readonly unknownElement: Code;
  readonly missing: Code;
  readonly value: Code;
  readonly duplicate: Code;
  readonly repeated: Code;
  readonly doubtful: Code;
}

export interface SectionContext {
  readonly report: Report;
  readonly codes: SectionCodes;
  /** The status with which IIS answers while the section is faulty. */
  readonly status: string;
  readonly nearestKey: NearestKey;
}

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

export interface SectionNode {
  readonly schema: ElementSchema;
  readonly name: string;
  /** The start tag. */
  readonly span: Span;
  readonly nameSpan: Span;
  readonly values: ReadonlyMap<string, { readonly value: AttributeValue; readonly text: Text }>;
  readonly elements: ReadonlyMap<string, SectionNode>;
  readonly entries: readonly Entry[];
  readonly locks?: Locks;
  /** Something of the element itself was refused: an attribute, its value, or an element in it. */
  readonly faulty?: true;
  /** Attributes and elements that stand there with a value or a name that was refused. */
  readonly refused?: ReadonlySet<string>;
}

export interface Entry {
  readonly kind: 'add' | 'remove' | 'clear';
  readonly node: SectionNode;
  /** What two entries must not share; absent where a part of it is missing. */
  readonly key?: string;
}
