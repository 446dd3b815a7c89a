/**
 * What the configuration files said: types only, plain data only (it is sent to the workers by structured clone),
 * every part with its place in the source.
 */
import type { Span } from './diagnostic.ts';
import type { ProxyConfig, WebFarmConfig } from './farm-model.ts';
import type { RuleSetConfig } from './rewrite-model.ts';
import type { SettingsConfig } from './settings-model.ts';

export interface BindingConfig {
  readonly span: Span;
  readonly protocol: 'http' | 'https';
  /** `*` or an IP address without brackets. */
  readonly address: string;
  readonly port: number;
  /** Lower case; `''` for any host; may start with `*.`. */
  readonly host: string;
  /** The host in the letters of the file, where these are others than ASCII. */
  readonly written?: string;
  readonly sslFlags: number;
}

/** The rules in force below one URL path of a site. */
export interface ScopeConfig {
  /** `/` or `/a/b`, without a slash at the end. */
  readonly path: string;
  readonly ruleSet: RuleSetConfig;
}

export interface SiteConfig {
  readonly span: Span;
  readonly name: string;
  readonly id: number;
  readonly bindings: readonly BindingConfig[];
  readonly applications: readonly string[];
  /** Deepest path first; the last one is `/`. */
  readonly scopes: readonly ScopeConfig[];
}

/** What is written in places of its own, and refers to the others by name. */
export type Part = 'sites' | 'farms' | 'rules';

export interface Config {
  /** Where something was refused: nothing is said to be missing there. Absent where all was read well. */
  readonly misread?: ReadonlySet<Part>;
  /** No applicationHost.config was read, so what stands there is not known. */
  readonly withoutHost?: true;
  readonly sites: readonly SiteConfig[];
  readonly globalRules: RuleSetConfig;
  readonly webFarms: readonly WebFarmConfig[];
  readonly proxy: ProxyConfig;
  readonly settings: SettingsConfig;
}
