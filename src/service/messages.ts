/** What supervisor and workers say to each other. Plain data: it crosses a process border by structured clone. */
import type { Config } from '../config/model.ts';
import type { ServerCondition, ServerTraffic } from '../farm/server-state.ts';
import type { ConnectionCounts } from '../listener/client-count.ts';
import type { CertificateData } from '../tls/certificate.ts';
import type { ShownCertificates } from '../tls/shown-certificates.ts';

/** Everything a worker needs. Files are read once, by the supervisor. */
export interface WorkerSetup {
  readonly config: Config;
  readonly certificates: readonly CertificateData[];
  /** PEM of the authorities trusted for servers beside the public ones. */
  readonly ca: readonly string[];
  readonly shown: ShownCertificates;
  /** PEM of the authorities for certificates of clients. */
  readonly clientCa: readonly string[];
  /** 48 bytes, the same in every worker, so that TLS sessions resume in any of them. */
  readonly ticketKeys: Uint8Array;
  /** The secret behind the values of affinity cookies. */
  readonly affinitySecret: Uint8Array;
  /** More than one of them share the ports. */
  readonly workers: number;
}

/** What the supervisor tells workers while they serve. */
export type ToServing =
  /** The conditions that changed, or all of them. */
  | { readonly type: 'conditions'; readonly conditions: readonly ServerCondition[] }
  /** Requests under way at a server end now (ForcefulStop). */
  | { readonly type: 'terminate'; readonly farm: string; readonly server: string }
  /** Answers `askHost`: the servers by address; none where every server is as good. */
  | { readonly type: 'hostServers'; readonly farm: string; readonly host: string; readonly servers: readonly string[] }
  /** Answers `clients`: what they, and others, have at the other workers. */
  | { readonly type: 'clientsElsewhere'; readonly counts: ConnectionCounts }
  /** Asks for `traffic` at once, under this number. */
  | { readonly type: 'report'; readonly id: number };

export type ToWorker =
  | {
      readonly type: 'start';
      readonly setup: WorkerSetup;
      readonly conditions: readonly ServerCondition[];
    }
  | ToServing
  | { readonly type: 'stop' };

/** What workers tell the supervisor while they serve. */
export type FromServing =
  | { readonly type: 'traffic'; readonly id?: number; readonly servers: readonly ServerTraffic[] }
  /** The clients with many connections. */
  | { readonly type: 'clients'; readonly counts: ConnectionCounts }
  /** Which servers have the requests for a host (host-name affinity)? The name is that of `hostNamer`. */
  | { readonly type: 'askHost'; readonly farm: string; readonly host: string };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string }
  | FromServing
  | { readonly type: 'stopped'; readonly cut: number };
