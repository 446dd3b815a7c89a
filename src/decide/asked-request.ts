/** A request as far as it is decided by: what the lanes have read of one, and what is imagined of one that nobody has sent. */
import type { FailureKind } from '../errors.ts';
import type { HeaderList } from '../header-list.ts';

/** The connection that a request came on. */
export interface AskedConnection {
  /** The name of the listener; where nobody knows it, scheme, port and address tell the site. */
  readonly listener?: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** That of the binding, where `addresses` of settings has another one stand for it; `''` where nobody knows. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly clientCertificate?: {
    /** Why nothing is answered on this connection but an error. */
    readonly refusal?: { readonly kind: FailureKind; readonly reason: string };
  };
}

export interface AskedRequest {
  readonly method: string;
  /** Origin form, byte for byte as the client sent it, as latin1. */
  readonly target: string;
  readonly scheme: 'http' | 'https';
  /** Host as the client wrote it, with the port if it gave one; `''` for HTTP/1.0 without Host. */
  readonly authority: string;
  /** Without pseudo-header fields and without Host. */
  readonly headers: HeaderList;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  readonly connection: AskedConnection;
}
