/**
 * Finds rules by host, so that thousands that name their host cost no more than a few. A rule is left out of a request's
 * way only where its conditions on `{HTTP_HOST}` are certain to fail and nothing before them can go wrong, so the result
 * is the same as with every rule.
 */
import type { Pass } from './action.ts';
import type { Condition } from './conditions.ts';
import { choicesOf, type HostKey, type HostKeys, uncertainFor, withConditions } from './host-keys.ts';
import type { Rule } from './rule.ts';
import { variableReader } from './server-variables.ts';

export interface HostIndex {
  readonly rules: readonly Rule[];
  /** For each place in the list the first rule from there on that any host may reach; `Infinity` after the last. */
  readonly nextForAny: readonly number[];
  /** By a whole value of `{HTTP_HOST}`, by its first and by its last characters; all in lower case. */
  readonly whole: ReadonlyMap<string, Place>;
  readonly start: EndTable;
  readonly end: EndTable;
}

/** Where a rule stands in the list, and the next one for the same host behind it. */
export interface Place {
  readonly at: number;
  /** For a whole host: without the conditions that are certain to hold for it as it is written in the table. */
  readonly rule: Rule;
  readonly next: Place | undefined;
}

interface EndTable {
  readonly places: ReadonlyMap<string, Place>;
  /** Every length that a key of `places` has, ascending. */
  readonly lengths: readonly number[];
}

/** Nothing where no rule names its hosts. */
export function indexByHost(rules: readonly Rule[]): HostIndex | undefined {
  const choices = rules.map(choicesOf);
  const uses = countUses(choices);
  const tables = { whole: new Map<string, Place>(), start: new Map<string, Place>(), end: new Map<string, Place>() };
  const nextForAny: number[] = new Array(rules.length + 1).fill(Number.POSITIVE_INFINITY);
  for (let at = rules.length - 1; at >= 0; at--) {
    const rule = rules[at];
    const keys = leastUsed(choices[at] ?? [], uses);
    nextForAny[at] = keys ? (nextForAny[at + 1] ?? Number.POSITIVE_INFINITY) : at;
    if (!rule || !keys) continue;
    const shorten = shortener(rule);
    for (const { part, text } of keys) {
      const table = tables[part];
      table.set(text, { at, rule: part === 'whole' ? shorten(text) : rule, next: table.get(text) });
    }
  }
  if (tables.whole.size + tables.start.size + tables.end.size === 0) return undefined;
  return { rules, nextForAny, whole: tables.whole, start: endTable(tables.start), end: endTable(tables.end) };
}

/** Gives the rule as it is for one host. Those with the same conditions left are one, as a rule may have hundreds of hosts. */
function shortener(rule: Rule): (host: string) => Rule {
  const made: { readonly left: readonly Condition[]; readonly shorter: Rule }[] = [];
  return (host) => {
    const left = uncertainFor(host, rule);
    const same = made.find((each) => each.left.length === left.length && left.every((one, i) => one === each.left[i]));
    if (same) return same.shorter;
    const shorter = withConditions(rule, left);
    made.push({ left, shorter });
    return shorter;
  };
}

function endTable(places: EndTable['places']): EndTable {
  return { places, lengths: [...new Set([...places.keys()].map(({ length }) => length))].sort((a, b) => a - b) };
}

const nameOf = ({ part, text }: HostKey) => `${part} ${text}`;

function countUses(choices: readonly (readonly HostKeys[])[]): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const key of choices.flat(2)) uses.set(nameOf(key), (uses.get(nameOf(key)) ?? 0) + 1);
  return uses;
}

/** Of several ways to find a rule the one that finds the fewest others with it: all may end in `.contoso.com`. */
function leastUsed(choices: readonly HostKeys[], uses: ReadonlyMap<string, number>): HostKeys | undefined {
  const most = (keys: HostKeys) => Math.max(...keys.map((key) => uses.get(nameOf(key)) ?? 0));
  return choices.reduce<HostKeys | undefined>(
    (best, keys) => (best === undefined || most(keys) < most(best) ? keys : best),
    undefined,
  );
}

const readHost = variableReader('HTTP_HOST');

/** The rules for the Host of the request, or for what a rule has put in its place; those for any host come beside them. */
export function placesOfHost({ rules, whole, start, end }: HostIndex, pass: Pass): Place | undefined {
  const written = readHost(pass);
  const host = written.toLowerCase();
  let places = whole.get(host);
  // What is certain for the lower case need not be for the letters that came.
  if (written !== host) places = linked(listed(places).map(({ at, rule }) => ({ at, rule: rules[at] ?? rule })));
  for (const length of start.lengths) {
    if (length > host.length) break;
    places = joined(places, start.places.get(host.slice(0, length)));
  }
  for (const length of end.lengths) {
    if (length > host.length) break;
    places = joined(places, end.places.get(host.slice(-length)));
  }
  return places;
}

function joined(some: Place | undefined, more: Place | undefined): Place | undefined {
  if (!some || !more) return some ?? more;
  return linked([...listed(some), ...listed(more)].sort((a, b) => a.at - b.at));
}

function listed(first: Place | undefined): Place[] {
  const places: Place[] = [];
  for (let place = first; place; place = place.next) places.push(place);
  return places;
}

function linked(places: readonly Omit<Place, 'next'>[]): Place | undefined {
  return places.reduceRight<Place | undefined>((next, { at, rule }) => ({ at, rule, next }), undefined);
}
