/** The secret behind the values of affinity cookies: from its file, else from a private key, else by chance. */
import { createPrivateKey, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Report } from '../config/diagnostic.ts';
import type { SettingsConfig } from '../config/settings-model.ts';
import { readFault } from '../file-fault.ts';
import { isOpenToAll } from '../file-permissions.ts';
import type { CertificateData } from '../tls/certificate.ts';

const LEAST_BYTES = 16;
const MOST_BYTES = 65_536;
const SECRET_BYTES = 32;

/**
 * Reports LG6020 (error) and LG6021 (warning). Without a file the values of cookies are to survive a restart all the same, and
 * to be equal on all nodes: what these have in common is the key of their first certificate.
 */
export function affinitySecret(
  { affinitySecretFile }: Pick<SettingsConfig, 'affinitySecretFile'>,
  certificates: readonly CertificateData[],
  report: Report,
): Uint8Array {
  if (affinitySecretFile !== undefined) return fromFile(affinitySecretFile, report);
  const [first] = certificates;
  return first ? derived(first.keyPem) : randomBytes(SECRET_BYTES);
}

function fromFile({ path, span }: NonNullable<SettingsConfig['affinitySecretFile']>, report: Report): Uint8Array {
  const read = readSecret(path);
  if (typeof read === 'string') {
    report('LG6020', span, {
      message: `${path} ${read}.`,
      advice: `Write at least ${LEAST_BYTES} bytes that nobody can guess into it, as "openssl rand -hex 32" prints them, or remove the setting.`,
    });
    return new Uint8Array();
  }
  if (read.open) {
    report('LG6021', span, {
      message: `${path} can be read by every user of this machine; with it cookies can be made that lead to a server of choice.`,
      advice: `Let only the user of the service read it: chmod 600 ${path}.`,
    });
  }
  return read.secret;
}

/** @returns what is wrong with the file, where something is */
function readSecret(path: string): { secret: Uint8Array; open: boolean } | string {
  try {
    const status = statSync(path);
    if (!status.isFile()) return 'is no regular file';
    if (status.size > MOST_BYTES) return `has more than ${MOST_BYTES} bytes`;
    // Each character one byte: a secret need not be text. A line end is seldom meant to be part of it.
    const secret = readFileSync(path, 'latin1').replace(/^[\t\r\n ]+|[\t\r\n ]+$/g, '');
    if (secret.length < LEAST_BYTES) return `holds a secret of ${secret.length} bytes, which is too short`;
    return { secret: Buffer.from(secret, 'latin1'), open: isOpenToAll(path) };
  } catch (error) {
    return `cannot be read: ${readFault(error)}`;
  }
}

/** RFC 5869, with a label of its own: the key is not told by what is made from it. */
function derived(keyPem: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', numberOf(keyPem), '', 'lychgate affinity cookie', SECRET_BYTES));
}

/** Files may have or leave out the public point of an elliptic curve; the private number is the same in all of them. */
function numberOf(keyPem: string): Uint8Array {
  const key = createPrivateKey(keyPem);
  if (JWK_CURVES.has(key.asymmetricKeyDetails?.namedCurve ?? '')) {
    return Buffer.from(String(key.export({ format: 'jwk' }).d), 'base64url');
  }
  return key.export({ type: 'pkcs8', format: 'der' });
}

const JWK_CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1']);
