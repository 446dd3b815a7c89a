/** The value types of IIS's schema language: how a text becomes a value, and IIS's words where it does not. */
import { didYouMean } from '../nearest.ts';

export type AttributeValue = boolean | number | string;

export interface AttributeSchema {
  readonly type: 'bool' | 'enum' | 'flags' | 'uint' | 'int' | 'int64' | 'timeSpan' | 'string';
  /** Time spans in seconds. */
  readonly default?: AttributeValue;
  /** Of enum and flags, in schema order. */
  readonly names?: readonly string[];
  readonly required?: true;
  readonly nonEmpty?: true;
  readonly trimmed?: true;
  /** A name: IIS's schema takes an empty one, by which nothing can be meant. */
  readonly isName?: true;
  /** Inclusive; of time spans in seconds. */
  readonly range?: readonly [number, number];
  /** The range that is forbidden, inclusive. */
  readonly excluded?: readonly [number, number];
  /** Of time spans, in seconds. */
  readonly granularity?: number;
  readonly siteName?: true;
}

export interface ValueFault {
  /** What is wrong, without a full stop. */
  readonly reason: string;
  readonly advice: string;
  /** IIS's detail text; empty where it is not known. */
  readonly iis: string;
}

export interface ParsedValue {
  readonly value?: AttributeValue;
  readonly fault?: ValueFault;
  /** The cure where it is not known whether IIS accepts the spelling. */
  readonly doubt?: string;
}

const UINT_MAX = 4294967295;
const limits = { uint: [0, UINT_MAX], int: [-2147483648, 2147483647] } as const;

/** Reads a decoded attribute value by its definition. */
export function parseValue(text: string, schema: AttributeSchema): ParsedValue {
  switch (schema.type) {
    case 'bool':
      return parseBool(text);
    case 'enum':
      return parseEnum(text, schema.names ?? []);
    case 'flags':
      return parseFlags(text, schema.names ?? []);
    case 'uint':
    case 'int':
    case 'int64':
      return parseInteger(text, schema.type, schema);
    case 'timeSpan':
      return parseTimeSpan(text, schema);
    case 'string':
      return parseString(text, schema);
  }
}

function fault(reason: string, advice: string, iis = ''): ParsedValue {
  return { fault: { reason, advice, iis } };
}

function parseBool(text: string): ParsedValue {
  if (/^true$/i.test(text)) return { value: true };
  if (/^false$/i.test(text)) return { value: false };
  if (text === '1' || text === '0') {
    const value = text === '1';
    return { value, doubt: `Write ${value}; it is taken as that.` };
  }
  return fault('it is neither true nor false', `${didYouMean(text, ['true', 'false'])}Write true or false.`);
}

function named(text: string, names: readonly string[]): { readonly name: string; readonly exact: boolean } | undefined {
  if (names.includes(text)) return { name: text, exact: true };
  const name = names.find((candidate) => candidate.toLowerCase() === text.toLowerCase());
  return name === undefined ? undefined : { name, exact: false };
}

function parseEnum(text: string, names: readonly string[]): ParsedValue {
  const found = named(text, names);
  const list = names.join(', ');
  if (found === undefined)
    return fault(
      'it is none of the names',
      `${didYouMean(text, names)}Write one of: ${list}.`,
      `Enum must be one of ${list}`,
    );
  if (found.exact) return { value: found.name };
  return { value: found.name, doubt: `Write ${found.name}; it is taken as that.` };
}

function parseFlags(text: string, names: readonly string[]): ParsedValue {
  const parts = text.split(',').map((part) => part.trim());
  const kept: string[] = [];
  let exact = true;
  for (const part of parts) {
    if (part === '' && parts.length === 1) break;
    const found = named(part, names);
    if (found === undefined) {
      const list = names.join(', ');
      return fault(
        `"${part}" is none of the names`,
        `${didYouMean(part, names)}Use names of: ${list}.`,
        `Flags must be some combination of ${list}`,
      );
    }
    exact &&= found.exact;
    kept.push(found.name);
  }
  const value = kept.join(',');
  return exact ? { value } : { value, doubt: `Write ${value}; it is taken as that.` };
}

function parseInteger(text: string, type: 'uint' | 'int' | 'int64', schema: AttributeSchema): ParsedValue {
  const signed = type !== 'uint';
  const kind = signed ? 'integer' : 'unsigned integer';
  const value = (signed ? /^-?\d+$/ : /^\d+$/).test(text) ? Number(text) : Number.NaN;
  const bounds = type === 'int64' ? [-(2 ** 63), 2 ** 63] : limits[type];
  if (!(value >= (bounds[0] ?? 0) && value <= (bounds[1] ?? 0))) {
    const advice = 'Write a number in decimal digits, without blanks or signs.';
    return fault(`it is no ${kind}`, advice, signed ? '' : 'Not a valid unsigned integer');
  }
  return checkRange(value, schema) ?? { value };
}

function checkRange(value: number, { range, excluded }: AttributeSchema): ParsedValue | undefined {
  if (range !== undefined && (value < range[0] || value > range[1])) {
    const between = `between ${range[0]} and ${range[1]}`;
    return fault('it is out of range', `Write a number ${between}.`, `Integer value must be ${between} inclusive`);
  }
  if (excluded !== undefined && value >= excluded[0] && value <= excluded[1]) {
    const between = `between ${excluded[0]} and ${excluded[1]}`;
    return fault(
      'it is in the forbidden range',
      `Write a number not ${between}.`,
      `Integer value must not be ${between} inclusive`,
    );
  }
  return undefined;
}

function parseTimeSpan(text: string, { range, granularity = 1 }: AttributeSchema): ParsedValue {
  const match = /^(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,7}))?$/.exec(text);
  const [, days = '0', hours = '', minutes = '', seconds = '', fraction = '0'] = match ?? [];
  if (match === null || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) {
    return fault('it is no time span', 'Write hours, minutes and seconds as 00:02:00, days before them as 1.00:00:00.');
  }
  const whole = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  const value = whole + Number(`0.${fraction}`);
  if (range === undefined) return { value };
  const [min, max] = range;
  if (value < min || value > max || (value - min) % granularity !== 0) {
    const iis = `Timespan value must be between ${min} and ${max} seconds inclusive, with a granularity of ${granularity} seconds`;
    const steps = granularity === 1 ? 'in whole seconds' : `in steps of ${granularity} seconds`;
    return fault('it is out of range', `Write a time between ${min} and ${max} seconds, ${steps}.`, iis);
  }
  return { value };
}

function parseString(text: string, { nonEmpty, trimmed, siteName, isName }: AttributeSchema): ParsedValue {
  if (nonEmpty === true && text === '')
    return fault('it is empty', 'Give it a value, or remove the attribute.', 'String must not be empty');
  if (trimmed === true && text !== text.trim()) {
    return fault('white space stands at its start or end', 'Remove the white space.');
  }
  if (siteName === true && (text.trim() === '' || /[\\/?;:@&=+$,|"<>*]/.test(text))) {
    return fault(
      'it is blank or holds a character that names cannot hold',
      'Use letters, digits, blanks, dots, hyphens and underscores.',
      'Invalid site name',
    );
  }
  if (isName === true && text.trim() === '') {
    return { value: text, doubt: 'Write the name that is meant: by an empty one nothing can be referred to.' };
  }
  return { value: text };
}
