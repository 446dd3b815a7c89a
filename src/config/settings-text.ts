/** The JSON of settings.json: parsed, checked against its table, and which keys it was not understood at. */
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
  const refused: Span[] = [];
  const noting: Report = (code, span, finding) => {
    refused.push(span);
    // Behind the first fault it is not known what belongs to what.
    if (first === undefined || span.end <= first.offset) report(code, span, finding);
  };
  const root = checkSetting(tree, settingsTable, '', { file, report: noting });
  return { root, misread: first === undefined ? keysAround(refused, tree) : allSettings };
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
