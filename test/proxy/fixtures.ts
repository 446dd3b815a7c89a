/** Values for tests of the request path: a published name, a farm with ARR's defaults, an outside client. */
import type { ProtocolConfig } from '../../src/config/farm-model.ts';
import { createPinnedConnections } from '../../src/connect/pinned-connection.ts';
import type { ClientConnection, RequestHead } from '../../src/proxy/request-head.ts';

export function aConnection(more: Partial<ClientConnection>): ClientConnection {
  return {
    listener: '*:443',
    remoteAddress: '198.51.100.7',
    remotePort: 50000,
    localAddress: '203.0.113.5',
    localPort: 443,
    tls: {
      version: 'TLSv1.3',
      cipherBits: 256,
      certificate: { keyBits: 2048, issuer: 'CN=Some CA', subject: 'CN=meet.contoso.com' },
    },
    trusted: false,
    pins: createPinnedConnections(0).forClient(),
    passed: undefined,
    ...more,
  };
}

export function aHead(more: Partial<RequestHead>): RequestHead {
  return {
    method: 'GET',
    target: '/a?b',
    scheme: 'https',
    authority: 'meet.contoso.com',
    headers: [],
    body: 'none',
    protocol: 'HTTP/1.1',
    upgrade: '',
    expectsContinue: false,
    connection: aConnection({}),
    ...more,
  };
}

/** The defaults of a farm (arr.md section 2.4). */
export function aProtocol(more: Partial<ProtocolConfig> = {}): ProtocolConfig {
  return {
    span: { file: 'applicationHost.config', start: 0, end: 0 },
    httpVersion: 'PassThrough',
    keepAlive: true,
    timeout: 30,
    preserveHostHeader: true,
    alternateHostName: '',
    reverseRewriteHostInResponseHeaders: false,
    xForwardedByHeaderName: 'X-Forwarded-By',
    xForwardedByHeader: '',
    xForwardedForHeaderName: 'X-Forwarded-For',
    includePortInXForwardedFor: true,
    arrResponseHeader: true,
    sslHeaderName: 'X-ARR-SSL',
    clientCertHeaderName: 'X-ARR-ClientCert',
    logGuidName: 'X-ARR-LOG-ID',
    logCacheHitName: 'X-ARR-CACHE-HIT',
    maxForwards: 10,
    minResponseBuffer: 0,
    responseBufferLimit: 4096,
    maxResponseHeaderSize: 65536,
    proxy: '',
    proxyBypass: '',
    stealthMode: false,
    bufferChunkedResponses: true,
    passConnectionCloseHeader: false,
    passServerHeader: 'Replace',
    cache: {
      enabled: true,
      requestConsolidationEnabled: false,
      requestConsolidationTimeout: 0.1,
      queryStringHandling: 'Ignore',
      validationInterval: 60,
    },
    ...more,
  };
}
