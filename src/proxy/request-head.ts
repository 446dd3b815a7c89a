/** What both lanes hand to the shared stages: the head of one request and the connection it came on. */
import type { FailureKind } from '../errors.ts';
import type { ClientPins } from '../farm/pinned-connection.ts';
import type { HeaderList } from '../header-list.ts';

export interface PresentedCertificate {
  /** Bits of its public key. */
  readonly keyBits: number;
  readonly subject: string;
  readonly issuer: string;
}

/** What a client has shown at its handshake. */
export interface ClientCertificate {
  /** The DER in base64, in one line; absent where it has shown none that is trusted. */
  readonly base64?: string;
  /** Why nothing is answered on this connection but an error. */
  readonly refusal?: { readonly kind: FailureKind; readonly reason: string };
}

/** What is the same for every request of a client with the same header block. */
export interface PassedHeaders {
  readonly headers: HeaderList;
  readonly own: object;
  /** The lines between Host and X-Original-URL. */
  readonly front: string;
  /** The lines behind that, up to the id of the request. */
  readonly back: string;
}

export interface ClientConnection {
  /** The name of the listener. */
  readonly listener: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** That of the binding, where `addresses` of settings has another one stand for it. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Absent on a plain connection. */
  readonly tls?: {
    readonly version: string;
    readonly cipherBits: number;
    readonly certificate: PresentedCertificate | undefined;
  };
  /** What the client has shown, where the listener asks for it. */
  readonly clientCertificate?: ClientCertificate;
  /** True where the peer is in `trustedProxies`. */
  readonly trusted: boolean;
  readonly pins: ClientPins;
  /** What goes on of the header block that it sent last; kept by `request-headers.ts`. */
  passed: PassedHeaders | undefined;
}

export interface RequestHead {
  readonly method: string;
  /** Origin form, byte for byte as the client sent it, as latin1. */
  readonly target: string;
  readonly scheme: 'http' | 'https';
  /** Host as the client wrote it, with the port if it gave one; `''` for HTTP/1.0 without Host. */
  readonly authority: string;
  /** Without pseudo-header fields and without Host. */
  readonly headers: HeaderList;
  /** The length of the body in bytes, or `stream` where it shows only at its end. */
  readonly body: 'none' | number | 'stream';
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  /** Protocols that the client offers to change to, and that may be offered to a server; `''` for none. */
  readonly upgrade: string;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
  readonly connection: ClientConnection;
}
