/** The JSON of settings.json: parsed, checked against its table, and which keys it was not understood at. */
import { basename } from 'node:path';
import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { nearest } from '../nearest.ts';
import type { Report, Span } from './diagnostic.ts';
import { checkSetting, type Setting } from './settings-check.ts';
import { settingsTable } from './settings-table.ts';

/** Every key at the top. */
export const allSettings: ReadonlySet<string> = new Set(Object.keys(settingsTable.keys));

export interface ParsedSettings {
  readonly root: Setting | undefined;
  /** Keys at the top that stand there with something that was refused. */
  readonly misread: ReadonlySet<string>;
}

/** Checks the text against the table of settings; an empty text is fine. */
export function parseSettings(file: string, text: string, report: Report): ParsedSettings {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false, allowEmptyContent: true });
  const [first] = errors;
  if (first !== undefined) reportFault(first, { file, text, report });
  if (tree === undefined) return { root: undefined, misread: first === undefined ? new Set() : allSettings };
  if (first === undefined && isForeign(tree, basename(file))) {
    report('LG6002', { file, start: tree.offset, end: tree.offset + 1 }, FOREIGN);
    return { root: undefined, misread: allSettings };
  }
  const refused: Span[] = [];
  const noting: Report = (code, span, finding) => {
    refused.push(span);
    // Behind the first fault it is not known what belongs to what.
    if (first === undefined || span.end <= first.offset) report(code, span, finding);
  };
  const root = checkSetting(tree, settingsTable, '', { file, report: noting });
  return { root, misread: first === undefined ? keysAround(refused, tree) : allSettings };
}

const FOREIGN = {
  message: 'This is JSON, but not the settings of a service: they have none of its keys.',
  advice: 'Name the settings.json of a service, or its folder.',
};

/** Another JSON file has no key of ours by its right name, and few that are near to one. */
function isForeign({ type, children = [] }: Node, name: string): boolean {
  if (type !== 'object' || name.toLowerCase() === 'settings.json') return false;
  const keys = children.map(({ children: [key] = [] }) => String(key?.value)).filter((key) => key !== '$schema');
  const near = keys.filter((key) => nearest(key, [...allSettings]) !== undefined);
  return keys.length > 1 && !keys.some((key) => allSettings.has(key)) && 2 * near.length < keys.length;
}

function reportFault(
  { error, offset, length }: ParseError,
  { file, text, report }: { file: string; text: string; report: Report },
): void {
  const words = printParseErrorCode(error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  const span = { file, start: offset, end: Math.min(text.length, offset + length) };
  report('LG6001', span, {
    message: `The settings are not JSON: ${words}.`,
    advice: 'Correct it; comments and trailing commas are allowed.',
  });
}

/** The keys at the top that hold these places; for one that is not known, the one that was most likely meant. */
function keysAround(places: readonly Span[], tree: Node): ReadonlySet<string> {
  const properties = (tree.children ?? []).flatMap(({ offset, length, children: [name] = [] }) =>
    places.some(({ start }) => start >= offset && start < offset + length) ? String(name?.value) : [],
  );
  return new Set(
    properties.flatMap((name) => (allSettings.has(name) ? name : (nearest(name, [...allSettings]) ?? []))),
  );
}
