/** What can be told of the text that a computed part of an expression comes to: that it ends a host, that it is a number. */
import type { PatternSyntax, RuleConfig } from '../config/rewrite-model.ts';
import { DIGIT, includes } from './character-set.ts';
import { supplierOf } from './check-conditions.ts';
import { beginsInput, filledWith, groupBeginnings } from './pattern-shape.ts';
import { beginsWithSlash, isNumeric } from './server-variables.ts';
import { type Part, readTemplate } from './template.ts';

type Capturing = Pick<RuleConfig, 'match' | 'conditions' | 'patternSyntax'>;

/** Whether a host that stands before these parts ends there, whatever they come to: with a path, with a query or with nothing. */
export function endHost(parts: readonly Part[], rule: Capturing): boolean {
  for (const part of parts) {
    if (part.kind === 'text' || part.kind === 'variable') return surelyEnds(part);
    // One that is empty leaves it to the next.
    if (!endsHost(part, rule)) return false;
  }
  return true;
}

function surelyEnds(part: Part): boolean {
  if (part.kind === 'variable') return beginsWithSlash(part.name);
  return part.kind === 'text' && /^[/?#]/.test(part.text);
}

function endsHost(part: Part, rule: Capturing): boolean {
  if (part.kind === 'call') return /^tolower$/i.test(part.name) && endHost(part.argument, rule);
  const group = groupOfPart(part, rule);
  if (!group) return false;
  const { syntax, pattern, index, input } = group;
  const units = groupBeginnings(syntax, pattern, index);
  if (
    units?.every(([from, to]) => from === to && (from === SLASH || (from === QUESTION_MARK && input !== undefined)))
  ) {
    return true;
  }
  const [first] = readTemplate(input ?? '').parts;
  return first !== undefined && surelyEnds(first) && beginsInput(syntax, pattern, index);
}

const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;

/** Whether it is one digit or more, and nothing else. */
export function isNumber(part: Part, rule: Capturing): boolean {
  if (part.kind === 'text') return /^\d+$/.test(part.text);
  if (part.kind === 'variable') return isNumeric(part.name);
  const group = groupOfPart(part, rule);
  const units = group?.syntax === 'ECMAScript' ? filledWith(group.pattern, group.index) : undefined;
  return units?.every(([from, to]) => includes(DIGIT, from) && includes(DIGIT, to)) ?? false;
}

interface PartGroup {
  readonly syntax: PatternSyntax;
  readonly pattern: string;
  readonly index: number;
  /** Of a condition. In a path, which is the input of a rule, a question mark begins no query. */
  readonly input?: string;
}

function groupOfPart(part: Part, rule: Capturing): PartGroup | undefined {
  const { match, patternSyntax: syntax } = rule;
  if (part.kind === 'rule') {
    return match?.url && !match.negate ? { syntax, pattern: match.url.value, index: part.index } : undefined;
  }
  const supplier = part.kind === 'condition' ? supplierOf(rule) : undefined;
  if (part.kind !== 'condition' || !supplier?.pattern) return undefined;
  return { syntax, pattern: supplier.pattern.value, index: part.index, input: supplier.input?.value ?? '' };
}
