/** Checks the JSON of settings.json against its table, and keeps what is valid together with its places. */
import type { Node } from 'jsonc-parser';
import { comparedName } from '../host-name.ts';
import { type NearestKey, nearest } from '../nearest.ts';
import type { Code, Finding, Report, Span } from './diagnostic.ts';
import type { SettingType, TextForm } from './settings-table.ts';

/** A valid part of the settings. */
export interface Setting {
  readonly span: Span;
  readonly value?: string | number | boolean;
  readonly items?: readonly Setting[];
  readonly keys?: ReadonlyMap<string, Setting & { readonly nameSpan: Span }>;
}

interface Checker {
  readonly file: string;
  readonly report: Report;
  readonly nearestKey: NearestKey;
  /** What may stand here, where that is more than the type tells. */
  readonly wanted?: string;
}

/** @param path of the part in the whole, for messages */
export function checkSetting(node: Node, type: SettingType, path: string, checker: Checker): Setting | undefined {
  switch (type.kind) {
    case 'object':
    case 'record':
      return node.type === 'object' ? checkKeys(node, type, path, checker) : wrongType(node, type, path, checker);
    case 'list':
      return node.type === 'array' ? checkItems(node, type.item, path, checker) : wrongType(node, type, path, checker);
    case 'either':
      return checkEither(node, type, path, checker);
    case 'text':
      return node.type === 'string' ? checkText(node, type, path, checker) : wrongType(node, type, path, checker);
    case 'number':
      return node.type === 'number' ? checkNumber(node, type, path, checker) : wrongType(node, type, path, checker);
    case 'switch':
      if (node.type !== 'boolean' || (type.only !== undefined && node.value !== type.only)) {
        return wrongType(node, type, path, checker);
      }
      return { span: spanOf(node, checker), value: node.value === true };
  }
}

function spanOf(node: Node, { file }: Checker): Span {
  return { file, start: node.offset, end: node.offset + node.length };
}

function fault(code: Code, node: Node, message: string, advice: string, checker: Checker): undefined {
  checker.report(code, spanOf(node, checker), { message, advice });
  return undefined;
}

function nameOf(type: SettingType): string {
  switch (type.kind) {
    case 'object':
    case 'record':
      return 'an object';
    case 'list':
      return 'a list';
    case 'either':
      return type.options.map(nameOf).join(' or ');
    case 'text':
      if (type.names === undefined) return type.form?.what ?? 'a text';
      return type.names.length === 1
        ? `"${type.names[0]}"`
        : `one of ${type.names.map((name) => `"${name}"`).join(', ')}`;
    case 'number':
      return type.whole ? 'a whole number' : 'a number';
    case 'switch':
      return type.only === undefined ? 'true or false' : String(type.only);
  }
}

function wrongType(node: Node, type: SettingType, path: string, checker: Checker): undefined {
  return fault(
    'LG6003',
    node,
    `${path === '' ? 'The whole of it' : path} is of the wrong type.`,
    `Write ${nameOf(type)}.`,
    checker,
  );
}

function checkEither(
  node: Node,
  type: SettingType & { kind: 'either' },
  path: string,
  checker: Checker,
): Setting | undefined {
  const fitting = type.options.find((option) => fitsType(node, option));
  if (fitting === undefined) return wrongType(node, type, path, checker);
  // The cure names every kind of value, not just the one that this one looks like.
  const whole = fitting.kind === 'text' ? { ...checker, wanted: nameOf(type) } : checker;
  return checkSetting(node, fitting, path, whole);
}

function fitsType(node: Node, type: SettingType): boolean {
  switch (type.kind) {
    case 'object':
    case 'record':
      return node.type === 'object';
    case 'list':
      return node.type === 'array';
    case 'either':
      return type.options.some((option) => fitsType(node, option));
    case 'text':
      return node.type === 'string';
    case 'number':
      return node.type === 'number';
    case 'switch':
      return node.type === 'boolean' && (type.only === undefined || node.value === type.only);
  }
}

function checkKeys(
  node: Node,
  type: SettingType & { kind: 'object' | 'record' },
  path: string,
  checker: Checker,
): Setting {
  const keys = new Map<string, Setting & { nameSpan: Span }>();
  const seen = new Set<string>();
  const spelling = (name: string) => (type.kind === 'record' ? (type.key?.plain?.(name) ?? comparedName(name)) : name);
  /** What keys that are not known were most likely meant to be. */
  const meant = new Set<string | undefined>();
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (key === undefined) continue;
    const name = String(key.value);
    if (seen.has(spelling(name))) {
      fault('LG6005', key, `${name} stands twice.`, 'Remove one of them.', checker);
      continue;
    }
    seen.add(spelling(name));
    const definition =
      type.kind === 'record' ? type.value : Object.hasOwn(type.keys, name) ? type.keys[name] : undefined;
    if (definition === undefined) {
      meant.add(unknownKey(key, name, path, type.kind === 'object' ? type.keys : {}, checker));
    } else if (value !== undefined) {
      if (type.kind === 'record' && type.key && !type.key.fits(name)) {
        fault('LG6004', key, `${path} cannot have the key "${name}".`, `Write ${type.key.what}.`, checker);
      }
      if (type.kind === 'record') reportDoubt(type.key, name, key, checker);
      const setting = checkSetting(value, definition, path === '' ? name : `${path}.${name}`, checker);
      if (setting !== undefined) keys.set(name, { ...setting, nameSpan: spanOf(key, checker) });
    }
  }
  if (type.kind === 'object') {
    for (const name of type.required ?? []) {
      if (!seen.has(name) && !meant.has(name))
        fault('LG6004', node, `${path} has no "${name}".`, `Add "${name}".`, checker);
    }
  }
  return { span: spanOf(node, checker), keys };
}

function reportDoubt(form: TextForm | undefined, text: string, node: Node, checker: Checker): void {
  const doubt = form?.doubt?.(text);
  if (doubt) checker.report('LG1030', spanOf(node, checker), doubt);
}

/** @returns the key that was most likely meant */
function unknownKey(
  key: Node,
  name: string,
  path: string,
  known: Readonly<Record<string, SettingType>>,
  checker: Checker,
): string | undefined {
  const near = checker.nearestKey(known, name);
  const words = (): Finding => ({
    message: `${path === '' ? 'The settings have' : `${path} has`} no key "${name}".`,
    advice:
      near === undefined
        ? `Remove it, or use one of: ${Object.keys(known)
            .filter((other) => other !== '$schema')
            .join(', ')}.`
        : `Did you mean "${near}"?`,
  });
  checker.report('LG6002', spanOf(key, checker), words);
  return near;
}

function checkItems(node: Node, item: SettingType, path: string, checker: Checker): Setting {
  const items: Setting[] = [];
  for (const [index, child] of (node.children ?? []).entries()) {
    const setting = checkSetting(child, item, `${path}[${index}]`, checker);
    if (setting !== undefined) items.push(setting);
  }
  return { span: spanOf(node, checker), items };
}

function checkText(
  node: Node,
  type: SettingType & { kind: 'text' },
  path: string,
  checker: Checker,
): Setting | undefined {
  const value = String(node.value);
  const fits = type.names === undefined ? (type.form?.fits(value) ?? true) : type.names.includes(value);
  if (fits) reportDoubt(type.form, value, node, checker);
  if (fits) return { span: spanOf(node, checker), value };
  const near = nearest(value, type.names ?? []);
  const guess = near === undefined ? '' : `Did you mean "${near}"? `;
  const advice = `${guess}Write ${checker.wanted ?? nameOf(type)}.`;
  return fault('LG6004', node, `${path} cannot be "${value}".`, advice, checker);
}

function checkNumber(
  node: Node,
  type: SettingType & { kind: 'number' },
  path: string,
  checker: Checker,
): Setting | undefined {
  const value = Number(node.value);
  const fits = value >= type.min && value <= type.max && (!type.whole || Number.isInteger(value));
  if (fits) return { span: spanOf(node, checker), value };
  const kind = type.whole ? 'a whole number' : 'a number';
  return fault(
    'LG6004',
    node,
    `${path} cannot be ${value}.`,
    `Write ${kind} between ${type.min} and ${type.max}.`,
    checker,
  );
}
