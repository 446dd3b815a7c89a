/** Options for `tls.createServer` from settings.json: versions, ciphers, ALPN, tickets. */
import { constants, createHash } from 'node:crypto';
import {
  DEFAULT_CIPHERS,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
  type TlsOptions,
} from 'node:tls';
import type { SettingsConfig } from '../config/settings-model.ts';
import type { CertificateData } from './certificate.ts';
import { canonicalListener } from './certificate-names.ts';

/** The part of a secure context that depends on the certificates it shows. */
export interface ContextOptions extends SecureContextOptions {
  readonly cert: string[];
  readonly key: string[];
  readonly minVersion: SecureVersion;
}

/** Whether TLS 1.0 and 1.1 are spoken there. */
export function isLegacyListener({ legacyListeners }: SettingsConfig['tls'], listener: string): boolean {
  const key = canonicalListener(listener);
  return legacyListeners.some((each) => canonicalListener(each) === key);
}

/** Whether OpenSSL refuses the certificate at its normal security level: short RSA keys, SHA-1 and MD5 signatures. */
export function isWeak({ keyType, keyBits, signatureDigest }: CertificateData): boolean {
  return (keyType === 'rsa' && keyBits < 2048) || signatureDigest === 'sha1' || signatureDigest === 'md5';
}

/** Whether clients are asked for a certificate there. */
export function asksClients(
  { clientCertificates }: Pick<SettingsConfig['tls'], 'clientCertificates'>,
  listener: string,
): 'request' | 'require' | undefined {
  const key = canonicalListener(listener);
  const { listeners, mode } = clientCertificates ?? {};
  return listeners?.some((each) => canonicalListener(each) === key) === false ? undefined : mode;
}

export interface ContextStrength {
  /** TLS 1.0 and 1.1 are spoken. */
  readonly legacy: boolean;
  /** A weak certificate is shown on the listener. */
  readonly weak: boolean;
}

/**
 * Options of one secure context. Several certificates: one for each kind of key.
 * @param clientCa authorities of the certificates that clients are asked for. Each context needs them: Node takes those of
 *   the one that SNI has chosen, and the public ones where it has none.
 */
export function contextOptions(
  certificates: readonly CertificateData[],
  tls: SettingsConfig['tls'],
  { legacy, weak }: ContextStrength,
  clientCa?: readonly string[],
): ContextOptions {
  // OpenSSL 3 does SHA-1 signatures, and so TLS 1.0 and 1.1, at level 0 only; a weak certificate is warned about, but served.
  const level = legacy || weak ? ':@SECLEVEL=0' : '';
  return {
    cert: certificates.map(({ certPem }) => certPem),
    key: certificates.map(({ keyPem }) => keyPem),
    minVersion: legacy ? 'TLSv1' : tls.minVersion,
    ciphers: (tls.ciphers ?? DEFAULT_CIPHERS) + level,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    // An authority that is named is trusted, whether or not it has one above it.
    ...(clientCa && { ca: [...clientCa], allowPartialTrustChain: true }),
  };
}

/** What shows a certificate on a listener: `CertificateStore` does. */
export interface ShownContexts {
  /** What the default serves, as options for `tls.createServer` and `server.setSecureContext`. */
  readonly defaultOptions: ContextOptions;
  /**
   * For `tls.createServer`, which calls it on the socket. Never throws and never reports an error: a name that nobody
   * covers gets the default.
   */
  readonly sniCallback: (
    this: unknown,
    name: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ) => void;
}

export interface ListenerTls {
  /** `address:port`, with `*` for any address. */
  readonly listener: string;
  /** The store in force; asked at every handshake, so that a reload counts at once. */
  readonly store: () => ShownContexts;
  /** 48 random bytes that all workers share, so that a ticket of one is good at another. */
  readonly ticketKeys?: Buffer;
  /** Authorities of the certificates that clients are asked for; absent: they are not asked. */
  readonly clientCa?: readonly string[];
}

/**
 * All options for `tls.createServer`. After a reload give them, made anew with the same ticket keys, to
 * `server.setSecureContext` as well: clients without SNI never reach the SNI callback.
 */
export function tlsServerOptions(
  settings: Pick<SettingsConfig, 'http2' | 'timeouts'>,
  { listener, store, ticketKeys, clientCa }: ListenerTls,
): TlsOptions {
  return {
    ...store().defaultOptions,
    // Clients of HTTP/1.0 may offer that alone, and would be refused.
    ALPNProtocols: [...(settings.http2 ? ['h2'] : []), 'http/1.1', 'http/1.0'],
    SNICallback(this: unknown, name, done) {
      store().sniCallback.call(this, name, done);
    },
    handshakeTimeout: settings.timeouts.handshake * 1000,
    // Who shows none that is trusted gets a page that says so, and not a failed handshake.
    ...(clientCa && { requestCert: true, rejectUnauthorized: false }),
    // Node's own choice depends on the arguments of the process; sessions are to be good in every worker. They keep the
    // verdict on the client's certificate, which is good for no other listener and under no other authorities.
    sessionIdContext: createHash('sha256')
      .update([canonicalListener(listener), ...(clientCa ?? [])].join('\n'))
      .digest('hex')
      .slice(0, 32),
    ...(ticketKeys && { ticketKeys }),
  };
}
