/** What a client has shown at its handshake, judged once for a connection, whether its TLS session is new or resumed. */
import type { TLSSocket } from 'node:tls';

export interface ClientCertificate {
  /** The DER in base64, in one line; absent where the client has shown none that is trusted. */
  readonly base64?: string;
  /** Why nothing is answered on this connection but an error. */
  readonly refusal?: {
    readonly kind: 'clientCertificateRequired' | 'clientCertificateUntrusted';
    /** For the log. */
    readonly reason: string;
  };
}

/**
 * OpenSSL has judged chain, dates and usage at the full handshake; a resumed session brings that verdict along, not a new one.
 * @param now milliseconds since 1970
 */
export function judgeClient(
  socket: TLSSocket,
  mode: 'request' | 'require',
  now: number = Date.now(),
): ClientCertificate {
  // Asked for first: of a client that has none a resumed session of TLS 1.3 passes for `authorized`.
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    const reason = 'the client has shown no certificate';
    return mode === 'require' ? { refusal: { kind: 'clientCertificateRequired', reason } } : {};
  }
  const { subject, raw, validFromDate, validToDate } = certificate;
  const dated = validFromDate.getTime() <= now && now <= validToDate.getTime();
  if (socket.authorized && dated) return { base64: raw.toString('base64') };
  const fault = socket.authorized ? 'CERT_HAS_EXPIRED' : String(socket.authorizationError);
  const reason = `the certificate of the client (${subject.replaceAll('\n', ', ')}) is not trusted: ${fault}`;
  return { refusal: { kind: 'clientCertificateUntrusted', reason } };
}
