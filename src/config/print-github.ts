/** Diagnostics as workflow commands of GitHub Actions, which shows them at their lines. */
import type { Diagnostic } from './diagnostic.ts';
import { placesIn, type Sources, wholeMessage } from './print-diagnostic.ts';
import { shortPath } from './short-path.ts';

/** One line for each diagnostic. */
export function printGithub(diagnostics: readonly Diagnostic[], sources: Sources): string {
  const placeOf = placesIn(sources);
  return diagnostics
    .map((diagnostic) => {
      const { line, column, endLine, endColumn } = placeOf(diagnostic.span);
      const properties = {
        file: shortPath(diagnostic.span.file),
        line,
        col: column,
        endLine,
        endColumn,
        title: diagnostic.code,
      };
      const written = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(String(value))}`);
      return `::${diagnostic.severity} ${written.join(',')}::${escapeData(wholeMessage(diagnostic))}\n`;
    })
    .join('');
}

/** A command ends with its line, so line ends are written as percent codes. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
