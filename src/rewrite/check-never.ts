/** Patterns that match nothing which their input can be. What could match, however unlikely, is not reported. */
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { ConditionConfig, PatternSyntax, RuleConfig } from '../config/rewrite-model.ts';
import type { Text } from '../config/text.ts';
import { includes } from './character-set.ts';
import { compilePattern, isFault } from './pattern.ts';
import { alwaysHolds, beginnings, literal } from './pattern-shape.ts';
import { childrenOf, type Node, readRegex } from './regex-syntax.ts';
import { beginsWithSlash, valuesOfVariable } from './server-variables.ts';

export interface Before {
  /** An absolute Rewrite went on, whose path may have slashes in a row. */
  readonly sentAway: boolean;
  /** Variables that some rule sets, upper case. */
  readonly setSomewhere: ReadonlySet<string>;
}

export function checkNever(rule: RuleConfig, { sentAway, setSomewhere }: Before, report: Report): void {
  const { match, patternSyntax: syntax, conditions } = rule;
  if (match?.url && !match.negate) {
    if (!sentAway) checkPath(match.url, syntax, report);
    checkQuery(match.url, syntax, report);
  }
  for (const condition of conditions?.entries ?? []) {
    const name = /^\{(\w+)\}$/.exec(condition.input?.value ?? '')?.[1];
    if (!name || condition.negate || condition.matchType !== 'Pattern' || setSomewhere.has(name.toUpperCase()))
      continue;
    checkCondition(name, condition, syntax, report);
  }
}

const SLASH = 0x2f;

function checkPath(url: Text, syntax: PatternSyntax, report: Report): void {
  const first = beginnings(syntax, url.value);
  if (first?.length === 1 && first[0]?.[0] === SLASH && first[0][1] === SLASH) {
    const written = /^\^?\\?\//.exec(url.value);
    report('LG2204', spanWithin(url, 0, written ? written[0].length : url.value.length), {
      message: 'The input of a rule has no slash at its start, so this pattern never matches.',
      advice: written
        ? `Leave the slash out: "${url.value.replace(/\\?\//, '')}".`
        : 'Leave the slash at the start out.',
    });
  } else if (alwaysHolds(syntax, url.value, '//')) {
    report('LG2204', url.span, {
      message:
        'The input of a rule is a path, with one slash where several stood in a row: this pattern never matches.',
      advice:
        'Test the host with a condition on {HTTP_HOST} and the scheme with {HTTPS}; the pattern is for the path alone.',
    });
  }
}

/** `index.php?id=1` and `^article\?id=`: a path may hold an encoded question mark, but this is hardly meant. */
function checkQuery(url: Text, syntax: PatternSyntax, report: Report): void {
  const read = syntax === 'ECMAScript' ? readRegex(url.value) : undefined;
  const wanted =
    read && !('kind' in read) ? looksForQuery(read.root) : syntax === 'ExactMatch' && /\?.*=/.test(url.value);
  if (!wanted) return;
  report('LG2206', url.span, {
    message: 'The input of a rule is the path without the query string, which this pattern seems to look for.',
    advice: 'Test the query with a condition on {QUERY_STRING}, and take what it captures as {C:1}.',
  });
}

function looksForQuery(node: Node): boolean {
  if (node.kind !== 'sequence') return childrenOf(node).some(looksForQuery);
  const text = node.items.map(textOf).join('');
  // With a mark that is not escaped only behind what looks like the ending of a file: elsewhere it may be meant.
  return /\?[\w-]+=/.test(text) || /[.\uffff]\w{2,5}\ufffe[\w-]+=/.test(text) || node.items.some(looksForQuery);
}

/** U+FFFE marks a letter that may be left out, as the `p` in `index.php?id=`. */
function textOf(node: Node): string {
  if (node.kind !== 'repeat' || node.min !== 0 || node.max !== 1) return literal(node);
  const letter = literal(node.body);
  return /^\w$/.test(letter) ? `${letter}\ufffe` : '\uffff';
}

function checkCondition(name: string, condition: ConditionConfig, syntax: PatternSyntax, report: Report): void {
  const { pattern, ignoreCase } = condition;
  if (!pattern) return;
  const never = (why: string, advice: string) =>
    report('LG2204', pattern.span, { message: `${why}, so this pattern never matches.`, advice });
  const values = valuesOfVariable(name);
  const compiled = compilePattern(syntax, pattern.value, ignoreCase);
  if (isFault(compiled)) return;
  // Whether IIS has the values in upper or lower case is not settled.
  if (values?.every((value) => !compiled.match(value) && !compiled.match(value.toLowerCase()))) {
    never(`{${name}} is ${values.join(' or ')}`, `Write one of ${values.join(' and ')}.`);
  }
  const first = beginsWithSlash(name) ? beginnings(syntax, pattern.value) : undefined;
  if (first && !includes(first, SLASH)) {
    never(`{${name}} always begins with a slash`, 'Put the slash before it, or leave the ^ out.');
  }
}
