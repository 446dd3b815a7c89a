/** Finds the name that a mistyped one was most likely meant to be. */

/** A shorter word begins too many others. */
const BEGINNING = 4;

/** The same of one that is misspelt. */
const MISSPELT_BEGINNING = 6;

/** The candidate that differs by case only or by at most a third of its characters, else the only one that begins with the name, or nearly so. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = slipsIn(name) + 1;
  if (name.length > 64) return undefined;
  const begins = candidates.filter((each) => each.toLowerCase().startsWith(name.toLowerCase()));
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  if (best !== undefined || name.length < BEGINNING) return best;
  const beginning =
    begins.length === 0 && name.length >= MISSPELT_BEGINNING
      ? candidates.filter((each) => beginsAlmost(each, name))
      : begins;
  return beginning.length === 1 ? beginning[0] : undefined;
}

/** As many as a name may differ by. */
function slipsIn(name: string): number {
  return Math.max(1, Math.floor(name.length / 3));
}

function beginsAlmost(candidate: string, name: string): boolean {
  const lengths = [name.length - 1, name.length, name.length + 1];
  return lengths.some((length) => editDistance(name.toLowerCase(), candidate.slice(0, length).toLowerCase()) <= 1);
}

/** The begin of a cure: whether the nearest of the candidates was meant, and nothing where none is near. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const near = nearest(name, candidates);
  return near === undefined ? '' : `Did you mean ${quoted(asNear(name, near, candidates))}? `;
}

/** All that are as near as the nearest: which of them was meant nobody can tell. */
export function asNear(name: string, near: string, candidates: readonly string[]): readonly string[] {
  const distanceTo = (candidate: string) => editDistance(name.toLowerCase(), candidate.toLowerCase());
  const least = distanceTo(near);
  // One that only begins so is the only one that does.
  if (least > slipsIn(name)) return [near];
  return candidates.filter((candidate) => candidate === near || distanceTo(candidate) === least);
}

export function quoted(names: readonly string[]): string {
  return names.map((each) => `"${each}"`).join(' or ');
}

/** A host that differs by more is another one: those of a company are alike. */
const MOST_MISTYPED = 2;

/** The only host that a mistyped one can have been meant to be; `app1` beside `app2` is a name of its own. */
export function nearestHost(name: string, hosts: Iterable<string>): string | undefined {
  const near = [...new Set(hosts)].filter(
    (host) => Math.abs(host.length - name.length) <= MOST_MISTYPED && editDistance(host, name) <= MOST_MISTYPED,
  );
  const [only] = near;
  const digitsOnly = only?.replace(/\d+/g, '') === name.replace(/\d+/g, '');
  return near.length === 1 && !digitsOnly ? only : undefined;
}

const MOST_REMEMBERED = 1000;

/** Gives the nearest key of `known`. */
export type NearestKey = (known: object | undefined, name: string) => string | undefined;

/** One that remembers: the same name may stand in a file a million times. Other names count up to a bound, for what they cost. */
export function newNearestKey(): NearestKey {
  const nearby = new WeakMap<object, Map<string, string | undefined>>();
  return (known, name) => {
    if (known === undefined) return undefined;
    const found = nearby.get(known) ?? new Map<string, string | undefined>();
    nearby.set(known, found);
    if (found.has(name)) return found.get(name);
    if (found.size >= MOST_REMEMBERED) return undefined;
    const near = nearest(name, Object.keys(known));
    found.set(name, near);
    return near;
  };
}

/** Letters left out, added or changed; two neighbours that changed places are one step (optimal string alignment). */
export function editDistance(from: string, to: string): number {
  let earlier: readonly number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const swapped =
        column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
          ? (earlier[column - 2] ?? 0) + 1
          : replaced;
      current.push(Math.min(replaced, swapped, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    earlier = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}
