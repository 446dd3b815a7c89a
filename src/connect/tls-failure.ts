/** Why TLS with a server came to nothing, in words for whoever administers the service: what is wrong, and the setting that helps. */
import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { codeOf } from '../errors.ts';

/** Raised where a certificate is not accepted. */
export class CertificateRefused extends Error {
  readonly code = 'LYCHGATE_CERTIFICATE_REFUSED';
}

const CA = '"upstream": { "ca" } of settings.json';
const NO_VERSION = ', as from a server that speaks none of the versions from "minVersion" of the farm on';
const NO_CIPHER =
  ', as from a server that takes none of "ciphers" of the farm, or wants to be shown a certificate ("clientCertificate" of the farm)';
const NO_ANSWER = ', as those do that take none of "minVersion" and "ciphers" of the farm, or that speak no TLS';
const WEAK = ', which "ciphers" of the farm takes where it ends with ":@SECLEVEL=0"';

/** By code, without ERR_SSL_: what it comes from most often. */
const HINTS: Readonly<Record<string, string>> = {
  WRONG_VERSION_NUMBER: ', as from a port that does not speak TLS',
  PACKET_LENGTH_TOO_LONG: ', as from a port that does not speak TLS',
  TLSV1_ALERT_PROTOCOL_VERSION: NO_VERSION,
  UNSUPPORTED_PROTOCOL: NO_VERSION,
  VERSION_TOO_LOW: NO_VERSION,
  'SSL/TLS_ALERT_HANDSHAKE_FAILURE': NO_CIPHER,
  // What older versions of OpenSSL call it.
  SSLV3_ALERT_HANDSHAKE_FAILURE: NO_CIPHER,
  TLSV1_ALERT_INSUFFICIENT_SECURITY: NO_CIPHER,
  NO_CIPHERS_AVAILABLE: NO_CIPHER,
  TLSV13_ALERT_CERTIFICATE_REQUIRED: ': "clientCertificate" of the farm',
  UNSAFE_LEGACY_RENEGOTIATION_DISABLED: ', which "minVersion": "TLSv1" of the farm takes',
  DH_KEY_TOO_SMALL: WEAK,
  WRONG_SIGNATURE_TYPE: WEAK,
  LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED: WEAK,
};

/** Node's words for it; there is no code of its own. */
const CLOSED = 'Client network socket disconnected before secure TLS connection';

/** OpenSSL tells of places in its sources, which helps nobody who administers the service. */
export function inPlainWords(error: Error): Error {
  if (error.message.startsWith(CLOSED))
    return told(`the server closed the connection within the TLS handshake${NO_ANSWER}`, error);
  const code = codeOf(error);
  if (!code.startsWith('ERR_SSL_') || !('reason' in error)) return error;
  return told(`TLS: ${error.reason}${HINTS[code.slice('ERR_SSL_'.length)] ?? ''}`, error);
}

function told(message: string, error: Error): Error {
  return Object.assign(new Error(message, { cause: error }), { code: codeOf(error) });
}

/**
 * Where the certificates of a server are refused, tells which of them, and why. Node's own words take every fault of a chain for an
 * authority that is not known; the certificates can be looked at only as long as the socket is there.
 */
export function explainRefusal(socket: TLSSocket): void {
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (error?: Error) => {
    // Node sets it, then ends the socket with the reason.
    const refused = error !== undefined && socket.authorizationError && !(error instanceof CertificateRefused);
    return destroy(refused ? refusalOf(error, chainOf(socket)) : error);
  };
}

/** Leaf first, each followed by its issuer: those that the server sent, and those that are trusted here. */
function chainOf(socket: TLSSocket): readonly DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  try {
    let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
    while (next?.raw !== undefined && !chain.includes(next)) {
      chain.push(next);
      next = next.issuerCertificate;
    }
  } catch {
    // One of them is so odd that Node cannot make anything of it.
  }
  return chain;
}

function refusalOf(error: Error, chain: readonly DetailedPeerCertificate[]): Error {
  // Behind it Node tells of an option of its own.
  const verdict = error.message.split(';', 1)[0];
  const last = chain.at(-1);
  if (last === undefined) return new CertificateRefused(verdict, { cause: error });
  const [subject, issuer] = [nameOf(last.subject), nameOf(last.issuer)];
  switch (codeOf(error)) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return told(`${verdict}: its authority is none of ${CA}`, error);
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return told(`${verdict}: its authority, ${subject}, is none of ${CA}`, error);
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return told(
        `${verdict}: that of ${issuer}, which issued ${subject}, is missing: an intermediate that the server should send, or an authority that is none of ${CA}`,
        error,
      );
    case 'UNABLE_TO_GET_ISSUER_CERT':
      return told(
        `${verdict}: the issuing authority ${subject} is trusted without its root, as ${issuer}, which issued it, is none of ${CA}: add that, or set "allowPartialTrustChain" of "upstream"`,
        error,
      );
    // All that Node has no code for.
    case 'UNSPECIFIED':
      return new CertificateRefused(weaknessOf(error.message, chain) ?? `certificate refused: ${error.message}`, {
        cause: error,
      });
    default:
      return error;
  }
}

/** OpenSSL's verdict says which kind of weakness it is, and not in which certificate. */
function weaknessOf(verdict: string, chain: readonly DetailedPeerCertificate[]): string | undefined {
  if (!verdict.endsWith('too weak')) return undefined;
  const [leaf, ...issuers] = chain;
  const weak = verdict.includes('digest')
    ? chain.find(hasWeakDigest)
    : verdict.startsWith('EE')
      ? leaf
      : issuers.toSorted((one, other) => keyBits(one) - keyBits(other))[0];
  const found = weak === undefined ? verdict : `${verdict}: ${nameOf(weak.subject)} has ${factsOf(weak)}`;
  return `${found}. Have it issued again, or let "ciphers" of the farm end with ":@SECLEVEL=0"`;
}

function factsOf(certificate: DetailedPeerCertificate): string {
  const key = certificate.bits === undefined ? 'a key' : `a key of ${certificate.bits} bits`;
  return `${key}, and is signed with ${signatureOf(certificate) || 'an unknown algorithm'}`;
}

function hasWeakDigest(certificate: DetailedPeerCertificate): boolean {
  return /md[245]|sha-?1(?!\d)/i.test(signatureOf(certificate));
}

function signatureOf({ raw }: DetailedPeerCertificate): string {
  try {
    return new X509Certificate(raw).signatureAlgorithm ?? '';
  } catch {
    return '';
  }
}

function keyBits({ bits = Number.POSITIVE_INFINITY }: DetailedPeerCertificate): number {
  return bits;
}

const LONGEST_NAME = 100;

/** What it is known by. Names are what others wrote: they may be long, or repeated. */
function nameOf(name: DetailedPeerCertificate['subject'] | undefined): string {
  const { CN, OU, O } = name ?? {};
  const shown = [CN, OU, O].find((part) => part !== undefined && String(part) !== '') ?? 'a name that is empty';
  return JSON.stringify(String(shown).slice(0, LONGEST_NAME));
}
