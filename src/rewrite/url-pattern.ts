/** What a rule asks of the URL: its match, or every URL where it has none (url-rewrite.md 5.5). */
import type { PatternSyntax, RuleConfig } from '../config/rewrite-model.ts';

export interface UrlPattern {
  /** Of the conditions it is that of the rule, whatever stands here. */
  readonly syntax: PatternSyntax;
  readonly pattern: string;
  readonly ignoreCase: boolean;
  readonly negate: boolean;
  /** False where IIS may see it otherwise, which is told: nothing further is concluded from it. */
  readonly settled: boolean;
}

/** Nothing where the match was read wrongly. One without a `url` is to IIS's schema the same as none. */
export function urlPatternOf(rule: RuleConfig): UrlPattern | undefined {
  const { match, patternSyntax: syntax } = rule;
  const { ignoreCase = true, negate = false } = match ?? {};
  if (match?.url) return { syntax, pattern: match.url.value, ignoreCase, negate, settled: true };
  if (!hasNoUrl(rule)) return undefined;
  return { syntax: 'ECMAScript', pattern: '.*', ignoreCase, negate, settled: match === undefined };
}

/** True where nothing was written, false where it was read wrongly: what it asks for is not known then. */
export function hasNoUrl({ match, refused }: RuleConfig): boolean {
  return match?.url === undefined && !match?.faulty && !refused?.has('match');
}
