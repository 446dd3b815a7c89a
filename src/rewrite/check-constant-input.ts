/** Conditions whose input is the same for every request: they hold always or never. */
import type { Report } from '../config/diagnostic.ts';
import type { ConditionConfig, PatternSyntax } from '../config/rewrite-model.ts';
import { meantInText } from './meant-variable.ts';
import { compilePattern, isFault } from './pattern.ts';
import { isNamedVariable } from './server-variables.ts';
import { readTemplate } from './template.ts';

/** @param captured `{C:n}` stands in the rule: one that always holds may be there for what it captures */
export function checkConstantInput(
  { input, pattern, matchType, ignoreCase, negate, faulty }: ConditionConfig,
  { syntax, captured }: { readonly syntax: PatternSyntax; readonly captured: boolean },
  report: Report,
): void {
  if (matchType !== 'Pattern' || !input || !pattern || faulty) return;
  const { parts, unclosed } = readTemplate(input.value);
  const constant = unclosed.length === 0 && parts.every(({ kind }) => kind === 'text');
  if (!constant || meantInText(parts, 'input').length > 0) return;
  const compiled = compilePattern(syntax, pattern.value, ignoreCase);
  const found = isFault(compiled) ? undefined : compiled.match(input.value);
  if (isFault(compiled) || typeof found === 'symbol') return;
  const holds = (found !== undefined) !== negate;
  if (holds && captured && compiled.groups > 0) return;
  const name = input.value.toUpperCase().replace(/^\W+|\W+$/g, '');
  const variable = isNamedVariable(name) ? name : undefined;
  const what = input.value === '' ? 'The input is empty' : `"${input.value}" holds no variable`;
  report('LG2250', input.span, {
    message: `${what}, so this condition ${holds ? 'always' : 'never'} holds.`,
    advice: `Write ${variable === undefined ? 'the variable that is to be compared, in braces, such as {HTTP_HOST}' : `{${variable}}`}; or remove the condition.`,
  });
}
