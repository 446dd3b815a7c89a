/** Prints a model as applicationHost.config: the way back, so that tests can go round. Places are left out. */
import type { ProxyConfig, WebFarmConfig } from '../../src/config/farm-model.ts';
import type { SiteConfig } from '../../src/config/model.ts';
import type {
  ActionConfig,
  ConditionsConfig,
  MatchConfig,
  RewriteMapConfig,
  RuleConfig,
  RuleSetConfig,
  SetVariableConfig,
} from '../../src/config/rewrite-model.ts';
import type { Text } from '../../src/config/text.ts';

/** A part of the model as a person would write it down: no places, decoded texts as strings. */
export type Plain<T> = T extends Text
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Plain<Item>[]
    : T extends object
      ? { readonly [Key in keyof T as Key extends 'span' ? never : Key]: Plain<T[Key]> }
      : T;

export interface PlainConfig {
  readonly sites: readonly Omit<Plain<SiteConfig>, 'scopes'>[];
  readonly globalRules: Plain<RuleSetConfig>;
  /** In force in the first site. */
  readonly siteRules: Plain<RuleSetConfig>;
  readonly webFarms: readonly Plain<WebFarmConfig>[];
  readonly proxy: Plain<ProxyConfig>;
}

/** Takes the places out of a part of the model. */
export function plainOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value !== 'object' || value === null) return value;
  const { span, offsets: _, ...rest } = value as Record<string, unknown>;
  const names = Object.keys(rest);
  if (span !== undefined && names.length === 1 && typeof rest.value === 'string') return rest.value;
  return Object.fromEntries(Object.entries(rest).map(([name, part]) => [name, plainOf(part)]));
}

type Value = string | number | boolean | undefined;

const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replace(/[&<"\t\r\n]/g, (character) => named[character] ?? `&#${character.charCodeAt(0)};`);
}

function element(name: string, attributes: Readonly<Record<string, Value>>, ...children: readonly string[]): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${escaped(String(value))}"`],
  );
  const tag = `${name}${written.join('')}`;
  return children.length === 0 ? `<${tag} />\n` : `<${tag}>\n${children.join('')}</${name}>\n`;
}

const times = new Set([
  ...['timeout', 'interval', 'liveTrafficFailurePeriod', 'leastResponseTimePeriod', 'requestConsolidationTimeout'],
  'validationInterval',
]);

/** The scalars of a part as attributes, times as time spans. */
function scalars(part: object): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(part).flatMap(([name, value]) => {
      if (typeof value === 'object' || value === undefined) return [];
      return [[name, times.has(name) && typeof value === 'number' ? timeSpan(value) : value]];
    }),
  );
}

function timeSpan(seconds: number): string {
  const two = (number: number) => String(Math.floor(number)).padStart(2, '0');
  const rest = seconds % 86400;
  const clock = `${two(rest / 3600)}:${two((rest % 3600) / 60)}:${two(rest % 60)}`;
  const fraction = Math.round((seconds % 1) * 1000);
  return `${seconds >= 86400 ? `${Math.floor(seconds / 86400)}.` : ''}${clock}${fraction > 0 ? `.${String(fraction).padStart(3, '0')}` : ''}`;
}

const matchOf = (match: Plain<MatchConfig>) => element('match', scalars(match));
const conditionsOf = ({ entries, ...rest }: Plain<ConditionsConfig>) =>
  element('conditions', scalars(rest), ...entries.map((entry) => element('add', scalars(entry))));
const variablesOf = (list: readonly Plain<SetVariableConfig>[]) =>
  element('serverVariables', {}, ...list.map((one) => element('set', scalars(one))));

function actionOf({ logRewrittenUrl, ...action }: Plain<ActionConfig>): string {
  // Global rules have no such attribute.
  return element('action', { ...scalars(action), ...(logRewrittenUrl ? { logRewrittenUrl } : {}) });
}

function ruleOf({ basePath: _, match, conditions, serverVariables, action, ...rule }: Plain<RuleConfig>): string {
  const parts = [match && matchOf(match), conditions && conditionsOf(conditions), variablesOf(serverVariables)];
  return element('rule', scalars(rule), ...parts.filter((part) => part !== undefined), actionOf(action));
}

function mapOf({ entries, ...map }: Plain<RewriteMapConfig>): string {
  return element('rewriteMap', scalars(map), ...entries.map((entry) => element('add', scalars(entry))));
}

function rewriteOf(section: 'globalRules' | 'rules', set: Plain<RuleSetConfig>, shared: boolean): string {
  const { rules, useOriginalURLEncoding } = set;
  const own = element(section, { useOriginalURLEncoding }, ...rules.map(ruleOf));
  if (!shared) return element('rewrite', {}, own);
  return element(
    'rewrite',
    {},
    own,
    element('rewriteMaps', {}, ...set.rewriteMaps.map(mapOf)),
    element('allowedServerVariables', {}, ...set.allowedServerVariables.map((name) => element('add', { name }))),
    element('providers', {}, ...set.providers.map((name) => element('provider', { name, type: 'T' }))),
  );
}

function protocolOf(
  name: string,
  { cache, ...protocol }: Omit<Plain<ProxyConfig>, 'enabled'> & { enabled?: boolean },
): string {
  const { alternateHostName, ...rest } = protocol;
  // The proxy of the server has no such attribute.
  const own = name === 'proxy' ? rest : { ...rest, alternateHostName };
  return element(name, scalars(own), element('cache', scalars(cache)));
}

function farmOf({
  name,
  enabled,
  servers,
  protocol,
  healthCheck,
  affinity,
  loadBalancing,
  publicKeys,
}: Plain<WebFarmConfig>): string {
  const { passConnectionCloseHeader, passServerHeader, ...rest } = protocol;
  const { hosts, ...affinityRest } = affinity;
  const hostsWritten = hosts.map(({ equivalentHosts, ...host }) =>
    element('host', scalars(host), ...equivalentHosts.map((other) => element('equivalentHost', { name: other }))),
  );
  const serverOf = ({ address, enabled: isEnabled, ...settings }: Plain<WebFarmConfig>['servers'][number]) => {
    const { hostName, healthCheckAlternateHostName, ...numbers } = settings;
    // Empty is not a value that these may have.
    const names = {
      hostName: hostName || undefined,
      healthCheckAlternateHostName: healthCheckAlternateHostName || undefined,
    };
    return element(
      'server',
      { address, enabled: isEnabled },
      element('applicationRequestRouting', { ...names, ...numbers }),
    );
  };
  return element(
    'webFarm',
    { name, enabled, passConnectionCloseHeader, passServerHeader },
    ...servers.map(serverOf),
    element(
      'applicationRequestRouting',
      {},
      protocolOf('protocol', rest as Plain<ProxyConfig>),
      element('healthCheck', scalars(healthCheck)),
      element('affinity', scalars(affinityRest), ...hostsWritten),
      element('loadBalancing', scalars(loadBalancing)),
      element('publicKeys', {}, ...publicKeys.map((key) => element('publicKey', scalars(key)))),
    ),
  );
}

function siteOf({ name, id, bindings, applications }: PlainConfig['sites'][number]): string {
  const bindingOf = ({ protocol, address, port, host, sslFlags }: (typeof bindings)[number]) => {
    const written = address.includes(':') ? `[${address}]` : address;
    return element('binding', { protocol, bindingInformation: `${written}:${port}:${host}`, sslFlags });
  };
  return element(
    'site',
    { name, id },
    ...applications.map((path) => element('application', { path })),
    element('bindings', {}, ...bindings.map(bindingOf)),
  );
}

/** The whole file; the rules of the first site stand in a location element. */
export function printModel({ sites, globalRules, siteRules, webFarms, proxy }: PlainConfig): string {
  const location = element(
    'location',
    { path: sites[0]?.name },
    element('system.webServer', {}, rewriteOf('rules', siteRules, false)),
  );
  return element(
    'configuration',
    {},
    element('system.applicationHost', {}, element('sites', {}, ...sites.map(siteOf))),
    element('webFarms', {}, ...webFarms.map(farmOf)),
    element('system.webServer', {}, protocolOf('proxy', proxy), rewriteOf('globalRules', globalRules, true)),
    location,
  );
}
