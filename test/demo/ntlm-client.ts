/** The client's side of an NTLM login, for tests that want to say what is sent when; curl takes its own precautions. */
import { createHmac } from 'node:crypto';
import { md4 } from '../../src/demo/md4.ts';
import type { Account } from '../../src/demo/windows-challenge.ts';

/** The first message: Unicode, OEM, target wanted, NTLM, always sign, extended session security. */
export const TYPE_1 = 'NTLM TlRMTVNTUAABAAAABoIIAA==';

/** The third message, NTLMv2, for the `NTLM …` line that answered the first. */
export function typeThree(account: Account, authenticate: string): string {
  const challenge = Buffer.from(authenticate.replace(/^\S+ /, ''), 'base64');
  const wide = (text: string) => Buffer.from(text, 'utf16le');
  const hmac = (key: Buffer, ...data: Buffer[]) => createHmac('md5', key).update(Buffer.concat(data)).digest();
  const info = challenge.subarray(challenge.readUInt32LE(44)).subarray(0, challenge.readUInt16LE(40));
  const blob = Buffer.concat([Buffer.from([1, 1]), Buffer.alloc(30), info, Buffer.alloc(4)]);
  const key = hmac(md4(wide(account.password)), wide(account.user.toUpperCase() + account.domain));
  const proof = hmac(key, challenge.subarray(24, 32), blob);
  const parts = [
    Buffer.alloc(0),
    Buffer.concat([proof, blob]),
    wide(account.domain),
    wide(account.user),
    wide('TEST'),
    Buffer.alloc(0),
  ];
  const head = Buffer.alloc(64);
  head.write('NTLMSSP\0\x03', 'latin1');
  let offset = 64;
  for (const [i, part] of parts.entries()) {
    head.writeUInt16LE(part.length, 12 + i * 8);
    head.writeUInt16LE(part.length, 14 + i * 8);
    head.writeUInt32LE(offset, 16 + i * 8);
    offset += part.length;
  }
  head.writeUInt32LE(0x1, 60);
  return `NTLM ${Buffer.concat([head, ...parts]).toString('base64')}`;
}
