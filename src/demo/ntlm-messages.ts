/** The three NTLM messages of MS-NLMP as a server sees them: reads types 1 and 3, writes type 2, checks an NTLMv2 answer. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { md4 } from './md4.ts';

const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1');
const UNICODE = 0x1;
/** Unicode, target, NTLM, always sign, domain, extended session security, target info, version, 128 and 56 bit. */
const CHALLENGE_FLAGS = 0xa2898205;

/** What type 3 carries. */
export interface NtlmLogin {
  readonly domain: string;
  readonly user: string;
  readonly ntResponse: Buffer;
}

/** A message from a client; undefined for anything that is none. */
export type NtlmMessage = { readonly type: 1 } | ({ readonly type: 3 } & NtlmLogin) | undefined;

/** Names that the target info of a challenge carries. */
export interface NtlmTarget {
  readonly domain: string;
  readonly computer: string;
  readonly dnsDomain: string;
  readonly dnsComputer: string;
}

/** Reads the decoded token of an `Authorization: NTLM …` line. */
export function readMessage(token: Buffer): NtlmMessage {
  if (token.length < 12 || !token.subarray(0, 8).equals(SIGNATURE)) {
    return undefined;
  }
  const type = token.readUInt32LE(8);
  if (type === 1) {
    return { type };
  }
  return type === 3 && token.length >= 64 ? readLogin(token) : undefined;
}

function readLogin(token: Buffer): NtlmMessage {
  const ntResponse = payload(token, 20);
  const domain = payload(token, 28);
  const user = payload(token, 36);
  if (ntResponse === undefined || domain === undefined || user === undefined) {
    return undefined;
  }
  const encoding = (token.readUInt32LE(60) & UNICODE) === 0 ? 'latin1' : 'utf16le';
  return { type: 3, ntResponse, domain: domain.toString(encoding), user: user.toString(encoding) };
}

/** The bytes that a length-and-offset field at `at` points to; undefined where it points outside the message. */
function payload(token: Buffer, at: number): Buffer | undefined {
  const length = token.readUInt16LE(at);
  const offset = token.readUInt32LE(at + 4);
  return offset + length <= token.length ? token.subarray(offset, offset + length) : undefined;
}

/** Type 2. It always has target info, so that clients answer with NTLMv2. */
export function challengeMessage(challenge: Buffer, target: NtlmTarget, now: Date): Buffer {
  const name = Buffer.from(target.domain, 'utf16le');
  const info = targetInfo(target, now);
  const head = Buffer.alloc(56);
  SIGNATURE.copy(head);
  head.writeUInt32LE(2, 8);
  writeField(head, 12, name.length, 56);
  head.writeUInt32LE(CHALLENGE_FLAGS, 20);
  challenge.copy(head, 24);
  writeField(head, 40, info.length, 56 + name.length);
  // Windows Server 2012 R2, as IIS 8.5 says: 6.3, build 9600, NTLM revision 15.
  head.set([6, 3, 0x80, 0x25, 0, 0, 0, 15], 48);
  return Buffer.concat([head, name, info]);
}

function writeField(head: Buffer, at: number, length: number, offset: number): void {
  head.writeUInt16LE(length, at);
  head.writeUInt16LE(length, at + 2);
  head.writeUInt32LE(offset, at + 4);
}

function targetInfo(target: NtlmTarget, now: Date): Buffer {
  const timestamp = Buffer.alloc(8);
  // FILETIME: steps of 100 ns since 1601.
  timestamp.writeBigUInt64LE((BigInt(now.getTime()) + 11_644_473_600_000n) * 10_000n);
  const pairs: readonly [number, Buffer][] = [
    [2, Buffer.from(target.domain, 'utf16le')],
    [1, Buffer.from(target.computer, 'utf16le')],
    [4, Buffer.from(target.dnsDomain, 'utf16le')],
    [3, Buffer.from(target.dnsComputer, 'utf16le')],
    [7, timestamp],
    [0, Buffer.alloc(0)],
  ];
  return Buffer.concat(
    pairs.flatMap(([id, value]) => {
      const head = Buffer.alloc(4);
      head.writeUInt16LE(id, 0);
      head.writeUInt16LE(value.length, 2);
      return [head, value];
    }),
  );
}

/** Whether `login` proves knowledge of `password` for this challenge. NTLMv1 answers (24 bytes) never do. */
export function provesPassword(login: NtlmLogin, password: string, challenge: Buffer): boolean {
  if (login.ntResponse.length <= 24) {
    return false;
  }
  const proof = login.ntResponse.subarray(0, 16);
  const blob = login.ntResponse.subarray(16);
  const key = hmacMd5(
    md4(Buffer.from(password, 'utf16le')),
    Buffer.from(login.user.toUpperCase() + login.domain, 'utf16le'),
  );
  return timingSafeEqual(proof, hmacMd5(key, Buffer.concat([challenge, blob])));
}

function hmacMd5(key: Buffer, data: Buffer): Buffer {
  return createHmac('md5', key).update(data).digest();
}
