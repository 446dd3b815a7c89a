/** The certificates of one listener: SNI name to secure context. Immutable; a reload makes a new one. */
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { SettingsConfig } from '../config/settings-model.ts';
import { StartError } from '../errors.ts';
import { internationalFromBytes } from '../host-name.ts';
import type { CertificateData } from './certificate.ts';
import { type CertificateChoice, nameCertificates, usableOn } from './certificate-names.ts';
import { type ContextOptions, contextOptions, isLegacyListener, isWeak, type ShownContexts } from './tls-options.ts';

export interface StoreOptions {
  /** `address:port`, with `*` for any address. */
  readonly listener: string;
  readonly defaultCertificate?: SettingsConfig['defaultCertificate'];
  /** Hosts of the bindings of this listener, in order. */
  readonly hosts: readonly string[];
  readonly tls: SettingsConfig['tls'];
  /** Authorities of the certificates that clients are asked for; absent: they are not asked. */
  readonly clientCa?: readonly string[];
  /** Milliseconds since 1970; now where it is left out. */
  readonly now?: number;
}

export interface CertificateStore extends ShownContexts {
  /** The context for this SNI name (as Node has it: each character one byte), or the default; where RSA and EC serve together, the one for this client. */
  readonly secureContextFor: (name?: string, socket?: unknown) => SecureContext;
  /** The certificate for this SNI name, or the default; where RSA and EC serve together, the one that stands first. */
  readonly certificateFor: (name?: string) => CertificateData;
}

/** Throws a StartError where the listener has no certificate at all, which `checkCertificates` reports as LG4025. */
export function createCertificateStore(
  certificates: readonly CertificateData[],
  options: StoreOptions,
): CertificateStore {
  const { find, fallback } = nameCertificates(certificates, { ...options, now: options.now ?? Date.now() });
  if (!fallback) {
    throw new StartError(`no certificate for the listener ${options.listener}`);
  }
  // The strength is the listener's: OpenSSL takes it from the first context, and only the certificate from the one chosen by SNI.
  const strength = {
    legacy: isLegacyListener(options.tls, options.listener),
    weak: usableOn(options.listener, certificates).some(isWeak),
  };
  const { tls, clientCa } = options;
  const contextOf = rememberContexts((certificate) => contextOptions([certificate], tls, strength, clientCa));
  const defaultContext = contextOf(fallback[0]);
  const choiceFor = (name?: string) =>
    name === undefined ? fallback : (find(internationalFromBytes(name) ?? name) ?? fallback);
  const secureContextFor = (name?: string, socket?: unknown) => {
    try {
      return contextOf(chooseFor(socket, choiceFor(name)));
    } catch {
      // A certificate that OpenSSL refuses is LG4031 at the check; an exception out of an SNI callback would end the process.
      return defaultContext;
    }
  };
  return {
    secureContextFor,
    certificateFor: (name) => choiceFor(name)[0],
    sniCallback(name, done) {
      done(null, secureContextFor(name, this));
    },
    defaultOptions: contextOptions(fallback, tls, strength, clientCa),
  };
}

/** One context for each certificate, made when it is first asked for. */
function rememberContexts(
  optionsOf: (certificate: CertificateData) => ContextOptions,
): (certificate: CertificateData) => SecureContext {
  const contexts = new Map<string, SecureContext>();
  return (certificate) => {
    const known = contexts.get(certificate.sha256);
    if (known) {
      return known;
    }
    const context = createSecureContext(optionsOf(certificate));
    contexts.set(certificate.sha256, context);
    return context;
  };
}

/**
 * Node puts one certificate only of a context that SNI chose into the handshake, so RSA or EC is decided here. In TLS 1.3
 * the signature algorithms tell what the client can do; before that the ciphers do, which Node does not show: RSA then.
 */
function chooseFor(socket: unknown, choice: CertificateChoice): CertificateData {
  const ec = choice.find(({ keyType }) => keyType === 'ec');
  const rsa = choice.find(({ keyType }) => keyType === 'rsa');
  if (!ec || !rsa) {
    return choice[0];
  }
  return socket instanceof TLSSocket && socket.getProtocol() === 'TLSv1.3' && canVerify(socket, ec) ? ec : rsa;
}

const curveDigests = new Map([
  [256, 'SHA256'],
  [384, 'SHA384'],
  [521, 'SHA512'],
]);

function canVerify(socket: TLSSocket, { keyBits }: CertificateData): boolean {
  return socket.getSharedSigalgs().includes(`ECDSA+${curveDigests.get(keyBits) ?? ''}`);
}
