/** Attributes that a farm's `protocol` and `system.webServer/proxy` share, and the settings made from them. */

import { asciiAuthority } from '../host-name.ts';
import type { ProtocolConfig } from './farm-model.ts';
import { boolOf, childOf, enumOf, numberOf, stringOf, textOf } from './schema.ts';
import type { AttributeSchema } from './schema-values.ts';
import type { ElementSchema, SectionNode } from './section-tables.ts';
import type { Text } from './text.ts';

const text: AttributeSchema = { type: 'string', default: '' };
const on: AttributeSchema = { type: 'bool', default: true };
const off: AttributeSchema = { type: 'bool', default: false };

function value(initial: string): AttributeSchema {
  return { type: 'string', default: initial };
}

export const passServerHeader: AttributeSchema = {
  type: 'enum',
  names: ['Replace', 'Remove', 'PassThrough'],
  default: 'Replace',
};

/** The shared attributes; the three defaults that differ are for the caller to set. */
export const protocolAttributes = {
  httpVersion: { type: 'enum', names: ['Http10', 'Http11', 'PassThrough'], default: 'PassThrough' },
  keepAlive: on,
  timeout: { type: 'timeSpan', range: [1, 86400], default: 30 },
  preserveHostHeader: on,
  reverseRewriteHostInResponseHeaders: off,
  xForwardedByHeaderName: value('X-Forwarded-By'),
  xForwardedByHeader: text,
  xForwardedForHeaderName: value('X-Forwarded-For'),
  includePortInXForwardedFor: on,
  arrResponseHeader: on,
  sslHeaderName: value('X-ARR-SSL'),
  clientCertHeaderName: value('X-ARR-ClientCert'),
  logGuidName: value('X-ARR-LOG-ID'),
  logCacheHitName: value('X-ARR-CACHE-HIT'),
  maxForwards: { type: 'uint', default: 10 },
  minResponseBuffer: { type: 'uint', range: [0, 4194303], default: 256 },
  responseBufferLimit: { type: 'uint', range: [0, 4194303], default: 4096 },
  maxResponseHeaderSize: { type: 'uint', default: 65536 },
  proxy: text,
  proxyBypass: text,
  stealthMode: off,
  clientCertFileName: text,
  clientCertPassword: text,
  clientCertHash: text,
  bufferChunkedResponses: on,
} as const satisfies Record<string, AttributeSchema>;

export const cacheElement: ElementSchema = {
  attributes: {
    enabled: on,
    requestConsolidationEnabled: off,
    requestConsolidationTimeout: { type: 'timeSpan', default: 0.1 },
    queryStringHandling: { type: 'enum', names: ['Ignore', 'NoCaching', 'Accept'], default: 'Ignore' },
    validationInterval: { type: 'timeSpan', range: [0, 86400], default: 60 },
  },
};

/** @param server the node that holds passServerHeader and passConnectionCloseHeader: the farm, or the proxy section itself */
export function protocolOf(node: SectionNode, server: SectionNode): ProtocolConfig {
  const cache = childOf(node, 'cache');
  return {
    span: node.span,
    httpVersion: enumOf(node, 'httpVersion'),
    keepAlive: boolOf(node, 'keepAlive'),
    timeout: numberOf(node, 'timeout'),
    preserveHostHeader: boolOf(node, 'preserveHostHeader'),
    alternateHostName: asciiAuthority(stringOf(node, 'alternateHostName')),
    reverseRewriteHostInResponseHeaders: boolOf(node, 'reverseRewriteHostInResponseHeaders'),
    xForwardedByHeaderName: stringOf(node, 'xForwardedByHeaderName'),
    xForwardedByHeader: stringOf(node, 'xForwardedByHeader'),
    xForwardedForHeaderName: stringOf(node, 'xForwardedForHeaderName'),
    includePortInXForwardedFor: boolOf(node, 'includePortInXForwardedFor'),
    arrResponseHeader: boolOf(node, 'arrResponseHeader'),
    sslHeaderName: stringOf(node, 'sslHeaderName'),
    clientCertHeaderName: stringOf(node, 'clientCertHeaderName'),
    logGuidName: stringOf(node, 'logGuidName'),
    logCacheHitName: stringOf(node, 'logCacheHitName'),
    maxForwards: numberOf(node, 'maxForwards'),
    minResponseBuffer: node.values.has('minResponseBuffer') ? numberOf(node, 'minResponseBuffer') : 0,
    responseBufferLimit: numberOf(node, 'responseBufferLimit'),
    maxResponseHeaderSize: numberOf(node, 'maxResponseHeaderSize'),
    proxy: stringOf(node, 'proxy'),
    proxyBypass: stringOf(node, 'proxyBypass'),
    stealthMode: boolOf(node, 'stealthMode'),
    ...filled(node, 'clientCertFileName'),
    ...filled(node, 'clientCertPassword'),
    ...filled(node, 'clientCertHash'),
    bufferChunkedResponses: boolOf(node, 'bufferChunkedResponses'),
    passConnectionCloseHeader: boolOf(server, 'passConnectionCloseHeader'),
    passServerHeader: enumOf(server, 'passServerHeader'),
    cache: {
      enabled: boolOf(cache, 'enabled'),
      requestConsolidationEnabled: boolOf(cache, 'requestConsolidationEnabled'),
      requestConsolidationTimeout: numberOf(cache, 'requestConsolidationTimeout'),
      queryStringHandling: enumOf(cache, 'queryStringHandling'),
      validationInterval: numberOf(cache, 'validationInterval'),
    },
  };
}

/** Left out where it is empty, as well. */
function filled<Name extends string>(node: SectionNode, name: Name): { readonly [Key in Name]?: Text } {
  const written = textOf(node, name);
  return (written === undefined || written.value === '' ? {} : { [name]: written }) as {
    readonly [Key in Name]?: Text;
  };
}
