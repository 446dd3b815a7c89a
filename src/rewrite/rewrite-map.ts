/** Rewrite maps: whole keys to values, with a default for what is not there. */
import type { RewriteMapConfig, RuleSetConfig } from '../config/rewrite-model.ts';
import { internationalAuthority } from '../host-name.ts';
import { foldText } from './character-set.ts';

export interface RewriteMap {
  readonly name: string;
  /** The value of a key that the map has. */
  readonly find: (key: string) => string | undefined;
  readonly defaultValue: string;
  /** All that can come out: the values and the default. */
  readonly values: readonly string[];
}

/** The maps of a rule set by name in lower case. */
export type RewriteMaps = ReadonlyMap<string, RewriteMap>;

function compileMap(config: RewriteMapConfig): RewriteMap {
  const { ignoreCase, defaultValue } = config;
  const foldedAs = (key: string) => (ignoreCase ? foldText(key) : key);
  const values = new Map<string, string>();
  for (const { key, value } of config.entries) {
    const found = foldedAs(key.value);
    // Of keys that differ only in case the first one counts.
    if (!values.has(found)) values.set(found, value);
  }
  // A host is asked for in the form that clients send.
  for (const { key, value } of config.entries) {
    const host = internationalAuthority(key.value);
    if (host?.includes('xn--') && !values.has(foldedAs(host))) values.set(foldedAs(host), value);
  }
  return {
    name: config.name.value,
    find: (key) => values.get(foldedAs(key)),
    defaultValue,
    values: [...new Set([...values.values(), defaultValue])],
  };
}

const compiled = new WeakMap<readonly RewriteMapConfig[], RewriteMaps>();

/** Those of one rule set once, whoever asks. */
export function compileMaps(configs: readonly RewriteMapConfig[]): RewriteMaps {
  const known = compiled.get(configs);
  if (known) return known;
  const maps = new Map(configs.map((config) => [config.name.value.toLowerCase(), compileMap(config)]));
  compiled.set(configs, maps);
  return maps;
}

const NONE: readonly RewriteMapConfig[] = [];

/** None where some could not be read: what they give may be anything then. */
export function readMaps({ rewriteMaps, unread }: Pick<RuleSetConfig, 'rewriteMaps' | 'unread'>): RewriteMaps {
  return compileMaps(unread?.includes('rewriteMaps') ? NONE : rewriteMaps);
}
