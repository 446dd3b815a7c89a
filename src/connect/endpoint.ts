/** Where a connection goes and under which conditions it may be used: what two requests must agree in to share one. */
import type { RouteTarget } from './server-route.ts';
import type { ServerRoutes } from './server-routes.ts';
import type { ServerTls } from './server-tls.ts';

export type Scheme = 'http' | 'https';

/** Times in seconds, sizes in bytes. */
export interface Endpoint extends RouteTarget {
  /** By them its name is followed; they know where no connection may go. */
  readonly routes: ServerRoutes;
  /** Absent for plain HTTP. */
  readonly tls: ServerTls | undefined;
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
  return JSON.stringify(endpoint, (name, value) => {
    if (name === 'routes') return value.key;
    return name === 'clientCertificate' ? value.sha256 : value;
  });
}
