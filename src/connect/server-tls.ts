/** How the certificate of a server is judged (design: chain and a name that comes from configuration only). */
import { constants, createHash, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  createSecureContext,
  DEFAULT_CIPHERS,
  getCACertificates,
  type PeerCertificate,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
} from 'node:tls';
import { isListed, type PublicKey } from './public-keys.ts';
import { CertificateRefused } from './tls-failure.ts';

export interface ServerTls {
  /** `full`: chain and name; `chain`: no name; `none`: neither. */
  readonly verify: 'full' | 'chain' | 'none';
  /** Any of these names in the certificate will do. Never a name that a client sent. */
  readonly names: readonly string[];
  /** SNI; absent: none is sent. */
  readonly serverName?: string;
  /** Base64 SHA-256 of the SubjectPublicKeyInfo; empty: any key. */
  readonly pins: readonly string[];
  /** `publicKeys` of the farm: empty for any key. */
  readonly publicKeys: readonly PublicKey[];
  /** PEM certificates trusted beside the public authorities. */
  readonly ca: readonly string[];
  /** An issuing authority of `ca` is trusted by itself, without its root. */
  readonly allowPartialTrustChain?: boolean;
  /** Absent: TLS 1.2. */
  readonly minVersion?: SecureVersion;
  /** As OpenSSL names them; absent: Node's. */
  readonly ciphers?: string;
  /** What we show where the server asks for it. */
  readonly clientCertificate?: ShownCertificate;
}

/** A certificate of ours for servers. Holds its key: never log it whole. */
export interface ShownCertificate {
  /** Stands for it in the keys of pools and contexts. */
  readonly sha256: string;
  /** Leaf first, then its issuers. */
  readonly certPem: string;
  readonly keyPem: string;
}

/** Made once for all connections: it reads every authority, which takes longer than a handshake. */
function contextOf(server: ServerTls): SecureContext {
  const { ca, allowPartialTrustChain = false, minVersion, ciphers, clientCertificate: own } = server;
  const key = [own?.sha256, minVersion, ciphers, allowPartialTrustChain, ...ca].join('\n');
  let context = contexts.get(key);
  if (context === undefined) {
    context = createSecureContext({
      ca: [...getCACertificates('default'), ...ca],
      allowPartialTrustChain,
      ...protocolOptions(server),
      ...(own && { cert: own.certPem, key: own.keyPem }),
    });
    contexts.set(key, context);
  }
  return context;
}

const contexts = new Map<string, SecureContext>();

/** Versions that need what OpenSSL has given up: SHA-1 signatures, short keys, and servers that know no safe renegotiation. */
export function isOutdated(minVersion: SecureVersion | undefined): boolean {
  return minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
}

/** The part of a secure context that decides what is spoken. */
export function protocolOptions({
  minVersion = 'TLSv1.2',
  ciphers = DEFAULT_CIPHERS,
}: Pick<ServerTls, 'minVersion' | 'ciphers'>): SecureContextOptions {
  if (!isOutdated(minVersion)) return { minVersion, ciphers };
  const level = ciphers.includes('@SECLEVEL') ? '' : ':@SECLEVEL=0';
  return { minVersion, ciphers: ciphers + level, secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT };
}

/** The part of `tls.connect` options that decides whom to trust. */
export function trustOptions(server: ServerTls): ConnectionOptions {
  return {
    // An empty servername sends no SNI; tls.connect would otherwise take the host for it.
    servername: server.serverName ?? '',
    secureContext: contextOf(server),
    rejectUnauthorized: server.verify !== 'none',
    checkServerIdentity: (_host, certificate) => judge(server, certificate),
    ALPNProtocols: ['http/1.1'],
  };
}

function judge(server: ServerTls, certificate: PeerCertificate): Error | undefined {
  if (server.verify !== 'full') return undefined;
  if (server.names.some((name) => checkServerIdentity(name, certificate) === undefined)) return undefined;
  const carried = certificate.subjectaltname ?? `CN=${String(certificate.subject?.CN ?? '')}`;
  return new CertificateRefused(
    `the certificate is for ${carried}, and none of the configured names is among them: ${server.names.join(', ')}`,
  );
}

/** Pins and `publicKeys` are checked after the handshake, so that they also hold where `verify` is `none`. */
export function pinFault(server: ServerTls, rawCertificate: Buffer | undefined): CertificateRefused | undefined {
  const { pins, publicKeys } = server;
  if (pins.length === 0 && publicKeys.length === 0) return undefined;
  if (rawCertificate === undefined)
    return new CertificateRefused('the server sent no certificate to compare with its pins');
  const key = new X509Certificate(rawCertificate).publicKey.export({ type: 'spki', format: 'der' });
  const pin = createHash('sha256').update(key).digest('base64');
  if (pins.length > 0 && !pins.includes(pin))
    return new CertificateRefused(`the key of the certificate (${pin}) is not pinned`);
  return publicKeys.length === 0 || isListed(publicKeys, key)
    ? undefined
    : new CertificateRefused(`the key of the certificate (SHA-256 ${pin}) is none of publicKeys`);
}

/** The SNI for a member: the configured name, else its own if that is a DNS name, else none. */
export function sniFor(address: string, configured: string | undefined): string | undefined {
  if (configured !== undefined) return configured;
  return isIP(address) === 0 ? address : undefined;
}
