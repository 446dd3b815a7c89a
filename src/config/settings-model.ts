/** What settings.json said. Plain data only, as `model.ts` has it. */
import type { Span } from './diagnostic.ts';

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

export type ServerTlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface FarmSettings {
  readonly span: Span;
  readonly verify: 'full' | 'chain' | 'none';
  readonly serverName?: string;
  /** SHA-256 of the SubjectPublicKeyInfo, base64. */
  readonly pins: readonly string[];
  /** The oldest that is spoken with its servers; absent: TLS 1.2. */
  readonly minVersion?: { readonly value: ServerTlsVersion; readonly span: Span };
  readonly ciphers?: { readonly value: string; readonly span: Span };
  /** In place of that of `upstream`. */
  readonly allowPartialTrustChain?: boolean;
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

/** What stands on this machine for an address of bindings. */
export interface AddressSetting {
  /** As `parseAddress` spells it. */
  readonly binding: string;
  /** `*`, or addresses of this machine; those of an interface are not known before the service starts. */
  readonly places: readonly string[];
  /** The name that stands in place of an address. */
  readonly interface?: string;
  /** Of the value. */
  readonly span: Span;
  readonly nameSpan: Span;
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
  /** Keys that stand in the file with something that was refused: what holds in their place is not what is meant. */
  readonly misread?: ReadonlySet<string>;
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
  /** As written. */
  readonly hostNames: readonly { readonly name: string; readonly span: Span }[];
  readonly dns: readonly string[];
  readonly upstream: {
    readonly ca: readonly { readonly path: string; readonly span: Span }[];
    readonly localAddress?: string;
    /** An issuing authority of `ca` is trusted by itself, without its root. */
    readonly allowPartialTrustChain: boolean;
    /** Hosts that a computed rule target may name, lower case. */
    readonly allow: readonly string[];
  };
  /** By farm name, lower case. */
  readonly farms: ReadonlyMap<string, FarmSettings>;
  readonly workers: number | 'auto';
  readonly http2: boolean;
  /** Networks in CIDR form. */
  readonly trustedProxies: readonly string[];
  readonly addresses: readonly AddressSetting[];
  readonly publicAddresses: readonly string[];
  readonly acknowledge: readonly string[];
  readonly limits: {
    readonly headerBytes: number;
    readonly headerCount: number;
    readonly targetBytes: number;
    readonly bodyBytes?: number;
    readonly connections: number;
    readonly connectionsPerAddress: number;
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
    readonly hang: number;
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
