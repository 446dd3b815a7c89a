/**
 * Every text that an expression can come to, where these are few and all of them stand in the configuration: the values of a
 * rewrite map, the words that a pattern accepts, the scheme of the request. Letter case aside.
 */
import type { ConditionConfig, RuleConfig } from '../config/rewrite-model.ts';
import { supplierOf, suppliesGroups } from './check-conditions.ts';
import { finiteInputs, wordsOf } from './finite-inputs.ts';
import { compilePattern, isFault } from './pattern.ts';
import { takesPart } from './pattern-shape.ts';
import { groupOf, readRegex } from './regex-syntax.ts';
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
  const { texts, rest } = knownBegin(parts, sources);
  return rest.length === 0 ? texts : undefined;
}

export interface KnownBegin {
  /** The texts that an expression can begin with, as far as they are known. */
  readonly texts: readonly string[];
  /** The parts from the first one on of which they are not. */
  readonly rest: readonly Part[];
}

/** @param filled whether to leave out what comes out where something computed is empty */
export function knownBegin(parts: readonly Part[], sources: TextSources, filled = false): KnownBegin {
  let texts: readonly string[] = [''];
  for (const [at, part] of parts.entries()) {
    const all = textsOf(part, sources);
    const own = filled && part.kind !== 'text' ? all?.filter((text) => text !== '') : all;
    if (!own || own.length * texts.length > MOST_TEXTS) return { texts, rest: parts.slice(at) };
    texts = [...new Set(texts.flatMap((before) => own.map((text) => before + text)))];
  }
  return { texts, rest: [] };
}

function textsOf(part: Part, sources: TextSources): readonly string[] | undefined {
  switch (part.kind) {
    case 'text':
      return [part.text];
    case 'variable':
      return valuesOfVariable(part.name);
    case 'rule': {
      const { match, patternSyntax } = sources.rule;
      if (!match?.url) return undefined;
      // What does not match captures nothing.
      return match.negate ? [''] : groupTexts(patternSyntax, match.url.value, part.index);
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
  const { conditions } = sources.rule;
  if (!conditions?.entries.some(suppliesGroups)) return [''];
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
  // A group that the pattern has not is empty; each star of a wildcard is one.
  if (syntax !== 'ECMAScript')
    return index < pattern.split(syntax === 'Wildcard' ? '*' : pattern).length ? undefined : [''];
  const read = readRegex(pattern);
  if ('kind' in read) return undefined;
  if (index > read.groups) return [''];
  const group = groupOf(read.root, index);
  const words = group && wordsOf(group);
  return words && (takesPart(read.root, index) ? words : [...words, '']);
}
