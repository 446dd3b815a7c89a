/** What supervisor and workers say to each other. Plain data: it crosses a process border by structured clone. */
import type { Config } from '../config/model.ts';
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
  /** True where several workers share the ports. */
  readonly reusePort: boolean;
}

export type ToWorker = { readonly type: 'start'; readonly setup: WorkerSetup } | { readonly type: 'stop' };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'stopped'; readonly cut: number };
