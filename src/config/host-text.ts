/** Names of hosts in configuration files: in ASCII, whatever letters they are written in, with the place that they came from. */
import { asciiAuthority } from '../host-name.ts';
import type { Text } from './text.ts';

/** A part of a text, and what is read in its place. */
export interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

/** The text of an attribute that holds a name, with or without a port. */
export function hostText(text: Text): Text {
  const by = asciiAuthority(text.value);
  return by === text.value ? text : withReplacements(text, [{ from: 0, to: text.value.length, by }]);
}

/** Each unit of what was put in stands for the whole of what it replaces. */
export function withReplacements(text: Text, replacements: readonly Replacement[]): Text {
  if (replacements.length === 0) return text;
  const { value, span } = text;
  const placeOf = (unit: number) => text.offsets?.[unit] ?? span.start + unit;
  const offsets: number[] = [];
  let result = '';
  const keep = (from: number, to: number) => {
    result += value.slice(from, to);
    for (let unit = from; unit < to; unit++) offsets.push(placeOf(unit));
  };
  let at = 0;
  for (const { from, to, by } of replacements) {
    keep(at, from);
    result += by;
    for (let unit = 0; unit < by.length; unit++) offsets.push(placeOf(from));
    at = to;
  }
  keep(at, value.length);
  return { value: result, span, offsets: [...offsets, placeOf(value.length)] };
}
