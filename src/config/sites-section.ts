/** Table of `system.applicationHost/sites`: sites, their applications and bindings. */

import { asciiName, doubtAbout, isHostName, isInternational } from '../host-name.ts';
import { nearest } from '../nearest.ts';
import type { BindingConfig } from './model.ts';
import { parseAddress } from './network-address.ts';
import { numberOf, stringOf, textOf } from './schema.ts';
import type { AttributeSchema } from './schema-values.ts';
import type { ElementSchema, SectionContext, SectionNode } from './section-tables.ts';

const text: AttributeSchema = { type: 'string' };
const on: AttributeSchema = { type: 'bool', default: true };
const off: AttributeSchema = { type: 'bool', default: false };
const ignored: ElementSchema = { open: true };

const virtualDirectoryAttributes = {
  physicalPath: text,
  userName: text,
  password: text,
  logonMethod: { type: 'enum', names: ['Interactive', 'Batch', 'Network', 'ClearText'], default: 'ClearText' },
  allowSubDirConfig: on,
} as const satisfies Record<string, AttributeSchema>;

const applicationAttributes = {
  applicationPool: text,
  enabledProtocols: { type: 'string', default: 'http' },
  serviceAutoStartEnabled: off,
  serviceAutoStartProvider: text,
  preloadEnabled: off,
} as const satisfies Record<string, AttributeSchema>;

const virtualDirectoryDefaults: ElementSchema = { attributes: virtualDirectoryAttributes };

const application: ElementSchema = {
  attributes: { path: { type: 'string', required: true }, ...applicationAttributes },
  elements: { virtualDirectoryDefaults },
  collection: {
    add: {
      virtualDirectory: { attributes: { path: { type: 'string', required: true }, ...virtualDirectoryAttributes } },
    },
    key: ['path'],
  },
};

const binding: ElementSchema = {
  attributes: {
    protocol: { type: 'string', required: true, nonEmpty: true },
    bindingInformation: { type: 'string', required: true },
    sslFlags: { type: 'uint', range: [0, 255], default: 0 },
  },
  hints: {
    host: 'Write it into bindingInformation, as in "*:443:www.contoso.com".',
    port: 'Write it into bindingInformation, as in "*:443:www.contoso.com".',
    certificateHash: 'Remove it: certificates are files, matched to bindings by the names in them.',
    certificateStoreName: 'Remove it: certificates are files, matched to bindings by the names in them.',
  },
};

const bindings: ElementSchema = {
  collection: { add: { binding }, clear: true, key: ['protocol', 'bindingInformation'] },
  hints: { add: 'Write <binding protocol="https" bindingInformation="*:443:" />.' },
};

const siteElements: Readonly<Record<string, ElementSchema>> = {
  bindings,
  limits: {
    attributes: {
      maxBandwidth: { type: 'uint' },
      maxConnections: { type: 'uint' },
      connectionTimeout: { type: 'timeSpan', default: 120 },
      maxUrlSegments: { type: 'uint' },
    },
  },
  logFile: ignored,
  traceFailedRequestsLogging: ignored,
  hsts: {
    attributes: {
      enabled: off,
      'max-age': { type: 'uint' },
      includeSubDomains: off,
      preload: off,
      redirectHttpToHttps: off,
    },
  },
  ftpServer: ignored,
};

const applicationDefaults: ElementSchema = { attributes: applicationAttributes };

const site: ElementSchema = {
  attributes: {
    name: { type: 'string', required: true, siteName: true },
    id: { type: 'uint', required: true, range: [1, 4294967295] },
    serverAutoStart: on,
  },
  elements: { ...siteElements, applicationDefaults, virtualDirectoryDefaults },
  collection: { add: { application }, key: ['path'] },
};

export const sitesSection: ElementSchema = {
  elements: {
    siteDefaults: { attributes: { serverAutoStart: on }, elements: siteElements },
    applicationDefaults,
    virtualDirectoryDefaults,
  },
  collection: { add: { site }, key: ['name'] },
  hints: { add: 'Write <site name="…" id="…">.' },
};

/** The protocol that one which is not served was most likely meant to be. */
export function protocolMeant(node: SectionNode): string | undefined {
  const protocol = stringOf(node, 'protocol').toLowerCase();
  const served = ['http', 'https'];
  return protocol === '' || served.includes(protocol) ? undefined : nearest(protocol, served);
}

/** Makes a binding, or reports why it cannot be served. */
export function bindingOf(node: SectionNode, context: SectionContext): BindingConfig | undefined {
  const protocol = stringOf(node, 'protocol').toLowerCase();
  const information = textOf(node, 'bindingInformation');
  if (information === undefined) return undefined;
  if (protocol !== 'http' && protocol !== 'https') {
    if (protocol !== '') {
      const meant = protocolMeant(node);
      context.report('LG5009', textOf(node, 'protocol')?.span ?? node.nameSpan, {
        message: `Bindings of protocol ${protocol} are not served.`,
        advice:
          meant !== undefined
            ? `Write ${meant}: did you mean that protocol?`
            : 'Nothing needs to be done if only HTTP and HTTPS are published; else keep another server for it.',
      });
    }
    return undefined;
  }
  const parsed = parseBindingInformation(information.value);
  const doubt = doubtAbout(information.value.replace(/^.*:/s, ''));
  if (doubt) context.report('LG1030', information.span, doubt);
  if (typeof parsed !== 'string') return { span: node.span, protocol, ...parsed, sslFlags: numberOf(node, 'sslFlags') };
  const { span } = information;
  context.report('LG5008', span.start === span.end ? node.nameSpan : span, {
    message: `bindingInformation="${information.value}" is not valid: ${parsed}.`,
    advice: 'Write address:port:host, as in "*:443:www.contoso.com", "10.0.0.5:80:" or "[2001:db8::5]:443:".',
  });
  return undefined;
}

/** Reads `address:port:host`; a string says what is wrong. */
function parseBindingInformation(
  information: string,
): Pick<BindingConfig, 'address' | 'port' | 'host' | 'written'> | string {
  const match = /^(\[[^\]]*\]|[^:]*):(\d+):(.*)$/.exec(information);
  if (match === null) return 'it is not address:port:host';
  const [, written = '', digits = '', name = ''] = match;
  const address = written === '' || written === '*' ? '*' : parseAddress(written.replace(/^\[(.*)\]$/, '$1'));
  if (address === undefined) return `"${written}" is no IP address`;
  const port = Number(digits);
  if (port < 1 || port > 65535) return `${digits} is no port`;
  if (name === '' || name === '*') return { address, port, host: '' };
  const host = asciiName(name);
  if (host === undefined || !isHostName(host)) return `"${name}" is no host name`;
  return { address, port, host, ...(isInternational(name) ? { written: name } : {}) };
}
