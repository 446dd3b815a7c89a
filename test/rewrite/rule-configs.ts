/** Short ways to write the configuration of rules in tests, and requests to run them on. */
import type { Span } from '../../src/config/diagnostic.ts';
import type { Config } from '../../src/config/model.ts';
import type {
  ActionConfig,
  ConditionConfig,
  RewriteMapConfig,
  RuleConfig,
  RuleSetConfig,
} from '../../src/config/rewrite-model.ts';
import { defaultSettings } from '../../src/config/settings.ts';
import type { SettingsConfig } from '../../src/config/settings-model.ts';
import type { Text } from '../../src/config/text.ts';
import { compileRules } from '../../src/rewrite/compile.ts';
import { evaluateRules, type RewriteOutcome, type RewriteRequest } from '../../src/rewrite/rule-set.ts';
import { isRefused, parseTarget } from '../../src/rewrite/target.ts';
import type { TraceRecorder } from '../../src/rewrite/trace.ts';

export const span: Span = { file: 'test.config', start: 0, end: 0 };

/** A text that stands at 1000 in the file, so that places inside it show. */
export function text(value: string, start = 1000): Text {
  return { value, span: { file: 'test.config', start, end: start + value.length } };
}

export function condition(
  input: string,
  pattern: string,
  more: Partial<Pick<ConditionConfig, 'negate' | 'ignoreCase' | 'matchType'>> = {},
): ConditionConfig {
  return {
    span,
    input: text(input),
    pattern: text(pattern),
    matchType: 'Pattern',
    ignoreCase: true,
    negate: false,
    ...more,
  };
}

export interface RuleText {
  name?: string;
  basePath?: string;
  url?: string | null;
  syntax?: RuleConfig['patternSyntax'];
  ignoreCase?: boolean;
  negate?: boolean;
  enabled?: boolean;
  stop?: boolean;
  conditions?: readonly ConditionConfig[];
  any?: boolean;
  trackAll?: boolean;
  set?: readonly (readonly [name: string, value: string, replace?: boolean])[];
  type?: ActionConfig['type'];
  to?: string;
  append?: boolean;
  redirectType?: ActionConfig['redirectType'];
  status?: number;
  subStatus?: number;
  reason?: string;
  description?: string;
}

export function rule(from: RuleText): RuleConfig {
  const type = from.type ?? (from.to === undefined ? 'None' : 'Rewrite');
  return {
    span,
    name: text(from.name ?? 'rule'),
    basePath: from.basePath ?? '/',
    enabled: from.enabled ?? true,
    stopProcessing: from.stop ?? false,
    patternSyntax: from.syntax ?? 'ECMAScript',
    responseCacheDirective: 'Auto',
    ...(from.url === null
      ? {}
      : {
          match: {
            span,
            url: text(from.url ?? '.*'),
            ignoreCase: from.ignoreCase ?? true,
            negate: from.negate ?? false,
          },
        }),
    ...(from.conditions
      ? {
          conditions: {
            span,
            logicalGrouping: from.any ? ('MatchAny' as const) : ('MatchAll' as const),
            trackAllCaptures: from.trackAll ?? false,
            entries: from.conditions,
          },
        }
      : {}),
    serverVariables: (from.set ?? []).map(([name, value, replace]) => ({
      span,
      name: text(name),
      value: text(value),
      replace: replace ?? true,
    })),
    action: {
      span,
      type,
      ...(from.to === undefined ? {} : { url: text(from.to) }),
      appendQueryString: from.append ?? true,
      logRewrittenUrl: false,
      redirectType: from.redirectType ?? 'Permanent',
      ...(from.status === undefined ? {} : { statusCode: from.status }),
      subStatusCode: from.subStatus ?? 0,
      ...(from.reason === undefined ? {} : { statusReason: text(from.reason) }),
      ...(from.description === undefined ? {} : { statusDescription: text(from.description) }),
    },
  };
}

export function map(
  name: string,
  entries: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
  more: { defaultValue?: string; ignoreCase?: boolean } = {},
): RewriteMapConfig {
  const pairs = Array.isArray(entries) ? entries : Object.entries(entries);
  return {
    span,
    name: text(name),
    defaultValue: more.defaultValue ?? '',
    ignoreCase: more.ignoreCase ?? true,
    entries: pairs.map(([key, value]) => ({ key: text(key), value })),
  };
}

export function ruleSet(rules: readonly RuleText[], more: Partial<RuleSetConfig> = {}): RuleSetConfig {
  return {
    rules: rules.map(rule),
    rewriteMaps: [],
    allowedServerVariables: [],
    providers: [],
    useOriginalURLEncoding: true,
    ...more,
  };
}

export interface Rules {
  global?: RuleSetConfig;
  site?: RuleSetConfig;
  scopes?: readonly { path: string; ruleSet: RuleSetConfig }[];
}

export function sitesOf(rules: Rules): Pick<Config, 'sites' | 'globalRules'> {
  return {
    globalRules: rules.global ?? ruleSet([]),
    sites: [
      {
        span,
        name: 'site',
        id: 7,
        bindings: [],
        applications: ['/'],
        scopes: [...(rules.scopes ?? []), { path: '/', ruleSet: rules.site ?? ruleSet([]) }],
      },
    ],
  };
}

export interface RequestText extends Partial<Omit<RewriteRequest, 'target' | 'header'>> {
  headers?: Readonly<Record<string, string>>;
}

export function request(target: string, from: RequestText = {}): RewriteRequest {
  const parsed = parseTarget(target);
  if (isRefused(parsed)) throw new Error(parsed.refused);
  const { headers = {}, ...more } = from;
  return {
    method: 'GET',
    scheme: 'http',
    host: 'www.mysite.com',
    header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
    remoteAddress: '192.0.2.1',
    remotePort: 50_000,
    localAddress: '198.51.100.1',
    localPort: 80,
    httpVersion: '1.1',
    siteName: 'site',
    siteId: 7,
    ...more,
    target: parsed,
  };
}

/** Runs rules over a target. */
export function run(rules: Rules, target: string, from: RequestText = {}, recorder?: TraceRecorder): RewriteOutcome {
  const site = compileRules(sitesOf(rules)).get('site')!;
  return evaluateRules(site, request(target, from), recorder);
}

/** The wire target that rules at the site root make of a request. */
export function target(rules: readonly RuleText[], path: string, from: RequestText = {}): string {
  const outcome = run({ site: ruleSet(rules) }, path, from);
  return 'target' in outcome ? outcome.target : JSON.stringify(outcome);
}

/** Settings in which nothing stands but hosts that a request may choose. */
export function ruleSettings(allow: readonly string[] = []): SettingsConfig {
  const { settings } = defaultSettings('.');
  return { ...settings, upstream: { ...settings.upstream, allow: [...allow] } };
}
