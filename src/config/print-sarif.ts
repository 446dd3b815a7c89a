/** Diagnostics as SARIF 2.1.0, the format that code-scanning services and editors read. */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CATALOGUE, type Code, type Diagnostic, type Span } from './diagnostic.ts';
import { type Place, placesIn, type Sources, wholeMessage } from './print-diagnostic.ts';
import { shortPath } from './short-path.ts';

const codes = Object.keys(CATALOGUE) as Code[];

/** The whole log: one run, with every code as a rule. */
export function printSarif(diagnostics: readonly Diagnostic[], sources: Sources): string {
  const placeOf = placesIn(sources);
  const results = diagnostics.map((diagnostic) => resultOf(diagnostic, placeOf));
  const driver = { name: 'Lychgate', rules: codes.map(ruleOf) };
  return JSON.stringify({
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }],
  });
}

function ruleOf(code: Code): object {
  const [level, title] = CATALOGUE[code];
  const more = `docs/diagnostics.md explains ${code} with an example and the cure.`;
  return {
    id: code,
    shortDescription: { text: title },
    help: { text: `${title[0]?.toUpperCase()}${title.slice(1)}. ${more}` },
    defaultConfiguration: { level },
  };
}

function resultOf(diagnostic: Diagnostic, placeOf: (span: Span) => Place): object {
  const { code, severity, span, related, more } = diagnostic;
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: severity,
    message: { text: wholeMessage(diagnostic) },
    ...(more === undefined ? {} : { occurrenceCount: more }),
    locations: [{ physicalLocation: physicalLocation(span, placeOf) }],
    ...(related === undefined
      ? {}
      : {
          relatedLocations: [
            { id: 1, message: { text: related.message }, physicalLocation: physicalLocation(related.span, placeOf) },
          ],
        }),
  };
}

function physicalLocation(span: Span, placeOf: (span: Span) => Place): object {
  const { line, column, endLine, endColumn } = placeOf(span);
  return {
    artifactLocation: artifactLocation(span.file),
    region: { startLine: line, startColumn: column, endLine, endColumn },
  };
}

function artifactLocation(file: string): object {
  const path = shortPath(file);
  if (isAbsolute(path)) return { uri: pathToFileURL(path).href };
  return { uri: path.split('/').map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' };
}
