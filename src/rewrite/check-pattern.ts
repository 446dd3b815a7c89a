/** What can be wrong with the pattern of a rule or condition. */

import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { PatternSyntax } from '../config/rewrite-model.ts';
import type { Text } from '../config/text.ts';
import { createLoopAnalyser, type LoopAnalyser } from './explosive-loops.ts';
import { expressionMeant } from './expression-meant.ts';
import { compilePattern, isFault } from './pattern.ts';
import type { RegexFault } from './regex-fault.ts';
import type { Doubt } from './regex-syntax.ts';

export interface PatternUse {
  readonly text: Text;
  /** Nothing where it was refused: then nothing can be told of the pattern. */
  readonly syntax: PatternSyntax | undefined;
  readonly ignoreCase: boolean;
  /** The rule is switched off. */
  readonly disabled: boolean;
  /** Whether all patterns of the rule could be wildcards: its syntax is that of every one. */
  readonly wildcards?: boolean;
  /** Shared by the patterns of a configuration. */
  readonly loopsOf?: LoopAnalyser;
}

/** Reports on a pattern; gives the number of its groups, or nothing when it cannot be read. */
export function checkPattern(use: PatternUse, report: Report): number | undefined {
  const { text, syntax, ignoreCase, disabled } = use;
  if (syntax === undefined) return undefined;
  const compiled = compilePattern(syntax, text.value, ignoreCase);
  if (isFault(compiled)) {
    const words = compiled.iis && `The expression "${text.value}" contains ${compiled.iis}.`;
    report(disabled ? 'LG2205' : 'LG2200', spanWithin(text, compiled.from, compiled.to), {
      message: `The pattern "${text.value}" contains ${compiled.text}.`,
      advice: adviceFor(text.value, compiled, use.wildcards ?? false),
      ...(words === undefined ? {} : { iis: { status: '500.52', text: words } }),
    });
    return undefined;
  }
  if (disabled) return compiled.groups;
  if (syntax === 'Wildcard') checkWildcard(text, report);
  if (syntax === 'ECMAScript') checkLoops(use, report);
  for (const doubt of compiled.doubts) reportDoubt(doubt, text, report);
  return compiled.groups;
}

function reportDoubt({ kind, from, to }: Doubt, text: Text, report: Report): void {
  const span = spanWithin(text, from, to);
  const part = text.value.slice(from, to);
  switch (kind) {
    case 'lone bracket':
      report('LG2202', span, {
        message: `"${part}" opens nothing here; it is taken as itself, IIS may refuse it.`,
        advice: `Write "\\${part}".`,
      });
      break;
    case 'escaped underscore':
      report('LG2209', span, {
        message: `An underscore needs no escape; "${part}" is taken as "_", IIS may refuse it.`,
        advice: 'Write "_".',
      });
      break;
    case 'hyphen behind a class':
      report('LG2209', span, {
        message: `The hyphen behind "${part.slice(0, -1)}" is taken as itself, since no range begins with a class; IIS may refuse it.`,
        advice: 'Put the hyphen at the end of the brackets, or write "\\-".',
      });
  }
}

function checkLoops({ text, ignoreCase, loopsOf = createLoopAnalyser() }: PatternUse, report: Report): void {
  for (const { from, to } of loopsOf(text.value, ignoreCase)) {
    const loop = text.value.slice(from, to);
    report('LG2201', spanWithin(text, from, to), {
      message: `"${loop}" can match the same text in more than one way: each further character may double the ways that are tried before an input is refused, and IIS gives up with 500.50.`,
      advice:
        'Write what is repeated so that it can match in one way only, for example (a+)+ as a+. Lychgate bounds the time of a match.',
    });
  }
}

function adviceFor(pattern: string, { kind, from: at }: RegexFault, wildcards: boolean): string {
  if (kind === 'space') return 'Write smaller counts: they multiply where loops stand in loops.';
  if (/^\{\d/.test(pattern.slice(at))) return 'Write {n}, {n,} or {n,m} with n not above m; a brace by itself is \\{.';
  if (pattern[at] === '{') {
    return 'Patterns are not expanded. Compare with a variable the other way round: put it into the input of a condition.';
  }
  if (pattern.startsWith('(?i)', at)) return 'Leave it out: case is ignored unless ignoreCase="false".';
  const meant = kind === 'badrepeat' ? expressionMeant(pattern) : undefined;
  if (meant !== undefined)
    return wildcards ? `Write "${meant}", or set patternSyntax="Wildcard" on the rule.` : `Write "${meant}".`;
  return 'Correct the expression; the syntax is that of ECMAScript, third edition.';
}

function checkWildcard(text: Text, report: Report): void {
  // Not `.*`: `meet.*` is how many name a host with any ending.
  const found = /\\[*?.]|^\^|\$$|\(/.exec(text.value);
  if (!found) return;
  report('LG2203', spanWithin(text, found.index, found.index + found[0].length), {
    message: `"${found[0]}" means just these characters in a wildcard pattern; there is no escape character.`,
    advice: wildcardAdvice(text.value),
  });
}

/** All patterns of a rule are of one syntax: to change it breaks the `*` of the others. */
function wildcardAdvice(pattern: string): string {
  const meant = pattern
    .replace(/^\^|\$$/g, '')
    .replaceAll('.*', '*')
    .replace(/\\([.-])/g, '$1');
  return /^[\w.*/-]+$/.test(meant)
    ? `Write "${meant}".`
    : 'Use patternSyntax="ECMAScript" if this is a regular expression, and write ".*" for each "*" in the patterns of the rule.';
}
