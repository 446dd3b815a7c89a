/** What both lanes hand to the shared stages: the head of one request and the connection it came on. */

import type { ClientPins } from '../connect/pinned-connection.ts';
import type { AskedConnection, AskedRequest } from '../decide/asked-request.ts';
import type { HeaderList } from '../header-list.ts';

export interface PresentedCertificate {
  /** Bits of its public key. */
  readonly keyBits: number;
  readonly subject: string;
  readonly issuer: string;
}

/** What a client has shown at its handshake. */
export type ClientCertificate = NonNullable<AskedConnection['clientCertificate']> & {
  /** The DER in base64, in one line; absent where it has shown none that is trusted. */
  readonly base64?: string;
};

/** What is the same for every request of a client with the same header block. */
export interface PassedHeaders {
  readonly headers: HeaderList;
  readonly own: object;
  /** The lines between Host and X-Original-URL. */
  readonly front: string;
  /** The lines behind that, up to the id of the request. */
  readonly back: string;
}

export interface ClientConnection extends AskedConnection {
  readonly listener: string;
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

export interface RequestHead extends AskedRequest {
  /** The length of the body in bytes, or `stream` where it shows only at its end. */
  readonly body: 'none' | number | 'stream';
  /** Protocols that the client offers to change to, and that may be offered to a server; `''` for none. */
  readonly upgrade: string;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
  readonly connection: ClientConnection;
}
