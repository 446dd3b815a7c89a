/** What can be wrong with where a rule sends the request: scheme, escapes, and what comes after it. */
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { type AbsoluteSyntax, textOf } from './action-target.ts';
import { listed } from './check-computed-host.ts';
import { checkHost, checkLocation } from './check-target-host.ts';
import { type Destination, destinationOf } from './destination.ts';
import { isRaw } from './server-variables.ts';
import type { TargetSurroundings } from './target-surroundings.ts';
import type { Part } from './template.ts';

export function checkTarget(rule: RuleConfig, surroundings: TargetSurroundings, report: Report): void {
  const { url, type } = rule.action;
  if (!url) return;
  const destination = destinationOf(rule, surroundings.maps);
  const { syntax } = destination;
  if (syntax.kind === 'absolute' && !surroundings.mapsMisread) checkScheme(rule, syntax, destination, report);
  if (type === 'Redirect') {
    checkLocation(rule, destination, surroundings, report);
    return;
  }
  if (syntax.kind === 'other') {
    report('LG2235', spanWithin(url, syntax.from, syntax.to), {
      message: `"${url.value}" is no URL that a Rewrite can go to; physical paths and other schemes are not supported.`,
      advice: 'Write a path of the site, or http:// or https:// with a farm or host.',
    });
    return;
  }
  const mayHaveHost = syntax.kind === 'absolute' || destination.schemes?.length;
  if (mayHaveHost) checkHost(rule, destination, surroundings, report);
  if (syntax.kind !== 'absolute') return;
  checkEscapes(rule, syntax.rest, surroundings, report);
  if (!rule.stopProcessing && !rule.refused?.has('stopProcessing') && !surroundings.isLast) {
    report('LG2232', rule.action.span, {
      message: `Rule "${rule.name.value}" sends the request away but does not stop processing: later rules see the new URL and the last one wins.`,
      advice: 'Set stopProcessing="true".',
    });
  }
}

function checkScheme(rule: RuleConfig, syntax: AbsoluteSyntax, { schemes }: Destination, report: Report): void {
  const { url } = rule.action;
  if (!url || textOf(syntax.scheme) !== undefined || rule.faulty) return;
  const span = spanWithin(url, syntax.scheme[0]?.from ?? 0, syntax.scheme.at(-1)?.to ?? 0);
  const wrong = schemes?.filter((scheme) => scheme !== 'http' && scheme !== 'https');
  if (wrong?.length === 0) return;
  const advice = 'Take it from {CACHE_URL} with the pattern "^(https?)://", or write it into the rule.';
  if (schemes && wrong?.length === schemes.length) {
    report('LG2235', span, {
      message: `What stands before "://" comes out as ${listed(wrong)}, which is no scheme: each request is answered with 500.50.`,
      advice,
    });
    return;
  }
  report('LG2238', span, {
    message: `What stands before "://" ${wrong ? `can come out as ${listed(wrong)}` : 'comes from the request'}; where it is neither http nor https, the request is answered with 500.50.`,
    advice,
  });
}

function checkEscapes(
  rule: RuleConfig,
  parts: readonly Part[],
  { useOriginalURLEncoding }: TargetSurroundings,
  report: Report,
): void {
  const { url } = rule.action;
  if (!url || !useOriginalURLEncoding) return;
  for (const part of parts) {
    if (part.kind === 'text' && part.text.includes('?')) return;
    const escapes =
      part.kind === 'variable'
        ? isRaw(part.name)
        : part.kind === 'call'
          ? /^urlencode$/i.test(part.name)
          : part.kind === 'text' && /%[0-9A-Fa-f]{2}/.test(part.text);
    if (!escapes) continue;
    report('LG2234', spanWithin(url, part.from, part.to), {
      message: 'The path that this gives holds escapes already, and they are encoded again: %20 becomes %2520.',
      advice: 'Set useOriginalURLEncoding="false" on the section, or use {R:0} or {URL}.',
    });
  }
}
