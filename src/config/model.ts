/**
 * What the configuration files said: types only, plain data only (it is sent to the workers by structured clone),
 * every part with its place in the source.
 */
import type { Span } from './diagnostic.ts';

/** A decoded attribute value. */
export interface Text {
  readonly value: string;
  /** The raw value in the source, without its quotes. */
  readonly span: Span;
  /**
   * Source offset of each UTF-16 unit of `value`, and one more for the end.
   * Absent when the value stands in the source as it is, so that unit i stands at `span.start + i`.
   */
  readonly offsets?: readonly number[];
}

// ---- rewrite ---------------------------------------------------------------------------------------------------

export type PatternSyntax = 'ECMAScript' | 'Wildcard' | 'ExactMatch';

export interface MatchConfig {
  readonly span: Span;
  readonly url?: Text;
  readonly ignoreCase: boolean;
  readonly negate: boolean;
  /** An attribute of the element was refused: what is missing may have been meant by it. */
  readonly faulty?: true;
}

export interface ConditionConfig {
  readonly span: Span;
  readonly input?: Text;
  readonly matchType: 'Pattern' | 'IsFile' | 'IsDirectory';
  readonly pattern?: Text;
  readonly ignoreCase: boolean;
  readonly negate: boolean;
  /** An attribute of the element was refused: what is missing may have been meant by it. */
  readonly faulty?: true;
}

export interface ConditionsConfig {
  readonly span: Span;
  readonly logicalGrouping: 'MatchAll' | 'MatchAny';
  readonly trackAllCaptures: boolean;
  readonly entries: readonly ConditionConfig[];
}

export interface SetVariableConfig {
  readonly span: Span;
  readonly name: Text;
  readonly value?: Text;
  readonly replace: boolean;
}

export interface ActionConfig {
  readonly span: Span;
  readonly type: 'None' | 'Rewrite' | 'Redirect' | 'CustomResponse' | 'AbortRequest';
  readonly url?: Text;
  readonly appendQueryString: boolean;
  readonly logRewrittenUrl: boolean;
  readonly redirectType: 'Permanent' | 'Found' | 'SeeOther' | 'Temporary';
  readonly statusCode?: number;
  readonly subStatusCode: number;
  readonly statusReason?: Text;
  readonly statusDescription?: Text;
  /** An attribute of the element was refused: what is missing may have been meant by it. */
  readonly faulty?: true;
  /** No `<action>` stands in the rule. */
  readonly absent?: true;
}

export interface RuleConfig {
  readonly span: Span;
  readonly name: Text;
  /** URL path of the level that holds the rule; its input is relative to it. `/` for global rules and the site root. */
  readonly basePath: string;
  readonly enabled: boolean;
  readonly stopProcessing: boolean;
  readonly patternSyntax: PatternSyntax;
  readonly responseCacheDirective: 'Auto' | 'Always' | 'Never' | 'NotIfRuleMatched';
  readonly match?: MatchConfig;
  readonly conditions?: ConditionsConfig;
  readonly serverVariables: readonly SetVariableConfig[];
  readonly action: ActionConfig;
}

export interface RewriteMapConfig {
  readonly span: Span;
  readonly name: Text;
  readonly defaultValue: string;
  readonly ignoreCase: boolean;
  readonly entries: readonly { readonly key: Text; readonly value: string }[];
}

/** A flag of `filterByTags`, without `None`. */
export type TagFilter =
  | 'A'
  | 'Area'
  | 'Base'
  | 'Form'
  | 'Frame'
  | 'Head'
  | 'IFrame'
  | 'Img'
  | 'Input'
  | 'Link'
  | 'Script'
  | 'CustomTags';

export interface OutboundMatchConfig {
  readonly span: Span;
  /** Empty for `None`. */
  readonly filterByTags: readonly TagFilter[];
  readonly customTags?: Text;
  readonly serverVariable?: Text;
  readonly pattern?: Text;
  /** 0 for no limit. */
  readonly occurrences: number;
  readonly ignoreCase: boolean;
  readonly negate: boolean;
}

export interface OutboundActionConfig {
  readonly span: Span;
  readonly type: 'None' | 'Rewrite';
  readonly value?: Text;
  readonly replace: boolean;
}

export interface OutboundRuleConfig {
  readonly span: Span;
  readonly name: Text;
  readonly preCondition?: Text;
  readonly enabled: boolean;
  readonly stopProcessing: boolean;
  readonly patternSyntax: PatternSyntax;
  readonly match?: OutboundMatchConfig;
  readonly conditions?: ConditionsConfig;
  readonly action: OutboundActionConfig;
}

export interface PreConditionConfig {
  readonly span: Span;
  readonly name: Text;
  readonly patternSyntax: PatternSyntax;
  /** Its captures are not available to rules. */
  readonly conditions: ConditionsConfig;
}

export interface CustomTagsConfig {
  readonly name: Text;
  readonly tags: readonly { readonly name: string; readonly attribute: string }[];
}

/** The outbound rules of one scope with what they refer to by name. */
export interface OutboundRulesConfig {
  readonly rules: readonly OutboundRuleConfig[];
  readonly preConditions: readonly PreConditionConfig[];
  readonly customTags: readonly CustomTagsConfig[];
}

/** The rules of one scope with everything they refer to, after inheritance. */
export interface RuleSetConfig {
  readonly rules: readonly RuleConfig[];
  readonly rewriteMaps: readonly RewriteMapConfig[];
  /** Names that distributed rules may set; global rules may set any. */
  readonly allowedServerVariables: readonly string[];
  /** Names of the `providers` section: known, but no rule may use one. */
  readonly providers: readonly string[];
  readonly useOriginalURLEncoding: boolean;
  /** Absent where there are none; `globalRules` never have any. */
  readonly outbound?: OutboundRulesConfig;
  /** Sections that were refused as a whole or could not be read: what they define is not known. */
  readonly unread?: readonly string[];
}

// ---- sites -----------------------------------------------------------------------------------------------------

export interface BindingConfig {
  readonly span: Span;
  readonly protocol: 'http' | 'https';
  /** `*` or an IP address without brackets. */
  readonly address: string;
  readonly port: number;
  /** Lower case; `''` for any host; may start with `*.`. */
  readonly host: string;
  readonly sslFlags: number;
}

/** The rules in force below one URL path of a site. */
export interface ScopeConfig {
  /** `/` or `/a/b`, without a slash at the end. */
  readonly path: string;
  readonly ruleSet: RuleSetConfig;
}

export interface SiteConfig {
  readonly span: Span;
  readonly name: string;
  readonly id: number;
  readonly bindings: readonly BindingConfig[];
  readonly applications: readonly string[];
  /** Deepest path first; the last one is `/`. */
  readonly scopes: readonly ScopeConfig[];
}

// ---- farms and proxying ----------------------------------------------------------------------------------------

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
  readonly name: Text;
  readonly enabled: boolean;
  readonly servers: readonly ServerConfig[];
  readonly protocol: ProtocolConfig;
  readonly healthCheck: HealthCheckConfig;
  readonly affinity: AffinityConfig;
  readonly loadBalancing: LoadBalancingConfig;
  readonly publicKeys: readonly PublicKeyConfig[];
}

// ---- settings.json ---------------------------------------------------------------------------------------------

export interface CertificateFolderSetting {
  readonly kind: 'path';
  /** Absolute path of a folder or a file. */
  readonly path: string;
  readonly span: Span;
}

export interface CertificateFileSetting {
  readonly kind: 'files';
  /** Absolute paths. */
  readonly pfx?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphraseFile?: string;
  /** `address:port` of the listeners it is tied to; absent: all. */
  readonly listeners?: readonly string[];
  readonly span: Span;
}

export type CertificateSetting = CertificateFolderSetting | CertificateFileSetting;

export interface FarmSettings {
  readonly span: Span;
  readonly verify: 'full' | 'chain' | 'none';
  readonly serverName?: string;
  /** SHA-256 of the SubjectPublicKeyInfo, base64. */
  readonly pins: readonly string[];
  readonly localAddress?: string;
  /** Connections of a worker to each server; absent: as many as there are requests. */
  readonly maxConnections?: number;
  /** Requests that wait for a connection where there are no more, and how long, in seconds. */
  readonly queueLength: number;
  readonly queueTimeout: number;
  /** In place of the algorithm in the IIS file. */
  readonly algorithm?: 'LeastRequests';
  /** Seconds over which a server that returns comes up to its share; 0: it gets it at once. */
  readonly slowStart: number;
  /** Other servers that are tried for a request. */
  readonly retries: number;
  /** Percent of the requests that may be sent to a second server. */
  readonly retryBudget: number;
  /** Absent: a server that cannot be reached gets requests all the same. */
  readonly circuit?: CircuitSettings;
  readonly probes: readonly ProbeSettings[];
  /** Seconds until a server that failed live traffic gets requests again; absent: never. */
  readonly liveTrafficRecovery?: number;
  /** Requests that got no valid answer, with none answered in between, that take a server out; 0: never. */
  readonly failuresInARow: number;
  readonly outlierLatency?: OutlierSettings;
  readonly clientCertificate?: CertificateFileSetting;
}

export interface CircuitSettings {
  /** Connections in a row that cannot be made. */
  readonly failures: number;
  /** Seconds before the first try to reach the server again. */
  readonly pause: number;
  readonly longestPause: number;
}

/** A URL test beside that of the IIS file. What is absent is as the farm's `healthCheck` has it. Times in seconds. */
export interface ProbeSettings {
  readonly span: Span;
  readonly url: string;
  readonly interval?: number;
  readonly timeout?: number;
  readonly retries?: number;
  readonly statusCodeMatch?: string;
  readonly responseMatch?: string;
  readonly hostName?: string;
  readonly port?: number;
}

export interface OutlierSettings {
  /** Times the median of the other servers. */
  readonly factor: number;
  /** Least requests of a period to judge by. */
  readonly requests: number;
  /** Seconds. */
  readonly period: number;
}

/** `settings.json` with every default filled in. File names are absolute, durations seconds. */
export interface SettingsConfig {
  /** Absolute path of settings.json, whether or not it exists. */
  readonly file: string;
  readonly certificates: readonly CertificateSetting[];
  /** A name or a SHA-1 or SHA-256 thumbprint: for every listener, or by `address:port`. */
  readonly defaultCertificate:
    | { readonly name: string; readonly span: Span }
    | { readonly byListener: Readonly<Record<string, { readonly name: string; readonly span: Span }>> }
    | undefined;
  readonly tls: {
    readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
    readonly ciphers?: string;
    /** `address:port` of listeners that also take TLS 1.0 and 1.1. */
    readonly legacyListeners: readonly string[];
    readonly clientCertificates?: {
      readonly mode: 'request' | 'require';
      readonly ca: readonly { readonly path: string; readonly span: Span }[];
      /** `address:port`; absent: all. */
      readonly listeners?: readonly string[];
    };
  };
  /** Host name (lower case) to IP address: in place of the Windows hosts file. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly dns: readonly string[];
  readonly upstream: {
    readonly ca: readonly { readonly path: string; readonly span: Span }[];
    readonly localAddress?: string;
    /** Hosts that a computed rule target may name, lower case. */
    readonly allow: readonly string[];
  };
  /** By farm name, lower case. */
  readonly farms: ReadonlyMap<string, FarmSettings>;
  readonly workers: number | 'auto';
  readonly http2: boolean;
  /** Networks in CIDR form. */
  readonly trustedProxies: readonly string[];
  readonly publicAddresses: readonly string[];
  readonly acknowledge: readonly string[];
  readonly limits: {
    readonly headerBytes: number;
    readonly headerCount: number;
    readonly targetBytes: number;
    readonly bodyBytes?: number;
    readonly connections: number;
    readonly connectionsPerAddress?: number;
    readonly pinned: number;
    readonly trailerBytes: number;
  };
  readonly timeouts: {
    readonly handshake: number;
    readonly header: number;
    readonly idle: number;
    readonly body: number;
    readonly connect: number;
    readonly upgradeIdle: number;
    readonly drain: number;
  };
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
    readonly access: {
      readonly format: 'json' | 'w3c' | 'off';
      /** Absolute path; absent: standard output. */
      readonly file?: string;
      /** In the order of the line. */
      readonly fields: readonly string[];
    };
  };
  /** Absolute paths. */
  readonly affinitySecretFile?: { readonly path: string; readonly span: Span };
  readonly stateFile?: string;
  /** `false`: no admin listener. */
  readonly admin: false | AdminSettings;
}

export interface AdminSettings {
  readonly address: string;
  readonly port: number;
  /** Where the address stands; absent where nobody wrote one. */
  readonly addressSpan?: Span;
  /** What a client must know to use the API; absent: loopback clients need nothing. */
  readonly tokenFile?: { readonly path: string; readonly span: Span };
}

// ---- the whole -------------------------------------------------------------------------------------------------

export interface Config {
  /** No applicationHost.config was read, so what stands there is not known. */
  readonly withoutHost?: true;
  readonly sites: readonly SiteConfig[];
  readonly globalRules: RuleSetConfig;
  readonly webFarms: readonly WebFarmConfig[];
  readonly proxy: ProxyConfig;
  readonly settings: SettingsConfig;
}
