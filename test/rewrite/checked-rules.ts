/** What the checks find in rules that a test writes. */
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import type { WebFarmConfig } from '../../src/config/farm-model.ts';
import type { Config } from '../../src/config/model.ts';
import type { RuleSetConfig } from '../../src/config/rewrite-model.ts';
import { checkPublication } from '../../src/publication/check-publication.ts';
import { type RuleText, ruleSet, ruleSettings, sitesOf, text } from './rule-configs.ts';

export interface More {
  proxy?: boolean;
  allow?: readonly string[];
  global?: RuleSetConfig;
  set?: Partial<RuleSetConfig>;
}

/** A farm `MyFarm`, and a proxy that is off. Behind rules that rewrite to a path stands one that sends the request away: there are no files. */
export function check(rules: readonly RuleText[], more: More = {}): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const local = rules.some(({ type, to }) => type === undefined && to !== undefined && /^[/{](?!.*:\/\/)/.test(to));
  const config = {
    ...sitesOf({
      site: ruleSet(local ? [...rules, farm] : rules, more.set),
      ...(more.global ? { global: more.global } : {}),
    }),
    webFarms: [
      {
        name: text('MyFarm'),
        enabled: false,
        servers: [] as WebFarmConfig['servers'],
        loadBalancing: { hashServerVariable: text('') },
      } as unknown as WebFarmConfig,
    ],
    proxy: { enabled: more.proxy ?? false },
    settings: ruleSettings(more.allow),
  } as unknown as Config;
  checkPublication(config, reportInto(diagnostics));
  return diagnostics;
}

/** `code start-end` with places counted from the start of the text. */
export function found(rules: readonly RuleText[], more: More = {}): string[] {
  return check(rules, more).map(({ code, span: { start, end } }) =>
    start < 1000 ? code : `${code} ${start - 1000}-${end - 1000}`,
  );
}

export const codes = (rules: readonly RuleText[], more: More = {}) => check(rules, more).map(({ code }) => code);

export const farm = { url: '*', syntax: 'Wildcard' as const, to: 'http://myFARM/{R:0}', stop: true };
