/** The certificates of one listener: SNI name to secure context. Immutable; a reload makes a new one. */
import { createSecureContext, type SecureContext } from 'node:tls';
import type { SettingsConfig } from '../config/model.ts';
import { StartError } from '../errors.ts';
import type { CertificateData } from './certificate.ts';
import { type CertificateChoice, nameCertificates } from './certificate-names.ts';
import { type ContextOptions, contextOptions, isLegacyListener } from './tls-options.ts';

export interface StoreOptions {
  /** `address:port`, with `*` for any address. */
  readonly listener: string;
  readonly defaultCertificate?: SettingsConfig['defaultCertificate'];
  /** Hosts of the bindings of this listener, in order. */
  readonly hosts: readonly string[];
  readonly tls: SettingsConfig['tls'];
  /** Milliseconds since 1970; now where it is left out. */
  readonly now?: number;
}

export interface CertificateStore {
  /** For `tls.createServer`. Never throws and never reports an error: a name that nobody covers gets the default. */
  readonly sniCallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) => void;
  /** The context for this SNI name, or the default. */
  readonly secureContextFor: (name?: string) => SecureContext;
  /** The certificate for this SNI name, or the default; where RSA and EC serve together, the one that stands first. */
  readonly certificateFor: (name?: string) => CertificateData;
  /** What the default serves, as options for `tls.createServer` and `server.setSecureContext`. */
  readonly defaultOptions: ContextOptions;
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
  const legacy = isLegacyListener(options.tls, options.listener);
  const optionsFor = (choice: CertificateChoice) => contextOptions(choice, options.tls, legacy);
  const contexts = new Map<string, SecureContext>();
  const contextOf = (choice: CertificateChoice) => {
    const id = choice.map(({ sha256 }) => sha256).join(' ');
    const context = contexts.get(id) ?? createSecureContext(optionsFor(choice));
    contexts.set(id, context);
    return context;
  };
  const defaultContext = contextOf(fallback);
  const choiceFor = (name?: string) => (name === undefined ? fallback : (find(name) ?? fallback));

  const secureContextFor = (name?: string) => {
    try {
      return contextOf(choiceFor(name));
    } catch {
      // A certificate that OpenSSL refuses is LG4031 at the check; an exception out of an SNI callback would end the process.
      return defaultContext;
    }
  };
  return {
    secureContextFor,
    certificateFor: (name) => choiceFor(name)[0],
    sniCallback: (name, done) => done(null, secureContextFor(name)),
    defaultOptions: optionsFor(fallback),
  };
}
