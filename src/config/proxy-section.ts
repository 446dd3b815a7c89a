/** Tables of `system.webServer/proxy` and `system.webServer/diskCache`. */
import type { ProxyConfig } from './farm-model.ts';
import { cacheElement, passServerHeader, protocolAttributes, protocolOf } from './protocol-attributes.ts';
import { boolOf } from './schema.ts';
import type { AttributeSchema } from './schema-values.ts';
import type { ElementSchema, SectionNode } from './section-tables.ts';

const off: AttributeSchema = { type: 'bool', default: false };
const on: AttributeSchema = { type: 'bool', default: true };
const text: AttributeSchema = { type: 'string' };

/** Not the defaults of a farm: 120 seconds, the server's own host name, and Location rewritten. */
export const proxySection: ElementSchema = {
  attributes: {
    enabled: off,
    ...protocolAttributes,
    timeout: { type: 'timeSpan', range: [1, 86400], default: 120 },
    preserveHostHeader: off,
    reverseRewriteHostInResponseHeaders: on,
    passConnectionCloseHeader: off,
    passServerHeader,
  },
  elements: { cache: cacheElement },
};

/** Accepted so that files load; nothing is cached. */
export const diskCacheSection: ElementSchema = {
  attributes: {
    allowedAcceptEncoding: text,
    byteRangeSegmentSize: { type: 'uint', range: [0, 4194303] },
    scavengerInterval: { type: 'timeSpan', range: [0, 86400] },
    lowWatermark: { type: 'uint', range: [0, 100] },
    highWatermark: { type: 'uint', range: [0, 100] },
  },
  elements: {
    sharedDriveLocation: { attributes: { path: text } },
    driveLocationHealth: {
      attributes: {
        enabled: off,
        diskQueueLengthLowWatermark: { type: 'uint' },
        diskQueueLengthHighWatermark: { type: 'uint' },
      },
    },
    compression: {
      attributes: { enabled: on, level: { type: 'int', range: [0, 10] } },
      collection: {
        add: {
          add: {
            attributes: { mimeType: { type: 'string', required: true }, enabled: { type: 'bool', required: true } },
          },
        },
        remove: true,
        clear: true,
        key: ['mimeType'],
      },
    },
  },
  collection: {
    add: {
      driveLocation: {
        attributes: {
          path: { type: 'string', required: true, nonEmpty: true },
          maxUsage: { type: 'uint', required: true },
        },
      },
    },
    remove: true,
    clear: true,
    key: ['path'],
  },
};

export function proxyOf(node: SectionNode): ProxyConfig {
  return { ...protocolOf(node, node), enabled: boolOf(node, 'enabled') };
}
