/** What can be wrong with an expression with `{…}`. */

import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { RewriteMapConfig, RuleSetConfig } from '../config/rewrite-model.ts';
import type { Text } from '../config/text.ts';
import { didYouMean } from '../nearest.ts';
import {
  bracesMeant,
  callMeant,
  isSchemeName,
  type Meant,
  meantInText,
  type Use,
  variableMeant,
} from './meant-variable.ts';
import {
  type Emptiness,
  isKnownVariable,
  isResponseStatus,
  responseHeaderOfVariable,
  whyEmpty,
} from './server-variables.ts';
import { functionNames, isFunction, type Part, readTemplate } from './template.ts';
import { headerVariableMeant } from './usual-headers.ts';

export interface TemplateSurroundings {
  readonly ruleSet: RuleSetConfig;
  /** How many groups `{R:n}` has; undefined where the pattern cannot be read. */
  readonly ruleGroups: number | undefined;
  /** How many groups `{C:n}` can have; -1 where no condition comes before. */
  readonly conditionGroups: number | undefined;
  /** Variables that some rule sets, upper case. */
  readonly setSomewhere: ReadonlySet<string>;
  /** What the text is for: words for people, and the paths of files, are not looked into. */
  readonly use: Use | 'words' | 'file';
  /** Whether a text in place of this one would bring the query string, which `appendQueryString` adds once more. */
  readonly doublesQuery?: (text: string) => boolean;
  /** What becomes of a condition whose input is empty. */
  readonly whenEmpty?: 'always holds' | 'never holds' | undefined;
  /** In an outbound rule there is an answer to look at, and a fault is 500.52. */
  readonly outbound?: true;
}

export function checkTemplate(text: Text, surroundings: TemplateSurroundings, report: Report): void {
  const syntax = readTemplate(text.value);
  for (const at of syntax.unclosed) {
    report('LG2210', spanWithin(text, at, at + 1), {
      message: `Nothing closes the "{" in "${text.value}"; a request that comes to this rule is answered with ${statusOf(surroundings)}, and IIS may refuse the file.`,
      advice: cureFor(bracesMeant(text.value, at)) ?? 'Add the "}", or write {UrlDecode:%7B} for a brace.',
    });
  }
  checkMeant(text, syntax.parts, surroundings, report);
  for (const part of syntax.parts) checkPart(part, text, surroundings, report);
}

/** Keys and values of rewrite maps, which nothing is put into. */
export function checkMapTexts(maps: readonly RewriteMapConfig[], report: Report): void {
  for (const { name, entries } of maps) {
    for (const { key, value } of entries) {
      const found = EXPRESSION.exec(key.value) ?? EXPRESSION.exec(value);
      const variable = found?.[1];
      if (!found || (variable !== undefined && !isKnownVariable(variable))) continue;
      report('LG2249', key.span, {
        subject: name.value,
        message: `"${found[0]}" is taken as it stands in rewrite map "${name.value}": nothing is put into its keys and values.`,
        advice: `Write it beside the map, in the rule: {${name.value}:{URL}}${found[0]}.`,
      });
    }
  }
}

const EXPRESSION = /\{(?:[RC]:\d+|(\w+))\}/i;

function checkMeant(text: Text, parts: readonly Part[], surroundings: TemplateSurroundings, report: Report): void {
  const { use, ruleGroups, conditionGroups } = surroundings;
  if (use === 'words' || use === 'file') return;
  const meant = meantInText(parts, use).filter(({ cure }) => {
    const [, letter, index] = /^\{([RC]):(\d+)\}$/.exec(cure ?? '') ?? [];
    const groups = (letter === 'C' ? conditionGroups : ruleGroups) ?? Number.POSITIVE_INFINITY;
    // A sum of dollars is no group that the pattern does not have.
    return !(Number(index) > Math.max(1, groups));
  });
  for (const some of isOneCure(meant) ? [meant] : meant.map((each) => [each])) {
    const [first, last] = [some[0], some.at(-1)];
    if (!first || !last) continue;
    const names = some.map(({ from, to }) => `"${text.value.slice(from, to)}"`).join(' and ');
    report('LG2249', spanWithin(text, first.from, last.to), {
      message: `${names} ${some.length === 1 ? 'is' : 'are'} ${use === 'input' ? 'compared' : 'taken'} as ${some.length === 1 ? 'it stands' : 'they stand'}: variables and back-references have braces of their own on IIS.`,
      advice: meantCure(text.value, some, surroundings),
    });
  }
}

/** Of several in one text the whole text is the cure: one alone would leave the others. */
function isOneCure(meant: readonly Meant[]): boolean {
  return meant.length > 1 && meant.every(({ cure }) => cure !== undefined);
}

function meantCure(text: string, meant: readonly Meant[], { use, doublesQuery }: TemplateSurroundings): string {
  const [{ from, to, cure } = { from: 0, to: 0, cure: undefined }] = meant;
  if (cure === undefined) {
    return isSchemeName(text.slice(from, to))
      ? schemeCure(use)
      : 'IIS has no variable for this: leave it out, and write a scheme as http or https.';
  }
  const mended = meant.reduceRight(
    (whole, each) => `${whole.slice(0, each.from)}${each.cure ?? ''}${whole.slice(each.to)}`,
    text,
  );
  // To be copied into the file.
  const written = meant.length === 1 ? cure : `"${mended.replaceAll('&', '&amp;')}"`;
  return `Write ${written}${doublesQuery?.(mended) ? ' and set appendQueryString="false"' : ''}.`;
}

/** IIS has no variable of the scheme, but two from which it can be told. */
function schemeCure(use: TemplateSurroundings['use']): string {
  return use === 'input'
    ? 'IIS has no variable of the scheme: compare {HTTPS}, which is "on" or "off".'
    : 'IIS has no variable of the scheme: make input="{CACHE_URL}" pattern="^(https?)://" the last condition and write {C:1}, or ask a rewrite map for {HTTPS}, which is "on" or "off".';
}

function cureFor(meant: string | undefined): string | undefined {
  return meant === undefined ? undefined : `Write ${meant}.`;
}

const WHY_EMPTY: Readonly<Record<Emptiness, readonly [why: string, advice: string]>> = {
  login: [
    'rules run before any login, and Lychgate logs nobody in',
    'Leave the login to the server; a Windows login passes through to it.',
  ],
  application: ['there are neither applications nor files', 'Decide by the path, {URL}.'],
  certificate: [
    'rules do not see certificates',
    'The server gets the certificate of a client in the header X-ARR-ClientCert.',
  ],
  'not made': ['Lychgate does not make it', 'Use the variable of a single header, such as {HTTP_USER_AGENT}.'],
};

function statusOf({ outbound }: TemplateSurroundings): string {
  return outbound ? '500.52' : '500.50';
}

function isKnown(name: string, { setSomewhere, outbound }: TemplateSurroundings): boolean {
  if (outbound && (isResponseStatus(name) || responseHeaderOfVariable(name) !== undefined)) return true;
  return isKnownVariable(name) || setSomewhere.has(name.toUpperCase());
}

function checkPart(part: Part, text: Text, surroundings: TemplateSurroundings, report: Report): void {
  if (part.kind === 'rule' || part.kind === 'condition') checkReference(part, text, surroundings, report);
  if (part.kind === 'variable' && !isKnown(part.name, surroundings)) {
    report('LG2215', spanWithin(text, part.from, part.to), {
      subject: part.name.toUpperCase(),
      message: `No server variable is called "${part.name}" and no rule sets it, so it is always empty.`,
      advice: isSchemeName(part.name)
        ? schemeCure(surroundings.use)
        : (cureFor(variableMeant(part.name)) ?? 'Correct the name; a request header X-Foo is {HTTP_X_FOO}.'),
    });
  }
  if (part.kind === 'variable') checkEmpty(part, text, surroundings, report);
  if (part.kind === 'variable') checkHeader(part, text, surroundings, report);
  if (part.kind !== 'call') return;
  checkCall(part, text, surroundings, report);
  for (const inner of part.argument) checkPart(inner, text, surroundings, report);
}

function checkEmpty(
  part: Part & { kind: 'variable' },
  text: Text,
  { setSomewhere, use, whenEmpty }: TemplateSurroundings,
  report: Report,
): void {
  const empty = whyEmpty(part.name);
  const name = part.name.toUpperCase();
  if (empty === undefined || use === 'file' || setSomewhere.has(name)) return;
  const [why, advice] = WHY_EMPTY[empty];
  const whole = part.from === 0 && part.to === text.value.length;
  // Whoever takes the whole line away lets in what a client sends under that name.
  const guard =
    whole && use === 'value' ? ' Keep the header with value="": else clients could send one of their own.' : '';
  const effect = whole && whenEmpty ? `, so this condition ${whenEmpty}` : '';
  report('LG2248', spanWithin(text, part.from, part.to), {
    subject: `${name}${effect}`,
    message: `{${part.name}} is always empty here${effect}: ${why}.`,
    advice: advice + guard,
  });
}

/** Any header may be meant, so only what is nearly a usual one is told. */
function checkHeader(
  { name, from, to }: Part & { kind: 'variable' },
  text: Text,
  { setSomewhere, outbound }: TemplateSurroundings,
  report: Report,
): void {
  const upper = name.toUpperCase();
  const meant = setSomewhere.has(upper) ? undefined : headerVariableMeant(upper, outbound ?? false);
  if (meant === undefined) return;
  report('LG2252', spanWithin(text, from, to), {
    subject: upper,
    message: `{${name}} is the value of a header that is nearly called like a usual one; it is empty where nobody sends that.`,
    advice: `Did you mean {${meant}}? If not, nothing is to be done.`,
  });
}

function checkReference(
  part: Part & { kind: 'rule' | 'condition' },
  text: Text,
  surroundings: TemplateSurroundings,
  report: Report,
): void {
  const { ruleGroups, conditionGroups } = surroundings;
  const groups = part.kind === 'rule' ? ruleGroups : conditionGroups;
  const span = spanWithin(text, part.from, part.to);
  if (groups !== undefined && part.index > groups) {
    const name = part.kind === 'rule' ? 'rule' : 'condition';
    const none = part.kind === 'rule' ? 'no match supplies it' : 'no condition that supplies it comes before';
    report('LG2213', span, {
      message: `The ${name} back reference ${part.index} is not valid: ${groups < 0 ? none : groupsOf(groups)}. It is always empty.`,
      advice: otherReference(part, surroundings) ?? groupCure(part, groups, surroundings),
      ui: true,
    });
  } else if (part.index > 9) {
    report('LG2214', span, {
      message: `Back-references above 9 are not documented; ${part.index} works on IIS up to the registry value MaxBackReferences.`,
      advice: 'Use groups that do not capture, (?:…), for what is not referred to.',
    });
  }
}

/** The same number of the other letter, where that is there. */
function otherReference(
  { kind, index }: Part & { kind: 'rule' | 'condition' },
  { ruleGroups = -1, conditionGroups = -1 }: TemplateSurroundings,
): string | undefined {
  if (kind === 'condition' && conditionGroups < 0 && index <= ruleGroups) {
    return `Write {R:${index}}, which is what the pattern of the rule captures.`;
  }
  if (kind === 'rule' && ruleGroups <= 0 && index <= conditionGroups) {
    return `Write {C:${index}}, which is what a condition captures; or add the group to the pattern.`;
  }
  return undefined;
}

/** What captures is another condition; one that tests sees only what those before it have captured. */
function groupCure(
  { kind, index }: Part & { kind: 'rule' | 'condition' },
  groups: number,
  { use }: TemplateSurroundings,
): string {
  if (groups >= 0) return 'Correct the number or add the group to the pattern.';
  const captures = `a condition that is not negated and whose pattern has the group`;
  if (kind === 'rule') return `Add ${captures}, and write {C:${index}}.`;
  return use === 'value' || use === 'words'
    ? `Add ${captures}.`
    : `Put ${captures} in front of this one, or name a server variable, such as {HTTP_HOST}.`;
}

function groupsOf(count: number): string {
  return count === 1 ? 'there is 1 group' : `there are ${count} groups`;
}

function checkCall(
  part: Part & { kind: 'call' },
  text: Text,
  surroundings: TemplateSurroundings,
  report: Report,
): void {
  const { ruleSet } = surroundings;
  const name = part.name.toLowerCase();
  const maps = ruleSet.rewriteMaps.map((map) => map.name.value);
  const isMap = maps.some((map) => map.toLowerCase() === name);
  if (isFunction(part.name) || isMap || ruleSet.unread?.includes('rewriteMaps')) return;
  const span = spanWithin(text, part.from, part.to);
  if (ruleSet.providers.some((provider) => provider.toLowerCase() === name)) {
    report('LG2212', span, {
      message: `"${part.name}" is a rewrite provider; providers are .NET assemblies that Lychgate cannot run.`,
      advice: 'Replace the provider by a rewrite map or by rules.',
    });
    return;
  }
  report('LG2211', span, {
    message: `"${part.name}" is neither a rewrite map nor a function here; a request that comes to this rule is answered with ${statusOf(surroundings)}.`,
    advice:
      cureFor(callMeant(part)) ??
      `${didYouMean(part.name, [...maps, ...functionNames])}Define the rewrite map, or use ToLower, UrlEncode, UrlDecode or HtmlEncode.`,
  });
}
