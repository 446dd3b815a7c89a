/** Redirects whose host comes from what the client sent, so that a link to this site can lead anywhere. */
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { readTarget } from './action-target.ts';
import { includes, normalize } from './character-set.ts';
import { wordsOf } from './finite-inputs.ts';
import { unitsIn } from './pattern-shape.ts';
import { groupOf, readRegex } from './regex-syntax.ts';
import { beginsWithSlash } from './server-variables.ts';
import { isFunction, type Part, readTemplate } from './template.ts';

export function checkOpenRedirect(rule: RuleConfig, report: Report): void {
  const { url, type } = rule.action;
  if (!url || type !== 'Redirect') return;
  const target = readTarget(readTemplate(url.value).parts, type);
  // One that is computed from its start may have a host or none, as it comes.
  const whole = target.kind === 'open';
  const host = target.kind === 'absolute' ? target.host : whole ? target.parts.slice(0, 1) : [];
  const chosen = host.find((part, index) =>
    isChosen(part, { rule, whole, conditions: undefined, next: host[index + 1] }),
  );
  if (!chosen) return;
  report('LG2305', spanWithin(url, chosen.from, chosen.to), {
    message: `The host that rule "${rule.name.value}" redirects to comes from the request: a link to this site can lead to any other one.`,
    advice: 'Name the host, look it up in a rewrite map, or let the pattern accept only your own hosts.',
  });
}

interface Place {
  readonly rule: RuleConfig;
  readonly whole: boolean;
  /** Set inside of a condition's input or a function: how many conditions come before. */
  readonly conditions: number | undefined;
  readonly next: Part | undefined;
}

/** The Host of the request is no way to lead others astray: nobody can make a browser send a foreign one. */
const SAFE = /^(HTTP_HOST|SERVER_NAME|HTTPS|SERVER_PORT|SERVER_PORT_SECURE|LOCAL_ADDR|SERVER_ADDR|CACHE_URL)$/i;

function isChosen(part: Part, place: Place): boolean {
  switch (part.kind) {
    case 'text':
      return false;
    case 'variable':
      // Slashes in a row in a path have become one, so no part of it can be an absolute URL.
      return !SAFE.test(part.name) && !(beginsWithSlash(part.name) && (place.whole || place.conditions === undefined));
    case 'call':
      // A rewrite map gives what the administrator wrote.
      return isFunction(part.name) && part.argument.some((inner) => isChosen(inner, { ...place, next: undefined }));
    case 'rule':
      return !place.whole && isLoose(place, part.index, place.rule.match?.url?.value);
    case 'condition':
      return isChosenByCondition(part.index, place);
  }
}

function isChosenByCondition(index: number, place: Place): boolean {
  const all = place.rule.conditions;
  const entries = (all?.entries ?? []).slice(0, place.conditions);
  const suppliers = entries.filter(({ negate, matchType }) => !negate && matchType === 'Pattern');
  // With MatchAny any of them may be the one, with trackAllCaptures the number tells, which is not worth the count.
  const last = all?.trackAllCaptures || all?.logicalGrouping === 'MatchAny' ? suppliers : suppliers.slice(-1);
  return last.some((supplier) => {
    const { parts } = readTemplate(supplier.input?.value ?? '');
    const within = { ...place, conditions: entries.indexOf(supplier), next: undefined };
    if (!parts.some((part) => isChosen(part, within))) return false;
    return all?.trackAllCaptures === true || isLoose(place, index, supplier.pattern?.value);
  });
}

/** Signs that end a host, or set a port or a user. */
const BORDERS = [...'/?#\\@:'].map((char) => char.charCodeAt(0));

/** Whether a group can hold more than a few hosts, or more than one label in front of a domain that the rule names. */
function isLoose({ rule, next }: Place, index: number, pattern: string | undefined): boolean {
  if (rule.patternSyntax !== 'ECMAScript' || pattern === undefined) return true;
  const read = readRegex(pattern);
  const group = 'kind' in read ? undefined : groupOf(read.root, index);
  if (!group) return true;
  if (wordsOf(group)) return false;
  const inDomain = next?.kind === 'text' && /^\.[^/?#]/.test(next.text);
  const units = normalize(unitsIn(group));
  return !inDomain || BORDERS.some((border) => includes(units, border));
}
