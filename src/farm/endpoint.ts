/** Where a connection goes and under which conditions it may be used: what two requests must agree in to share one. */
import type { ServerTls } from './server-tls.ts';

/** Times in seconds, sizes in bytes. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** The address is a host that a request chose, among those of `upstream.allow`. */
  readonly computedHost: boolean;
  /** Absent for plain HTTP. */
  readonly tls: ServerTls | undefined;
  readonly localAddress: string | undefined;
  readonly connectTimeout: number;
  /** How long the server may be silent. */
  readonly timeout: number;
  readonly maxResponseHeaderSize: number;
  /** Most connections of this worker; `undefined`: any number. */
  readonly maxConnections: number | undefined;
  /** Most requests that wait for one of them. */
  readonly queueLength: number;
  readonly queueTimeout: number;
}

/** Connections are shared between endpoints with equal keys, and between no others. Of our certificate it holds the hash. */
export function poolKey(endpoint: Endpoint): string {
  return JSON.stringify(endpoint, (name, value) => (name === 'clientCertificate' ? value.sha256 : value));
}
