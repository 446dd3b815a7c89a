/** A model printed as XML and read again is the same model, whatever names and values it holds. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadFile } from '../../src/config/load-config.ts';
import { protocolAttributes } from '../../src/config/protocol-attributes.ts';
import { proxySection } from '../../src/config/proxy-section.ts';
import type { RuleConfig } from '../../src/config/rewrite-model.ts';
import type { AttributeSchema } from '../../src/config/schema-values.ts';
import type { ElementSchema } from '../../src/config/section-tables.ts';
import { webFarmsSection } from '../../src/config/web-farms-section.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { type Plain, type PlainConfig, plainOf, printModel } from './print-model.ts';
import { writeFiles } from './written.ts';

const pieces = [
  'a',
  'B',
  '7',
  ' ',
  '&',
  '<',
  '>',
  '"',
  "'",
  '{R:1}',
  '%20',
  '\t',
  '\n',
  'é',
  '😀',
  ']]>',
  '&amp;',
  '\\',
  '',
];
const text = fc.array(fc.constantFrom(...pieces), { maxLength: 5 }).map((list) => list.join(''));
/** A model has the names of hosts in ASCII. */
const asciiOnly = (name: string) => name.replace(/[^\x00-\x7f]/g, '');
const trimmed = text.map((value) => value.trim());
const filled = text.map((value) => `${value}x`);
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/);

function anyOf(schema: AttributeSchema): fc.Arbitrary<string | number | boolean> {
  const [min = 0, max = 100_000] = schema.range ?? [];
  if (schema.type === 'bool') return fc.boolean();
  if (schema.type === 'enum') return fc.constantFrom(...(schema.names ?? []));
  if (schema.type === 'timeSpan') {
    const step = schema.granularity ?? 1;
    return fc.integer({ min: 0, max: Math.floor((max - min) / step) }).map((count) => min + count * step);
  }
  if (schema.type !== 'string') return fc.integer({ min, max });
  return schema.nonEmpty === true ? filled : text;
}

/** A value for every attribute of an element, by its table; `path` leads from the section to the element. */
function attributes(section: ElementSchema, ...path: readonly string[]): fc.Arbitrary<Record<string, never>> {
  let schema: ElementSchema | undefined = section;
  for (const name of path) schema = schema?.elements?.[name] ?? schema?.collection?.add[name];
  return fc.record(
    Object.fromEntries(Object.entries(schema?.attributes ?? {}).map(([name, one]) => [name, anyOf(one)])),
  ) as never;
}

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const unique = <T>(item: fc.Arbitrary<T>, key: (item: T) => string, maxLength = 3) =>
  fc.uniqueArray(item, { maxLength, selector: (one) => key(one).toLowerCase() });
/** Properties that are undefined are absent in the model. */
const compact = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;

/** Absent and empty are the same key. */
const keyParts = ['input', 'matchType', 'pattern', 'ignoreCase', 'negate'] as const;

function condition(global: boolean) {
  return fc
    .record({
      input: optional(text),
      matchType: global ? fc.constant('Pattern') : fc.constantFrom('Pattern', 'IsFile', 'IsDirectory'),
      pattern: optional(text),
      ignoreCase: fc.boolean(),
      negate: fc.boolean(),
    })
    .map(compact);
}

function rule(global: boolean): fc.Arbitrary<Plain<RuleConfig>> {
  const action = fc
    .record({
      type: fc.constantFrom('None', 'Rewrite', 'Redirect', 'CustomResponse', 'AbortRequest'),
      url: optional(trimmed),
      appendQueryString: fc.boolean(),
      logRewrittenUrl: global ? fc.constant(false) : fc.boolean(),
      redirectType: fc.constantFrom('Permanent', 'Found', 'SeeOther', 'Temporary'),
      statusCode: optional(fc.constantFrom(0, 200, 299, 308, 4294967295)),
      subStatusCode: fc.integer({ min: 0, max: 999 }),
      statusReason: optional(text),
      statusDescription: optional(text),
    })
    .map(compact);
  const match = fc.record({ url: optional(filled), ignoreCase: fc.boolean(), negate: fc.boolean() }).map(compact);
  const variable = fc.record({ name: filled.map((name) => name.trim()), value: optional(text), replace: fc.boolean() });
  return fc
    .record({
      name: text,
      basePath: fc.constant('/'),
      enabled: fc.boolean(),
      stopProcessing: fc.boolean(),
      patternSyntax: fc.constantFrom('ECMAScript', 'Wildcard', 'ExactMatch'),
      responseCacheDirective: fc.constantFrom('Auto', 'Always', 'Never', 'NotIfRuleMatched'),
      match: optional(match),
      conditions: optional(
        fc.record({
          logicalGrouping: fc.constantFrom('MatchAll', 'MatchAny'),
          trackAllCaptures: fc.boolean(),
          entries: unique(condition(global), (one) => keyParts.map((part) => one[part] ?? '').join('\0')),
        }),
      ),
      serverVariables: unique(variable.map(compact), ({ name }) => name),
      action,
    })
    .map(compact) as fc.Arbitrary<Plain<RuleConfig>>;
}

const map = fc.record({
  name: filled.map((name) => name.trim()),
  defaultValue: text,
  ignoreCase: fc.constant(false),
  entries: fc.uniqueArray(fc.record({ key: text, value: text }), { maxLength: 3, selector: ({ key }) => key }),
});
const shared = fc.record({
  rewriteMaps: unique(map, ({ name }) => name),
  allowedServerVariables: unique(text, (name) => name),
  providers: unique(trimmed, (name) => name),
});
const ownRules = (global: boolean) =>
  fc.record({ rules: unique(rule(global), ({ name }) => name), useOriginalURLEncoding: fc.boolean() });

const cache = attributes(proxySection, 'cache');
const farmPart = (...path: readonly string[]) =>
  attributes(webFarmsSection, 'webFarm', 'applicationRequestRouting', ...path);
// Empty is as good as absent for these.
const certificate = { clientCertFileName: filled, clientCertPassword: filled, clientCertHash: filled };
const protocol = fc.record({
  ...Object.fromEntries(Object.entries(protocolAttributes).map(([name, schema]) => [name, anyOf(schema)])),
  ...certificate,
  alternateHostName: text.map(asciiOnly),
  passConnectionCloseHeader: fc.boolean(),
  passServerHeader: fc.constantFrom('Replace', 'Remove', 'PassThrough'),
  cache,
});
const host = fc.record({
  name: filled.map(asciiOnly),
  servers: fc.integer({ min: 1, max: 256 }),
  equivalentHosts: unique(filled.map(asciiOnly), (name) => name),
});
const server = fc
  .tuple(filled, fc.boolean(), attributes(webFarmsSection, 'webFarm', 'server', 'applicationRequestRouting'))
  .map(([address, enabled, rest]) => ({ address: asciiOnly(address), enabled, ...rest, ...asciiHostsOf(rest) }));

function asciiHostsOf(server: Record<string, string>): Record<string, string> {
  const hosts = ['hostName', 'healthCheckAlternateHostName'];
  return Object.fromEntries(hosts.map((name) => [name, asciiOnly(server[name] ?? '')]));
}

const codes = fc.constantFrom('200-399', '500-', '200, 204,301 - 399');
const farm = fc.record({
  name: word,
  enabled: fc.boolean(),
  servers: unique(server, ({ address }) => address),
  protocol,
  healthCheck: fc
    .tuple(farmPart('healthCheck'), fc.constantFrom('', 'http://pool/a?b', 'https://pool:8443'), codes, codes)
    .map(([rest, url, statusCodeMatch, liveTrafficFailureCodes]) => ({
      ...rest,
      ...{ url, statusCodeMatch, liveTrafficFailureCodes },
    })),
  affinity: fc
    .tuple(
      farmPart('affinity'),
      unique(host, ({ name }) => name),
    )
    .map(([rest, hosts]) => ({ ...rest, hosts })),
  loadBalancing: farmPart('loadBalancing'),
  publicKeys: unique(fc.record({ bytes: filled, algorithmOid: text }), ({ bytes }) => bytes),
});

const binding = fc.record({
  protocol: fc.constantFrom('http', 'https'),
  address: fc.constantFrom('*', '10.0.0.5', '2001:db8::5'),
  port: fc.integer({ min: 1, max: 65535 }),
  host: fc.constantFrom('', 'www.contoso.com', '*.contoso.com'),
  sslFlags: fc.integer({ min: 0, max: 255 }),
});
const site = fc.record({
  name: word,
  id: fc.integer({ min: 1, max: 4294967295 }),
  bindings: unique(binding, ({ port }) => String(port)),
  applications: unique(word, (name) => name).map((names) => ['/', ...names.map((name) => `/${name}`)]),
});

const config = fc
  .record({
    sites: fc
      .array(site, { minLength: 1, maxLength: 2 })
      .map((sites) => sites.map((one, index) => ({ ...one, name: `${one.name}${index}`, id: index + 1 }))),
    shared,
    global: ownRules(true),
    own: ownRules(false),
    webFarms: unique(farm, ({ name }) => name, 2),
    proxy: fc.tuple(fc.boolean(), protocol).map(([enabled, rest]) => ({ enabled, ...rest, alternateHostName: '' })),
  })
  .map(({ sites, shared: both, global, own, webFarms, proxy }) => ({
    sites,
    globalRules: { ...both, ...global },
    siteRules: { ...both, ...own },
    webFarms,
    proxy,
  })) as unknown as fc.Arbitrary<PlainConfig>;

it('printing and reading give the model again', () => {
  const file = join(writeFiles({ 'applicationHost.config': '' }), 'applicationHost.config');
  fc.assert(
    fc.property(config, (model) => {
      writeFileSync(file, printModel(model));
      const { config: again, diagnostics } = loadFile(file);
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      // Any text is made up for the address of a server, and read as it is; that few are one is told of each.
      const addresses = errors.filter(({ code }) => code === 'LG3025');
      expect(errors).toEqual(addresses);
      const servers = model.webFarms.flatMap((farm) => farm.servers);
      expect(addresses.length).toBe(
        Math.min(100, servers.filter(({ address }) => !/^[a-z\d]*x$/i.test(address)).length),
      );
      const sites = again?.sites.map(({ scopes: _, ...rest }) => rest);
      const siteRules = again?.sites[0]?.scopes.at(-1)?.ruleSet;
      const { globalRules, webFarms, proxy } = again ?? {};
      expect(plainOf({ sites, globalRules, siteRules, webFarms, proxy })).toEqual(model);
    }),
    { numRuns: runs(200) },
  );
});
