/** Query strings that come out twice: the new URL holds the request's already, and `appendQueryString` adds it. */
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { includes } from './character-set.ts';
import { supplierOf } from './check-conditions.ts';
import { unitsOf } from './regex-cost.ts';
import { type Node, readRegex } from './regex-syntax.ts';
import { holdsQuery } from './server-variables.ts';
import { type Part, readTemplate } from './template.ts';

export function checkQuery(rule: RuleConfig, report: Report): void {
  const { url } = rule.action;
  if (!url) return;
  for (const { from, to } of doubledQueries(url.value, rule)) {
    report('LG2233', spanWithin(url, from, to), {
      message: `${url.value.slice(from, to)} holds the query string, and appendQueryString adds it once more.`,
      advice: 'Set appendQueryString="false".',
    });
  }
}

/** The parts of a new URL of the rule that bring the query of the request, where it is appended as well. */
export function doubledQueries(url: string, rule: RuleConfig): readonly Part[] {
  if (!rule.action.appendQueryString) return [];
  // Inside a function or map the query is an argument, not part of the new URL.
  const { parts } = readTemplate(url);
  return parts.filter((part, index) => {
    const before = parts[index - 1];
    return bringsQuery(part, before?.kind === 'text' ? before.text : '', rule);
  });
}

function bringsQuery(part: Part, before: string, rule: RuleConfig): boolean {
  if (part.kind === 'variable') {
    return holdsQuery(part.name) || (/^QUERY_STRING$/i.test(part.name) && /[?&]$/.test(before));
  }
  if (part.kind !== 'condition') return false;
  const supplier = supplierOf(rule);
  const name = /^\{(\w+)\}$/.exec(supplier?.input?.value ?? '')?.[1];
  return name !== undefined && holdsQuery(name) && reachesEnd(rule, supplier?.pattern?.value ?? '', part.index);
}

const QUESTION_MARK = 0x3f;

/** Whether a group takes all that is left of the input, the query string too. */
function reachesEnd({ patternSyntax }: RuleConfig, pattern: string, index: number): boolean {
  if (patternSyntax === 'ExactMatch') return false;
  if (patternSyntax === 'Wildcard') {
    return pattern.endsWith('*') && (index === 0 || index === pattern.split('*').length - 1);
  }
  const read = readRegex(pattern);
  if ('kind' in read) return false;
  const last = lastOf(read.root);
  if (index > 0) return last?.kind === 'group' && last.index === index && isRest(lastOf(last.body));
  return isRest(last?.kind === 'group' ? lastOf(last.body) : last);
}

/** What stands last, but for a `$`. */
function lastOf(node: Node): Node | undefined {
  if (node.kind !== 'sequence') return node;
  return node.items.findLast((item) => item.kind !== 'assertion' || item.at !== '$');
}

/** `.*`, as many as there are. */
function isRest(node: Node | undefined): boolean {
  if (node?.kind !== 'repeat' || node.max !== Number.POSITIVE_INFINITY || !node.greedy) return false;
  return (
    node.body.kind === 'chars' &&
    includes(unitsOf(node.body, false), QUESTION_MARK) &&
    includes(unitsOf(node.body, false), 0x26)
  );
}
