/**
 * Finds rules by host, so that thousands that name their host cost no more than a few. A rule is left out of a request's
 * way only where its conditions on `{HTTP_HOST}` are certain to fail and nothing before them can go wrong, so the result
 * is the same as with every rule.
 */
import type { Pass } from './action.ts';
import type { Condition } from './conditions.ts';
import { type HostKey, type HostKeys, LONGEST_HOST, uncertainFor, waysToFind, withConditions } from './host-keys.ts';
import type { Rule } from './rule.ts';
import { variableReader } from './server-variables.ts';

export interface HostIndex {
  readonly rules: readonly Rule[];
  /** For each place in the list the first rule from there on that any host may reach; `Infinity` after the last. */
  readonly nextForAny: readonly number[];
  /** By a whole value of `{HTTP_HOST}` in lower case. */
  readonly whole: ReadonlyMap<string, Place>;
  /** By pieces of it. */
  readonly pieces: readonly PieceTable[];
}

/** Where a rule stands in the list, and the next one for the same host behind it. */
export interface Place {
  readonly at: number;
  /** For a whole host: without the conditions that are certain to hold for it as it is written in the table. */
  readonly rule: Rule;
  readonly next: Place | undefined;
}

/** Rules by what stands at one place of a host: `length` characters, `offset` behind its start or before its end. */
interface PieceTable {
  readonly part: HostKey['part'];
  readonly offset: number;
  readonly length: number;
  readonly places: Map<string, Place>;
}

/** Nothing where no rule names its hosts. */
export function indexByHost(rules: readonly Rule[]): HostIndex | undefined {
  const ways = rules.map(waysToFind);
  const uses = countUses(ways);
  const tables = new Map<string, PieceTable>();
  const nextForAny: number[] = new Array(rules.length + 1).fill(Number.POSITIVE_INFINITY);
  for (let at = rules.length - 1; at >= 0; at--) {
    const rule = rules[at];
    const keys = (ways[at] ?? []).flatMap((each) => leastUsed(each, uses));
    nextForAny[at] = keys.length > 0 ? (nextForAny[at + 1] ?? Number.POSITIVE_INFINITY) : at;
    if (!rule) continue;
    const shorten = shortener(rule);
    for (const key of keys) {
      const { places } = tableFor(key, tables);
      places.set(key.text, { at, rule: key.part === 'whole' ? shorten(key.text) : rule, next: places.get(key.text) });
    }
  }
  if (tables.size === 0) return undefined;
  const whole = tables.get('whole')?.places ?? new Map<string, Place>();
  return { rules, nextForAny, whole, pieces: [...tables.values()].filter(({ part }) => part !== 'whole') };
}

function tableFor({ part, offset, text }: HostKey, tables: Map<string, PieceTable>): PieceTable {
  const name = part === 'whole' ? part : `${part} ${offset} ${text.length}`;
  const table = tables.get(name) ?? { part, offset, length: text.length, places: new Map() };
  tables.set(name, table);
  return table;
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

const nameOf = ({ part, offset, text }: HostKey) => `${part} ${offset} ${text}`;

function countUses(ways: readonly (readonly (readonly HostKeys[])[])[]): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const key of ways.flat(3)) uses.set(nameOf(key), (uses.get(nameOf(key)) ?? 0) + 1);
  return uses;
}

/** Of several ways to find a rule the one that finds the fewest others with it: all may end in `.contoso.com`. */
function leastUsed(ways: readonly HostKeys[], uses: ReadonlyMap<string, number>): HostKeys {
  const most = (keys: HostKeys) => Math.max(...keys.map((key) => uses.get(nameOf(key)) ?? 0));
  return ways.reduce((best, keys) => (most(keys) < most(best) ? keys : best));
}

const readHost = variableReader('HTTP_HOST');

/** False for a Host so long that rules cannot be found by it. */
export function isFindable(pass: Pass): boolean {
  return readHost(pass).length <= LONGEST_HOST;
}

/** The rules for the Host of the request, or for what a rule has put in its place; those for any host come beside them. */
export function placesOfHost({ rules, whole, pieces }: HostIndex, pass: Pass): Place | undefined {
  const written = readHost(pass);
  const host = lowerCase(written);
  let places = whole.get(host);
  // What is certain for the lower case need not be for the letters that came.
  if (places && written !== host)
    places = linked(listed(places).map(({ at, rule }) => ({ at, rule: rules[at] ?? rule })));
  return pieces.length > 0 ? withPieces(places, host, pieces) : places;
}

function withPieces(whole: Place | undefined, host: string, tables: readonly PieceTable[]): Place | undefined {
  const found = whole ? [whole] : [];
  for (const { part, offset, length, places } of tables) {
    if (offset + length > host.length) continue;
    const from = part === 'start' ? offset : host.length - offset - length;
    const some = places.get(host.slice(from, from + length));
    if (some) found.push(some);
  }
  return found.length > 1 ? linked(found.flatMap(listed).sort((one, other) => one.at - other.at)) : found[0];
}

/** Letters at their places: the lower case of a Turkish dotted I takes two. */
function lowerCase(host: string): string {
  const lower = host.toLowerCase();
  return lower.length === host.length ? lower : host.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function listed(first: Place): Place[] {
  const places: Place[] = [];
  for (let place: Place | undefined = first; place; place = place.next) places.push(place);
  return places;
}

function linked(places: readonly Omit<Place, 'next'>[]): Place | undefined {
  return places.reduceRight<Place | undefined>((next, { at, rule }) => ({ at, rule, next }), undefined);
}
