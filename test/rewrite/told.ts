/** Rules as XML in short, and what the checks say of them: codes with the text that they point at. */
import { join } from 'node:path';
import type { Code, Diagnostic } from '../../src/config/diagnostic.ts';
import { loadFile } from '../../src/config/load-config.ts';
import { checkLoaded } from '../../src/service/check-config.ts';
import { writeFiles } from '../config/written.ts';

export const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

export interface RuleXml {
  readonly name?: string;
  readonly url?: string;
  readonly stop?: boolean;
  readonly enabled?: boolean;
  readonly syntax?: string;
  /** Input, pattern, more attributes. */
  readonly when?: readonly (readonly [input: string, pattern: string, more?: string])[];
  readonly any?: boolean;
  readonly set?: readonly (readonly [name: string, value: string])[];
  /** A Rewrite; other actions as attributes. */
  readonly to?: string;
  readonly action?: string;
}

/** Sends everything to a server, unless said otherwise. */
export function ruleXml(from: RuleXml): string {
  const { name = 'r', url = '(.*)', stop = true, enabled = true, syntax, when = [], any, set = [], to, action } = from;
  const conditions = when.map(
    ([input, pattern, more = '']) => `<add input="${escaped(input)}" pattern="${escaped(pattern)}" ${more} />`,
  );
  const variables = set.map(([variable, value]) => `<set name="${variable}" value="${escaped(value)}" />`);
  return `<rule name="${name}" stopProcessing="${stop}" enabled="${enabled}"${syntax ? ` patternSyntax="${syntax}"` : ''}>
    <match url="${escaped(url)}" />
    <conditions logicalGrouping="${any ? 'MatchAny' : 'MatchAll'}">${conditions.join('')}</conditions>
    <serverVariables>${variables.join('')}</serverVariables>
    <action ${action ?? `type="Rewrite" url="${escaped(to ?? 'http://app01/a')}"`} />
  </rule>`;
}

/** Beside the rules of a site. */
export const rulesXml = (rules: readonly RuleXml[], more = '') =>
  `<rewrite>${more}<rules useOriginalURLEncoding="false">${rules.map((each, index) => ruleXml({ name: `r${index}`, ...each })).join('')}</rules></rewrite>`;

export interface Found {
  readonly diagnostic: Diagnostic;
  readonly text: string;
}

export function findings(xml: string, only: RegExp): Found[] {
  const { diagnostics, sources } = checkLoaded(loadFile(join(writeFiles({ f: xml }), 'f')));
  return diagnostics
    .filter(({ code }) => only.test(code))
    .map((diagnostic) => {
      const { file, start, end } = diagnostic.span;
      return { diagnostic, text: sources.get(file)?.slice(start, end) ?? '' };
    });
}

/** What one code points at. */
export function told(code: Code, xml: string): string[] {
  return findings(xml, new RegExp(code)).map(({ text }) => text);
}
