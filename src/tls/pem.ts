/** Reads PEM files (certificates and keys in any mix) and single certificates in DER. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Fault, FileContents } from './pfx.ts';

const block = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;
const certificateLabels = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE']);

/** Text of a file that PowerShell or Notepad may have written: UTF-8 or UTF-16, with or without a byte order mark. */
export function decodeText(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) {
    return bytes.toString('utf16le', 2);
  }
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** Reads what is in the file; keys are tried with each of `passphrases`. */
export function readPem(bytes: Buffer, passphrases: readonly string[]): FileContents | Fault {
  const certificates: X509Certificate[] = [];
  const keys: KeyObject[] = [];
  const text = decodeText(bytes);
  if (!text.includes('-----BEGIN ')) {
    return readDer(bytes);
  }
  const blocks = [...text.matchAll(block)];
  // A file that is still being written has a BEGIN without its END.
  if (blocks.length !== text.split('-----BEGIN ').length - 1) {
    return 'damaged';
  }
  for (const [pem, label = ''] of blocks) {
    try {
      if (certificateLabels.has(label)) {
        certificates.push(new X509Certificate(pem));
      } else if (label.endsWith('PRIVATE KEY')) {
        const key = readKey(pem, passphrases);
        if (typeof key === 'string') {
          return key;
        }
        keys.push(key);
      }
    } catch {
      return 'damaged';
    }
  }
  return { certificates, keys };
}

function readDer(bytes: Buffer): FileContents | Fault {
  try {
    return { certificates: [new X509Certificate(bytes)], keys: [] };
  } catch {
    return 'damaged';
  }
}

function readKey(pem: string, passphrases: readonly string[]): KeyObject | Fault {
  const encrypted = pem.includes('BEGIN ENCRYPTED') || pem.includes('Proc-Type: 4,ENCRYPTED');
  // OpenSSL would ask at the terminal where an encrypted key comes with no passphrase; the empty one stands for none.
  for (const passphrase of encrypted ? [...passphrases, ''] : ['']) {
    try {
      return createPrivateKey({ key: pem, format: 'pem', passphrase });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ERR_OSSL_EVP_UNSUPPORTED') {
        return 'unsupported';
      }
    }
  }
  return encrypted ? 'password' : 'damaged';
}
