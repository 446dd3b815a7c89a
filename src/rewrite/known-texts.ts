/**
 * Every text that an expression can come to, where these are few and all of them stand in the configuration: the values of a
 * rewrite map, the words that a pattern accepts, the scheme of the request. Letter case aside.
 */
import type { ConditionConfig, RuleConfig } from '../config/rewrite-model.ts';
import { supplierOf } from './check-conditions.ts';
import { finiteInputs, wordsOf } from './finite-inputs.ts';
import { compilePattern, isFault } from './pattern.ts';
import { childrenOf, groupOf, type Node, readRegex } from './regex-syntax.ts';
import type { RewriteMaps } from './rewrite-map.ts';
import { valuesOfVariable } from './server-variables.ts';
import { type Part, readTemplate } from './template.ts';

/** More than a map that somebody keeps by hand. */
const MOST_TEXTS = 100_000;

export interface TextSources {
  readonly rule: Pick<RuleConfig, 'match' | 'conditions' | 'patternSyntax'>;
  readonly maps: RewriteMaps;
}

/** Nothing where they are many or cannot be told. */
export function knownTexts(parts: readonly Part[], sources: TextSources): readonly string[] | undefined {
  let texts: readonly string[] = [''];
  for (const part of parts) {
    const own = textsOf(part, sources);
    if (!own || own.length * texts.length > MOST_TEXTS) return undefined;
    texts = texts.flatMap((before) => own.map((text) => before + text));
  }
  return [...new Set(texts)];
}

function textsOf(part: Part, sources: TextSources): readonly string[] | undefined {
  switch (part.kind) {
    case 'text':
      return [part.text];
    case 'variable':
      return valuesOfVariable(part.name);
    case 'rule': {
      const { match, patternSyntax } = sources.rule;
      return match?.url && !match.negate ? groupTexts(patternSyntax, match.url.value, part.index) : undefined;
    }
    case 'condition':
      return conditionTexts(part.index, sources);
    case 'call': {
      const asked = knownTexts(part.argument, sources);
      if (/^tolower$/i.test(part.name)) return asked;
      const map = sources.maps.get(part.name.toLowerCase());
      return asked && map ? asked.map((key) => map.find(key) ?? map.defaultValue) : map?.values;
    }
  }
}

function conditionTexts(index: number, sources: TextSources): readonly string[] | undefined {
  const { patternSyntax } = sources.rule;
  const supplier = supplierOf(sources.rule);
  if (!supplier?.pattern || !supplier.input) return undefined;
  const pattern = supplier.pattern.value;
  const inputs = knownTexts(readTemplate(supplier.input.value).parts, before(supplier, sources));
  if (!inputs) return groupTexts(patternSyntax, pattern, index);
  const compiled = compilePattern(patternSyntax, pattern, true);
  if (isFault(compiled)) return undefined;
  return inputs.flatMap((input) => {
    const found = compiled.match(input);
    return typeof found === 'object' ? [found[index] ?? ''] : [];
  });
}

/** What the input of a condition can refer to: the conditions that come first. */
function before(condition: ConditionConfig, { rule, maps }: TextSources): TextSources {
  const { conditions } = rule;
  if (!conditions) return { rule, maps };
  const entries = conditions.entries.slice(0, conditions.entries.indexOf(condition));
  return { rule: { ...rule, conditions: { ...conditions, entries } }, maps };
}

/** What a group of a pattern can hold; 0 is all that matched. */
function groupTexts(
  syntax: RuleConfig['patternSyntax'],
  pattern: string,
  index: number,
): readonly string[] | undefined {
  if (index === 0) return finiteInputs(syntax, pattern);
  const read = syntax === 'ECMAScript' ? readRegex(pattern) : undefined;
  if (!read || 'kind' in read) return undefined;
  const group = groupOf(read.root, index);
  const words = group && wordsOf(group);
  return words && (takesPart(read.root, index) ? words : [...words, '']);
}

/** Whether a match always goes through the group. */
function takesPart(node: Node, index: number): boolean {
  if (node.kind === 'group' && node.index === index) return true;
  if (node.kind === 'choice' || node.kind === 'lookAhead' || (node.kind === 'repeat' && node.min === 0)) return false;
  return childrenOf(node).some((child) => takesPart(child, index));
}
