/** What the sections `webFarms` and `proxy` said. Plain data only, as `model.ts` has it. */
import type { Span } from './diagnostic.ts';
import type { Text } from './text.ts';

/** `protocol` of a farm and `system.webServer/proxy`: the same attributes with different defaults. Times in seconds. */
export interface ProtocolConfig {
  readonly span: Span;
  readonly httpVersion: 'Http10' | 'Http11' | 'PassThrough';
  readonly keepAlive: boolean;
  readonly timeout: number;
  readonly preserveHostHeader: boolean;
  readonly alternateHostName: string;
  readonly reverseRewriteHostInResponseHeaders: boolean;
  readonly xForwardedByHeaderName: string;
  readonly xForwardedByHeader: string;
  readonly xForwardedForHeaderName: string;
  readonly includePortInXForwardedFor: boolean;
  readonly arrResponseHeader: boolean;
  readonly sslHeaderName: string;
  readonly clientCertHeaderName: string;
  readonly logGuidName: string;
  readonly logCacheHitName: string;
  readonly maxForwards: number;
  /** KB of an answer that are waited for before its head goes on; 0 where no file says so (ARR would take 256). */
  readonly minResponseBuffer: number;
  /** KB. */
  readonly responseBufferLimit: number;
  /** Bytes. */
  readonly maxResponseHeaderSize: number;
  readonly proxy: string;
  readonly proxyBypass: string;
  readonly stealthMode: boolean;
  /** A path of the Windows machine. */
  readonly clientCertFileName?: Text;
  readonly clientCertPassword?: Text;
  /** Thumbprint. */
  readonly clientCertHash?: Text;
  readonly bufferChunkedResponses: boolean;
  readonly passConnectionCloseHeader: boolean;
  readonly passServerHeader: 'Replace' | 'Remove' | 'PassThrough';
  readonly cache: {
    readonly enabled: boolean;
    readonly requestConsolidationEnabled: boolean;
    readonly requestConsolidationTimeout: number;
    readonly queryStringHandling: 'Ignore' | 'NoCaching' | 'Accept';
    readonly validationInterval: number;
  };
}

/** `system.webServer/proxy`: direct proxying to hosts that are no farm. */
export interface ProxyConfig extends ProtocolConfig {
  readonly enabled: boolean;
}

export interface ServerConfig {
  readonly span: Span;
  readonly address: Text;
  readonly enabled: boolean;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly weight: number;
  readonly hostName: string;
  readonly healthCheckAlternateHostName: string;
  readonly healthCheckAlternatePort: number;
}

export interface HealthCheckConfig {
  readonly url: string;
  readonly retries: number;
  readonly interval: number;
  readonly timeout: number;
  readonly statusCodeMatch: string;
  readonly responseMatch: string;
  readonly liveTrafficFailureCodes: string;
  readonly maxLiveTrafficFailures: number;
  readonly liveTrafficFailurePeriod: number;
  readonly minServers: number;
}

export interface AffinityConfig {
  readonly span: Span;
  readonly useCookie: boolean;
  readonly cookieName: Text;
  readonly useHostName: boolean;
  readonly hostCountersEnabled: boolean;
  readonly useServerProvider: boolean;
  readonly serverProviderImage: string;
  readonly timeout: number;
  readonly useExternalCache: boolean;
  readonly ignoreSubDomain: boolean;
  readonly ignoreSubDomainClientAffinity: boolean;
  readonly ignoreSubDomainFragmentDepth: number;
  readonly hostAffinityProvider: Text;
  readonly hosts: readonly {
    readonly name: string;
    readonly servers: number;
    readonly equivalentHosts: readonly string[];
  }[];
}

export interface LoadBalancingConfig {
  readonly algorithm:
    | 'WeightedRoundRobin'
    | 'LeastRequests'
    | 'LeastResponseTime'
    | 'WeightedTotalTraffic'
    | 'RequestHash';
  readonly leastResponseTimePeriod: number;
  readonly hashServerVariable: Text;
  readonly queryStringNames: Text;
  readonly randomizeLBTies: boolean;
}

/** A key that servers of a farm may have. */
export interface PublicKeyConfig {
  readonly bytes: Text;
  /** `''` for any. */
  readonly algorithmOid: string;
}

export interface WebFarmConfig {
  readonly span: Span;
  /** Something in the farm was refused. */
  readonly faulty?: true;
  readonly name: Text;
  readonly enabled: boolean;
  readonly servers: readonly ServerConfig[];
  readonly protocol: ProtocolConfig;
  readonly healthCheck: HealthCheckConfig;
  readonly affinity: AffinityConfig;
  readonly loadBalancing: LoadBalancingConfig;
  readonly publicKeys: readonly PublicKeyConfig[];
}
