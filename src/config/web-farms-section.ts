/** Table of the `webFarms` section: what the Web Farm Framework and ARR allow together. */

import { asciiAuthority } from '../host-name.ts';
import type { AffinityConfig, HealthCheckConfig, ServerConfig, WebFarmConfig } from './farm-model.ts';
import { hostText } from './host-text.ts';
import { cacheElement, passServerHeader, protocolAttributes, protocolOf } from './protocol-attributes.ts';
import { boolOf, childOf, entriesOf, enumOf, holdsFault, numberOf, stringOf, textOf } from './schema.ts';
import type { AttributeSchema } from './schema-values.ts';
import type { ElementSchema, SectionNode } from './section-tables.ts';
import type { Text } from './text.ts';

const text: AttributeSchema = { type: 'string', default: '' };
const filled: AttributeSchema = { type: 'string', nonEmpty: true };
const name: AttributeSchema = { type: 'string', required: true, nonEmpty: true };
const on: AttributeSchema = { type: 'bool', default: true };
const off: AttributeSchema = { type: 'bool', default: false };
const UINT_MAX = 4294967295;

function time(initial: number, range?: readonly [number, number]): AttributeSchema {
  return { type: 'timeSpan', default: initial, ...(range === undefined ? {} : { range }) };
}

const server: ElementSchema = {
  attributes: { address: name, enabled: on },
  elements: {
    applicationRequestRouting: {
      attributes: {
        httpPort: { type: 'uint', range: [1, 65535], default: 80 },
        httpsPort: { type: 'uint', range: [1, 65535], default: 443 },
        weight: { type: 'uint', range: [1, UINT_MAX], default: 100 },
        hostName: filled,
        healthCheckAlternateHostName: filled,
        healthCheckAlternatePort: { type: 'uint', range: [0, 65535], default: 0 },
      },
      hints: { port: 'Write httpPort or httpsPort: the scheme of the rule decides which one is used.' },
    },
  },
  hints: {
    port: 'Put <applicationRequestRouting httpPort="…" httpsPort="…" /> into the <server>.',
    httpPort: 'Put <applicationRequestRouting httpPort="…" /> into the <server>.',
    httpsPort: 'Put <applicationRequestRouting httpsPort="…" /> into the <server>.',
    weight: 'Put <applicationRequestRouting weight="…" /> into the <server>.',
    name: 'Write address instead of name.',
    healthCheck: 'Put <healthCheck> into <applicationRequestRouting> of the <webFarm>: all servers share it.',
  },
};

const healthCheck: ElementSchema = {
  attributes: {
    url: text,
    // The schema names a range of 0 to 20 but no validator, so IIS does not check it.
    retries: { type: 'uint', default: 3 },
    interval: time(30, [0, 86400]),
    timeout: time(30, [1, 86400]),
    statusCodeMatch: { type: 'string', default: '200-399' },
    responseMatch: text,
    liveTrafficFailureCodes: { type: 'string', default: '500-' },
    maxLiveTrafficFailures: { type: 'uint', range: [1, UINT_MAX], default: 10 },
    liveTrafficFailurePeriod: time(0, [0, 86400]),
    minServers: { type: 'uint', default: 0 },
  },
};

const affinity: ElementSchema = {
  attributes: {
    useCookie: off,
    cookieName: { type: 'string', nonEmpty: true, default: 'ARRAffinity' },
    useHostName: off,
    hostCountersEnabled: on,
    useServerProvider: off,
    serverProviderImage: text,
    timeout: { type: 'timeSpan', range: [60, 2592000], granularity: 60, default: 1200 },
    useExternalCache: off,
    ignoreSubDomain: off,
    ignoreSubDomainClientAffinity: off,
    ignoreSubDomainFragmentDepth: { type: 'int', range: [0, 32767], default: 2 },
    hostAffinityProvider: { type: 'string', default: 'Microsoft.Web.Arr.HostNameRoundRobin' },
  },
  collection: {
    add: {
      host: {
        attributes: { name, servers: { type: 'uint', range: [1, 256], default: 1 } },
        collection: { add: { equivalentHost: { attributes: { name } } }, remove: true, clear: true, key: ['name'] },
      },
    },
    remove: true,
    clear: true,
    key: ['name'],
  },
};

export const algorithms = [
  'WeightedRoundRobin',
  'LeastRequests',
  'LeastResponseTime',
  'WeightedTotalTraffic',
  'RequestHash',
];

const routing: ElementSchema = {
  elements: {
    protocol: {
      attributes: { ...protocolAttributes, alternateHostName: text },
      elements: { cache: cacheElement },
      hints: {
        passServerHeader: 'Write it on <webFarm>.',
        passConnectionCloseHeader: 'Write it on <webFarm>.',
        enabled: 'Remove it: a farm is switched by enabled on <webFarm>.',
      },
    },
    healthCheck,
    affinity,
    loadBalancing: {
      attributes: {
        algorithm: { type: 'enum', names: algorithms, default: 'WeightedRoundRobin' },
        leastResponseTimePeriod: time(5, [1, 86400]),
        hashServerVariable: text,
        queryStringNames: text,
        randomizeLBTies: off,
      },
    },
    publicKeys: {
      collection: {
        add: { publicKey: { attributes: { bytes: name, algorithmOid: text } } },
        remove: true,
        clear: true,
        key: ['bytes'],
      },
    },
  },
};

const inRouting = (what: string) => `Put <${what}> into <applicationRequestRouting> of the <webFarm>.`;
const ignored: ElementSchema = { open: true };

const webFarm: ElementSchema = {
  attributes: {
    name: { type: 'string', required: true, siteName: true },
    enabled: on,
    autoEnableAgent: on,
    adminUserName: text,
    adminPassword: text,
    minimumServers: { type: 'int', default: 0 },
    agentUrl: text,
    restartServerOnConfigurationChange: on,
    restartServerIfReady: on,
    primaryServer: text,
    loadBalancerProvider: text,
    periodicRuntimeData: time(1),
    enableRuntimeData: on,
    maximumStoppedServers: { type: 'int', default: 1 },
    agentRetryTime: time(300),
    frontEndUrl: text,
    serverAutoStart: on,
    passConnectionCloseHeader: off,
    passServerHeader,
  },
  elements: {
    platformProvision: ignored,
    applicationProvision: ignored,
    customProviderSettings: ignored,
    runProviders: ignored,
    autoRepair: ignored,
    defaultProxy: ignored,
    applicationRequestRouting: routing,
  },
  collection: { add: { server }, key: ['address'] },
  hints: {
    healthCheck: inRouting('healthCheck'),
    loadBalancing: inRouting('loadBalancing'),
    loadBalance: 'Write <applicationRequestRouting><loadBalancing algorithm="…" /></applicationRequestRouting>.',
    affinity: inRouting('affinity'),
    protocol: inRouting('protocol'),
    cache: 'Put <cache> into <protocol> of <applicationRequestRouting>.',
    servers: 'Put the <server> elements directly into the <webFarm>.',
    add: 'Write <server address="…" />.',
  },
};

export const webFarmsSection: ElementSchema = {
  attributes: { onDemandHealthCheck: off },
  elements: {
    applicationRequestRouting: {
      elements: {
        hostAffinityProviderList: {
          collection: { add: { add: { attributes: { name } } }, remove: true, clear: true, key: ['name'] },
        },
      },
    },
  },
  collection: { add: { webFarm }, key: ['name'] },
  hints: { add: 'Write <webFarm name="…">.' },
};

function serverOf(node: SectionNode): ServerConfig {
  const settings = childOf(node, 'applicationRequestRouting');
  return {
    span: node.span,
    address: hostText(textOf(node, 'address') ?? { value: '', span: node.nameSpan }),
    enabled: boolOf(node, 'enabled'),
    httpPort: numberOf(settings, 'httpPort'),
    httpsPort: numberOf(settings, 'httpsPort'),
    weight: numberOf(settings, 'weight'),
    hostName: asciiAuthority(stringOf(settings, 'hostName')),
    healthCheckAlternateHostName: asciiAuthority(stringOf(settings, 'healthCheckAlternateHostName')),
    healthCheckAlternatePort: numberOf(settings, 'healthCheckAlternatePort'),
  };
}

function healthCheckOf(node: SectionNode): HealthCheckConfig {
  return {
    url: stringOf(node, 'url'),
    retries: numberOf(node, 'retries'),
    interval: numberOf(node, 'interval'),
    timeout: numberOf(node, 'timeout'),
    statusCodeMatch: stringOf(node, 'statusCodeMatch'),
    responseMatch: stringOf(node, 'responseMatch'),
    liveTrafficFailureCodes: stringOf(node, 'liveTrafficFailureCodes'),
    maxLiveTrafficFailures: numberOf(node, 'maxLiveTrafficFailures'),
    liveTrafficFailurePeriod: numberOf(node, 'liveTrafficFailurePeriod'),
    minServers: numberOf(node, 'minServers'),
  };
}

/** With the place of the element where the attribute is not written. */
function placedOf(node: SectionNode, attribute: string): Text {
  return textOf(node, attribute) ?? { value: stringOf(node, attribute), span: node.nameSpan };
}

function affinityOf(node: SectionNode): AffinityConfig {
  return {
    span: node.nameSpan,
    useCookie: boolOf(node, 'useCookie'),
    cookieName: placedOf(node, 'cookieName'),
    useHostName: boolOf(node, 'useHostName'),
    hostCountersEnabled: boolOf(node, 'hostCountersEnabled'),
    useServerProvider: boolOf(node, 'useServerProvider'),
    serverProviderImage: stringOf(node, 'serverProviderImage'),
    timeout: numberOf(node, 'timeout'),
    useExternalCache: boolOf(node, 'useExternalCache'),
    ignoreSubDomain: boolOf(node, 'ignoreSubDomain'),
    ignoreSubDomainClientAffinity: boolOf(node, 'ignoreSubDomainClientAffinity'),
    ignoreSubDomainFragmentDepth: numberOf(node, 'ignoreSubDomainFragmentDepth'),
    hostAffinityProvider: placedOf(node, 'hostAffinityProvider'),
    hosts: entriesOf(node).map((host) => ({
      name: asciiAuthority(stringOf(host, 'name')),
      servers: numberOf(host, 'servers'),
      equivalentHosts: entriesOf(host).map((other) => asciiAuthority(stringOf(other, 'name'))),
    })),
  };
}

export function webFarmOf(node: SectionNode): WebFarmConfig {
  const settings = childOf(node, 'applicationRequestRouting');
  const balancing = childOf(settings, 'loadBalancing');
  return {
    span: node.span,
    ...(holdsFault(node) ? { faulty: true } : {}),
    name: textOf(node, 'name') ?? { value: '', span: node.nameSpan },
    enabled: boolOf(node, 'enabled'),
    servers: entriesOf(node).map(serverOf),
    protocol: protocolOf(childOf(settings, 'protocol'), node),
    healthCheck: healthCheckOf(childOf(settings, 'healthCheck')),
    affinity: affinityOf(childOf(settings, 'affinity')),
    loadBalancing: {
      algorithm: enumOf(balancing, 'algorithm'),
      leastResponseTimePeriod: numberOf(balancing, 'leastResponseTimePeriod'),
      hashServerVariable: placedOf(balancing, 'hashServerVariable'),
      queryStringNames: placedOf(balancing, 'queryStringNames'),
      randomizeLBTies: boolOf(balancing, 'randomizeLBTies'),
    },
    publicKeys: entriesOf(childOf(settings, 'publicKeys')).map((key) => ({
      bytes: textOf(key, 'bytes') ?? { value: '', span: key.nameSpan },
      algorithmOid: stringOf(key, 'algorithmOid'),
    })),
  };
}
